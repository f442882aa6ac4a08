//! The texts of settings, and how they are read.

use super::NAMES;
use artdag_anchoring::checkpoint::{KeyKind, VerifierKey};
use chrono::TimeDelta;
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::Value;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

/// One line that says which setting cannot be used and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct InvalidSetting {
    name: String,
    message: String,
}

impl InvalidSetting {
    pub(super) fn new(name: &str, message: impl ToString) -> Self {
        Self { name: name.to_owned(), message: message.to_string() }
    }
}

/// The texts of all settings that are given, by their name in the environment.
pub(super) struct Raw(BTreeMap<String, String>);

impl Raw {
    pub(super) fn gather(environment: &BTreeMap<String, String>, file: Option<&Path>) -> Result<Self, InvalidSetting> {
        // A variable that is set to nothing is not set: compose files do that.
        let given: BTreeMap<String, String> = environment
            .iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name.to_lowercase(), text.clone()))
            .collect();
        let mut figment = Figment::new();
        if let Some(path) = file {
            if !path.is_file() {
                return Err(InvalidSetting::new("--config", format!("there is no file {}", path.display())));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        let merged: BTreeMap<String, Value> = figment
            .merge(Serialized::globals(given))
            .extract()
            .map_err(|error| InvalidSetting::new("--config", error))?;
        let mut texts = BTreeMap::new();
        for (key, value) in merged {
            let name = key.to_uppercase();
            if !NAMES.contains(&name.as_str()) {
                return Err(InvalidSetting::new(
                    &key,
                    "there is no such setting; config/artdag-l2.example.toml has them all",
                ));
            }
            let text = match value {
                Value::String(_, text) => text,
                Value::Num(_, number) => number
                    .to_i128()
                    .map(|n| n.to_string())
                    .ok_or_else(|| InvalidSetting::new(&key, "must be a whole number or a text"))?,
                Value::Bool(_, flag) => flag.to_string(),
                _ => return Err(InvalidSetting::new(&key, "must be a text or a number")),
            };
            texts.insert(name, text);
        }
        Ok(Self(texts))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Texts between commas.
    pub(super) fn list<T: FromStr<Err: ToString> + PartialEq>(&self, name: &str) -> Result<Vec<T>, InvalidSetting> {
        let mut items = Vec::new();
        for text in self.get(name).unwrap_or("").split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let refused = |error: T::Err| InvalidSetting::new(name, format!("`{text}` {}", error.to_string()));
            let item = text.parse().map_err(refused)?;
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Ok(items)
    }

    pub(super) fn networks(&self, name: &str) -> Result<Vec<IpNet>, InvalidSetting> {
        let networks: Vec<Network> = self.list(name)?;
        Ok(networks.into_iter().map(|Network(network)| network).collect())
    }

    pub(super) fn log_keys(&self, name: &str) -> Result<Vec<VerifierKey>, InvalidSetting> {
        let keys: Vec<VerifierKey> = self.list(name)?;
        match keys.iter().find(|key| key.kind() != KeyKind::Ed25519) {
            Some(key) => Err(InvalidSetting::new(name, format!("`{key}` is the key of a witness, not of a log"))),
            None => Ok(keys),
        }
    }

    pub(super) fn parse_or<T, E: ToString>(
        &self,
        name: &str,
        default: T,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, InvalidSetting> {
        self.get(name).map_or(Ok(default), |text| parse(text).map_err(|error| InvalidSetting::new(name, error)))
    }
}

pub(super) fn joined(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// `90s`, `15m`, `12h`, `30d`.
pub(super) fn parse_duration(text: &str) -> Result<TimeDelta, String> {
    let odd = || format!("`{text}` is no length of time such as `90s`, `15m`, `12h` or `30d`");
    let split = text.len().checked_sub(1).filter(|&at| text.is_char_boundary(at)).ok_or_else(odd)?;
    let (number, unit) = text.split_at(split);
    let number: u32 = number.parse().ok().filter(|n| *n > 0).ok_or_else(odd)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(odd()),
    };
    Ok(TimeDelta::seconds(i64::from(number) * seconds))
}

/// `10.0.0.0/8`, or an address alone.
#[derive(PartialEq)]
struct Network(IpNet);

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network.map(Self).map_err(|_| "is no network such as `10.0.0.0/8`")
    }
}
