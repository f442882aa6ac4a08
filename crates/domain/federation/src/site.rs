use crate::Iri;
use artdag_kernel::{ActivityId, ContentHash, Username};
use url::Url;

/// Under which name this registry speaks, and how every id that it gives out is spelled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    base: String,
    domain: String,
}

/// The public URL or the domain cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSite {
    /// Ids are made by appending paths to it.
    #[error("must be an http or https URL of a host alone, such as `https://art.example`, without path or query")]
    PublicUrl,
    /// It follows the `@` of handles.
    #[error("must be a host name, with a port only where the public URL has one")]
    Domain,
}

impl Site {
    /// `public_url` is the base of every id and link; `domain` follows the `@` of handles.
    ///
    /// # Errors
    /// [`InvalidSite`] names the one that cannot be used.
    pub fn new(public_url: &str, domain: &str) -> Result<Self, InvalidSite> {
        let url = Url::parse(public_url).map_err(|_| InvalidSite::PublicUrl)?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let plain = url.username().is_empty() && url.password().is_none();
        if !(matches!(url.scheme(), "http" | "https") && url.has_host() && bare && plain) {
            return Err(InvalidSite::PublicUrl);
        }
        let parsed = Url::parse(&format!("https://{domain}/")).map_err(|_| InvalidSite::Domain)?;
        let spelled = parsed.host_str().map(|host| match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        });
        match spelled {
            Some(spelled) if spelled == domain.to_ascii_lowercase() => {
                Ok(Self { base: url.origin().ascii_serialization(), domain: spelled })
            }
            _ => Err(InvalidSite::Domain),
        }
    }

    /// The public URL without a trailing slash.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// What follows the `@` of handles.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether browsers reach it over TLS.
    pub fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// An actor's id.
    pub fn actor(&self, username: &Username) -> String {
        format!("{}/users/{username}", self.base)
    }

    /// The id of an actor's RSA key.
    pub fn main_key(&self, username: &Username) -> String {
        format!("{}#main-key", self.actor(username))
    }

    /// The id of an actor's Ed25519 key.
    pub fn ed25519_key(&self, username: &Username) -> String {
        format!("{}#ed25519-key", self.actor(username))
    }

    /// The id of an actor's followers collection.
    pub fn followers(&self, username: &Username) -> String {
        format!("{}/followers", self.actor(username))
    }

    /// Where a server finds those of an actor's followers that it has itself (FEP-8fcf).
    pub fn followers_synchronization(&self, username: &Username) -> String {
        format!("{}/followers_synchronization", self.actor(username))
    }

    /// The id of an actor's outbox.
    pub fn outbox(&self, username: &Username) -> String {
        format!("{}/outbox", self.actor(username))
    }

    /// `@giles@art.example`
    pub fn handle(&self, username: &Username) -> String {
        format!("@{username}@{}", self.domain)
    }

    /// An activity's id.
    pub fn activity(&self, id: ActivityId) -> String {
        format!("{}/activities/{id}", self.base)
    }

    /// The id of the object with this content.
    pub fn object(&self, hash: &ContentHash) -> String {
        format!("{}/objects/{}", self.base, hash.to_bare_hex())
    }

    /// Whether an id belongs to this site.
    pub fn owns(&self, id: &Iri) -> bool {
        id.origin() == self.base
    }

    /// Whose actor id this is, here.
    pub fn local_actor(&self, id: &Iri) -> Option<Username> {
        let name: Username = self.local(id, "/users/")?.parse().ok()?;
        // A name in upper case is read, but the id is spelled in one way.
        (self.actor(&name) == id.as_str()).then_some(name)
    }

    /// Which activity's id this is, here.
    pub fn local_activity(&self, id: &Iri) -> Option<ActivityId> {
        self.local(id, "/activities/")?.parse().ok()
    }

    /// Which content's id this is, here.
    pub fn local_object(&self, id: &Iri) -> Option<ContentHash> {
        self.local(id, "/objects/")?.parse().ok()
    }

    fn local<'a>(&self, id: &'a Iri, folder: &str) -> Option<&'a str> {
        id.as_str().strip_prefix(self.base.as_str())?.strip_prefix(folder)
    }

    /// The id of the actor that stands for the whole site, and signs what the site itself asks of others.
    pub fn instance_actor(&self) -> String {
        format!("{}/actor", self.base)
    }

    /// The id of that actor's RSA key.
    pub fn instance_key(&self) -> String {
        format!("{}#main-key", self.instance_actor())
    }

    /// The id of that actor's Ed25519 key.
    pub fn instance_ed25519_key(&self) -> String {
        format!("{}#ed25519-key", self.instance_actor())
    }

    /// The inbox for everybody here.
    pub fn shared_inbox(&self) -> String {
        format!("{}/inbox", self.base)
    }

    /// An actor's inbox.
    pub fn inbox(&self, username: &Username) -> String {
        format!("{}/inbox", self.actor(username))
    }

    /// The id of the collection of those whom an actor follows.
    pub fn following(&self, username: &Username) -> String {
        format!("{}/following", self.actor(username))
    }

    /// Where an asset is found by its name.
    pub fn asset(&self, name: &str) -> String {
        format!("{}/assets/{}", self.base, segment(name))
    }

    /// Where assets with this tag are listed.
    pub fn tag(&self, tag: &str) -> String {
        let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("tag", tag).finish();
        format!("{}/assets?{query}", self.base)
    }

    /// Where the extension terms are described.
    pub fn vocabulary(&self) -> String {
        format!("{}/ns#", self.base)
    }
}

/// One percent-encoded path segment (RFC 3986, 3.3): everything but unreserved characters and `:`, `@`.
fn segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' | b'@' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_ids() {
        let site = Site::new("http://localhost:8200/", "localhost:8200").unwrap();
        let giles = "giles".parse().unwrap();
        assert_eq!(site.actor(&giles), "http://localhost:8200/users/giles");
        assert_eq!(site.handle(&giles), "@giles@localhost:8200");
        assert_eq!(site.asset("effect:été ✨"), "http://localhost:8200/assets/effect:%C3%A9t%C3%A9%20%E2%9C%A8");
        assert_eq!(site.tag("a&b"), "http://localhost:8200/assets?tag=a%26b");
    }

    #[test]
    fn refuses_what_ids_cannot_be_made_from() {
        for url in [
            "art.example",
            "https://art.example/sub",
            "https://art.example/?x",
            "ftp://art.example",
            "https://u@art.example",
        ] {
            assert_eq!(Site::new(url, "art.example"), Err(InvalidSite::PublicUrl), "{url}");
        }
        for domain in ["", "a b", "https://art.example", "art.example/", "u@art.example", "a?b"] {
            assert_eq!(Site::new("https://art.example", domain), Err(InvalidSite::Domain), "{domain}");
        }
    }
}
