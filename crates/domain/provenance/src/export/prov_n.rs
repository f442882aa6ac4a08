use super::ExportContext;
use super::prov::{Literal, Name, Statement, namespaces, statements};
use crate::Lineage;

/// PROV-N (W3C Recommendation of 2013-04-30), a statement a line.
pub fn to_prov_n(lineage: &Lineage, context: &ExportContext) -> String {
    let mut text = String::from("document\n");
    for (prefix, iri) in namespaces(context) {
        text += &format!("  prefix {prefix} <{iri}>\n");
    }
    text.push('\n');
    for statement in statements(lineage) {
        text += &format!("  {}\n", line(&statement));
    }
    text + "endDocument\n"
}

fn line(statement: &Statement) -> String {
    let mut arguments: Vec<String> = statement.id.iter().map(Name::qualified).collect();
    arguments.extend(statement.arguments.iter().map(|(_, name)| name.qualified()));
    if arguments.len() > 2 || statement.kind.arguments() == 3 {
        arguments.resize(statement.kind.arguments(), "-".to_owned());
    }
    if !statement.attributes.is_empty() {
        let told: Vec<String> = statement
            .attributes
            .iter()
            .map(|(name, literal)| format!("{}={}", name.qualified(), value(literal)))
            .collect();
        arguments.push(format!("[{}]", told.join(", ")));
    }
    format!("{}({})", statement.kind.word(), arguments.join(", "))
}

fn value(literal: &Literal) -> String {
    match literal {
        Literal::Text(text) => quoted(text),
        Literal::Name(name) => format!("'{}'", name.qualified()),
        Literal::Time(time) => format!("{} %% xsd:dateTime", quoted(time)),
    }
}

/// A short string literal: what ends it, escapes, or breaks the line is escaped; the rest stands as it is.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{c}' => quoted.push_str("\\f"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
