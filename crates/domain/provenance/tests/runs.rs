//! Runs in the spellings of both generations of renderers, and documents that are no runs.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use artdag_kernel::{ContentHash, ServerUrl};
use artdag_provenance::{InvalidRunReport, Provenance, RunReport, RunStatus};
use serde_json::{Map, Value, json};

const CID: &str = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";

fn hash(n: u8) -> ContentHash {
    ContentHash::of(&[n])
}

fn read(document: &Value) -> Result<RunReport, InvalidRunReport> {
    let l1_server: ServerUrl = "https://l1.example".parse().unwrap();
    RunReport::from_json(document, &l1_server, &"r-1".parse().unwrap())
}

/// A completed run of these members over the least that a run says.
fn run(members: Value) -> Value {
    let mut document = json!({"run_id": "r-1", "status": "completed", "output_hash": hash(0)});
    for (name, member) in members.as_object().unwrap() {
        document[name] = member.clone();
    }
    document
}

#[test]
fn a_run_of_the_first_generation() {
    let document = json!({
        "run_id": "r-1",
        "status": "completed",
        "recipe": "dog",
        "inputs": [hash(1).to_bare_hex(), hash(2).to_bare_hex()],
        "output_name": "dog-cat",
        "output_hash": hash(0).to_bare_hex(),
        "content_hash": hash(9).to_bare_hex(),
        "created_at": "2026-01-01T00:00:00Z",
        "completed_at": "2026-01-01T00:01:00Z",
        "effects_commit": "abc123",
        "infrastructure": {"software": {"name": "infra:artdag"}},
        "error": null,
    });
    let report = read(&document).unwrap();
    assert_eq!(report.status, RunStatus::Completed);
    assert_eq!(report.output, Some(hash(0)));
    assert_eq!(report.output_type, None);
    assert_eq!(report.document, document);
    assert_eq!(
        report.provenance.to_json(),
        json!({
            "inputs": [hash(1), hash(2)],
            "recipe": "dog",
            "l1_server": "https://l1.example",
            "run_id": "r-1",
            "effects_commit": "abc123",
            "infrastructure": {"software": {"name": "infra:artdag"}},
            "rendered_at": "2026-01-01T00:01:00Z",
        })
    );
}

#[test]
fn a_run_of_the_second_generation() {
    let document = json!({
        "id": "r-1",
        "status": "SUCCESS",
        "recipe_name": "beat-sync",
        "inputs": {"video": hash(1), "music": {"cid": CID, "hash": hash(2)}},
        "output_cid": hash(0),
        "media_type": "video/mp4",
        "plan_cid": CID,
        "finished_at": "2026-01-01T00:01:00Z",
        "effects": ["dither"],
    });
    let report = read(&document).unwrap();
    assert_eq!((report.status, report.output), (RunStatus::Completed, Some(hash(0))));
    assert_eq!(report.output_type.as_deref(), Some("video"));
    let mut inputs = report.provenance.inputs().to_vec();
    inputs.sort();
    let mut expected = [hash(1), hash(2)];
    expected.sort();
    assert_eq!(inputs, expected);
    let told = report.provenance.to_json();
    assert_eq!(told["recipe"], "beat-sync");
    assert_eq!(told["plan_cid"], CID);
    assert_eq!(told["rendered_at"], "2026-01-01T00:01:00Z");
}

#[test]
fn the_output_is_found_wherever_it_stands() {
    let (full, bare) = (hash(0).to_string(), hash(0).to_bare_hex());
    for members in [
        json!({"output_hash": full}),
        json!({"output_hash": bare.to_uppercase()}),
        json!({"output_cid": bare}),
        json!({"output_cid": CID, "output_hash": full}),
        json!({"output_cid": full, "output_hash": CID}),
        json!({"output_hash": "", "output_cid": null, "content_hash": bare}),
        json!({"cid": bare}),
        json!({"cid": CID, "content_hash": bare}),
        json!({"output": bare}),
        json!({"output": "dog.mp4", "output_hash": bare}),
        json!({"output": {"content_hash": bare, "name": "dog.mp4"}}),
        json!({"output": {"cid": bare}}),
        json!({"output": {"cid": CID, "hash": bare}}),
        json!({"result": {"output_hash": bare}}),
        json!({"result": bare}),
        // What the document itself is called by.
        json!({"output_hash": bare, "cid": hash(7), "content_hash": hash(8)}),
    ] {
        let report = read(&members).unwrap_or_else(|e| panic!("{members}: {e}"));
        assert_eq!((report.status, report.output), (RunStatus::Completed, Some(hash(0))), "{members}");
    }
}

#[test]
fn every_word_for_done_is_known_and_no_other() {
    for word in ["completed", "Complete", "DONE", "success", "Finished"] {
        assert_eq!(read(&run(json!({"status": word}))).unwrap().status, RunStatus::Completed, "{word}");
    }
    for word in ["running", "pending", "failed", "completed?", "incomplete"] {
        let report = read(&run(json!({"status": word, "output_hash": "later"}))).unwrap();
        assert_eq!((report.status, report.output), (RunStatus::Other(word.to_owned()), None));
    }
    let report = read(&json!({"run_id": "r-1"})).unwrap();
    assert_eq!(report.status, RunStatus::Other("unknown".to_owned()));
}

#[test]
fn inputs_and_recipes_have_many_shapes() {
    let (one, two) = (hash(1), hash(2));
    for inputs in [
        json!([one, two]),
        json!([one.to_bare_hex(), {"name": "b", "content_hash": two}]),
        json!([{"sha3_256": one.to_bare_hex()}, {"hash": two, "cid": CID}, one]),
    ] {
        let report = read(&run(json!({"inputs": inputs}))).unwrap();
        assert_eq!(report.provenance.inputs(), [one, two], "{inputs}");
    }
    for inputs in [json!([]), json!({}), json!(null)] {
        assert!(read(&run(json!({"inputs": inputs}))).unwrap().provenance.inputs().is_empty());
    }
    for (members, recipe) in [
        (json!({"recipe": {"name": "x"}}), json!({"name": "x"})),
        (json!({"recipe": null, "recipe_id": "x"}), json!("x")),
        (json!({"recipe": "", "recipe_name": "x"}), json!("x")),
        (json!({"recipe": "x", "recipe_name": "y"}), json!("x")),
    ] {
        assert_eq!(read(&run(members)).unwrap().provenance.recipe(), Some(&recipe));
    }
    assert_eq!(read(&run(json!({}))).unwrap().provenance.recipe(), None);
}

#[test]
fn types_are_told_by_word_or_media_type() {
    for (members, expected) in [
        (json!({"output_type": "image"}), Some("image")),
        (json!({"asset_type": "sculpture"}), Some("sculpture")),
        (json!({"media_type": "Image/PNG"}), Some("image")),
        (json!({"media_type": "audio/flac; rate=1"}), Some("audio")),
        (json!({"media_type": "application/octet-stream"}), None),
        (json!({"output": {"hash": hash(0), "media_type": "video/webm"}}), Some("video")),
        (json!({}), None),
    ] {
        assert_eq!(read(&run(members.clone())).unwrap().output_type.as_deref(), expected, "{members}");
    }
}

#[test]
fn what_contradicts_itself_or_has_no_known_shape_is_refused_with_its_place() {
    let many: Vec<ContentHash> = (0..1001_u32).map(|n| ContentHash::of(&n.to_be_bytes())).collect();
    for (document, pointer) in [
        (json!([]), ""),
        (json!("completed"), ""),
        (json!({"status": "completed"}), ""),
        (run(json!({"status": 1})), "/status"),
        (run(json!({"status": "x".repeat(65)})), "/status"),
        (run(json!({"status": "a\u{0}"})), "/status"),
        (run(json!({"output_hash": "x"})), "/output_hash"),
        (run(json!({"output_hash": [hash(0)]})), "/output_hash"),
        (run(json!({"output_cid": hash(1)})), "/output_cid"),
        (run(json!({"output": {"hash": hash(1)}})), "/output"),
        (json!({"output": "dog.mp4", "status": "done"}), "/output"),
        (run(json!({"run_id": "r-2"})), "/run_id"),
        (run(json!({"run_id": 1})), "/run_id"),
        (run(json!({"run_id": ["r-1"]})), "/run_id"),
        (json!({"id": "r-2", "output_hash": hash(0)}), "/id"),
        (run(json!({"l1_server": "https://other.example"})), "/l1_server"),
        (run(json!({"l1_server": "nowhere"})), "/l1_server"),
        (run(json!({"inputs": "x"})), "/inputs"),
        (run(json!({"inputs": [hash(1), "x"]})), "/inputs/1"),
        (run(json!({"inputs": [hash(1), CID]})), "/inputs/1"),
        (run(json!({"inputs": [{"name": "x"}]})), "/inputs/0"),
        (run(json!({"inputs": [null]})), "/inputs/0"),
        (run(json!({"inputs": [[hash(1)]]})), "/inputs/0"),
        (run(json!({"inputs": {"a/b~": "x"}})), "/inputs/a~1b~0"),
        (run(json!({"inputs": many})), ""),
        (run(json!({"recipe": 7})), "/recipe"),
        (run(json!({"recipe_id": ["x"]})), "/recipe_id"),
        (run(json!({"effects": "x".repeat(Provenance::MAX_BYTES)})), ""),
        (run(json!({"media_type": 7})), "/media_type"),
        (run(json!({"output": {"hash": hash(0), "asset_type": "a\nb"}})), "/output/asset_type"),
    ] {
        let error = read(&document).expect_err(&document.to_string()[..document.to_string().len().min(80)]);
        assert_eq!(error.pointer, pointer, "{document:.80}: {error}");
    }
    assert_eq!(read(&json!({"status": "done"})).unwrap_err().to_string(), "the run: is completed but names no output");
}

proptest::proptest! {
    /// Whatever stands in the members that are looked at, it is read or refused.
    #[test]
    fn nothing_breaks_the_reader(picks in proptest::collection::vec((0..12_usize, 0..12_usize), 0..12)) {
        let names = [
            "status", "run_id", "id", "output", "output_hash", "output_cid", "result", "inputs", "recipe",
            "media_type", "l1_server", "rendered_at",
        ];
        let values = [
            json!(null), json!(true), json!(-1.5e300), json!(""), json!("\u{202e}"), json!("completed"), json!("r-1"),
            json!([]), json!({}), json!(hash(1)), json!([[{}], {"hash": {}}, null]), json!({"hash": [], "cid": hash(1), "": ""}),
        ];
        let document: Map<String, Value> =
            picks.into_iter().map(|(name, value)| (names[name].to_owned(), values[value].clone())).collect();
        if let Ok(report) = read(&Value::Object(document)) {
            proptest::prop_assert_eq!(report.status == RunStatus::Completed, report.output.is_some());
            proptest::prop_assert_eq!(report.provenance.l1_server(), Some("https://l1.example"));
        }
    }
}
