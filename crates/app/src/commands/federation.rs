use crate::cli::FederationCommand;
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_federation::delivery::Permit;
use artdag_federation::{DeliveryState, DomainAction, DomainPattern, DomainRule};
use artdag_kernel::{Page, PageLimit, rfc3339_seconds};
use artdag_registry::Registry;
use std::io::Read;
use std::path::Path;

/// `artdag-l2 federation ..`
pub(crate) async fn federation(settings: &Settings, command: FederationCommand) -> Result<(), StartError> {
    let registry = wiring::build(settings).await?;
    match command {
        FederationCommand::Block { domain, reason } => rule(&registry, &domain, DomainAction::Block, reason).await,
        FederationCommand::Allow { domain, reason } => rule(&registry, &domain, DomainAction::Allow, reason).await,
        FederationCommand::Forget { domain } => {
            let pattern = pattern(&domain)?;
            if !registry.remove_domain_rule(&pattern).await? {
                return Err(format!("there is no rule for {pattern}; `artdag-l2 federation rules` shows them").into());
            }
            println!("{pattern} is on no list any more.");
            Ok(())
        }
        FederationCommand::Rules => rules(&registry).await,
        FederationCommand::Import { file } => import(&registry, &file).await,
        FederationCommand::Peers { limit } => peers(&registry, limit).await,
        FederationCommand::Deliveries { state, host, limit } => {
            deliveries(&registry, state.as_deref(), host.as_deref(), limit).await
        }
        FederationCommand::Retry { host, .. } => {
            let count = registry.hurry_deliveries(host.as_deref()).await?;
            println!("{count} deliveries will be tried at once.");
            Ok(())
        }
        FederationCommand::Notices { limit } => notices(&registry, limit).await,
    }
}

fn pattern(domain: &str) -> Result<DomainPattern, StartError> {
    domain.parse().map_err(|error| format!("`{domain}` {error}").into())
}

async fn rule(
    registry: &Registry,
    domain: &str,
    action: DomainAction,
    reason: Option<String>,
) -> Result<(), StartError> {
    let rule = DomainRule { pattern: pattern(domain)?, action, reason, created_at: registry.now() };
    let dropped = registry.save_domain_rules(std::slice::from_ref(&rule)).await?;
    match action {
        DomainAction::Block => println!("{} is blocked. Running servers notice within seconds.", rule.pattern),
        DomainAction::Allow => println!("{} is on the list of FEDERATION=allowlist.", rule.pattern),
    }
    tell_dropped(dropped);
    Ok(())
}

fn tell_dropped(deliveries: u64) {
    if deliveries > 0 {
        println!("Deliveries that waited and are given up: {deliveries}.");
    }
}

async fn rules(registry: &Registry) -> Result<(), StartError> {
    println!("domain,action,reason");
    for rule in registry.read().await?.list_domain_rules().await? {
        println!("{},{},{}", rule.pattern, rule.action.as_str(), field(rule.reason.as_deref().unwrap_or_default()));
    }
    Ok(())
}

/// A text as a field of CSV (RFC 4180).
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

async fn import(registry: &Registry, file: &Path) -> Result<(), StartError> {
    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text)?;
    } else {
        let read = std::fs::read_to_string(file);
        text = read.map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    }
    let (rules, milder) = parse_rules(&text, registry.now())?;
    let dropped = registry.save_domain_rules(&rules).await?;
    println!("Rules taken over: {}.", rules.len());
    tell_dropped(dropped);
    if milder > 0 {
        println!("Left out: {milder}, whose severity is milder than `suspend`; here a domain is blocked or it is not.");
    }
    Ok(())
}

/// The rules, and how many rows were left out for a milder severity.
fn parse_rules(text: &str, now: artdag_kernel::Instant) -> Result<(Vec<DomainRule>, usize), StartError> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let (mut rules, mut columns, mut severity, mut milder) = (Vec::new(), None, None, 0);
    for (number, record) in reader.records().enumerate() {
        let record = record.map_err(|error| format!("line {}: {error}", number + 1))?;
        let named = |name: &str| record.iter().position(|title| title.trim_start_matches('#') == name);
        if number == 0 && named("domain").is_some() {
            columns = Some((named("domain"), named("action"), named("reason").or(named("public_comment"))));
            severity = named("severity");
            continue;
        }
        let (domain, action, reason) = columns.unwrap_or((Some(0), Some(1), Some(2)));
        let get = |at: Option<usize>| at.and_then(|at| record.get(at)).filter(|text| !text.is_empty());
        let Some(domain) = get(domain) else { continue };
        // Others know milder measures, which are not known here.
        if get(severity).is_some_and(|severity| severity != "suspend") {
            milder += 1;
            continue;
        }
        let at_line = |error: String| format!("line {}: `{domain}` {error}; nothing was taken over", number + 1);
        rules.push(DomainRule {
            pattern: domain.parse().map_err(|error: artdag_federation::InvalidPattern| at_line(error.to_string()))?,
            action: get(action)
                .map_or(Ok(DomainAction::Block), str::parse)
                .map_err(|error| at_line(error.to_owned()))?,
            reason: get(reason).map(str::to_owned),
            created_at: now,
        });
    }
    Ok((rules, milder))
}

async fn peers(registry: &Registry, limit: u16) -> Result<(), StartError> {
    let peers = registry.read().await?.list_peers(limit).await?;
    if peers.is_empty() {
        println!("No mail was sent to any server yet.");
    }
    for peer in peers {
        let state = match peer.breaker.permit(registry.now()) {
            Permit::Open if peer.breaker.failures == 0 => "answers".to_owned(),
            Permit::Open => format!("{} failures", peer.breaker.failures),
            Permit::Probe => "held back, a probe is due".to_owned(),
            Permit::Wait(until) => format!("held back until {}", rfc3339_seconds(until)),
        };
        let scheme = peer.scheme.map_or("?", |(scheme, _)| scheme.as_str());
        let last = peer.last_success_at.map_or_else(|| "never".to_owned(), rfc3339_seconds);
        println!("{}  {state}  signed by {scheme}  last took mail: {last}", peer.host);
        if let Some(error) = peer.last_error.filter(|_| peer.breaker.failures > 0) {
            println!("    last error: {error}");
        }
    }
    Ok(())
}

async fn deliveries(
    registry: &Registry,
    state: Option<&str>,
    host: Option<&str>,
    limit: u16,
) -> Result<(), StartError> {
    let state = state.and_then(|word| DeliveryState::ALL.into_iter().find(|state| state.as_str() == word));
    let mut reader = registry.read().await?;
    for delivery in reader.list_deliveries(state, host, limit).await? {
        let when = match delivery.state {
            DeliveryState::Waiting => format!("next {}", rfc3339_seconds(delivery.next_at)),
            DeliveryState::Delivered | DeliveryState::Failed => format!("ended {}", rfc3339_seconds(delivery.next_at)),
        };
        let (state, attempts) = (delivery.state.as_str(), delivery.attempts);
        println!("{}  {state:9}  attempts {attempts:2}  {when}  {}", delivery.activity, delivery.inbox);
        if let Some(error) = &delivery.last_error {
            println!("    last error: {error}");
        }
    }
    let counts = reader.count_deliveries().await?;
    let words = DeliveryState::ALL.iter().zip(counts).map(|(state, count)| format!("{count} {}", state.as_str()));
    println!("{}", words.collect::<Vec<_>>().join(", "));
    Ok(())
}

async fn notices(registry: &Registry, limit: u16) -> Result<(), StartError> {
    let notices = registry.read().await?.list_notices(Page::newest(PageLimit::new(limit)?)).await?;
    if notices.items.is_empty() {
        println!("Nobody reported anything.");
    }
    for notice in notices.items {
        println!("{}  {}  {}  {}", rfc3339_seconds(notice.received_at), notice.kind, notice.actor, notice.object);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<(String, &'static str, Option<String>)> {
        let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
        let (rules, _) = parse_rules(text, now).unwrap();
        rules.into_iter().map(|r| (r.pattern.to_string(), r.action.as_str(), r.reason)).collect()
    }

    #[test]
    fn reads_its_own_lists_and_those_of_others() {
        let own = "domain,action,reason\nspam.example,block,\"lies, mostly\"\n*.friends.example,allow,\n";
        let expected = [
            ("spam.example".to_owned(), "block", Some("lies, mostly".to_owned())),
            ("*.friends.example".to_owned(), "allow", None),
        ];
        assert_eq!(parsed(own), expected);
        let others = "#domain,#severity,#public_comment\nspam.example,suspend,lies\nloud.example,silence,noise\n";
        assert_eq!(parsed(others), [("spam.example".to_owned(), "block", Some("lies".to_owned()))]);
        assert_eq!(parse_rules(others, chrono::DateTime::from_timestamp(0, 0).unwrap()).unwrap().1, 1);
        assert_eq!(parsed("spam.example\n\nother.example\n").len(), 2);
        assert_eq!(field("lies, \"mostly\""), "\"lies, \"\"mostly\"\"\"");
    }

    #[test]
    fn a_bad_line_takes_over_nothing() {
        let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
        let error = parse_rules("domain\nspam.example\na b\n", now).unwrap_err().to_string();
        assert!(error.starts_with("line 3: `a b` must be a host name"), "{error}");
    }
}
