//! `POST /log/add-checkpoint`: this server as a witness of other logs.

use crate::http::document::{Freshness, MediaType, document};
use crate::http::json::TextBody;
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use artdag_anchoring::checkpoint::Refusal;
use artdag_registry::{CosignError, Registry};
use utoipa_actix_web::service_config::ServiceConfig;

/// Of the size at which a log was last seen.
const SIZE: &str = "text/x.tlog.size";

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(add_checkpoint).service(show_witness_key);
}

/// Have a checkpoint cosigned
///
/// For the logs that the operator watches (`WITNESSED_LOGS`), as C2SP's `tlog-witness` says. The body: `old` and the
/// size that this witness saw last, the consistency proof in base64, one hash a line, an empty line, and the checkpoint.
#[utoipa::path(tag = "Log", request_body(content = String, content_type = "text/plain"), responses(
    (status = 200, description = "The cosignature, a line of a note", body = String, content_type = "text/plain"),
    (status = 400, body = ProblemDetails, description = "Not such a request"),
    (status = 403, body = ProblemDetails, description = "Not signed by the log"),
    (status = 404, body = ProblemDetails, description = "A log that is not watched here"),
    (status = 409, description = "The log was last seen at another size, which is the body, or with another root",
        body = String, content_type = "text/x.tlog.size"),
    (status = 413, body = ProblemDetails, description = "More than 1 MiB"),
    (status = 422, body = ProblemDetails, description = "The log was rewritten, or the proof is wrong"),
))]
#[post("/log/add-checkpoint")]
async fn add_checkpoint(registry: web::Data<Registry>, body: TextBody) -> Result<HttpResponse, Problem> {
    match registry.cosign(&body.0).await {
        Ok(signature) => Ok(HttpResponse::Ok().content_type(MediaType::TEXT.0).body(format!("{signature}\n"))),
        Err(CosignError::Refused(Refusal::Conflict(size))) => {
            let response =
                HttpResponse::Conflict().insert_header((header::CONTENT_TYPE, SIZE)).body(format!("{size}\n"));
            Ok(response)
        }
        Err(error) => Err(refused(error)),
    }
}

/// Show the key of this server as a witness
///
/// What its cosignatures are checked with, as `name+id+key`.
#[utoipa::path(tag = "Log", responses(
    (status = 200, description = "The key", body = String, content_type = "text/plain"),
))]
#[get("/log/witness-key")]
async fn show_witness_key(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    let key = registry.witness_key().await?;
    Ok(document(&request, MediaType::TEXT, Freshness::Revalidate, format!("{key}\n")))
}

fn refused(error: CosignError) -> Problem {
    match error {
        CosignError::Malformed(error) => Problem::new(Kind::Malformed, format!("The request cannot be read: {error}.")),
        CosignError::UnknownLog(origin) => Problem::not_found(format_args!("log `{origin}` that is watched here")),
        CosignError::Unverified(error) => {
            Problem::new(Kind::Forbidden, format!("The checkpoint is not accepted: {error}."))
        }
        CosignError::Refused(error) => Problem::new(Kind::Invalid, format!("The checkpoint is not cosigned: {error}.")),
        CosignError::Log(error) => error.into(),
    }
}
