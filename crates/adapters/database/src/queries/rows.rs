//! Rows of the tables and their way into the domain and out of it.

use super::super::Backend;
use super::super::schema::{activities, assets, users};
use super::micros;
use artdag_anchoring::Digest;
use artdag_assets::{Asset, Details, Metadata, Registered, Tag, Tags, Tombstone, parse_cid, search_text};
use artdag_auth::{PasswordHash, User};
use artdag_federation::{Activity, SignedDocument};
use artdag_kernel::{Instant, StoreError};
use artdag_provenance::Provenance;
use diesel::prelude::*;
use serde_json::Value;
use std::error::Error;
use std::str::FromStr;

/// One row that is being read: names the place when a value is not what it should be.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) table: &'static str,
    pub(super) row: &'a str,
}

impl Place<'_> {
    pub(super) fn sound<T, E: Into<Box<dyn Error + Send + Sync>>>(
        self,
        column: &'static str,
        value: Result<T, E>,
    ) -> Result<T, StoreError> {
        let Self { table, row } = self;
        value.map_err(|e| StoreError::Corrupt { table, column, row: row.to_owned(), source: e.into() })
    }

    pub(super) fn parse<T>(self, column: &'static str, text: &str) -> Result<T, StoreError>
    where
        T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>>,
    {
        self.sound(column, text.parse())
    }

    pub(super) fn parse_some<T>(self, column: &'static str, text: Option<&str>) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: Into<Box<dyn Error + Send + Sync>>>,
    {
        text.map(|text| self.parse(column, text)).transpose()
    }

    /// The value whose word this is.
    pub(super) fn one_of<T: Copy>(
        self,
        column: &'static str,
        all: &[T],
        word: fn(T) -> &'static str,
        text: &str,
    ) -> Result<T, StoreError> {
        let value = all.iter().copied().find(|value| word(*value) == text);
        self.sound(column, value.ok_or_else(|| format!("`{text}` is none of its words")))
    }

    /// A value that is missing only where others of the row are missing too.
    pub(super) fn there<T>(self, column: &'static str, value: Option<T>) -> Result<T, StoreError> {
        self.sound(column, value.ok_or("it is null"))
    }

    pub(super) fn digest(self, column: &'static str, bytes: Vec<u8>) -> Result<Digest, StoreError> {
        let bytes = <[u8; 32]>::try_from(bytes).map_err(|bytes| format!("{} bytes are no digest", bytes.len()));
        self.sound(column, bytes).map(Digest::from_bytes)
    }

    fn index(self, n: Option<i64>) -> Result<Option<u64>, StoreError> {
        n.map(|n| self.sound("log_index", u64::try_from(n))).transpose()
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = assets, check_for_backend(Backend))]
pub(super) struct AssetRow {
    pub(super) id: String,
    name: String,
    content_hash: String,
    cid: Option<String>,
    owner: String,
    asset_type: String,
    description: Option<String>,
    tags: String,
    url: Option<String>,
    metadata: Option<String>,
    provenance: String,
    created_at: Instant,
    updated_at: Instant,
    revision: i64,
    claim: String,
    deleted_at: Option<Instant>,
    withdrawal: Option<String>,
    #[diesel(select_expression = activities::log_index.nullable())]
    claim_index: Option<i64>,
}

impl TryFrom<AssetRow> for Registered {
    type Error = StoreError;

    fn try_from(row: AssetRow) -> Result<Self, StoreError> {
        match (row.deleted_at, &row.withdrawal) {
            (Some(deleted_at), Some(withdrawal)) => {
                let at = Place { table: "assets", row: &row.id };
                Ok(Self::Deleted(Tombstone {
                    id: at.parse("id", &row.id)?,
                    name: at.parse("name", &row.name)?,
                    content_hash: at.parse("content_hash", &row.content_hash)?,
                    owner: at.parse("owner", &row.owner)?,
                    former_type: at.parse("asset_type", &row.asset_type)?,
                    created_at: row.created_at,
                    deleted_at,
                    claim: at.parse("claim", &row.claim)?,
                    withdrawal: at.parse("withdrawal", withdrawal)?,
                }))
            }
            _ => Ok(Self::Live(Box::new(row.try_into()?))),
        }
    }
}

impl TryFrom<AssetRow> for Asset {
    type Error = StoreError;

    fn try_from(row: AssetRow) -> Result<Self, StoreError> {
        let at = Place { table: "assets", row: &row.id };
        let provenance: Value = at.parse("provenance", &row.provenance)?;
        let metadata: Option<Value> = at.parse_some("metadata", row.metadata.as_deref())?;
        let details = Details {
            asset_type: at.parse("asset_type", &row.asset_type)?,
            description: at.parse_some("description", row.description.as_deref())?,
            tags: read_tags(at, &row.tags)?,
            url: at.parse_some("url", row.url.as_deref())?,
            metadata: at.sound("metadata", metadata.map(Metadata::try_from).transpose())?,
        };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            name: at.parse("name", &row.name)?,
            content_hash: at.parse("content_hash", &row.content_hash)?,
            cid: at.sound("cid", row.cid.as_deref().map(parse_cid).transpose())?,
            owner: at.parse("owner", &row.owner)?,
            provenance: at.sound("provenance", Provenance::from_json(&provenance))?,
            details,
            created_at: row.created_at,
            updated_at: row.updated_at,
            revision: at.sound("revision", u32::try_from(row.revision))?,
            claim: at.parse("claim", &row.claim)?,
            claim_index: at.index(row.claim_index)?,
        })
    }
}

fn read_tags(at: Place<'_>, text: &str) -> Result<Tags, StoreError> {
    let tags: Vec<String> = at.sound("tags", serde_json::from_str(text))?;
    let tags: Result<Vec<Tag>, _> = tags.iter().map(|tag| tag.parse()).collect();
    at.sound("tags", Tags::new(at.sound("tags", tags)?))
}

/// What an insert of an asset writes.
#[derive(Insertable)]
#[diesel(table_name = assets)]
pub(super) struct NewAssetRow {
    id: String,
    name: String,
    content_hash: String,
    cid: Option<String>,
    owner: String,
    provenance: String,
    run_id: Option<String>,
    created_at: Instant,
    claim: String,
    #[diesel(embed)]
    details: DetailsRow,
}

/// What a change of details writes, and an insert too.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = assets, treat_none_as_null = true)]
pub(super) struct DetailsRow {
    asset_type: String,
    description: Option<String>,
    tags: String,
    url: Option<String>,
    metadata: Option<String>,
    search_text: String,
    updated_at: Instant,
    revision: i64,
}

impl From<&Asset> for NewAssetRow {
    fn from(asset: &Asset) -> Self {
        Self {
            id: asset.id.to_string(),
            name: asset.name.to_string(),
            content_hash: asset.content_hash.to_bare_hex(),
            cid: asset.cid.map(|cid| cid.to_string()),
            owner: asset.owner.to_string(),
            provenance: provenance_text(&asset.provenance),
            run_id: asset.provenance.run_id().map(ToString::to_string),
            created_at: micros(asset.created_at),
            claim: asset.claim.to_string(),
            details: asset.into(),
        }
    }
}

impl From<&Asset> for DetailsRow {
    fn from(asset: &Asset) -> Self {
        let details = &asset.details;
        Self {
            asset_type: details.asset_type.to_string(),
            description: details.description.as_ref().map(|d| d.as_str().to_owned()),
            tags: tags_text(&details.tags),
            url: details.url.as_ref().map(|url| url.as_str().to_owned()),
            metadata: details.metadata.as_ref().map(|m| Value::Object(m.as_map().clone()).to_string()),
            search_text: search_text(&asset.name, details),
            updated_at: micros(asset.updated_at),
            revision: i64::from(asset.revision),
        }
    }
}

/// The shortest spelling that the domain reads back: its bound on the size was checked on what the client sent, and
/// `to_json` may be longer than that.
pub(super) fn provenance_text(provenance: &Provenance) -> String {
    let mut value = provenance.to_json();
    let inputs: Vec<Value> = provenance.inputs().iter().map(|hash| Value::String(hash.to_bare_hex())).collect();
    if let Some(members) = value.as_object_mut() {
        if inputs.is_empty() {
            members.remove("inputs");
        } else {
            members.insert("inputs".to_owned(), Value::Array(inputs));
        }
    }
    value.to_string()
}

fn tags_text(tags: &Tags) -> String {
    tags.as_slice().iter().map(|tag| Value::String(tag.to_string())).collect::<Value>().to_string()
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = activities, check_for_backend(Backend))]
pub(super) struct ActivityRow {
    id: String,
    kind: String,
    actor: String,
    content_hash: String,
    published_at: Instant,
    document: String,
    #[diesel(skip_insertion)]
    pub(super) log_index: Option<i64>,
}

impl TryFrom<ActivityRow> for Activity {
    type Error = StoreError;

    fn try_from(row: ActivityRow) -> Result<Self, StoreError> {
        let at = Place { table: "activities", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            kind: at.parse("kind", &row.kind)?,
            actor: at.parse("actor", &row.actor)?,
            content_hash: at.parse("content_hash", &row.content_hash)?,
            published_at: row.published_at,
            index: at.index(row.log_index)?,
            document: SignedDocument::from_stored(row.document),
        })
    }
}

impl From<&Activity> for ActivityRow {
    fn from(activity: &Activity) -> Self {
        Self {
            id: activity.id.to_string(),
            kind: activity.kind.to_string(),
            actor: activity.actor.to_string(),
            content_hash: activity.content_hash.to_bare_hex(),
            published_at: micros(activity.published_at),
            document: activity.document.as_str().to_owned(),
            log_index: None,
        }
    }
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = users, check_for_backend(Backend))]
pub(super) struct UserRow {
    username: String,
    display_name: Option<String>,
    email: Option<String>,
    password_hash: String,
    created_at: Instant,
}

impl TryFrom<UserRow> for User {
    type Error = StoreError;

    fn try_from(row: UserRow) -> Result<Self, StoreError> {
        let at = Place { table: "users", row: &row.username };
        Ok(Self {
            username: at.parse("username", &row.username)?,
            display_name: at.parse_some("display_name", row.display_name.as_deref())?,
            email: at.parse_some("email", row.email.as_deref())?,
            password: PasswordHash::from_stored(row.password_hash),
            created_at: row.created_at,
        })
    }
}

impl From<&User> for UserRow {
    fn from(user: &User) -> Self {
        Self {
            username: user.username.to_string(),
            display_name: user.display_name.as_ref().map(|name| name.as_str().to_owned()),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            password_hash: user.password.as_str().to_owned(),
            created_at: micros(user.created_at),
        }
    }
}
