use artdag_kernel::{TextFault, check_text};
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// A word that groups assets: one line of 1 to 64 characters in NFC. A leading `#` is dropped. Shown as it was
/// written, found in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag(String);

impl Tag {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What two spellings of one tag share.
    pub fn key(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Tag {
    type Err = TextFault;

    fn from_str(text: &str) -> Result<Self, TextFault> {
        let text = text.trim_start_matches('#');
        if text.len() > 64 * 4 * 3 {
            return Err(TextFault::TooLong { max: 64 });
        }
        let text: String = text.nfc().collect();
        check_text(&text, 64)?;
        Ok(Self(text))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// At most 50 tags, none twice, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<Tag>);

/// More than [`Tags::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must hold at most {} tags", Tags::MAX)]
pub struct InvalidTags;

impl Tags {
    /// The most tags of one asset.
    pub const MAX: usize = 50;

    /// Drops repetitions, whatever their case.
    ///
    /// # Errors
    /// [`InvalidTags`] when too many are left.
    pub fn new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, InvalidTags> {
        let mut kept: Vec<Tag> = Vec::new();
        for tag in tags {
            if !kept.iter().any(|known| known.key() == tag.key()) {
                kept.push(tag);
            }
            if kept.len() > Self::MAX {
                return Err(InvalidTags);
            }
        }
        Ok(Self(kept))
    }

    /// The tags in order.
    pub fn as_slice(&self) -> &[Tag] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tag_in_two_cases_counts_once() {
        let tags = ["Art", "#art", "Generated"].map(|t| t.parse().unwrap());
        let kept: Vec<_> = Tags::new(tags).unwrap().as_slice().iter().map(ToString::to_string).collect();
        assert_eq!(kept, ["Art", "Generated"]);
    }

    #[test]
    fn bounded() {
        assert!(Tags::new((0..50).map(|n| n.to_string().parse().unwrap())).is_ok());
        assert!(Tags::new((0..51).map(|n| n.to_string().parse().unwrap())).is_err());
    }
}
