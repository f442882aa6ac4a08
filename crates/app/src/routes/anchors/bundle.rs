//! `/assets/{name}/proof`: everything that it takes to check a claim without this server.

use super::body::{AnchorBody, status_word};
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::problem::{Problem, ProblemDetails};
use crate::routes::api::asset_body::AssetBody;
use crate::routes::api::assets::find_live_asset;
use crate::routes::log::proofs::prove;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::Receipt;
use artdag_federation::multikey;
use artdag_registry::{Registry, activity_proof, prove_by_anchor};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_bundle);
}

/// The form of the bundle. It changes with anything that a verifier must know of.
const FORMAT: &str = "artdag-proof/1";

/// Everything that it takes to check a claim offline.
#[derive(Serialize, ToSchema)]
struct Bundle {
    /// `artdag-proof/1`.
    format: &'static str,
    /// What is claimed, as this server shows it.
    asset: AssetBody,
    activity: ClaimBody,
    actor: ActorKeys,
    log: LogBody,
    /// `null` while no anchor has the claim.
    timestamp: Option<TimestampBody>,
}

/// The signed claim.
#[derive(Serialize, ToSchema)]
struct ClaimBody {
    id: String,
    /// The exact text that was signed and that the log has, with both signatures in it.
    canonical: String,
    /// SHA-256 of that text in UTF-8: the log's entry, in hex.
    sha256: String,
}

/// What the signatures are checked with. That these keys are the actor's is this server's word, unless you know them
/// from elsewhere.
#[derive(Serialize, ToSchema)]
struct ActorKeys {
    id: String,
    /// For `signature`: PEM, SubjectPublicKeyInfo.
    rsa_pem: String,
    /// For `proof`: a Multikey.
    ed25519: String,
}

/// That the claim is in the log.
#[derive(Serialize, ToSchema)]
struct LogBody {
    /// What the checkpoint is checked with.
    key: String,
    /// A `tlog-proof@v1`: the place, the path to the root, and the signed checkpoint.
    receipt: String,
}

/// That the claim existed when a block was made.
#[derive(Serialize, ToSchema)]
struct TimestampBody {
    /// `pending`, `confirmed` or `failed`.
    status: &'static str,
    anchor: AnchorBody,
    /// The OpenTimestamps proof for the canonical text, base64; `null` while no calendar has answered.
    ots: Option<String>,
    /// The header of the block that the proof names, 80 bytes in hex, if this server has it.
    header: Option<String>,
}

/// Show the proof of an asset's claim
///
/// One file with all that it takes to check the claim without this server: the signed text, the keys, the path into
/// the log with its signed checkpoint, the OpenTimestamps proof, and the block's header.
#[utoipa::path(tag = "Anchors", params(("name" = String, Path, description = "The asset's name")), responses(
    (status = 200, body = Bundle),
    (status = 404, body = ProblemDetails, description = "There is no such asset, or its claim is not in the log yet"),
    (status = 410, body = ProblemDetails, description = "It was deleted; `tombstone` tells when"),
))]
#[get("/assets/{name}/proof")]
async fn show_bundle(
    request: HttpRequest,
    registry: web::Data<Registry>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let asset = find_live_asset(&registry, &name).await?;
    let site = registry.site();
    let activity = registry.read().await?.find_activity(asset.claim).await?;
    let activity = activity.ok_or_else(|| Problem::internal("an asset's claim is not stored"))?;
    let (proof, signed) = prove(&registry, &activity).await?;
    let receipt = Receipt::new(proof, signed).map_err(Problem::internal)?;
    let keys = registry.keys().signer(&asset.owner).await.map_err(Problem::internal)?;
    let keys = keys.ok_or_else(|| Problem::internal(format!("there are no keys of {} here", asset.owner)))?;
    let entry = Digest::of(activity.document.as_str().as_bytes());
    let proven = prove_by_anchor(registry.read().await?.as_mut(), &activity).await?;
    let timestamp = match proven {
        None => None,
        Some((anchor, inclusion)) => {
            let ots = activity_proof(&anchor, &inclusion, entry)?;
            let ots = ots.map(|ots| ots.to_bytes()).transpose().map_err(Problem::internal)?;
            let height = anchor.evidence.as_ref().map(|evidence| evidence.height);
            Some(TimestampBody {
                status: status_word(anchor.state),
                anchor: AnchorBody::of(&registry, &anchor),
                ots: ots.map(|bytes| STANDARD.encode(bytes)),
                header: match height {
                    Some(height) => registry.block_header(height).await.map(|header| hex::encode(header.as_bytes())),
                    None => None,
                },
            })
        }
    };
    let public = keys.public_keys();
    let bundle = Bundle {
        format: FORMAT,
        asset: AssetBody::read(&registry, &asset).await?,
        activity: ClaimBody {
            id: site.activity(activity.id),
            canonical: activity.document.as_str().to_owned(),
            sha256: entry.to_string(),
        },
        actor: ActorKeys {
            id: site.actor(&asset.owner),
            rsa_pem: public.rsa_pem.clone(),
            ed25519: multikey::encode(&public.ed25519),
        },
        log: LogBody { key: registry.log_key().await?.to_string(), receipt: receipt.to_string() },
        timestamp,
    };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&bundle)?))
}
