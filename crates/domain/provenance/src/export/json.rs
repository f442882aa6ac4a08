use super::ExportContext;
use crate::{Lineage, LineageNode};
use artdag_kernel::rfc3339;
use serde_json::{Value, json};

/// Nodes and edges, as this registry tells them: content that is unknown here has its hash and distance alone.
pub fn to_json(lineage: &Lineage, context: &ExportContext) -> Value {
    let edges: Value = lineage.edges.iter().map(|edge| json!({"made": edge.made, "from": edge.from})).collect();
    json!({
        "root": lineage.root,
        "is_complete": lineage.is_complete,
        "nodes": lineage.nodes.iter().map(|it| node(it, context)).collect::<Value>(),
        "edges": edges,
    })
}

fn node(node: &LineageNode, context: &ExportContext) -> Value {
    let mut members = json!({
        "content_hash": node.content_hash,
        "distance": node.distance,
        "object": context.object(&node.content_hash),
    });
    if let Some(asset) = &node.asset {
        members["name"] = asset.name.as_str().into();
        members["asset_type"] = asset.asset_type.as_str().into();
        members["owner"] = asset.owner.as_str().into();
        members["created_at"] = rfc3339(asset.created_at).into();
        let known = [
            ("recipe", asset.recipe.as_deref()),
            ("l1_server", asset.l1_server.as_deref()),
            ("run_id", asset.run_id.as_ref().map(crate::RunId::as_str)),
        ];
        for (name, text) in known {
            if let Some(text) = text {
                members[name] = text.into();
            }
        }
    }
    members
}
