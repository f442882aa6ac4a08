//! Which media types are those of ActivityPub (W3C Recommendation, 3.2).

/// For the header `Accept`.
pub(super) const ACCEPTED: &str =
    r#"application/activity+json, application/ld+json; profile="https://www.w3.org/ns/activitystreams""#;
/// The same without their parameters, for the first check.
pub(super) const ESSENCES: &[&str] = &["application/activity+json", "application/ld+json"];

const PROFILE: &str = "https://www.w3.org/ns/activitystreams";

/// Whether something of this media type was meant as ActivityPub. Plain JSON was not: where members upload files, it
/// is what one of them uploaded, and nobody's word but theirs.
pub(super) fn is_activity(media_type: &str) -> bool {
    let (essence, parameters) = media_type.split_once(';').unwrap_or((media_type, ""));
    match essence.trim().to_ascii_lowercase().as_str() {
        "application/activity+json" => true,
        "application/ld+json" => {
            profile(parameters).is_some_and(|value| value.split_ascii_whitespace().any(|profile| profile == PROFILE))
        }
        _ => false,
    }
}

/// The value of the first parameter `profile`.
fn profile(mut rest: &str) -> Option<String> {
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after)?;
        if name.trim().eq_ignore_ascii_case("profile") {
            return Some(value);
        }
        rest = after.trim_start().strip_prefix(';')?;
    }
}

/// A token or a quoted string, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(|c: char| c == ';' || c.is_whitespace()).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut chars) = (String::new(), quoted.chars());
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_activities_from_other_json() {
        for good in [
            "application/activity+json",
            "Application/Activity+JSON; charset=utf-8",
            "application/activity+json;",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json;PROFILE="https://www.w3.org/ns/activitystreams";charset=utf-8"#,
            r#"application/ld+json; charset="a;b=\"c"; profile="https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted https://www.w3.org/ns/activitystreams""#,
            "application/ld+json; profile=https://www.w3.org/ns/activitystreams",
        ] {
            assert!(is_activity(good), "{good}");
        }
        for bad in [
            "",
            "application/json",
            "application/json; profile=\"https://www.w3.org/ns/activitystreams\"",
            "application/ld+json",
            "application/ld+json; charset=utf-8",
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams"#,
            r#"application/ld+json; profile="https://www.w3.org/ns/activitystreams/""#,
            r#"application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted""#,
            r#"application/ld+json; a="profile=https://www.w3.org/ns/activitystreams""#,
            r#"application/ld+json; profile"#,
            r#"application/ld+json; profile="\"#,
            "text/html; application/activity+json",
            "application/activity+jsonx",
        ] {
            assert!(!is_activity(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_asked_for_is_what_is_taken() {
        assert!(ACCEPTED.split(',').all(is_activity));
        assert_eq!(ACCEPTED.split(", ").map(|one| one.split(';').next().unwrap()).collect::<Vec<_>>(), ESSENCES);
    }
}
