//! `/assets/{name}/proof`: everything that it takes to check a claim without this server.

use super::body::{AnchorBody, status_word};
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::ListQuery;
use crate::http::problem::{Problem, ProblemDetails};
use crate::routes::api::asset_body::AssetBody;
use crate::routes::api::assets::find_live_asset;
use crate::routes::log::proofs::prove;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::Digest;
use artdag_anchoring::checkpoint::Receipt;
use artdag_federation::multikey;
use artdag_kernel::Username;
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

/// Ten periods of Bitcoin's difficulty, about 140 days: 1.6 MB.
const MOST_HEADERS: u32 = 20_160;

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
    /// Keys for `signature` that were replaced, the latest first. Claims from before are signed with one of them.
    former_rsa_pems: Vec<String>,
    /// The same for `proof`.
    former_ed25519: Vec<String>,
}

impl ActorKeys {
    async fn of(registry: &Registry, owner: &Username) -> Result<Self, Problem> {
        let history = registry.keys().history(owner).await.map_err(Problem::internal)?;
        let mut rsa_pems = history.rsa_pems.into_iter();
        let mut ed25519 = history.ed25519.iter().map(multikey::encode);
        let (Some(rsa_pem), Some(present)) = (rsa_pems.next(), ed25519.next()) else {
            return Err(Problem::internal(format!("there are no keys of {owner} here")));
        };
        let id = registry.site().actor(owner);
        let (former_rsa_pems, former_ed25519) = (rsa_pems.collect(), ed25519.collect());
        Ok(Self { id, rsa_pem, ed25519: present, former_rsa_pems, former_ed25519 })
    }
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
    /// The headers that link that block to one which the verifier knows, if they were asked for.
    headers: Option<SegmentBody>,
}

/// Headers that follow one another, out of the chain that this server has checked.
#[derive(Serialize, ToSchema)]
struct SegmentBody {
    /// The height of the first.
    from: u32,
    /// 80 bytes each, in hex, one after the other.
    headers: String,
}

impl SegmentBody {
    /// From a height that the verifier knows to that of the proof, whichever is lower first.
    async fn between(registry: &Registry, known: u32, proven: u32) -> Result<Self, Problem> {
        let from = known.min(proven);
        let count = known.abs_diff(proven).saturating_add(1);
        if count > MOST_HEADERS {
            let message = format!("must be at most {} blocks away from {proven}", MOST_HEADERS - 1);
            return Err(Problem::invalid_field("headers_from", message));
        }
        let headers = registry.checked_headers(from, count).await.ok_or_else(|| {
            Problem::invalid_field("headers_from", "is the height of no block that this server has checked")
        })?;
        Ok(Self { from, headers: headers.iter().map(|header| hex::encode(header.as_bytes())).collect() })
    }
}

/// Show the proof of an asset's claim
///
/// One file with all that it takes to check the claim without this server: the signed text, the keys, the path into
/// the log with its signed checkpoint, the OpenTimestamps proof, and the block's header. With `headers_from` also the
/// headers that link the block to one that you know already, so that nobody has to be asked whether it is Bitcoin's.
#[utoipa::path(tag = "Anchors", params(
    ("name" = String, Path, description = "The asset's name"),
    ("headers_from" = Option<u32>, Query, description = "The height of a block that you know"),
), responses(
    (status = 200, body = Bundle),
    (status = 404, body = ProblemDetails, description = "There is no such asset, or its claim is not in the log yet"),
    (status = 410, body = ProblemDetails, description = "It was deleted; `tombstone` tells when"),
    (status = 422, body = ProblemDetails, description = "That block is too far away, or not known here"),
))]
#[get("/assets/{name}/proof")]
async fn show_bundle(
    request: HttpRequest,
    registry: web::Data<Registry>,
    name: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let known = ListQuery::of(&request)?.number("headers_from")?;
    let asset = find_live_asset(&registry, &name).await?;
    let site = registry.site();
    let activity = registry.read().await?.find_activity(asset.claim).await?;
    let activity = activity.ok_or_else(|| Problem::internal("an asset's claim is not stored"))?;
    let (proof, signed) = prove(&registry, &activity).await?;
    let receipt = Receipt::new(proof, signed).map_err(Problem::internal)?;
    let entry = Digest::of(activity.document.as_str().as_bytes());
    let network = registry.bitcoin_network();
    let proven = prove_by_anchor(registry.read().await?.as_mut(), &activity, Some(network)).await?;
    let timestamp = match proven {
        None => None,
        Some((anchor, inclusion)) => {
            let anchor = anchor.on(network);
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
                headers: match known.zip(height) {
                    Some((known, height)) => Some(SegmentBody::between(&registry, known, height).await?),
                    None => None,
                },
            })
        }
    };
    let bundle = Bundle {
        format: FORMAT,
        asset: AssetBody::read(&registry, &asset).await?,
        activity: ClaimBody {
            id: site.activity(activity.id),
            canonical: activity.document.as_str().to_owned(),
            sha256: entry.to_string(),
        },
        actor: ActorKeys::of(&registry, &asset.owner).await?,
        log: LogBody { key: registry.log_key().await?.to_string(), receipt: receipt.to_string() },
        timestamp,
    };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&bundle)?))
}
