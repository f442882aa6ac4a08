//! Reads a run's JSON in the spellings of every generation of renderers. What decides a claim (status, output,
//! inputs, recipe, whose run it is) is read strictly once it is found; the rest is kept as it came.

use crate::{InvalidProvenance, Provenance, RunId, RunReport, RunStatus};
use artdag_kernel::{ContentHash, InvalidContentHash, ServerUrl, check_text};
use serde_json::{Map, Value};

/// The words for "done", in lower case.
const DONE: [&str; 5] = ["completed", "complete", "done", "success", "finished"];
/// Under which names a hash stands in an object that describes content.
const HASH: [&str; 4] = ["content_hash", "hash", "sha3_256", "cid"];
/// What is copied into the provenance under its own name.
const KEPT: [&str; 10] = [
    "effects",
    "effects_commit",
    "effect_url",
    "infrastructure",
    "plan_hash",
    "plan_cid",
    "plan_id",
    "plan_name",
    "provenance_hash",
    "provenance_cid",
];
const RENDERED_AT: [&str; 3] = ["rendered_at", "completed_at", "finished_at"];

/// What a renderer says of a run cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if .pointer.is_empty() { "the run" } else { .pointer.as_str() })]
pub struct InvalidRunReport {
    /// Where, as a JSON pointer (RFC 6901) into the run's document; empty for the whole.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl InvalidRunReport {
    fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl From<InvalidProvenance> for InvalidRunReport {
    fn from(error: InvalidProvenance) -> Self {
        Self::at(error.pointer, error.message)
    }
}

impl RunReport {
    /// Reads what `l1_server` answered when it was asked for `run_id`. `null` and empty text are as good as absent.
    ///
    /// # Errors
    /// [`InvalidRunReport`] with the place of the first fault: an input or the output of a completed run is no
    /// SHA3-256 hash, a completed run has no output, it is another run or another server's, or something has a
    /// shape that no renderer is known to write.
    pub fn from_json(document: &Value, l1_server: &ServerUrl, run_id: &RunId) -> Result<Self, InvalidRunReport> {
        let Value::Object(run) = document else {
            return Err(InvalidRunReport::at("", "must be an object"));
        };
        check_identity(run, l1_server, run_id)?;
        let output = read_output(run);
        let status = match given_text(run, &["status", "state"], 64)? {
            Some((_, word)) if DONE.contains(&word.to_lowercase().as_str()) => RunStatus::Completed,
            Some((_, word)) => RunStatus::Other(word.to_owned()),
            None if matches!(output, Ok(Some(_))) => RunStatus::Completed,
            None => RunStatus::Other("unknown".to_owned()),
        };
        let output = match status {
            RunStatus::Completed if output == Ok(None) => {
                return Err(InvalidRunReport::at("", "is completed but names no output"));
            }
            RunStatus::Completed => output?,
            // An unfinished run may hold a draft or a placeholder there.
            RunStatus::Other(_) => None,
        };
        Ok(Self {
            status,
            output,
            output_type: read_output_type(run)?,
            provenance: read_provenance(run, l1_server, run_id)?,
            document: document.clone(),
        })
    }
}

/// The first of these members that says something.
fn given<'a>(members: &'a Map<String, Value>, names: &[&'static str]) -> Option<(&'static str, &'a Value)> {
    names.iter().find_map(|name| {
        let member = members.get(*name)?;
        let is_nothing = member.is_null() || member.as_str() == Some("");
        (!is_nothing).then_some((*name, member))
    })
}

/// The same, where it has to be one line of text.
fn given_text<'a>(
    members: &'a Map<String, Value>,
    names: &[&'static str],
    max: usize,
) -> Result<Option<(&'static str, &'a str)>, InvalidRunReport> {
    let Some((name, member)) = given(members, names) else {
        return Ok(None);
    };
    let text = member.as_str().ok_or_else(|| InvalidRunReport::at(format!("/{name}"), "must be a string"))?;
    check_text(text, max).map_err(|e| InvalidRunReport::at(format!("/{name}"), e.to_string()))?;
    Ok(Some((name, text)))
}

fn check_identity(run: &Map<String, Value>, l1_server: &ServerUrl, run_id: &RunId) -> Result<(), InvalidRunReport> {
    if let Some((name, id)) = given(run, &["run_id", "id"]) {
        let is_asked_for = match id {
            Value::String(id) => id == run_id.as_str(),
            Value::Number(id) => id.to_string() == run_id.as_str(),
            _ => return Err(InvalidRunReport::at(format!("/{name}"), "must be a string")),
        };
        if !is_asked_for {
            return Err(InvalidRunReport::at(format!("/{name}"), "is another run than was asked for"));
        }
    }
    if let Some((name, server)) = given_text(run, &["l1_server"], 2048)?
        && server.parse().as_ref() != Ok(l1_server)
    {
        return Err(InvalidRunReport::at(format!("/{name}"), "is another server than was asked"));
    }
    Ok(())
}

/// The output, wherever it stands. The members that can mean nothing else must agree with each other; a hash beside
/// an IPFS id or a file name is what counts.
fn read_output(run: &Map<String, Value>) -> Result<Option<ContentHash>, InvalidRunReport> {
    let mut unreadable = None;
    let mut found: Option<ContentHash> = None;
    let sure = ["output_hash", "output_cid", "output"];
    for (n, name) in sure.into_iter().chain(["content_hash", "cid", "result"]).enumerate() {
        if n >= sure.len() && found.is_some() {
            break;
        }
        let Some((name, member)) = given(run, &[name]) else {
            continue;
        };
        match (read_hash(member, &["output_hash", "output_cid"]), found) {
            (Some(hash), Some(other)) if hash != other => {
                return Err(InvalidRunReport::at(format!("/{name}"), "contradicts the output named elsewhere"));
            }
            (Some(hash), _) => found = Some(hash),
            (None, _) => unreadable = unreadable.or(Some(name)),
        }
    }
    match (found, unreadable) {
        (None, Some(name)) => Err(not_a_hash(format!("/{name}"))),
        _ => Ok(found),
    }
}

/// A hash, or an object that holds one; also under the names in `more`.
fn read_hash(value: &Value, more: &[&str]) -> Option<ContentHash> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Object(members) => HASH.iter().chain(more).find_map(|name| members.get(*name)?.as_str()?.parse().ok()),
        _ => None,
    }
}

fn not_a_hash(pointer: String) -> InvalidRunReport {
    InvalidRunReport::at(pointer, InvalidContentHash.to_string())
}

fn read_output_type(run: &Map<String, Value>) -> Result<Option<String>, InvalidRunReport> {
    const NAMES: [&str; 3] = ["output_type", "asset_type", "media_type"];
    let mut found = given_text(run, &NAMES, 255)?;
    if let (None, Some(Value::Object(output))) = (found, run.get("output")) {
        found = given_text(output, &NAMES, 255)
            .map_err(|e| InvalidRunReport::at(format!("/output{}", e.pointer), e.message))?;
    }
    Ok(found.and_then(|(_, text)| match text.to_lowercase().split_once('/') {
        None => Some(text.to_owned()),
        Some((kind @ ("image" | "video" | "audio"), _)) => Some(kind.to_owned()),
        // A media type says what the bytes are; beyond these three it does not say what the thing is.
        Some(_) => None,
    }))
}

fn read_provenance(
    run: &Map<String, Value>,
    l1_server: &ServerUrl,
    run_id: &RunId,
) -> Result<Provenance, InvalidRunReport> {
    let mut claim = Map::new();
    for (name, member) in KEPT.into_iter().filter_map(|name| given(run, &[name])) {
        claim.insert(name.to_owned(), member.clone());
    }
    if let Some((_, at)) = given(run, &RENDERED_AT) {
        claim.insert("rendered_at".to_owned(), at.clone());
    }
    if let Some((name, recipe)) = given(run, &["recipe", "recipe_id", "recipe_name"]) {
        if !(recipe.is_string() || recipe.is_object()) {
            return Err(InvalidRunReport::at(format!("/{name}"), "must be a string or an object"));
        }
        claim.insert("recipe".to_owned(), recipe.clone());
    }
    claim.insert("inputs".to_owned(), read_inputs(run)?);
    claim.insert("l1_server".to_owned(), l1_server.as_str().into());
    claim.insert("run_id".to_owned(), run_id.as_str().into());
    Ok(Provenance::from_json(&Value::Object(claim))?)
}

/// The inputs as an array of hashes: from an array, or from an object of names and hashes.
fn read_inputs(run: &Map<String, Value>) -> Result<Value, InvalidRunReport> {
    let read = |place: &str, item: &Value| {
        let place = place.replace('~', "~0").replace('/', "~1");
        let hash = read_hash(item, &[]).ok_or_else(|| not_a_hash(format!("/inputs/{place}")))?;
        Ok(Value::String(hash.to_string()))
    };
    match given(run, &["inputs"]) {
        None => Ok(Value::Array(Vec::new())),
        Some((_, Value::Array(items))) => {
            items.iter().enumerate().map(|(n, item)| read(&n.to_string(), item)).collect()
        }
        Some((_, Value::Object(named))) => named.iter().map(|(name, item)| read(name, item)).collect(),
        Some(_) => Err(InvalidRunReport::at(
            "/inputs",
            "must be an array of content hashes, or an object of names and content hashes",
        )),
    }
}
