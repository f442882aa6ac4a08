use std::fmt;
use std::str::FromStr;

/// A local account's name: 1 to 30 of `a-z`, `0-9` and `_`. Upper case is read as lower case.
///
/// It is safe as a file name, a URL segment and the local part of an `acct:` URI.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

/// The text is not a username.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 30 characters of a-z, 0-9 and _")]
pub struct InvalidUsername;

impl Username {
    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Username {
    type Err = InvalidUsername;

    fn from_str(text: &str) -> Result<Self, InvalidUsername> {
        let fits = (1..=30).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if fits { Ok(Self(text.to_ascii_lowercase())) } else { Err(InvalidUsername) }
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_cases() {
        assert_eq!("Giles_2".parse::<Username>().unwrap().as_str(), "giles_2");
    }

    #[test]
    fn refuses_what_could_leave_a_folder_or_look_like_another() {
        for text in ["", ".", "..", "../x", "a/b", "a\\b", "a b", "a\0", "gíles", "a-b", "a.b", "a%2f", &"a".repeat(31)]
        {
            assert_eq!(text.parse::<Username>(), Err(InvalidUsername), "{text:?}");
        }
    }
}
