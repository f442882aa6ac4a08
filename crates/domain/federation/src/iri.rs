use std::fmt;
use std::str::FromStr;
use url::Url;

/// The id of something in the fediverse: an absolute http(s) URL, kept as it was spelled. Two are equal when they are
/// spelled alike (ActivityPub, 3.1).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Iri {
    text: String,
    /// Scheme, host and port, spelled in one way.
    origin: String,
}

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL without credentials, of at most 2048 bytes")]
pub struct InvalidIri;

impl Iri {
    /// The id as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port: `https://art.example`. Who owns one id of an origin is believed about all of them.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The host, in lower case, and the port if it is not the scheme's own.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }

    /// Whether both belong to one origin.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.origin == other.origin
    }

    /// The document that it is found in: the id without its fragment.
    #[must_use]
    pub fn document(&self) -> Self {
        let text = self.text.split_once('#').map_or(self.text.as_str(), |(document, _)| document);
        Self { text: text.to_owned(), origin: self.origin.clone() }
    }
}

impl FromStr for Iri {
    type Err = InvalidIri;

    fn from_str(text: &str) -> Result<Self, InvalidIri> {
        // The parser of URLs would quietly drop what is white here.
        if text.len() > 2048 || text.bytes().any(|b| b <= b' ' || b == 0x7f) {
            return Err(InvalidIri);
        }
        let url = Url::parse(text).map_err(|_| InvalidIri)?;
        let fits = matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| host.len() <= 253 && !host.ends_with('.'))
            && url.username().is_empty()
            && url.password().is_none();
        if fits {
            Ok(Self { text: text.to_owned(), origin: url.origin().ascii_serialization() })
        } else {
            Err(InvalidIri)
        }
    }
}

impl fmt::Display for Iri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Iri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iri(text: &str) -> Iri {
        text.parse().unwrap()
    }

    #[test]
    fn knows_where_it_belongs() {
        let key = iri("HTTPS://Art.Example:443/users/giles#main-key");
        assert_eq!((key.origin(), key.host()), ("https://art.example", "art.example"));
        assert_eq!(key.document().as_str(), "HTTPS://Art.Example:443/users/giles");
        assert!(key.is_beside(&iri("https://art.example/x")));
        assert!(!key.is_beside(&iri("http://art.example/x")));
        assert!(!key.is_beside(&iri("https://art.example:8443/x")));
        assert_eq!(iri("http://[::1]:8200/a").host(), "[::1]:8200");
    }

    #[test]
    fn refuses_what_is_no_id() {
        let long = format!("https://a.example/{}", "x".repeat(2048));
        for text in [
            "",
            "giles",
            "acct:giles@art.example",
            "ftp://a.example/",
            "https://",
            "https://u@a.example/",
            "//a.example/",
            " https://a.example/",
            "https://a.example/\n",
            "https://a.exa\tmple/",
            "javascript:1",
            "https://a.example./",
            &long,
        ] {
            assert_eq!(text.parse::<Iri>(), Err(InvalidIri), "{text:?}");
        }
    }
}
