use super::ExportContext;
use crate::{Lineage, LineageAsset, LineageNode};
use artdag_kernel::{ContentHash, rfc3339};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SPECIFICATION: &str = "https://w3id.org/ro/crate/1.1";

/// The text of an RO-Crate 1.1 `ro-crate-metadata.json`: the root asset is the main entity, registered assets are its
/// files, content that is unknown here is described beside them, and every making is a `CreateAction`.
pub fn to_ro_crate(lineage: &Lineage, context: &ExportContext) -> Value {
    let assets: Vec<_> = lineage.nodes.iter().filter_map(|node| Some((node, node.asset.as_ref()?))).collect();
    let made: Vec<_> = assets.iter().filter(|(_, asset)| asset.is_made()).collect();
    let crate_of = Crate::new(lineage, context);

    let mut graph = vec![
        json!({
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "conformsTo": {"@id": SPECIFICATION},
            "about": {"@id": "./"},
        }),
        crate_of.root(),
    ];
    graph.extend(lineage.nodes.iter().map(|node| crate_of.content(node)));
    graph.extend(made.iter().map(|(node, asset)| crate_of.action(node, asset)));
    graph.extend(crate_of.recipes.iter().map(
        |(recipe, id)| json!({"@id": id, "@type": "SoftwareSourceCode", "name": recipe_name(recipe), "text": recipe}),
    ));
    let owners: BTreeSet<&str> = assets.iter().map(|(_, asset)| asset.owner.as_str()).collect();
    graph.extend(owners.iter().map(|name| json!({"@id": context.user(name), "@type": "Person", "name": name})));
    let renderers: BTreeSet<&str> = made.iter().filter_map(|(_, asset)| asset.l1_server.as_deref()).collect();
    graph.extend(
        renderers.iter().map(|at| json!({"@id": context.renderer(at), "@type": "SoftwareApplication", "name": at})),
    );
    let vocabulary = context.vocabulary();
    json!({
        "@context": [format!("{SPECIFICATION}/context"), {"contentHash": format!("{vocabulary}contentHash")}],
        "@graph": graph,
    })
}

/// What the entities of one crate refer to.
struct Crate<'a> {
    lineage: &'a Lineage,
    context: &'a ExportContext,
    inputs: BTreeMap<ContentHash, Vec<Value>>,
    /// The id of each recipe within the crate.
    recipes: BTreeMap<&'a str, String>,
}

impl<'a> Crate<'a> {
    fn new(lineage: &'a Lineage, context: &'a ExportContext) -> Self {
        let mut inputs: BTreeMap<ContentHash, Vec<Value>> = BTreeMap::new();
        for edge in &lineage.edges {
            inputs.entry(edge.made).or_default().push(json!({"@id": context.object(&edge.from)}));
        }
        let recipes: BTreeSet<&str> =
            lineage.nodes.iter().filter_map(|node| node.asset.as_ref()?.recipe.as_deref()).collect();
        let recipes = recipes.into_iter().zip(1..).map(|(recipe, n)| (recipe, format!("#recipe-{n}"))).collect();
        Self { lineage, context, inputs, recipes }
    }

    fn root(&self) -> Value {
        let root = self.lineage.node(self.lineage.root);
        let name = root.map_or_else(|| self.lineage.root.to_string(), name_of);
        let ids = |fits: fn(&LineageAsset) -> bool, id: fn(&ExportContext, &ContentHash) -> String| -> Value {
            let fitting = self.lineage.nodes.iter().filter(|node| node.asset.as_ref().is_some_and(fits));
            fitting.map(|node| json!({"@id": id(self.context, &node.content_hash)})).collect()
        };
        let is_cut = !self.lineage.is_complete;
        let cut = if is_cut { " It is not complete: only what is nearest is told." } else { "" };
        let mut entity = json!({
            "@id": "./",
            "@type": "Dataset",
            "name": format!("Lineage of {name}"),
            "description": format!("What {name} was made from and what was made from it, as its owners claim.{cut}"),
            "datePublished": rfc3339(self.context.exported_at()),
            "hasPart": ids(|_| true, ExportContext::object),
            "mentions": ids(LineageAsset::is_made, ExportContext::run),
        });
        if root.is_some() {
            entity["mainEntity"] = json!({"@id": self.context.object(&self.lineage.root)});
        }
        entity
    }

    fn content(&self, node: &LineageNode) -> Value {
        let mut entity = json!({
            "@id": self.context.object(&node.content_hash),
            "@type": "CreativeWork",
            "name": name_of(node),
            "contentHash": node.content_hash,
        });
        if let Some(inputs) = self.inputs.get(&node.content_hash) {
            entity["isBasedOn"] = inputs.as_slice().into();
        }
        if let Some(asset) = &node.asset {
            entity["@type"] = "File".into();
            entity["additionalType"] = asset.asset_type.as_str().into();
            entity["author"] = json!({"@id": self.context.user(&asset.owner)});
            entity["datePublished"] = rfc3339(asset.created_at).into();
        }
        entity
    }

    fn action(&self, node: &LineageNode, asset: &LineageAsset) -> Value {
        let inputs = self.inputs.get(&node.content_hash).map_or(&[][..], Vec::as_slice);
        let mut entity = json!({
            "@id": self.context.run(&node.content_hash),
            "@type": "CreateAction",
            "name": format!("Making of {}", asset.name),
            "object": inputs,
            "result": {"@id": self.context.object(&node.content_hash)},
        });
        let recipe = asset.recipe.as_deref().and_then(|recipe| self.recipes.get(recipe)).cloned();
        let renderer = asset.l1_server.as_deref().map(|at| self.context.renderer(at));
        let mut instruments: Vec<Value> = recipe.into_iter().chain(renderer).map(|id| json!({"@id": id})).collect();
        match instruments.len() {
            0 => {}
            1 => entity["instrument"] = instruments.remove(0),
            _ => entity["instrument"] = instruments.into(),
        }
        if let Some(run_id) = &asset.run_id {
            entity["identifier"] = run_id.as_str().into();
        }
        entity
    }
}

fn name_of(node: &LineageNode) -> String {
    node.asset.as_ref().map_or_else(|| node.content_hash.to_string(), |asset| asset.name.clone())
}

/// The name inside a recipe that is described by JSON, or the recipe as it is.
fn recipe_name(recipe: &str) -> String {
    let described: Option<Value> = serde_json::from_str(recipe).ok();
    described.as_ref().and_then(|value| value.get("name")?.as_str()).unwrap_or(recipe).to_owned()
}
