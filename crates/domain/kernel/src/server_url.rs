use std::fmt;
use std::str::FromStr;
use url::Url;

/// The address of a server, spelled in one way: scheme and host in lower case, no default port, no trailing
/// slash. Two of them are equal when they name the same server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerUrl(String);

/// The text is not the address of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an http or https URL without credentials, query or fragment")]
pub struct InvalidServerUrl;

impl ServerUrl {
    /// The normalised URL, without a trailing slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ServerUrl {
    type Err = InvalidServerUrl;

    fn from_str(text: &str) -> Result<Self, InvalidServerUrl> {
        let url = Url::parse(text).map_err(|_| InvalidServerUrl)?;
        let fits = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
            && text.len() <= 2048;
        if fits { Ok(Self(url.as_str().trim_end_matches('/').to_owned())) } else { Err(InvalidServerUrl) }
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_server_are_equal() {
        for text in ["https://l1.example", "HTTPS://L1.Example:443/", "https://l1.example//"] {
            assert_eq!(text.parse::<ServerUrl>().unwrap().as_str(), "https://l1.example", "{text}");
        }
        assert_eq!("http://h:8080/a/".parse::<ServerUrl>().unwrap().as_str(), "http://h:8080/a");
    }

    #[test]
    fn refuses_what_is_no_server() {
        for text in [
            "",
            "l1.example",
            "ftp://l1.example",
            "https://",
            "https://u:p@l1.example",
            "https://l1.example/?x",
            "file:///etc",
        ] {
            assert_eq!(text.parse::<ServerUrl>(), Err(InvalidServerUrl), "{text}");
        }
    }
}
