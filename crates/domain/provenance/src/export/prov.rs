//! What a lineage says in the terms of W3C's PROV, before any notation. Three notations are written from it, so the
//! rule that keeps them equal is: decide everything here, spell it there.

use super::ExportContext;
use super::context::{local_name, run_name};
use crate::{Lineage, LineageAsset, LineageNode};
use artdag_kernel::{ContentHash, rfc3339};
use std::collections::BTreeSet;

/// A qualified name. The local part needs no escape in any notation: hex digits, percent-encoded text, `#run`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) prefix: &'static str,
    pub(super) local: String,
}

impl Name {
    fn new(prefix: &'static str, local: impl Into<String>) -> Self {
        let local = local.into();
        Self { prefix, local }
    }

    /// `prefix:local`.
    pub(super) fn qualified(&self) -> String {
        format!("{}:{}", self.prefix, self.local)
    }
}

/// What an attribute may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Name(Name),
    /// `xsd:dateTime`.
    Time(String),
}

/// The statements of PROV that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Entity,
    Activity,
    Agent,
    Generation,
    Usage,
    Derivation,
    Attribution,
    Association,
}

impl Kind {
    /// Its word in PROV-N and PROV-JSON.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Activity => "activity",
            Self::Agent => "agent",
            Self::Generation => "wasGeneratedBy",
            Self::Usage => "used",
            Self::Derivation => "wasDerivedFrom",
            Self::Attribution => "wasAttributedTo",
            Self::Association => "wasAssociatedWith",
        }
    }

    /// Its class in PROV-O.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Entity => "Entity",
            Self::Activity => "Activity",
            Self::Agent => "Agent",
            Self::Generation => "Generation",
            Self::Usage => "Usage",
            Self::Derivation => "Derivation",
            Self::Attribution => "Attribution",
            Self::Association => "Association",
        }
    }

    /// How many arguments PROV-N wants in the long form; `-` stands for those that are not known.
    pub(super) const fn arguments(self) -> usize {
        match self {
            Self::Entity | Self::Activity | Self::Agent => 0,
            Self::Attribution => 2,
            Self::Generation | Self::Usage | Self::Association => 3,
            Self::Derivation => 5,
        }
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: Kind,
    /// Elements have one, relations do without.
    pub(super) id: Option<Name>,
    /// What it relates, by PROV's local names, in the order of PROV-N.
    pub(super) arguments: Vec<(&'static str, Name)>,
    pub(super) attributes: Vec<(Name, Literal)>,
}

/// The namespaces behind the prefixes, besides `prov` and `xsd`.
pub(super) fn namespaces(context: &ExportContext) -> [(&'static str, String); 4] {
    [
        ("artdag", context.vocabulary()),
        ("object", context.objects()),
        ("renderer", context.renderers()),
        ("user", context.users()),
    ]
}

/// Everything that the lineage says: elements first, then relations.
pub(super) fn statements(lineage: &Lineage) -> Vec<Statement> {
    let mut elements: Vec<Statement> = lineage.nodes.iter().map(entity).collect();
    let mut relations = Vec::new();
    let (mut owners, mut renderers) = (BTreeSet::new(), BTreeSet::new());
    for node in &lineage.nodes {
        let Some(asset) = &node.asset else { continue };
        owners.insert(asset.owner.as_str());
        relations
            .push(relation(Kind::Attribution, [("entity", object(&node.content_hash)), ("agent", user(&asset.owner))]));
        if !asset.is_made() {
            continue;
        }
        elements.push(activity(&node.content_hash, asset));
        relations.push(relation(
            Kind::Generation,
            [("entity", object(&node.content_hash)), ("activity", run(&node.content_hash))],
        ));
        if let Some(address) = &asset.l1_server {
            renderers.insert(address.as_str());
            relations.push(relation(
                Kind::Association,
                [("activity", run(&node.content_hash)), ("agent", renderer(address))],
            ));
        }
    }
    elements.extend(owners.into_iter().map(|name| agent(user(name), "Person", name)));
    elements.extend(renderers.into_iter().map(|at| agent(renderer(at), "SoftwareAgent", at)));

    let made: BTreeSet<&ContentHash> = lineage
        .nodes
        .iter()
        .filter(|node| node.asset.as_ref().is_some_and(LineageAsset::is_made))
        .map(|node| &node.content_hash)
        .collect();
    for edge in &lineage.edges {
        let mut derivation = vec![("generatedEntity", object(&edge.made)), ("usedEntity", object(&edge.from))];
        if made.contains(&edge.made) {
            let used = [("activity", run(&edge.made)), ("entity", object(&edge.from))];
            relations.push(relation(Kind::Usage, used));
            derivation.push(("activity", run(&edge.made)));
        }
        relations.push(relation(Kind::Derivation, derivation));
    }
    elements.append(&mut relations);
    elements
}

fn entity(node: &LineageNode) -> Statement {
    let mut attributes = vec![art("contentHash", node.content_hash.to_string())];
    if let Some(asset) = &node.asset {
        attributes.push(label(&asset.name));
        if let Some(class) = class_of(&asset.asset_type) {
            attributes.push((prov("type"), Literal::Name(Name::new("artdag", class))));
        }
        attributes.push(art("assetType", asset.asset_type.clone()));
        let registered = Literal::Time(rfc3339(asset.created_at));
        attributes.push((Name::new("artdag", "registeredAt"), registered));
    }
    element(Kind::Entity, object(&node.content_hash), attributes)
}

fn activity(made: &ContentHash, asset: &LineageAsset) -> Statement {
    let mut attributes = vec![(prov("type"), Literal::Name(Name::new("artdag", "Run")))];
    if let Some(recipe) = &asset.recipe {
        attributes.push(art("recipe", recipe.clone()));
    }
    if let Some(run_id) = &asset.run_id {
        attributes.push(art("run_id", run_id.to_string()));
    }
    element(Kind::Activity, run(made), attributes)
}

fn agent(id: Name, class: &str, name: &str) -> Statement {
    let class = (prov("type"), Literal::Name(prov(class)));
    element(Kind::Agent, id, vec![class, label(name)])
}

/// The types that have a class of their own; the others are told as text alone.
fn class_of(asset_type: &str) -> Option<&'static str> {
    match asset_type {
        "image" => Some("Image"),
        "video" => Some("Video"),
        "audio" => Some("Audio"),
        "effect" => Some("Effect"),
        "infrastructure" => Some("Infrastructure"),
        _ => None,
    }
}

fn element(kind: Kind, id: Name, attributes: Vec<(Name, Literal)>) -> Statement {
    let (id, arguments) = (Some(id), Vec::new());
    Statement { kind, id, arguments, attributes }
}

fn relation(kind: Kind, arguments: impl Into<Vec<(&'static str, Name)>>) -> Statement {
    let (arguments, attributes) = (arguments.into(), Vec::new());
    Statement { kind, id: None, arguments, attributes }
}

fn object(content: &ContentHash) -> Name {
    Name::new("object", content.to_bare_hex())
}

fn run(made: &ContentHash) -> Name {
    Name::new("object", run_name(made))
}

fn user(name: &str) -> Name {
    Name::new("user", local_name(name))
}

fn renderer(address: &str) -> Name {
    Name::new("renderer", local_name(address))
}

fn prov(local: &str) -> Name {
    Name::new("prov", local)
}

fn art(local: &str, text: String) -> (Name, Literal) {
    (Name::new("artdag", local), Literal::Text(text))
}

fn label(text: &str) -> (Name, Literal) {
    (prov("label"), Literal::Text(text.to_owned()))
}
