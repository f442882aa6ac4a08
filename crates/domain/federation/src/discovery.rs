//! How others find out who is here: WebFinger (RFC 7033), host-meta (RFC 6415), NodeInfo.

use crate::Site;
use artdag_kernel::Username;
use serde_json::{Value, json};

/// The media type of ActivityPub documents.
pub const ACTIVITY_JSON: &str = "application/activity+json";

/// The resource asked for is no account's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `acct:user@domain` or the URL of an actor")]
pub struct InvalidResource;

/// Whom a WebFinger query asks for: `Ok(None)` when it is well formed but nobody here.
///
/// # Errors
/// [`InvalidResource`] when it is neither an `acct:` URI nor an http(s) URL.
pub fn webfinger_subject(site: &Site, resource: &str) -> Result<Option<Username>, InvalidResource> {
    if let Some(account) = resource.strip_prefix("acct:") {
        let (name, domain) = account.trim_start_matches('@').rsplit_once('@').ok_or(InvalidResource)?;
        if name.is_empty() || domain.is_empty() {
            return Err(InvalidResource);
        }
        return Ok(name.parse().ok().filter(|_| domain.eq_ignore_ascii_case(site.domain())));
    }
    if !(resource.starts_with("https://") || resource.starts_with("http://")) {
        return Err(InvalidResource);
    }
    let name = resource.strip_prefix(site.base()).and_then(|path| path.strip_prefix("/users/"));
    Ok(name.and_then(|name| name.parse().ok()))
}

/// The JSON Resource Descriptor of a user (RFC 7033, 4.4).
pub fn webfinger(site: &Site, username: &Username) -> Value {
    let actor = site.actor(username);
    json!({
        "subject": format!("acct:{username}@{}", site.domain()),
        "aliases": [actor],
        "links": [
            {"rel": "self", "type": ACTIVITY_JSON, "href": actor},
            {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": actor},
        ],
    })
}

/// The JSON Resource Descriptor of the actor that stands for the whole site, if that is whom a query asks for.
pub fn instance_webfinger(site: &Site, resource: &str) -> Option<Value> {
    let actor = site.instance_actor();
    let subject = format!("acct:{0}@{0}", site.domain());
    (resource == actor || resource.eq_ignore_ascii_case(&subject)).then(|| {
        json!({
            "subject": subject,
            "aliases": [actor],
            "links": [{"rel": "self", "type": ACTIVITY_JSON, "href": actor}],
        })
    })
}

/// The XRD document that leads to WebFinger (RFC 6415).
pub fn host_meta(site: &Site) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" type=\"application/jrd+json\" template=\"{}/.well-known/webfinger?resource={{uri}}\"/>\n\
         </XRD>\n",
        site.base()
    )
}

/// How much this registry is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Accounts.
    pub users: u64,
    /// Accounts that published in the last 30 days.
    pub active_month: u64,
    /// Accounts that published in the last 180 days.
    pub active_half_year: u64,
    /// Registered assets.
    pub assets: u64,
}

/// Where the NodeInfo documents are.
pub fn nodeinfo_links(site: &Site) -> Value {
    let link = |version: &str| {
        json!({
            "rel": format!("http://nodeinfo.diaspora.software/ns/schema/{version}"),
            "href": format!("{}/nodeinfo/{version}", site.base()),
        })
    };
    json!({"links": [link("2.1"), link("2.0")]})
}

/// The NodeInfo document, schema 2.1 or 2.0.
pub fn nodeinfo(schema: &str, software_version: &str, open_registrations: bool, usage: Usage) -> Value {
    json!({
        "version": schema,
        "software": {"name": "artdag-l2", "version": software_version},
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": open_registrations,
        "usage": {
            "users": {
                "total": usage.users,
                "activeMonth": usage.active_month,
                "activeHalfyear": usage.active_half_year,
            },
            "localPosts": usage.assets,
        },
        "metadata": {},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_site_itself() {
        let site = Site::new("http://localhost:8200", "localhost:8200").unwrap();
        for resource in ["acct:localhost:8200@LOCALHOST:8200", "http://localhost:8200/actor"] {
            let found = instance_webfinger(&site, resource).unwrap();
            assert_eq!(found["links"][0]["href"], "http://localhost:8200/actor", "{resource}");
        }
        assert_eq!(instance_webfinger(&site, "acct:giles@localhost:8200"), None);
    }

    #[test]
    fn finds_the_subject_in_both_spellings() {
        let site = Site::new("http://localhost:8200", "localhost:8200").unwrap();
        let subject = |resource| webfinger_subject(&site, resource);
        let giles: Username = "giles".parse().unwrap();
        for resource in [
            "acct:giles@localhost:8200",
            "acct:Giles@LOCALHOST:8200",
            "acct:@giles@localhost:8200",
            "http://localhost:8200/users/giles",
        ] {
            assert_eq!(subject(resource), Ok(Some(giles.clone())), "{resource}");
        }
        for resource in [
            "acct:giles@localhost",
            "acct:a b@localhost:8200",
            "https://localhost:8200/users/giles",
            "http://localhost:8200/users/giles/inbox",
            "http://localhost:8200.evil/users/giles",
        ] {
            assert_eq!(subject(resource), Ok(None), "{resource}");
        }
        for resource in ["", "giles", "acct:giles", "acct:@localhost", "acct:giles@", "mailto:giles@localhost:8200"] {
            assert_eq!(subject(resource), Err(InvalidResource), "{resource}");
        }
    }
}
