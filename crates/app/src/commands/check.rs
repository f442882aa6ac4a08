use super::progress::Gauge;
use crate::bitcoin::{self, Bitcoin};
use crate::logging::one_line;
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_anchoring::HeadersError;
use artdag_registry::{Kind, Progress, Remarks, Report, Step};
use indicatif::HumanCount;
use std::time::Duration;

/// How long a file of headers may be in the middle of a change.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// `artdag-l2 check`
pub(crate) async fn check(settings: &Settings) -> Result<(), StartError> {
    let bitcoin = bitcoin::sources(settings)?;
    let registry = wiring::build_with(settings, bitcoin.clone()).await?;
    let headers = headers(&bitcoin).await;
    let mut under_way: Option<(Step, Gauge)> = None;
    let mut tell = |Progress { step, done, all }| {
        if under_way.as_ref().is_none_or(|(before, _)| *before != step) {
            // The bar before goes first.
            under_way = None;
        }
        under_way.get_or_insert_with(|| (step, Gauge::of(words(step)))).1.tell(done, all);
    };
    let report = registry.check(&mut tell).await;
    drop(under_way);
    let report = report?;
    show(&report.faults);
    show(&report.unknown);
    let faults = report.faults.count() + u64::from(headers.is_err());
    match headers {
        Ok(None) => {}
        Ok(Some(headers)) => println!("{headers}"),
        Err(error) => println!("headers: {}", one_line(&error)),
    }
    let checked = summary(&report);
    if faults > 0 {
        println!("{checked}.");
        return Err(format!("{} {} found", HumanCount(faults), plural(faults, "fault was", "faults were")).into());
    }
    match report.unknown.count() {
        0 => println!("{checked}: all is well."),
        unknown => println!("{checked}: all is well, but for {} that nobody could tell.", HumanCount(unknown)),
    }
    Ok(())
}

const fn words(step: Step) -> &'static str {
    match step {
        Step::Log => "activities",
        Step::Anchors => "anchors",
        Step::Assets => "assets",
    }
}

/// Opens the file of headers, which checks all of it. `None` if there is none.
async fn headers(bitcoin: &Bitcoin) -> Result<Option<String>, HeadersError> {
    if !bitcoin.kept.path().exists() {
        return Ok(None);
    }
    let chain = match bitcoin.kept.chain().await {
        Ok(chain) => chain,
        Err(_) => {
            tokio::time::sleep(LOOK_AGAIN).await;
            bitcoin.kept.chain().await?
        }
    };
    let work = if chain.check_work().is_ok() { "enough" } else { "too little, so no proof can be judged by them yet" };
    Ok(Some(format!("Headers to height {}; their work is {work}.", HumanCount(chain.height().into()))))
}

fn show(remarks: &Remarks) {
    for remark in remarks.named() {
        println!("{}", one_line(remark));
    }
    for (kind, more) in remarks.unnamed() {
        let (one, many) = kind.words();
        println!("and {} more {}", HumanCount(more), plural(more, one, many));
    }
}

const fn plural<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn summary(report: &Report) -> String {
    let Report { activities, tiles, checkpoints, anchors, assets, faults: _, unknown: _ } = report;
    let counts = [
        (activities, Kind::Activity),
        (tiles, Kind::Tile),
        (checkpoints, Kind::Checkpoint),
        (anchors, Kind::Anchor),
        (assets, Kind::Asset),
    ];
    let counts = counts.map(|(count, kind)| {
        let (one, many) = kind.words();
        format!("{} {}", HumanCount(*count), plural(*count, one, many))
    });
    format!("Checked {}", counts.join(", "))
}
