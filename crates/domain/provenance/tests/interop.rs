//! Tools of others read our exports: the three PROV notations as equal documents, and the RO-Crate.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

#[path = "../examples/sample/mod.rs"]
mod sample;

use artdag_kernel::{ContentHash, Instant};
use artdag_provenance::{
    ExportContext, Lineage, LineageAsset, LineageEdge, LineageNode, ProvFormat, to_jsonld, to_prov_json,
};
use artdag_testing::{interop_file, python};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::Write;
use std::process::{Command, Stdio};

/// What a script found, or the lines with which it refuses.
fn verdict(python: &OsString, script: &str, input: &str) -> Result<Value, String> {
    let mut child =
        Command::new(python).arg(interop_file(script)).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    match said.strip_prefix("ok ") {
        Some(found) if output.status.success() => Ok(serde_json::from_str(found).unwrap()),
        _ => Err(said),
    }
}

fn context() -> ExportContext {
    ExportContext::new("https://art.example", Instant::from_timestamp_secs(1_767_312_000).unwrap())
}

fn notations(lineage: &Lineage) -> Value {
    let texts = [ProvFormat::ProvJson, ProvFormat::ProvN, ProvFormat::JsonLd]
        .map(|format| (format.name().to_owned(), format.export(lineage, &context()).into()));
    Value::Object(texts.into_iter().collect())
}

/// Names that try to leave their place, a circle, content that nobody knows, and two claims of one run.
fn hostile() -> Lineage {
    let names = [
        "\"quoted\" \\ 'single' [a=\"b\"], %% xsd:int\ttab",
        "line\nbreak\r\n*/ // endDocument\nentity(x:y)",
        "été → ✨ 𝒳 日本語 👩\u{200d}🎨",
        "prov:type='x' @en \"\"\"",
        "-",
        "@id",
        "\u{1}\u{7f}\u{85}\u{2028}",
    ];
    let content = |n: usize| ContentHash::of(&[u8::try_from(n).unwrap()]);
    let mut nodes: Vec<LineageNode> = names
        .iter()
        .enumerate()
        .map(|(n, name)| LineageNode {
            content_hash: content(n),
            distance: 0,
            asset: Some(LineageAsset {
                name: (*name).to_owned(),
                asset_type: if n == 0 { "image".to_owned() } else { (*name).to_owned() },
                owner: ["giles", "0_", "o'brien. <x>"][n % 3].to_owned(),
                created_at: Instant::from_timestamp_micros(1_767_225_600_000_000 + n as i64 * 1_111_111).unwrap(),
                recipe: (n % 2 == 0).then(|| json!({"name": name, "bpm": 120.5}).to_string()),
                l1_server: (n % 3 == 0).then(|| format!("https://l1.example/{name}")),
                run_id: (n % 4 == 0).then(|| "run/1#x?y 'z'".parse().unwrap()),
            }),
        })
        .collect();
    nodes.push(LineageNode { content_hash: content(names.len()), distance: -1, asset: None });
    let edges = (0..names.len()).flat_map(|n| [(n, n + 1), ((n + 1) % names.len(), n)]);
    let mut edges: Vec<_> =
        edges.map(|(made, from)| LineageEdge { made: content(made), from: content(from) }).collect();
    edges.sort();
    edges.dedup();
    Lineage { root: content(0), nodes, edges, is_complete: false }
}

#[test]
fn prov_reads_three_equal_documents() {
    let Some(python) = python("exports were NOT read by the tools of others") else { return };
    let plain = sample::lineage(60);
    let found = verdict(&python, "check_prov.py", &notations(&plain).to_string()).unwrap();
    assert_eq!(found["counts"]["Entity"], 60);
    assert_eq!(found["counts"]["Derivation"], plain.edges.len());
    assert_eq!(found["counts"]["Attribution"], plain.nodes.iter().filter(|node| node.asset.is_some()).count());

    let hostile = hostile();
    let found = verdict(&python, "check_prov.py", &notations(&hostile).to_string()).unwrap();
    assert_eq!(found["counts"]["Derivation"], hostile.edges.len());
    let labels = found["labels"].as_array().unwrap();
    for name in hostile.nodes.iter().filter_map(|node| Some(&node.asset.as_ref()?.name)) {
        assert!(labels.contains(&json!(name)), "{name:?} is not among {labels:?}");
    }
}

#[test]
fn a_difference_between_notations_is_noticed() {
    let Some(python) = python("exports were NOT read by the tools of others") else { return };
    let lineage = sample::lineage(12);
    let cases = [
        ("prov-n", "giles", "eve", "prov-n is not equal"),
        ("jsonld", "\"@type\":\"Usage\"", "\"@type\":\"Generation\"", "jsonld is not equal"),
        // As PROV-JSONLD it reads the same; as RDF it does not.
        ("jsonld", "prov:qualifiedUsage", "prov:qualifiedStart", "Usage: PROV-O has 0"),
    ];
    for (name, from, to, complaint) in cases {
        let mut texts = notations(&lineage);
        texts[name] = texts[name].as_str().unwrap().replacen(from, to, 1).into();
        let refused = verdict(&python, "check_prov.py", &texts.to_string()).unwrap_err();
        assert!(refused.contains(complaint), "{refused}");
    }
}

#[test]
fn rocrate_reads_the_crate() {
    let Some(python) = python("exports were NOT read by the tools of others") else { return };
    for lineage in [sample::lineage(60), hostile()] {
        let text = ProvFormat::RoCrate.export(&lineage, &context());
        let found = verdict(&python, "check_rocrate.py", &text).unwrap();
        assert_eq!(found["main"], context().object(&lineage.root));
        assert_eq!(found["files"], lineage.nodes.iter().filter(|node| node.asset.is_some()).count());
        for node in &lineage.nodes {
            let action = &found["actions"][context().run(&node.content_hash)];
            if !node.asset.as_ref().is_some_and(LineageAsset::is_made) {
                assert!(action.is_null());
                continue;
            }
            let inputs: Vec<String> =
                lineage.parents_of(node.content_hash).map(|from| context().object(&from)).collect();
            assert_eq!(action["object"], json!(inputs));
            assert_eq!(action["result"], json!([context().object(&node.content_hash)]));
        }
    }
}

#[test]
fn nothing_is_fetched_to_read_the_json_ld() {
    let document = to_jsonld(&sample::lineage(12), &context());
    assert!(document["@context"].as_array().unwrap().iter().all(Value::is_object));
    assert!(to_prov_json(&sample::lineage(12), &context())["prefix"]["object"].is_string());
}
