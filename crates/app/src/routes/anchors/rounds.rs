//! `/anchors/create`, `/anchors/{merkle_root}/upgrade`, `/anchors/test-ots`: what asks calendars.

use super::body::AnchorBody;
use super::find_anchor;
use crate::http::caller::Member;
use crate::http::problem::{Problem, ProblemDetails};
use crate::http::throttle::CalendarThrottle;
use actix_web::{HttpResponse, post, web};
use artdag_anchoring::CalendarError;
use artdag_registry::{CalendarTrial, Registry};
use serde::Serialize;
use std::error::Error;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(create_anchor).service(test_calendars).service(upgrade_anchor);
}

/// What came of stamping.
#[derive(Serialize, ToSchema)]
struct Created {
    /// `false`: everything is in an anchor already.
    created: bool,
    /// The new anchor, or the latest one; `null` while there is none.
    anchor: Option<AnchorBody>,
}

/// What came of trying the calendars.
#[derive(Serialize, ToSchema)]
struct Trials {
    /// What was submitted: chance.
    digest: String,
    /// How many must answer for a root to count as stamped.
    quorum: usize,
    calendars: Vec<TrialBody>,
}

/// What came of trying a calendar.
#[derive(Serialize, ToSchema)]
struct TrialBody {
    #[schema(example = "https://a.pool.opentimestamps.org")]
    calendar: String,
    ok: bool,
    latency_ms: u64,
    /// Who will know more later, if it answered.
    promised_by: Vec<String>,
    /// What is wrong, if it did not.
    error: Option<String>,
}

/// Stamp the log
///
/// Everything that no anchor has yet. Comes back when every calendar has answered or failed, some seconds at most. If
/// too few answered, they are asked again without anybody's help.
#[utoipa::path(tag = "Anchors", security(("bearer" = [])), responses(
    (status = 201, body = Created, headers(("Location" = String))),
    (status = 200, body = Created, description = "There was nothing to stamp: `created` is false"),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 409, body = ProblemDetails, description = "The operator has set no calendars"),
    (status = 429, body = ProblemDetails, description = "Calendars were asked too often; `Retry-After` says how long to wait"),
))]
#[post("/anchors/create")]
async fn create_anchor(
    registry: web::Data<Registry>,
    throttle: web::Data<CalendarThrottle>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    throttle.admit(member.username(), None)?;
    if let Some(anchor) = registry.create_anchor().await? {
        let location = format!("{}/anchors/{}", registry.site().base(), anchor.root);
        let body = Created { created: true, anchor: Some(AnchorBody::of(&registry, &anchor)) };
        return Ok(HttpResponse::Created().insert_header(("Location", location)).json(body));
    }
    let last = registry.read().await?.list_anchors(None, 1).await?.pop();
    let anchor = last.map(|anchor| AnchorBody::of(&registry, &anchor));
    Ok(HttpResponse::Ok().json(Created { created: false, anchor }))
}

/// Ask calendars again
///
/// All that have not answered yet, at once, whenever they were asked last; and looks up the blocks that they name.
#[utoipa::path(tag = "Anchors", security(("bearer" = [])),
    params(("merkle_root" = String, Path, description = "The root, in hex")), responses(
    (status = 200, body = AnchorBody),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 404, body = ProblemDetails, description = "There is no such anchor"),
    (status = 429, body = ProblemDetails, description = "Calendars were asked too often; `Retry-After` says how long to wait"),
))]
#[post("/anchors/{merkle_root}/upgrade")]
async fn upgrade_anchor(
    registry: web::Data<Registry>,
    throttle: web::Data<CalendarThrottle>,
    member: Member,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let digest = find_anchor(registry.read().await?.as_mut(), &root).await?.root;
    throttle.admit(member.username(), Some(&digest))?;
    let tended = registry.tend_anchor(&digest, true).await?;
    let anchor = tended.ok_or_else(|| Problem::not_found(format_args!("anchor of the root `{root}`")))?;
    Ok(HttpResponse::Ok().json(AnchorBody::of(&registry, &anchor)))
}

/// Try the calendars
///
/// Submits chance to each of them and tells how they take it. Nothing of it is kept.
#[utoipa::path(tag = "Anchors", security(("bearer" = [])), responses(
    (status = 200, body = Trials),
    (status = 401, body = ProblemDetails, description = "No token, or one that is not accepted"),
    (status = 429, body = ProblemDetails, description = "Calendars were asked too often; `Retry-After` says how long to wait"),
))]
#[post("/anchors/test-ots")]
async fn test_calendars(
    registry: web::Data<Registry>,
    throttle: web::Data<CalendarThrottle>,
    member: Member,
) -> Result<HttpResponse, Problem> {
    throttle.admit(member.username(), None)?;
    let (digest, trials) = registry.try_calendars().await;
    let calendars = trials.iter().map(trial_body).collect();
    let body = Trials { digest: digest.to_string(), quorum: registry.policy().anchors.quorum, calendars };
    Ok(HttpResponse::Ok().json(body))
}

fn trial_body(trial: &CalendarTrial) -> TrialBody {
    let answer = trial.reply.as_ref();
    TrialBody {
        calendar: trial.calendar.to_string(),
        ok: answer.is_ok(),
        latency_ms: trial.latency.as_millis().try_into().unwrap_or(u64::MAX),
        promised_by: answer.iter().flat_map(|answer| answer.pending()).map(|(uri, _)| uri.to_string()).collect(),
        error: answer.err().map(with_causes),
    }
}

fn with_causes(error: &CalendarError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
