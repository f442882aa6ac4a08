use crate::RunId;
use artdag_kernel::ContentHash;
use serde_json::{Map, Value};

const INPUTS: &str = "inputs";
const RECIPE: &str = "recipe";
const L1_SERVER: &str = "l1_server";
const RUN_ID: &str = "run_id";

/// What is recorded on an asset about its making. Immutable once registered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Provenance {
    inputs: Vec<ContentHash>,
    recipe: Option<Value>,
    l1_server: Option<String>,
    run_id: Option<RunId>,
    extra: Map<String, Value>,
}

/// The claimed provenance cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct InvalidProvenance {
    /// Where, as a JSON pointer (RFC 6901) into the provenance object; empty for the whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl InvalidProvenance {
    fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl Provenance {
    /// The most inputs that one asset may name.
    pub const MAX_INPUTS: usize = 1000;
    /// The most bytes that it may take as JSON.
    pub const MAX_BYTES: usize = 64 * 1024;

    /// Reads what a client or a renderer says. `null` and absent members are nothing; inputs may be hashes or
    /// objects that hold one as `content_hash`, `hash`, `sha3_256` or `cid`; repeated inputs count once.
    ///
    /// # Errors
    /// [`InvalidProvenance`] with the place of the first fault.
    pub fn from_json(value: &Value) -> Result<Self, InvalidProvenance> {
        let members = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(InvalidProvenance::at("", "must be an object")),
        };
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(InvalidProvenance::at("", format!("must take at most {} bytes", Self::MAX_BYTES)));
        }
        let mut provenance = Self::default();
        for (name, member) in members.iter().filter(|(_, member)| !member.is_null()) {
            match name.as_str() {
                INPUTS => provenance.inputs = read_inputs(member)?,
                RECIPE => provenance.recipe = Some(read_recipe(member)?),
                L1_SERVER => provenance.l1_server = Some(read_text(member, name)?.to_owned()),
                RUN_ID => {
                    let run_id = read_text(member, name)?.parse();
                    provenance.run_id =
                        Some(run_id.map_err(|e: crate::InvalidRunId| InvalidProvenance::at("/run_id", e.to_string()))?);
                }
                _ => {
                    provenance.extra.insert(name.clone(), member.clone());
                }
            }
        }
        Ok(provenance)
    }

    /// As the API shows it and the store keeps it: `inputs` always, the rest when known.
    pub fn to_json(&self) -> Value {
        let mut members = self.extra.clone();
        members.insert(INPUTS.to_owned(), self.inputs.iter().map(ToString::to_string).collect());
        let known = [
            (RECIPE, self.recipe.clone()),
            (L1_SERVER, self.l1_server.clone().map(Value::String)),
            (RUN_ID, self.run_id.as_ref().map(|id| Value::String(id.to_string()))),
        ];
        for (name, member) in known {
            if let Some(member) = member {
                members.insert(name.to_owned(), member);
            }
        }
        Value::Object(members)
    }

    /// What went in, by content, in the order claimed.
    pub fn inputs(&self) -> &[ContentHash] {
        &self.inputs
    }

    /// The recipe: its name, or an object that describes it.
    pub fn recipe(&self) -> Option<&Value> {
        self.recipe.as_ref()
    }

    /// The renderer that did the work.
    pub fn l1_server(&self) -> Option<&str> {
        self.l1_server.as_deref()
    }

    /// The renderer's name for the run.
    pub fn run_id(&self) -> Option<&RunId> {
        self.run_id.as_ref()
    }
}

fn read_inputs(member: &Value) -> Result<Vec<ContentHash>, InvalidProvenance> {
    let items =
        member.as_array().ok_or_else(|| InvalidProvenance::at("/inputs", "must be an array of content hashes"))?;
    if items.len() > Provenance::MAX_INPUTS {
        return Err(InvalidProvenance::at("/inputs", format!("must hold at most {} inputs", Provenance::MAX_INPUTS)));
    }
    let mut inputs: Vec<ContentHash> = Vec::with_capacity(items.len());
    let mut seen = std::collections::HashSet::new();
    for (n, item) in items.iter().enumerate() {
        let text = match item {
            Value::Object(members) => {
                ["content_hash", "hash", "sha3_256", "cid"].iter().find_map(|k| members.get(*k)?.as_str())
            }
            _ => item.as_str(),
        };
        let hash: Option<ContentHash> = text.and_then(|text| text.parse().ok());
        let hash = hash.ok_or_else(|| {
            InvalidProvenance::at(format!("/inputs/{n}"), artdag_kernel::InvalidContentHash.to_string())
        })?;
        if seen.insert(hash) {
            inputs.push(hash);
        }
    }
    Ok(inputs)
}

fn read_recipe(member: &Value) -> Result<Value, InvalidProvenance> {
    match member {
        Value::String(_) | Value::Object(_) => Ok(member.clone()),
        _ => Err(InvalidProvenance::at("/recipe", "must be a string or an object")),
    }
}

fn read_text<'a>(member: &'a Value, name: &str) -> Result<&'a str, InvalidProvenance> {
    let text = member.as_str().ok_or_else(|| InvalidProvenance::at(format!("/{name}"), "must be a string"))?;
    artdag_kernel::check_text(text, 2048).map_err(|e| InvalidProvenance::at(format!("/{name}"), e.to_string()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hash(n: u8) -> ContentHash {
        ContentHash::of(&[n])
    }

    #[test]
    fn reads_every_spelling_of_an_input() {
        let value = json!({"inputs": [
            hash(1).to_string(), hash(2).to_bare_hex(), {"content_hash": hash(3)}, {"hash": hash(4)}, {"cid": hash(5)}, hash(1),
        ]});
        let read = Provenance::from_json(&value).unwrap();
        assert_eq!(read.inputs(), [hash(1), hash(2), hash(3), hash(4), hash(5)]);
    }

    #[test]
    fn keeps_what_it_does_not_know() {
        let value = json!({"inputs": [], "recipe": {"name": "beat-sync", "bpm": 120}, "effects": ["dog"], "run_id": "r-1", "l1_server": null});
        let read = Provenance::from_json(&value).unwrap();
        assert_eq!(
            read.to_json(),
            json!({"inputs": [], "recipe": {"name": "beat-sync", "bpm": 120}, "effects": ["dog"], "run_id": "r-1"})
        );
        assert_eq!(Provenance::from_json(&read.to_json()), Ok(read));
    }

    #[test]
    fn nothing_is_fine() {
        assert_eq!(Provenance::from_json(&Value::Null).unwrap().to_json(), json!({"inputs": []}));
    }

    #[test]
    fn says_where_the_fault_is() {
        let many: Vec<_> = (0..1001).map(|_| hash(1)).collect();
        for (value, pointer) in [
            (json!([]), ""),
            (json!({"x": "y".repeat(70_000)}), ""),
            (json!({"inputs": "x"}), "/inputs"),
            (json!({"inputs": many}), ""),
            (json!({"inputs": [hash(1), "x"]}), "/inputs/1"),
            (json!({"inputs": [{"name": "x"}]}), "/inputs/0"),
            (json!({"recipe": 7}), "/recipe"),
            (json!({"run_id": 7}), "/run_id"),
            (json!({"run_id": ""}), "/run_id"),
            (json!({"l1_server": "a\u{0}"}), "/l1_server"),
        ] {
            assert_eq!(Provenance::from_json(&value).unwrap_err().pointer, pointer, "{value:.60}");
        }
    }
}
