//! Who cosigns the log.

use super::raw::{InvalidSetting, Raw};
use artdag_anchoring::checkpoint::{KeyKind, VerifierKey};
use artdag_registry::WitnessServer;
use std::collections::BTreeSet;
use std::str::FromStr;

const NAME: &str = "WITNESSES";
/// Each adds a line to every note, and a note has an end.
const MOST: usize = 32;
/// Longer than the key of any domain.
const LONGEST_KEY: usize = 500;

pub(super) fn read(raw: &Raw) -> Result<Vec<WitnessServer>, InvalidSetting> {
    let entries: Vec<Entry> = raw.list(NAME)?;
    let mut keys = BTreeSet::new();
    if let Some(Entry(again)) = entries.iter().find(|Entry(witness)| !keys.insert(witness.key.to_string())) {
        return Err(InvalidSetting::new(NAME, format!("there are two witnesses with the key `{}`", again.key)));
    }
    if entries.len() > MOST {
        return Err(InvalidSetting::new(NAME, format!("there may be no more than {MOST} witnesses")));
    }
    Ok(entries.into_iter().map(|Entry(witness)| witness).collect())
}

pub(super) fn shown(witnesses: &[WitnessServer]) -> String {
    witnesses.iter().map(|WitnessServer { url, key }| format!("{url} {key}")).collect::<Vec<_>>().join(",")
}

/// A witness's address and key, with white space between them.
#[derive(PartialEq)]
struct Entry(WitnessServer);

impl FromStr for Entry {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split_whitespace();
        let (Some(url), Some(key), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(
                "is no address and key such as `https://b.example/log b.example/witness+1a2b3c4d+BJ..`".to_owned()
            );
        };
        let url = url.parse().map_err(|error| format!("has an address that {error}"))?;
        let key: VerifierKey = key.parse().map_err(|error| format!("has a key that {error}"))?;
        match key.kind() {
            KeyKind::Ed25519 => Err("has the key of a log, not of a witness".to_owned()),
            KeyKind::CosignatureV1 if key.to_string().len() > LONGEST_KEY => {
                Err("has a key with too long a name".to_owned())
            }
            KeyKind::CosignatureV1 => Ok(Self(WitnessServer { url, key })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;
    use std::collections::BTreeMap;
    use std::path::Path;

    fn settings(text: &str) -> Result<Settings, String> {
        let environment = BTreeMap::from([(NAME.to_owned(), text.to_owned())]);
        Settings::from(&environment, None, Some(Path::new("/home/giles"))).map_err(|error| error.to_string())
    }

    fn key(n: u8) -> VerifierKey {
        VerifierKey::cosignature_v1("b.example/witness".parse().unwrap(), [n; 32])
    }

    #[test]
    fn witnesses_are_an_address_and_a_key_each() {
        let text = format!(" https://b.example/log/ \t {} , https://c.example {},", key(1), key(2));
        let settings = settings(&text).unwrap();
        let [b, c] = &settings.policy.witnesses[..] else { panic!("{:?}", settings.policy.witnesses) };
        assert_eq!((b.url.as_str(), &b.key), ("https://b.example/log", &key(1)));
        assert_eq!((c.url.as_str(), &c.key), ("https://c.example", &key(2)));
        let shown = format!("https://b.example/log {},https://c.example {}", key(1), key(2));
        assert!(settings.shown().contains(&(NAME, shown)));
    }

    #[test]
    fn what_is_no_witness_is_refused_by_what_it_is() {
        let of_a_log = VerifierKey::ed25519("b.example/log".parse().unwrap(), [1; 32]);
        let long = VerifierKey::cosignature_v1("b".repeat(600).parse().unwrap(), [1; 32]);
        let many: Vec<String> = (0..33).map(|n| format!("https://b.example {}", key(n))).collect();
        for (text, expected) in [
            (format!("https://b.example/log {of_a_log}"), "has the key of a log, not of a witness"),
            (key(1).to_string(), "is no address and key"),
            (format!("https://b.example {} {}", key(1), key(2)), "is no address and key"),
            (format!("b.example/log {}", key(1)), "has an address that must be an http or https URL"),
            (format!("https://b.example {}x", key(1)), "has a key that must be a public key"),
            (format!("https://b.example {long}"), "has a key with too long a name"),
            (format!("https://b.example {0},https://c.example {0}", key(1)), "there are two witnesses with the key"),
            (many.join(","), "there may be no more than 32 witnesses"),
        ] {
            let error = settings(&text).unwrap_err();
            assert!(error.starts_with("WITNESSES: ") && error.contains(expected), "{error}");
        }
    }
}
