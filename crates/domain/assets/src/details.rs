use crate::Tags;
use artdag_kernel::{TextFault, check_text};
use cid::Cid;
use serde_json::{Map, Value};
use std::fmt;
use std::str::FromStr;
use url::Url;

/// What an owner may change about an asset.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    /// What kind of thing it is.
    pub asset_type: AssetType,
    /// What its owner says of it.
    pub description: Option<Description>,
    /// What it is found by.
    pub tags: Tags,
    /// Where more is to be seen.
    pub url: Option<Link>,
    /// Whatever else a tool wants to keep with it.
    pub metadata: Option<Metadata>,
}

/// A change of some details: `None` leaves one as it is, `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetailsPatch {
    /// The new type.
    pub asset_type: Option<AssetType>,
    /// The new description.
    pub description: Option<Option<Description>>,
    /// The new tags, all of them.
    pub tags: Option<Tags>,
    /// The new link.
    pub url: Option<Option<Link>>,
    /// The new metadata, all of it.
    pub metadata: Option<Option<Metadata>>,
}

impl Details {
    /// These details with the patch applied.
    #[must_use]
    pub fn patched(&self, patch: DetailsPatch) -> Self {
        Self {
            asset_type: patch.asset_type.unwrap_or_else(|| self.asset_type.clone()),
            description: patch.description.unwrap_or_else(|| self.description.clone()),
            tags: patch.tags.unwrap_or_else(|| self.tags.clone()),
            url: patch.url.unwrap_or_else(|| self.url.clone()),
            metadata: patch.metadata.unwrap_or_else(|| self.metadata.clone()),
        }
    }
}

/// What kind of thing an asset is: open text; `image`, `video`, `audio`, `effect` and `infrastructure` are
/// understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetType(String);

impl AssetType {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetType {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        check_text(text, 64)?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for AssetType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text of 1 to 5000 characters that may have several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description(String);

impl Description {
    const MAX: usize = 5000;

    /// The text, with `\n` between lines.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Description {
    type Err = TextFault;

    /// White space around the text is dropped.
    fn from_str(text: &str) -> Result<Self, TextFault> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        let odd = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        match odd {
            Some(c) => Err(TextFault::Forbidden(u32::from(c))),
            None if text.is_empty() => Err(TextFault::Empty),
            None if text.chars().count() > Self::MAX => Err(TextFault::TooLong { max: Self::MAX }),
            None => Ok(Self(text)),
        }
    }
}

/// An absolute `http` or `https` URL of at most 2048 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(String);

/// The text is no link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an absolute http or https URL without credentials, at most 2048 bytes long")]
pub struct InvalidLink;

impl Link {
    /// The normalised URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Link {
    type Err = InvalidLink;

    fn from_str(text: &str) -> Result<Self, InvalidLink> {
        let url = Url::parse(text).map_err(|_| InvalidLink)?;
        let plain = url.username().is_empty() && url.password().is_none();
        let fits = matches!(url.scheme(), "http" | "https") && url.has_host() && plain && url.as_str().len() <= 2048;
        if fits { Ok(Self(url.into())) } else { Err(InvalidLink) }
    }
}

/// A JSON object of at most 64 KiB that this registry keeps and does not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(Map<String, Value>);

/// The value is no metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an object of at most 65536 bytes")]
pub struct InvalidMetadata;

impl Metadata {
    /// The most bytes of its JSON text.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// The object.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl TryFrom<Value> for Metadata {
    type Error = InvalidMetadata;

    fn try_from(value: Value) -> Result<Self, InvalidMetadata> {
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(InvalidMetadata);
        }
        match value {
            Value::Object(members) => Ok(Self(members)),
            _ => Err(InvalidMetadata),
        }
    }
}

/// The text is no CID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an IPFS content id such as `bafkrei..` or `Qm..`")]
pub struct InvalidCid;

/// Reads an IPFS content id (CIDv0 or CIDv1).
///
/// # Errors
/// [`InvalidCid`].
pub fn parse_cid(text: &str) -> Result<Cid, InvalidCid> {
    let bounded = text.len() <= 256;
    Cid::try_from(text).ok().filter(|_| bounded).ok_or(InvalidCid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_description_keeps_its_lines() {
        assert_eq!(" a\r\nb\t \n".parse::<Description>().unwrap().as_str(), "a\nb");
        assert_eq!("a\u{0}".parse::<Description>(), Err(TextFault::Forbidden(0)));
        assert_eq!(" \n".parse::<Description>(), Err(TextFault::Empty));
    }

    #[test]
    fn links_lead_to_the_web() {
        assert_eq!("HTTPS://Art.example/x y".parse::<Link>().unwrap().as_str(), "https://art.example/x%20y");
        for text in
            ["javascript:alert(1)", "/x", "ftp://a/b", "https://u:p@a/", "", &format!("https://a/{}", "x".repeat(2048))]
        {
            assert_eq!(text.parse::<Link>(), Err(InvalidLink), "{text:.40}");
        }
    }

    #[test]
    fn metadata_is_a_bounded_object() {
        assert!(Metadata::try_from(json!({"fps": 25})).is_ok());
        assert_eq!(Metadata::try_from(json!([1])), Err(InvalidMetadata));
        assert_eq!(Metadata::try_from(json!({"x": "y".repeat(65_536)})), Err(InvalidMetadata));
    }

    #[test]
    fn cids() {
        assert!(parse_cid("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG").is_ok());
        assert!(parse_cid("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku").is_ok());
        assert!(parse_cid("bafkrei").is_err() && parse_cid("").is_err() && parse_cid(&"b".repeat(9999)).is_err());
    }
}
