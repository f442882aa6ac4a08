use crate::cli::AnchorsCommand;
use crate::settings::Settings;
use crate::wiring::{self, StartError};
use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::{Anchor, Digest, Question};
use artdag_kernel::rfc3339_seconds;

/// `artdag-l2 anchors ..`
pub(crate) async fn anchors(settings: &Settings, command: AnchorsCommand) -> Result<(), StartError> {
    let registry = wiring::build(settings).await?;
    match command {
        AnchorsCommand::List { limit } => {
            let mut reader = registry.read().await?;
            for anchor in reader.list_anchors(None, limit).await? {
                println!("{}", line(&anchor));
            }
            println!("{} anchors", reader.count_anchors().await?);
        }
        AnchorsCommand::Show { root } => {
            let root = parse(&root)?;
            let anchor = registry.read().await?.find_anchor(&root).await?;
            show(&anchor.ok_or_else(|| unknown(&root))?);
        }
        AnchorsCommand::Create => match registry.create_anchor().await? {
            Some(anchor) => show(&anchor),
            None => println!("Everything is in an anchor already."),
        },
        AnchorsCommand::Upgrade { root } => {
            let root = parse(&root)?;
            let anchor = registry.tend_anchor(&root, true).await?;
            show(&anchor.ok_or_else(|| unknown(&root))?);
        }
        AnchorsCommand::GiveUp { root } => {
            let root = parse(&root)?;
            let anchor = registry.give_up_anchor(&root).await?;
            println!("{}", line(&anchor.ok_or_else(|| unknown(&root))?));
        }
    }
    Ok(())
}

fn parse(root: &str) -> Result<Digest, StartError> {
    root.parse().map_err(|_| format!("`{root}` is no root; `artdag-l2 anchors list` shows them").into())
}

fn unknown(root: &Digest) -> StartError {
    format!("there is no anchor {root}; `artdag-l2 anchors list` shows them").into()
}

fn line(anchor: &Anchor) -> String {
    let block = anchor.evidence.as_ref().map_or_else(String::new, |evidence| {
        format!("  block {} ({}), by {}", evidence.height, evidence.assurance, evidence.existed_by())
    });
    let (first, last) = (anchor.from_index, anchor.tree_size - 1);
    let network = anchor.network.map_or("unknown", Network::as_str);
    format!(
        "{}  {network:7}  {:10}  {}  activities {first} to {last}{block}",
        anchor.root,
        anchor.state,
        rfc3339_seconds(anchor.created_at)
    )
}

fn show(anchor: &Anchor) {
    println!("{}", line(anchor));
    if let Some(evidence) = &anchor.evidence {
        println!("    seen in {}", evidence.source);
    }
    for ask in &anchor.asks {
        let question = match ask.question {
            Question::Submit => "submit",
            Question::Upgrade(_) => "upgrade",
        };
        let detail = ask.detail.as_ref().map_or_else(String::new, |detail| format!("  {detail}"));
        println!("    {question:7}  {:8}  {}{detail}", ask.standing, ask.calendar);
    }
    if let Some(due) = anchor.due_at {
        println!("    next look {}", rfc3339_seconds(due));
    }
}
