//! An asset as the API shows it.

use crate::http::problem::Problem;
use crate::routes::anchors::AnchorStatus;
use artdag_anchoring::Anchor;
use artdag_anchoring::bitcoin::Network;
use artdag_assets::{Asset, Tombstone};
use artdag_federation::Site;
use artdag_kernel::rfc3339;
use artdag_registry::{Reader, Registry};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// An asset.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AssetBody {
    #[schema(example = "my-video")]
    name: String,
    /// SHA3-256 of the content.
    #[schema(example = "sha3-256:a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a")]
    content_hash: String,
    /// The same without the prefix.
    sha3_256: String,
    /// The same content on IPFS, if its owner said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
    #[schema(example = "video")]
    asset_type: String,
    #[schema(example = "@giles@art.example")]
    owner: String,
    #[schema(example = "https://art.example/users/giles")]
    actor: String,
    created_at: String,
    updated_at: String,
    /// `inputs`, `recipe`, `l1_server`, `run_id`, and whatever else its maker recorded.
    #[schema(value_type = Object)]
    provenance: Value,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    metadata: Option<Map<String, Value>>,
    /// The signed `Create` that claims it.
    #[schema(example = "https://art.example/activities/01990000-0000-7000-8000-000000000000")]
    activity: String,
    /// That activity's place in the log; `null` for some milliseconds after the claim.
    activity_index: Option<u64>,
    /// Whether the claim is stamped into Bitcoin. Not told of an asset that is in a request's way.
    #[serde(skip_serializing_if = "Option::is_none")]
    anchor: Option<AnchorStatus>,
    /// The ActivityStreams object.
    object: String,
}

impl AssetBody {
    /// With the anchor of its claim.
    pub(crate) async fn read(registry: &Registry, asset: &Asset) -> Result<Self, Problem> {
        let network = registry.bitcoin_network();
        let anchor = match asset.claim_index {
            Some(index) => registry.read().await?.anchors_of(&[index], Some(network)).await?.pop().flatten(),
            None => None,
        };
        Ok(Self::of(registry.site(), asset).with(anchor.as_ref(), network))
    }

    /// Each with the anchor of its claim.
    pub(super) async fn read_all(
        registry: &Registry,
        reader: &mut (dyn Reader + '_),
        assets: &[Asset],
    ) -> Result<Vec<Self>, Problem> {
        let (site, network) = (registry.site(), registry.bitcoin_network());
        let indices: Vec<u64> = assets.iter().filter_map(|asset| asset.claim_index).collect();
        let mut anchors = reader.anchors_of(&indices, Some(network)).await?.into_iter();
        let body = |asset: &Asset| {
            let anchor = asset.claim_index.and_then(|_| anchors.next()).flatten();
            Self::of(site, asset).with(anchor.as_ref(), network)
        };
        Ok(assets.iter().map(body).collect())
    }

    fn with(self, anchor: Option<&Anchor>, network: Network) -> Self {
        let anchor = anchor.map(|anchor| anchor.on(network));
        Self { anchor: Some(AnchorStatus::of(anchor.as_ref())), ..self }
    }

    pub(super) fn of(site: &Site, asset: &Asset) -> Self {
        let details = &asset.details;
        Self {
            name: asset.name.to_string(),
            content_hash: asset.content_hash.to_string(),
            sha3_256: asset.content_hash.to_bare_hex(),
            cid: asset.cid.as_ref().map(ToString::to_string),
            asset_type: details.asset_type.to_string(),
            owner: site.handle(&asset.owner),
            actor: site.actor(&asset.owner),
            created_at: rfc3339(asset.created_at),
            updated_at: rfc3339(asset.updated_at),
            provenance: asset.provenance.to_json(),
            tags: details.tags.as_slice().iter().map(ToString::to_string).collect(),
            description: details.description.as_ref().map(|d| d.as_str().to_owned()),
            url: details.url.as_ref().map(|u| u.as_str().to_owned()),
            metadata: details.metadata.as_ref().map(|m| m.as_map().clone()),
            activity: site.activity(asset.claim),
            activity_index: asset.claim_index,
            anchor: None,
            object: site.object(&asset.content_hash),
        }
    }
}

/// What is told of a deleted asset.
pub(super) fn tombstone_body(site: &Site, tombstone: &Tombstone) -> Value {
    json!({
        "type": "Tombstone",
        "name": tombstone.name.as_str(),
        "content_hash": tombstone.content_hash,
        "former_type": tombstone.former_type.as_str(),
        "owner": site.handle(&tombstone.owner),
        "created_at": rfc3339(tombstone.created_at),
        "deleted_at": rfc3339(tombstone.deleted_at),
        "activity": site.activity(tombstone.withdrawal),
        "object": site.object(&tombstone.content_hash),
    })
}

/// The revision is all that `If-Match` compares; the rest makes the tag as strong as an `ETag` must be, since
/// `activity_index` and `anchor` change without a revision.
pub(super) fn entity_tag(asset: &Asset, body: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    format!("{}-{}", asset.revision, hex::encode(&Sha256::digest(body)[..8]))
}

/// The revision in a tag made by [`entity_tag`].
pub(super) fn revision_in(tag: &str) -> Option<u32> {
    tag.split_once('-')?.0.parse().ok()
}
