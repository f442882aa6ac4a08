use super::ExportContext;
use crate::{Lineage, LineageNode};
use std::fmt::Write;

/// Graphviz, from inputs on the left to what was made from them on the right.
pub fn to_dot(lineage: &Lineage, context: &ExportContext) -> String {
    let mut text =
        String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for it in &lineage.nodes {
        let id = it.content_hash.to_bare_hex();
        let url = escaped(&context.object(&it.content_hash));
        let (label, style) = label(it);
        let pen = if it.content_hash == lineage.root { ", penwidth=3" } else { "" };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "  \"{id}\" [label=\"{label}\", URL=\"{url}\"{style}{pen}];");
    }
    for edge in &lineage.edges {
        let _ = writeln!(text, "  \"{}\" -> \"{}\";", edge.from.to_bare_hex(), edge.made.to_bare_hex());
    }
    text + "}\n"
}

fn label(node: &LineageNode) -> (String, &'static str) {
    match &node.asset {
        Some(asset) => {
            let lines = [&asset.name, &asset.asset_type, &asset.owner].map(|line| escaped(line));
            (lines.join("\\n"), "")
        }
        None => (super::short_hash(&node.content_hash), ", style=\"rounded,dashed\""),
    }
}

/// For a quoted string. Graphviz reads backslashes and HTML entities in it, and ends at NUL.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '&' => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(escaped("a\"]; b -> c; \\N & <b>\n\u{0}"), "a\\\"]; b -> c; \\\\N &amp; <b>\\n\u{fffd}");
    }
}
