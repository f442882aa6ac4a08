//! Things to keep in a store.

use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::checkpoint::Checkpoint;
use artdag_anchoring::{Anchor, Digest};
use artdag_assets::{Asset, AssetFilter, AssetName, Details, NewAsset, Tag, Tags};
use artdag_auth::{PasswordHash, User};
use artdag_federation::{Activity, ActivityKind, SignedDocument};
use artdag_kernel::testing::{ManualClock, SeededRandomness};
use artdag_kernel::{Clock, ContentHash, Instant, Page, PageLimit, StoreError, Username, new_uuid};
use artdag_provenance::Provenance;
use artdag_registry::{Store, UnitOfWork};
use chrono::TimeDelta;
use serde_json::json;
use std::ops::Range;
use std::sync::Arc;

pub(crate) type Db = Arc<dyn Store>;

/// Makes things, each a second younger than the one before unless time stands still.
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) random: SeededRandomness,
}

impl World {
    pub(crate) fn new() -> Self {
        Self { clock: ManualClock::new(), random: SeededRandomness::default() }
    }

    pub(crate) fn now(&self) -> Instant {
        self.clock.now()
    }

    pub(crate) fn id<T: From<uuid::Uuid>>(&self) -> T {
        new_uuid(self.now(), &self.random).into()
    }

    pub(crate) fn wait(&self, seconds: i64) {
        self.clock.advance(TimeDelta::seconds(seconds));
    }

    pub(crate) fn asset(&self, name: &str, owner: &str) -> Asset {
        self.asset_with(name, owner, |_| ())
    }

    pub(crate) fn asset_with(&self, name: &str, owner: &str, change: impl FnOnce(&mut NewAsset)) -> Asset {
        let details = Details {
            asset_type: "image".parse().unwrap(),
            description: None,
            tags: Tags::default(),
            url: None,
            metadata: None,
        };
        let mut new = NewAsset {
            name: name.parse().unwrap(),
            content_hash: ContentHash::of(name.as_bytes()),
            cid: None,
            provenance: Provenance::default(),
            details,
        };
        change(&mut new);
        self.wait(1);
        Asset::register(new, username(owner), self.id(), self.id(), self.now())
    }

    pub(crate) fn activity(&self, kind: ActivityKind, actor: &str, hash: ContentHash) -> Activity {
        self.wait(1);
        let id = self.id();
        let document = SignedDocument::from_stored(format!("{{\"id\":\"{id}\",\"ü\":\"\\u0000\"}}"));
        let published_at = self.now();
        Activity { id, kind, actor: username(actor), content_hash: hash, published_at, document, index: None }
    }

    /// A stamping of the log, from the first entry that no other has, by two calendars.
    pub(crate) fn anchor(&self, entries: Range<u64>) -> Anchor {
        self.wait(1);
        let root = Digest::of(&entries.end.to_be_bytes());
        let checkpoint = Checkpoint::new("art.example/log", entries.end, root).unwrap();
        let calendars = ["https://alice.example", "https://bob.example"].map(|uri| uri.parse().unwrap());
        Anchor::begin(&checkpoint, Network::Mainnet, entries.start, [[1; 16], [2; 16]], &calendars, self.now())
    }

    /// The `Create` that an asset names as its claim.
    pub(crate) fn claim(&self, asset: &Asset) -> Activity {
        let activity = self.activity(ActivityKind::Create, asset.owner.as_str(), asset.content_hash);
        Activity { id: asset.claim, published_at: asset.created_at, ..activity }
    }
}

pub(crate) fn username(name: &str) -> Username {
    name.parse().unwrap()
}

pub(crate) fn name(name: &str) -> AssetName {
    name.parse().unwrap()
}

pub(crate) fn tags(tags: &[&str]) -> Tags {
    Tags::new(tags.iter().map(|tag| tag.parse::<Tag>().unwrap())).unwrap()
}

pub(crate) fn made_from(inputs: &[ContentHash]) -> Provenance {
    Provenance::from_json(&json!({"inputs": inputs})).unwrap()
}

pub(crate) fn user(name: &str, at: Instant) -> User {
    User {
        username: username(name),
        display_name: None,
        email: None,
        password: PasswordHash::from_stored("$argon2id$..".to_owned()),
        created_at: at,
    }
}

/// Newest first, many.
pub(crate) fn first_page() -> Page {
    Page::newest(PageLimit::new(200).unwrap())
}

/// A store with these users in it.
pub(crate) async fn with_users(store: &Db, world: &World, names: &[&str]) {
    let mut unit = store.begin().await.unwrap();
    for name in names {
        unit.add_user(&user(name, world.now())).await.unwrap();
    }
    unit.commit().await.unwrap();
}

pub(crate) async fn add(store: &Db, assets: &[&Asset]) {
    let mut unit = store.begin().await.unwrap();
    for asset in assets {
        unit.add_asset(asset).await.unwrap();
    }
    unit.commit().await.unwrap();
}

/// Adds anchors in one unit.
pub(crate) async fn anchor(store: &Db, anchors: &[Anchor]) {
    let mut unit = store.begin().await.unwrap();
    for anchor in anchors {
        assert!(unit.add_anchor(anchor).await.unwrap());
    }
    unit.commit().await.unwrap();
}

pub(crate) async fn publish(store: &Db, activities: &[&Activity]) {
    let mut unit = store.begin().await.unwrap();
    for activity in activities {
        unit.add_activity(activity).await.unwrap();
    }
    unit.commit().await.unwrap();
}

/// Gives every waiting activity its index.
pub(crate) async fn sequence(store: &Db) -> u64 {
    let mut unit = store.begin().await.unwrap();
    let size = unit.log_size().await.unwrap();
    let given = unit.extend_log(size, 1000).await.unwrap().unwrap();
    unit.commit().await.unwrap();
    given
}

/// Buries an asset in a unit of its own.
pub(crate) async fn bury(store: &Db, world: &World, asset: &Asset) -> artdag_assets::Tombstone {
    world.wait(1);
    let tombstone = asset.bury(world.id(), world.now());
    let mut unit = store.begin().await.unwrap();
    assert!(unit.bury_asset(&tombstone, asset.revision).await.unwrap());
    unit.commit().await.unwrap();
    tombstone
}

/// The names that a list shows, in its order.
pub(crate) async fn listed(store: &Db, filter: &AssetFilter) -> Vec<String> {
    let slice = store.read().await.unwrap().list_assets(filter, first_page()).await.unwrap();
    slice.items.iter().map(|asset| asset.name.to_string()).collect()
}

/// Adds one asset in a unit of its own.
pub(crate) async fn try_add(store: &Db, asset: &Asset) -> Result<(), StoreError> {
    let mut unit: Box<dyn UnitOfWork> = store.begin().await?;
    unit.add_asset(asset).await?;
    unit.commit().await
}
