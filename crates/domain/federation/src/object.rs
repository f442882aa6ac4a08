use crate::Site;
use artdag_assets::{Asset, AssetType, Tombstone};
use artdag_kernel::rfc3339;
use artdag_provenance::Provenance;
use serde_json::{Map, Value, json};

/// The ActivityStreams object that stands for an asset, without `@context`. It holds no numbers: signed
/// documents keep clear of values that two JSON printers could spell differently.
pub(crate) fn object(site: &Site, asset: &Asset) -> Value {
    let details = &asset.details;
    let mut object = json!({
        "id": site.object(&asset.content_hash),
        "type": object_type(&details.asset_type),
        "name": asset.name.as_str(),
        "content": asset.content_hash.to_string(),
        "contentHash": {"algorithm": "sha3-256", "value": asset.content_hash.to_bare_hex()},
        "attributedTo": site.actor(&asset.owner),
        "published": rfc3339(asset.created_at),
        "url": url(site, asset),
        "artdag:provenance": provenance(&asset.provenance),
    });
    let tags: Vec<Value> = details.tags.as_slice().iter().map(|tag| hashtag(site, tag.as_str())).collect();
    let optional = [
        ("summary", details.description.as_ref().map(|d| Value::String(html(d.as_str())))),
        ("tag", (!tags.is_empty()).then_some(Value::Array(tags))),
        ("updated", (asset.revision > 1).then(|| Value::String(rfc3339(asset.updated_at)))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            object[name] = value;
        }
    }
    object
}

/// What stands in the place of a deleted asset's object (ActivityStreams vocabulary, `Tombstone`).
pub(crate) fn tombstone(site: &Site, tombstone: &Tombstone) -> Value {
    json!({
        "id": site.object(&tombstone.content_hash),
        "type": "Tombstone",
        "formerType": object_type(&tombstone.former_type),
        "published": rfc3339(tombstone.created_at),
        "deleted": rfc3339(tombstone.deleted_at),
    })
}

/// The ActivityStreams type that comes nearest.
fn object_type(asset_type: &AssetType) -> &'static str {
    match asset_type.as_str() {
        "image" => "Image",
        "video" => "Video",
        "audio" => "Audio",
        "effect" | "infrastructure" => "Application",
        _ => "Document",
    }
}

fn url(site: &Site, asset: &Asset) -> Value {
    let page = json!({"type": "Link", "href": site.asset(asset.name.as_str()), "mediaType": "text/html"});
    match &asset.details.url {
        None => page,
        Some(link) => json!([page, {"type": "Link", "href": link.as_str()}]),
    }
}

/// Hashtags have no spaces elsewhere in the fediverse.
fn hashtag(site: &Site, tag: &str) -> Value {
    let word: String = tag.split_whitespace().collect();
    json!({"type": "Hashtag", "name": format!("#{word}"), "href": site.tag(tag)})
}

/// The part of the provenance that the claim is about. A recipe that is an object goes in as its JSON
/// text, so that its numbers are spelled once and for all.
fn provenance(provenance: &Provenance) -> Value {
    let mut members = Map::new();
    members.insert("inputs".to_owned(), provenance.inputs().iter().map(ToString::to_string).collect());
    let recipe = provenance.recipe().map(|recipe| match recipe {
        Value::String(name) => name.clone(),
        described => described.to_string(),
    });
    let optional = [
        ("recipe", recipe),
        ("l1_server", provenance.l1_server().map(str::to_owned)),
        ("run_id", provenance.run_id().map(ToString::to_string)),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            members.insert(name.to_owned(), Value::String(value));
        }
    }
    Value::Object(members)
}

/// Plain text as the HTML that `summary` is.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\n', "<br>")
}
