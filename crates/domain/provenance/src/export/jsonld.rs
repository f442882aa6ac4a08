use super::ExportContext;
use super::prov::{Literal, Name, Statement, namespaces, statements};
use crate::Lineage;
use serde_json::{Map, Value, json};

/// PROV-O as JSON-LD, in the shape of W3C's PROV-JSONLD (member submission of 2024-08-25): an object per statement.
/// Its context is inline, so that it reads as RDF without a network: relations come out as PROV-O's qualified ones.
pub fn to_jsonld(lineage: &Lineage, context: &ExportContext) -> Value {
    let mut prefixes = json!({
        "prov": "http://www.w3.org/ns/prov#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    });
    for (prefix, iri) in namespaces(context) {
        prefixes[prefix] = iri.into();
    }
    let graph: Value = statements(lineage).iter().map(object).collect();
    json!({"@context": [prefixes, terms()], "@graph": graph})
}

/// What the words of a statement mean in RDF. A relation is a node that its subject points to: hence `@reverse`.
fn terms() -> Value {
    let id = |iri: &str| json!({"@id": iri, "@type": "@id"});
    let of = |iri: &str| json!({"@reverse": iri, "@type": "@id"});
    let class = |name: &str, subject: &str, qualified: &str, object: (&str, &str)| {
        let mut scope = Map::new();
        scope.insert(subject.to_owned(), of(qualified));
        scope.insert(object.0.to_owned(), id(object.1));
        json!({"@id": name, "@context": scope})
    };
    let mut derivation =
        class("prov:Derivation", "generatedEntity", "prov:qualifiedDerivation", ("usedEntity", "prov:entity"));
    derivation["@context"]["activity"] = id("prov:hadActivity");
    json!({
        "@version": 1.1,
        "type": id("rdf:type"),
        "label": {"@id": "rdfs:label"},
        "entity": id("prov:entity"),
        "activity": id("prov:activity"),
        "agent": id("prov:agent"),
        "Entity": {"@id": "prov:Entity"},
        "Activity": {"@id": "prov:Activity"},
        "Agent": {"@id": "prov:Agent"},
        "Generation": class("prov:Generation", "entity", "prov:qualifiedGeneration", ("activity", "prov:activity")),
        "Usage": class("prov:Usage", "activity", "prov:qualifiedUsage", ("entity", "prov:entity")),
        "Derivation": derivation,
        "Attribution": class("prov:Attribution", "entity", "prov:qualifiedAttribution", ("agent", "prov:agent")),
        "Association": class("prov:Association", "activity", "prov:qualifiedAssociation", ("agent", "prov:agent")),
    })
}

fn object(statement: &Statement) -> Value {
    let mut members = Map::new();
    members.insert("@type".to_owned(), statement.kind.class().into());
    if let Some(id) = &statement.id {
        members.insert("@id".to_owned(), id.qualified().into());
    }
    for (role, name) in &statement.arguments {
        members.insert((*role).to_owned(), name.qualified().into());
    }
    for (name, literal) in &statement.attributes {
        members.insert(term(name), json!([value(literal)]));
    }
    Value::Object(members)
}

/// PROV's own attributes go by bare words.
fn term(name: &Name) -> String {
    match name.prefix {
        "prov" => name.local.clone(),
        _ => name.qualified(),
    }
}

fn value(literal: &Literal) -> Value {
    match literal {
        Literal::Text(text) => json!({"@value": text}),
        Literal::Name(name) => name.qualified().into(),
        Literal::Time(time) => json!({"@value": time, "@type": "xsd:dateTime"}),
    }
}
