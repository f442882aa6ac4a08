use super::ExportContext;
use super::prov::{Literal, Name, Statement, namespaces, statements};
use crate::Lineage;
use serde_json::{Map, Value, json};

/// W3C's PROV-JSON (member submission of 2013-04-24).
pub fn to_prov_json(lineage: &Lineage, context: &ExportContext) -> Value {
    let mut document = Map::new();
    let prefixes: Map<String, Value> =
        namespaces(context).map(|(p, iri)| (p.to_owned(), iri.into())).into_iter().collect();
    document.insert("prefix".to_owned(), Value::Object(prefixes));
    for (n, statement) in statements(lineage).iter().enumerate() {
        // A relation without an id is a blank node, whose number means nothing.
        let id = statement.id.as_ref().map_or_else(|| format!("_:r{n}"), Name::qualified);
        let of_kind = document.entry(statement.kind.word()).or_insert_with(|| json!({}));
        if let Value::Object(of_kind) = of_kind {
            of_kind.insert(id, members(statement));
        }
    }
    Value::Object(document)
}

fn members(statement: &Statement) -> Value {
    let related = statement.arguments.iter().map(|(role, name)| (format!("prov:{role}"), name.qualified().into()));
    let told = statement.attributes.iter().map(|(name, literal)| (name.qualified(), value(literal)));
    Value::Object(related.chain(told).collect())
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => text.as_str().into(),
        Literal::Name(name) => json!({"$": name.qualified(), "type": "prov:QUALIFIED_NAME"}),
        Literal::Time(time) => json!({"$": time, "type": "xsd:dateTime"}),
    }
}
