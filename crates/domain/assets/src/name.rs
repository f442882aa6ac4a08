use artdag_kernel::{TextFault, check_text};
use std::fmt;
use std::str::FromStr;
use unicode_normalization::UnicodeNormalization;

/// An asset's name: one line of 1 to 255 characters in Unicode NFC, without `/`. Unique in a registry.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssetName(String);

/// The text cannot name an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAssetName {
    /// Not a sound line of text.
    #[error(transparent)]
    Text(#[from] TextFault),
    /// It would end the name's segment of a URL.
    #[error("must not contain `/`")]
    Slash,
    /// `.` and `..` have a meaning of their own in URLs.
    #[error("must not be `.` or `..`")]
    Dots,
}

impl AssetName {
    /// The text, in NFC.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetName {
    type Err = InvalidAssetName;

    /// Other normal forms are brought into NFC: some systems type and list names decomposed.
    fn from_str(text: &str) -> Result<Self, InvalidAssetName> {
        // Composition never grows a text threefold, so this bounds the work on a hostile one.
        if text.len() > 255 * 4 * 3 {
            return Err(TextFault::TooLong { max: 255 }.into());
        }
        let text: String = text.nfc().collect();
        check_text(&text, 255)?;
        match text.as_str() {
            "." | ".." => Err(InvalidAssetName::Dots),
            name if name.contains('/') => Err(InvalidAssetName::Slash),
            _ => Ok(Self(text)),
        }
    }
}

impl fmt::Display for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn composes() {
        let decomposed = "e\u{301}te\u{301}".parse::<AssetName>().unwrap();
        assert_eq!(decomposed.as_str(), "été");
    }

    #[test]
    fn refuses_names_that_break_urls_or_eyes() {
        let long = "é".repeat(256);
        for name in ["", " a", "a ", "a/b", ".", "..", "a\nb", "\u{0}", "a\u{202e}b", &long, &"x".repeat(10_000)] {
            assert!(name.parse::<AssetName>().is_err(), "{name:.40}");
        }
    }

    proptest! {
        #[test]
        fn a_name_reads_back_as_itself(text in ".{1,80}") {
            if let Ok(name) = text.parse::<AssetName>() {
                prop_assert_eq!(name.as_str().parse::<AssetName>(), Ok(name.clone()));
            }
        }
    }
}
