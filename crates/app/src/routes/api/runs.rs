//! `POST /assets/record-run`, `GET /assets/by-run-id/{run_id}`: what renderers made.

use super::asset_body::{AssetBody, entity_tag};
use super::register_asset::{registered, tags};
use crate::http::caller::{Caller, unknown_renderer};
use crate::http::document::{Freshness, MediaType, tagged_document, to_json};
use crate::http::json::{Fields, JsonBody};
use crate::http::list::ListQuery;
use crate::http::problem::{Kind, Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use artdag_federation::Site;
use artdag_kernel::ServerUrl;
use artdag_provenance::{RendererError, RunId};
use artdag_registry::{RecordRun, RecordRunError, Registry};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(record_run).service(show_asset_of_run);
}

/// A run to record. `l1_url` is read as `l1_server`; `name` and `asset_name` as `output_name`.
#[derive(Deserialize, ToSchema)]
struct RunRecord {
    /// The renderer's name for the run.
    #[schema(required, example = "0f8a-42")]
    run_id: Option<String>,
    /// The renderer.
    #[schema(required, example = "https://l1.example")]
    l1_server: Option<String>,
    #[schema(ignore)]
    l1_url: Option<String>,
    /// What the output is to be called.
    #[schema(required, example = "my-rendered-video")]
    output_name: Option<String>,
    #[schema(ignore)]
    name: Option<String>,
    #[schema(ignore)]
    asset_name: Option<String>,
    /// What kind of thing the output is; what the renderer says, when not given.
    asset_type: Option<String>,
    tags: Option<Vec<String>>,
}

/// Record a run
///
/// Asks the renderer for the run and registers its output with its provenance; inputs that nobody registered become
/// assets too. Recording the same run again under the same name answers 200 with the asset that is there.
#[utoipa::path(tag = "Assets", request_body = RunRecord, security(("bearer" = [])), responses(
    (status = 201, body = AssetBody, description = "Recorded", headers(("Location" = String, description = "The asset"))),
    (status = 200, body = AssetBody, description = "It was recorded before"),
    (status = 403, body = ProblemDetails, description = "No renderer of this registry, or a token for another"),
    (status = 404, body = ProblemDetails, description = "The renderer does not know the run"),
    (status = 409, body = ProblemDetails, description = "The run is not completed, or the name or the content is taken"),
    (status = 422, body = ProblemDetails, description = "A field is missing or cannot be taken"),
    (status = 502, body = ProblemDetails, description = "The renderer gave no usable answer"),
    (status = 504, body = ProblemDetails, description = "The renderer did not answer in time, or all of it took longer than 30 seconds"),
))]
#[post("/assets/record-run")]
async fn record_run(
    registry: web::Data<Registry>,
    caller: Caller,
    body: JsonBody<RunRecord>,
) -> Result<HttpResponse, Problem> {
    let record = run_record(body.0)?;
    caller.may_speak_for(&record.l1_server)?;
    let recorded = registry.record_run(&caller.0.username, &record).await;
    let site = registry.site();
    registered(&registry, &recorded.map_err(|error| refused(site, &record, error))?).await
}

fn run_record(body: RunRecord) -> Result<RecordRun, Problem> {
    let mut fields = Fields::default();
    let run_id = fields.required("/run_id", body.run_id.as_ref(), str::parse::<RunId>);
    let l1_server = fields.required("/l1_server", body.l1_server.or(body.l1_url).as_ref(), str::parse);
    let name = body.output_name.or(body.name).or(body.asset_name);
    let output_name = fields.required("/output_name", name.as_ref(), str::parse);
    let asset_type = fields.optional("/asset_type", body.asset_type.as_ref(), str::parse);
    let tags = tags(&mut fields, body.tags.unwrap_or_default()).unwrap_or_default();
    let all = run_id.zip(l1_server).zip(output_name);
    fields.finish(all.map(|((run_id, l1_server), output_name)| RecordRun {
        l1_server,
        run_id,
        output_name,
        asset_type,
        tags,
    }))
}

fn refused(site: &Site, record: &RecordRun, error: RecordRunError) -> Problem {
    match error {
        RecordRunError::UnknownRenderer(url) => unknown_renderer(&url),
        RecordRunError::Renderer(error) => {
            renderer_failed(record.l1_server.as_str(), &format!("run `{}`", record.run_id), error)
        }
        RecordRunError::NotCompleted(word) => Problem::new(
            Kind::RunNotCompleted,
            format!("The renderer says that the run `{}` is `{word}`.", record.run_id),
        ),
        RecordRunError::Recorded(asset) => {
            let owner = site.handle(&asset.owner);
            let detail = format!("The run `{}` is recorded as `{}` by {owner}.", record.run_id, asset.name);
            Problem::new(Kind::RunRecorded, detail)
                .with("existing", serde_json::to_value(AssetBody::of(site, &asset)).unwrap_or_default())
        }
        RecordRunError::Slow => Problem::new(
            Kind::RendererSlow,
            "Recording the run took longer than a renderer waits. Ask again: what was recorded by then is shown.",
        )
        .because(error),
        RecordRunError::Register(error) => super::register_asset::refused(site, error),
    }
}

/// What a renderer's failure to give `what` means for who asked.
pub(super) fn renderer_failed(l1_server: &str, what: &str, error: RendererError) -> Problem {
    match error {
        RendererError::NotFound => Problem::not_found(format_args!("{what} on {l1_server}")),
        RendererError::Slow => Problem::new(
            Kind::RendererSlow,
            format!("{l1_server} did not answer in time. Nothing was written; try again."),
        )
        .because(error),
        RendererError::Unreachable(_) => {
            Problem::new(Kind::RendererFailed, format!("{l1_server} cannot be reached. Nothing was written."))
                .because(error)
        }
        RendererError::Nonsense(what) => Problem::new(
            Kind::RendererFailed,
            format!("The answer of {l1_server} makes no sense: {what}. Nothing was written."),
        ),
    }
}

/// Show the asset that a run made
///
/// What was recorded of a renderer's run goes before what owners claim of one. Of several renderers' runs of one name
/// the one that was recorded first is shown.
#[utoipa::path(tag = "Assets", params(
    ("run_id" = String, Path, description = "The renderer's name for the run"),
    ("l1_server" = Option<String>, Query, description = "The renderer: only what was recorded of its run; `l1_url` is read as well"),
), responses(
    (status = 200, body = AssetBody),
    (status = 404, body = ProblemDetails, description = "No asset was made by such a run"),
    (status = 422, body = ProblemDetails, description = "`l1_server` is no URL"),
))]
#[get("/assets/by-run-id/{run_id}")]
async fn show_asset_of_run(
    request: HttpRequest,
    registry: web::Data<Registry>,
    run_id: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let nobody = || Problem::not_found(format_args!("asset made by the run `{run_id}`"));
    let query = ListQuery::of(&request)?;
    let l1_server = query.get("l1_server").or(query.get("l1_url")).map(str::parse::<ServerUrl>).transpose();
    let l1_server = l1_server.map_err(|error| Problem::invalid_field("l1_server", error))?;
    let parsed: RunId = run_id.parse().map_err(|_| nobody())?;
    let asset = registry.asset_of_run(&parsed, l1_server.as_ref()).await?.ok_or_else(nobody)?;
    let body = to_json(&AssetBody::read(&registry, &asset).await?)?;
    let tag = entity_tag(&asset, &body);
    Ok(tagged_document(&request, MediaType::JSON, Freshness::Revalidate, &tag, body))
}
