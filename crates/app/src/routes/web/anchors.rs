//! `/anchors/ui`: how far claims have come on their way into Bitcoin.

use crate::http::list::ListQuery;
use crate::http::negotiation::{Form, preferred_form};
use crate::http::problem::{Problem, ProblemDetails};
use crate::pages::Pages;
use crate::routes::anchors::{answer_list, read_page};
use actix_web::{HttpRequest, HttpResponse, get, web};
use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::{Anchor, Standing};
use artdag_kernel::rfc3339_seconds;
use artdag_registry::{AnchorPolicy, Registry};
use chrono::TimeDelta;
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

pub(super) fn configure(config: &mut ServiceConfig<'_>) {
    config.service(show_anchors);
}

/// What the page says.
#[derive(Serialize)]
struct View {
    network: &'static str,
    log_size: u64,
    /// How many claims are in no anchor.
    waiting: u64,
    total: u64,
    /// When the log is stamped, in a sentence.
    rhythm: String,
    is_first_page: bool,
    newest: Option<String>,
    older: Option<String>,
    anchors: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    /// Which claims it is the first to have.
    claims: String,
    status: &'static str,
    /// Which network it was stamped for, if that is not the one that counts here.
    network: Option<&'static str>,
    /// What is amiss with calendars, while that matters.
    trouble: Option<String>,
    created_at: String,
    created_on: String,
    existed_by: Option<String>,
    block: Option<u32>,
    confirmations: Option<u32>,
    assurance: Option<String>,
    root: String,
    short_root: String,
    url: String,
    tree: String,
    proof: Option<String>,
}

/// Show anchors to a person
///
/// The same as `/anchors`, as a page for those who ask for HTML.
#[utoipa::path(tag = "Pages", params(
    ("limit" = Option<u16>, Query, description = "1 to 200; 50 when not given", minimum = 1, maximum = 200),
    ("before" = Option<u64>, Query, description = "Only smaller trees"),
), responses(
    (status = 200, description = "The page", body = String, content_type = "text/html"),
    (status = 422, body = ProblemDetails, description = "A parameter cannot be taken"),
))]
#[get("/anchors/ui")]
async fn show_anchors(
    request: HttpRequest,
    registry: web::Data<Registry>,
    pages: web::Data<Pages>,
) -> Result<HttpResponse, Problem> {
    let query = ListQuery::of(&request)?;
    if preferred_form(&request) != Form::Html {
        return answer_list(&request, &registry, &query).await;
    }
    let at = format!("{}/anchors/ui", registry.site().base());
    let mut reader = registry.read().await?;
    let (anchors, older) = read_page(reader.as_mut(), &query, &at).await?;
    let stamped = reader.list_anchors(None, 1).await?.first().map_or(0, |last| last.tree_size);
    // Read after what was stamped, so that it is never the smaller one.
    let log_size = reader.log_head().await?.size;
    let total = reader.count_anchors().await?;
    drop(reader);
    let is_first_page = query.get("before").is_none();
    let view = View {
        network: registry.bitcoin_network().as_str(),
        log_size,
        waiting: log_size.saturating_sub(stamped),
        total,
        rhythm: rhythm(&registry.policy().anchors),
        is_first_page,
        newest: (!is_first_page).then_some(at),
        older,
        anchors: anchors.iter().map(|anchor| Row::of(&registry, anchor)).collect(),
    };
    pages.show(&request, registry.site(), "pages/anchors.html", &view)
}

fn rhythm(policy: &AnchorPolicy) -> String {
    if policy.calendars.is_empty() {
        return "Nothing is stamped here: the operator of this server has set no calendars.".to_owned();
    }
    match policy.interval {
        None => "The log is stamped when a member of this server asks for it.".to_owned(),
        Some(interval) => format!("When there are new claims, the log is stamped every {}.", in_words(interval)),
    }
}

fn in_words(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(1);
    let units = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let fits = units.into_iter().find(|(length, _)| seconds % length == 0);
    match fits.map(|(length, unit)| (seconds / length, unit)) {
        Some((1, unit)) => unit.to_owned(),
        Some((n, unit)) => format!("{n} {unit}s"),
        None => format!("{seconds} seconds"),
    }
}

impl Row {
    fn of(registry: &Registry, anchor: &Anchor) -> Self {
        let (base, network) = (registry.site().base(), registry.bitcoin_network());
        let anchor = &anchor.on(network);
        let root = anchor.root.to_string();
        let url = format!("{base}/anchors/{root}");
        let evidence = anchor.evidence.as_ref();
        let is = |standings: &[Standing]| anchor.asks.iter().filter(|ask| standings.contains(&ask.standing)).count();
        let failing = if anchor.due_at.is_some() { is(&[Standing::Silent, Standing::False]) } else { 0 };
        let last = anchor.tree_size.saturating_sub(1);
        let claims =
            if anchor.from_index == last { last.to_string() } else { format!("{} to {last}", anchor.from_index) };
        Self {
            claims,
            status: anchor.state.as_str(),
            network: (anchor.network != Some(network)).then(|| anchor.network.map_or("unknown", Network::as_str)),
            trouble: (failing > 0).then(|| match failing {
                1 => "A calendar gave no answer that can be used; it is asked again.".to_owned(),
                n => format!("{n} calendars gave no answer that can be used; they are asked again."),
            }),
            created_at: rfc3339_seconds(anchor.created_at),
            created_on: anchor.created_at.format("%F %H:%M UTC").to_string(),
            existed_by: evidence.map(|evidence| evidence.existed_by().to_string()),
            block: evidence.map(|evidence| evidence.height),
            confirmations: evidence.and_then(|evidence| evidence.confirmations),
            assurance: evidence.map(|evidence| evidence.assurance.to_string()),
            short_root: root.chars().take(12).collect(),
            tree: format!("{url}/tree"),
            proof: (is(&[Standing::Answered, Standing::Verified]) > 0).then(|| format!("{url}/proof.ots")),
            root,
            url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_said_in_words() {
        let said =
            [(3600, "hour"), (7200, "2 hours"), (90, "90 seconds"), (60, "minute"), (86_400, "day"), (1, "second")];
        for (seconds, words) in said {
            assert_eq!(in_words(TimeDelta::seconds(seconds)), words);
        }
    }
}
