//! `/objects/{hash}/claims`: who claims the same content, here and elsewhere, and since when.

use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::problem::{Problem, ProblemDetails};
use crate::routes::anchors::AnchorStatus;
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::{Anchor, AnchorState};
use artdag_assets::Registered;
use artdag_federation::{Evidence, HeardObject, ReactionCounts};
use artdag_kernel::{ContentHash, Instant, rfc3339};
use artdag_registry::{Reader, Registry};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

/// How many claims from elsewhere are shown.
const MOST: u16 = 200;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_claims);
}

/// One claim to the content.
#[derive(Serialize, ToSchema)]
struct ClaimBody {
    /// `here`: registered with this server. `elsewhere`: heard of from another.
    #[schema(example = "elsewhere")]
    origin: &'static str,
    #[schema(example = "https://other.example/users/bob")]
    actor: String,
    #[schema(example = "https://other.example/objects/2f7f")]
    object: String,
    /// The activity that makes the claim.
    activity: String,
    name: Option<String>,
    /// When its own server says it was made. Nobody can check that.
    claimed_at: Option<String>,
    /// Since when this server can tell that it was made.
    known_since: String,
    /// When it was withdrawn; `null` while it stands.
    withdrawn_at: Option<String>,
    /// Its place in this server's log, which is what an anchor seals; `null` for claims from elsewhere.
    activity_index: Option<u64>,
    /// How far its place in the log has come on its way into Bitcoin, which proves its age to everybody; `null` for claims
    /// from elsewhere, whose own servers may have anchored them.
    anchor: Option<AnchorStatus>,
    /// Which signatures the claim itself carries that were found good here.
    signatures: Vec<&'static str>,
    /// How many elsewhere liked the object, as far as this server was told; `null` for claims from elsewhere.
    likes: Option<u64>,
    /// How many elsewhere shared it, as far as this server was told; `null` for claims from elsewhere.
    shares: Option<u64>,
}

/// Every known claim to one content.
#[derive(Serialize, ToSchema)]
struct ClaimList {
    #[schema(example = "sha3-256:2f7f...")]
    content_hash: String,
    /// Those known for longest come first.
    claims: Vec<ClaimBody>,
    /// Whether more than one actor claims the content now.
    contested: bool,
    /// The activity of the claim that Bitcoin proves to be of an earlier day than that on which this server heard of any
    /// other; `null` while nobody's is known to be. Other servers may be able to prove the age of theirs.
    #[schema(example = "https://l2.example/activities/01990000-0000-7000-8000-000000000000")]
    proven_first: Option<String>,
}

/// List who claims this content
///
/// Every claim that this server knows, its own and those that other servers told of. Two claims to one content do not
/// contradict each other by themselves: whoever can prove the earlier time has the better one.
#[utoipa::path(tag = "ActivityPub", params(
    ("hash" = String, Path, description = "SHA3-256: 64 hex digits, with or without `sha3-256:`"),
), responses(
    (status = 200, body = ClaimList),
    (status = 404, body = ProblemDetails, description = "Nobody is known to claim it"),
    (status = 422, body = ProblemDetails, description = "Not a content hash"),
))]
#[get("/objects/{hash}/claims")]
async fn list_claims(
    request: HttpRequest,
    registry: web::Data<Registry>,
    hash: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let hash: ContentHash = hash.parse().map_err(|error| Problem::invalid_field("hash", error))?;
    let network = registry.bitcoin_network();
    let mut reader = registry.read().await?;
    let here = reader.find_asset_by_hash(&hash).await?;
    let elsewhere = reader.heard_claims(&hash, MOST).await?;
    let mut claims: Vec<(Instant, ClaimBody)> = elsewhere.iter().map(heard_claim).collect();
    let mut proven_first = None;
    if let Some(registered) = here {
        let reactions = reader.count_reactions(&registry.site().object(&hash)).await?;
        let place = place_of(reader.as_mut(), &registered).await?;
        let anchor = match place {
            Some(index) => reader.anchors_of(&[index], Some(network)).await?.pop().flatten(),
            None => None,
        };
        let anchor = anchor.map(|anchor| anchor.on(network));
        let own = own_claim(&registry, &registered, place, anchor.as_ref(), reactions);
        let first = elsewhere.iter().map(|heard| heard.received_at).min();
        proven_first = anchor.filter(|anchor| is_proven_before(anchor, first)).map(|_| own.1.activity.clone());
        claims.push(own);
    }
    drop(reader);
    if claims.is_empty() {
        return Err(Problem::not_found(format_args!("known claim to {hash}")));
    }
    claims.sort_by_key(|(since, _)| *since);
    let claims: Vec<ClaimBody> = claims.into_iter().map(|(_, claim)| claim).collect();
    let mut claimants: Vec<&str> =
        claims.iter().filter(|claim| claim.withdrawn_at.is_none()).map(|claim| claim.actor.as_str()).collect();
    claimants.sort_unstable();
    claimants.dedup();
    let body = ClaimList { content_hash: hash.to_string(), contested: claimants.len() > 1, proven_first, claims };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}

/// The place of a claim in the log. A tombstone does not say that of what was deleted.
async fn place_of(reader: &mut (dyn Reader + '_), registered: &Registered) -> Result<Option<u64>, Problem> {
    Ok(match registered {
        Registered::Live(asset) => asset.claim_index,
        Registered::Deleted(tombstone) => reader.find_activity(tombstone.claim).await?.and_then(|claim| claim.index),
    })
}

/// Whether an anchor proves a day before that of another time, if there is one.
fn is_proven_before(anchor: &Anchor, other: Option<Instant>) -> bool {
    let day = |evidence: &artdag_anchoring::Evidence| evidence.existed_by().to_string();
    let proven = anchor.evidence.as_ref().filter(|_| anchor.state == AnchorState::Confirmed).map(day);
    proven.is_some_and(|day| other.is_none_or(|other| day < other.format("%F").to_string()))
}

fn own_claim(
    registry: &Registry,
    registered: &Registered,
    place: Option<u64>,
    anchor: Option<&Anchor>,
    reactions: ReactionCounts,
) -> (Instant, ClaimBody) {
    let site = registry.site();
    let (owner, hash, claim, name, since, withdrawn) = match registered {
        Registered::Live(a) => (&a.owner, &a.content_hash, a.claim, &a.name, a.created_at, None),
        Registered::Deleted(t) => (&t.owner, &t.content_hash, t.claim, &t.name, t.created_at, Some(t.deleted_at)),
    };
    let body = ClaimBody {
        origin: "here",
        actor: site.actor(owner),
        object: site.object(hash),
        activity: site.activity(claim),
        name: Some(name.to_string()),
        claimed_at: Some(rfc3339(since)),
        known_since: rfc3339(since),
        withdrawn_at: withdrawn.map(rfc3339),
        activity_index: place,
        anchor: Some(AnchorStatus::of(anchor)),
        signatures: Evidence { proof: true, engine: true }.names(),
        likes: Some(reactions.likes),
        shares: Some(reactions.shares),
    };
    (since, body)
}

fn heard_claim(heard: &HeardObject) -> (Instant, ClaimBody) {
    let body = ClaimBody {
        origin: "elsewhere",
        actor: heard.object.actor.to_string(),
        object: heard.object.id.to_string(),
        activity: heard.activity.to_string(),
        name: heard.object.name.clone(),
        claimed_at: heard.object.published.map(rfc3339),
        known_since: rfc3339(heard.received_at),
        withdrawn_at: heard.deleted_at.map(rfc3339),
        activity_index: None,
        anchor: None,
        signatures: heard.evidence.names(),
        likes: None,
        shares: None,
    };
    (heard.received_at, body)
}
