//! `/anchors`, `/anchors/{merkle_root}`, `/anchors/{merkle_root}/tree`: what was stamped.

use super::body::AnchorBody;
use super::find_anchor;
use crate::http::document::{Freshness, MediaType, document, to_json};
use crate::http::list::{ListQuery, ListTail};
use crate::http::problem::{Problem, ProblemDetails};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::Anchor;
use artdag_anchoring::log::leaf_hash;
use artdag_kernel::Count;
use artdag_registry::{Reader, Registry, list_entries};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(list_anchors).service(show_tree).service(show_anchor);
}

/// A page of anchors.
#[derive(Serialize, ToSchema)]
struct AnchorList {
    /// Newest first.
    anchors: Vec<AnchorBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// The activities that an anchor is the first to have.
#[derive(Serialize, ToSchema)]
struct AnchorTree {
    merkle_root: String,
    tree_size: u64,
    from_index: u64,
    /// In the log's order.
    leaves: Vec<LeafBody>,
    #[serde(flatten)]
    tail: ListTail,
}

/// A leaf of the tree.
#[derive(Serialize, ToSchema)]
struct LeafBody {
    /// Its place in the log.
    index: u64,
    /// The activity's id.
    activity: String,
    /// SHA-256 of the activity's canonical bytes.
    entry: String,
    /// SHA-256 of a zero byte and the entry.
    leaf_hash: String,
}

/// List anchors
///
/// Newest first.
#[utoipa::path(tag = "Anchors", params(
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("before" = Option<u64>, Query, description = "From the `next` link of the page before: only smaller trees"),
), responses(
    (status = 200, body = AnchorList),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/anchors")]
async fn list_anchors(request: HttpRequest, registry: web::Data<Registry>) -> Result<HttpResponse, Problem> {
    answer_list(&request, &registry, &ListQuery::of(&request)?).await
}

/// A page of the list, as JSON.
pub(crate) async fn answer_list(
    request: &HttpRequest,
    registry: &Registry,
    query: &ListQuery,
) -> Result<HttpResponse, Problem> {
    let mut reader = registry.read().await?;
    let at = format!("{}/anchors", registry.site().base());
    let (anchors, next) = read_page(reader.as_mut(), query, &at).await?;
    let count = Count::Exactly(reader.count_anchors().await?);
    let bodies = anchors.iter().map(|anchor| AnchorBody::of(registry, anchor)).collect();
    let body = AnchorList { anchors: bodies, tail: ListTail::new(query.page()?, next, count) };
    Ok(document(request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}

/// The anchors that a query asks for, newest first, and the link to the next page below `at`, if there is one.
pub(crate) async fn read_page(
    reader: &mut (dyn Reader + '_),
    query: &ListQuery,
    at: &str,
) -> Result<(Vec<Anchor>, Option<String>), Problem> {
    let (limit, before) = (query.page()?.limit.get(), query.number("before")?);
    // One more tells whether there is another page.
    let mut anchors = reader.list_anchors(before, limit + 1).await?;
    let has_more = anchors.len() > usize::from(limit);
    anchors.truncate(limit.into());
    let last = anchors.last().filter(|_| has_more);
    let next = last.map(|last| format!("{at}?limit={limit}&before={}", last.tree_size));
    Ok((anchors, next))
}

/// Show an anchor
///
/// How far it has come, and what each calendar said.
#[utoipa::path(tag = "Anchors", params(("merkle_root" = String, Path, description = "The root, in hex")), responses(
    (status = 200, body = AnchorBody),
    (status = 404, body = ProblemDetails, description = "There is no such anchor"),
))]
#[get("/anchors/{merkle_root}")]
async fn show_anchor(
    request: HttpRequest,
    registry: web::Data<Registry>,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let anchor = find_anchor(registry.read().await?.as_mut(), &root).await?;
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&AnchorBody::of(&registry, &anchor))?))
}

/// List an anchor's activities
///
/// The leaves that it is the first anchor to have. Its tree has those of all anchors before, too.
#[utoipa::path(tag = "Anchors", params(
    ("merkle_root" = String, Path, description = "The root, in hex"),
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("from" = Option<u64>, Query, description = "The index to begin with; the anchor's first when not given"),
), responses(
    (status = 200, body = AnchorTree),
    (status = 404, body = ProblemDetails, description = "There is no such anchor"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/anchors/{merkle_root}/tree")]
async fn show_tree(
    request: HttpRequest,
    registry: web::Data<Registry>,
    root: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    let (page, from) = (query.page()?, query.number("from")?);
    let limit = page.limit.get();
    let mut reader = registry.read().await?;
    let anchor = find_anchor(reader.as_mut(), &root).await?;
    let from = from.unwrap_or(anchor.from_index).clamp(anchor.from_index, anchor.tree_size);
    let to = anchor.tree_size.min(from + u64::from(limit));
    let entries = list_entries(reader.as_mut(), from, to, anchor.tree_size).await?;
    let count = u16::try_from(to - from).unwrap_or(limit);
    let ids = reader.list_activity_ids(from, count).await?;
    let site = registry.site();
    let leaf = |(index, (entry, id))| LeafBody {
        index,
        activity: site.activity(id),
        entry: format!("{entry}"),
        leaf_hash: leaf_hash(&entry).to_string(),
    };
    let next = (to < anchor.tree_size)
        .then(|| format!("{}/anchors/{}/tree?limit={limit}&from={to}", site.base(), anchor.root));
    let body = AnchorTree {
        merkle_root: anchor.root.to_string(),
        tree_size: anchor.tree_size,
        from_index: anchor.from_index,
        leaves: (from..).zip(entries.into_iter().zip(ids)).map(leaf).collect(),
        tail: ListTail::new(page, next, Count::Exactly(anchor.tree_size - anchor.from_index)),
    };
    Ok(document(&request, MediaType::JSON, Freshness::Revalidate, to_json(&body)?))
}
