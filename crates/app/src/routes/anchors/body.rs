//! An anchor as the API shows it.

use artdag_anchoring::bitcoin::Network;
use artdag_anchoring::{Anchor, AnchorState, Ask, Assurance, Evidence, Question};
use artdag_kernel::{Instant, rfc3339};
use artdag_registry::Registry;
use chrono::DateTime;
use serde::Serialize;
use utoipa::ToSchema;

/// How far something has come on its way into Bitcoin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnchorStatus {
    /// `unanchored`: no anchor has it yet. `pending`: stamped, and not final. `confirmed`: six blocks stand on the
    /// proof, which this server has checked. `failed`: the operator gave it up.
    #[schema(example = "confirmed")]
    status: &'static str,
    /// The anchor: the root of the log that was stamped.
    #[serde(skip_serializing_if = "Option::is_none")]
    merkle_root: Option<String>,
    #[serde(flatten)]
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockBody>,
}

/// The block that shows the age.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockBody {
    /// Its height.
    #[schema(example = 886_157)]
    bitcoin_block: u32,
    /// Its hash.
    block_hash: String,
    /// The time in its header, which may be some hours off.
    #[schema(example = "2026-11-22T12:00:00Z")]
    block_time: Option<String>,
    /// The day by which it existed.
    #[schema(example = "2026-11-22")]
    existed_by: String,
}

/// An anchor: a stamping of the log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AnchorBody {
    /// The root of the log's tree, as of RFC 6962.
    merkle_root: String,
    /// How many activities the tree has.
    tree_size: u64,
    /// The first activity that no earlier anchor has.
    from_index: u64,
    /// `submitting`: too few calendars have answered. `pending`: enough have, and the proof is not final. `confirmed`:
    /// six blocks stand on the proof, which this server has checked. `reorged`: its block is gone, and it is being
    /// stamped again. `failed`: the operator gave it up.
    status: &'static str,
    created_at: String,
    /// When enough calendars had answered.
    stamped_at: Option<String>,
    /// Which of Bitcoin's networks it was stamped for; `null` if that was not written down. Of a network that is not
    /// this server's nothing counts here.
    network: Option<&'static str>,
    #[serde(flatten)]
    block: Option<BlockBody>,
    /// On whose word: `pow-chain`, `node`, `explorers k/n`.
    assurance: Option<String>,
    /// How many blocks stood on the proof when it was last looked up, its own included.
    confirmations: Option<u32>,
    /// Who showed the block, in words.
    source: Option<String>,
    /// When the block was last looked up.
    verified_at: Option<String>,
    /// When there is something to do for it next.
    next_at: Option<String>,
    calendars: Vec<AskBody>,
    /// Where its entries are.
    tree: String,
    /// Where the root's proof is, once a calendar has answered.
    proof: String,
}

/// What a calendar was asked, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AskBody {
    #[schema(example = "https://a.pool.opentimestamps.org")]
    calendar: String,
    /// `submit`: to take the digest. `upgrade`: what became of it.
    question: &'static str,
    /// `waiting`: not asked yet, or it knows no more yet. `silent`: it gives no answer. `false`: it gives one that cannot
    /// be used, or that is not true. `answered`: it did. `verified`: and it is true.
    status: &'static str,
    /// Why, in words. A part of them may be the calendar's.
    detail: Option<String>,
    /// How often in a row it failed.
    failures: u32,
    asked_at: Option<String>,
    /// When it is asked next, as long as there is something to learn.
    next_at: Option<String>,
}

/// In the words of the contract.
pub(super) const fn status_word(state: AnchorState) -> &'static str {
    match state {
        AnchorState::Submitting | AnchorState::Pending | AnchorState::Reorged => "pending",
        AnchorState::Confirmed => "confirmed",
        AnchorState::Failed => "failed",
    }
}

impl AnchorStatus {
    /// Of what no anchor has yet, or this one.
    pub(crate) fn of(anchor: Option<&Anchor>) -> Self {
        anchor.map_or(Self { status: "unanchored", merkle_root: None, block: None }, |anchor| Self {
            status: status_word(anchor.state),
            merkle_root: Some(anchor.root.to_string()),
            block: anchor.evidence.as_ref().map(BlockBody::of),
        })
    }
}

impl BlockBody {
    pub(super) fn of(evidence: &Evidence) -> Self {
        Self {
            bitcoin_block: evidence.height,
            block_hash: evidence.block_hash.to_string(),
            block_time: block_time(evidence.block_time).map(rfc3339),
            existed_by: evidence.existed_by().to_string(),
        }
    }
}

/// Who showed a block, for everybody: where the operator's node is concerns nobody.
pub(super) fn public_source(evidence: &Evidence) -> String {
    if evidence.assurance == Assurance::Node { "the operator's node".to_owned() } else { evidence.source.clone() }
}

fn block_time(seconds: u32) -> Option<Instant> {
    DateTime::from_timestamp(i64::from(seconds), 0)
}

impl AnchorBody {
    pub(super) fn of(registry: &Registry, anchor: &Anchor) -> Self {
        let at = format!("{}/anchors/{}", registry.site().base(), anchor.root);
        let anchor = &anchor.on(registry.bitcoin_network());
        let evidence = anchor.evidence.as_ref();
        let open: Vec<&Ask> = anchor.open_asks().collect();
        let ask = |ask: &Ask| AskBody {
            calendar: ask.calendar.to_string(),
            question: match ask.question {
                Question::Submit => "submit",
                Question::Upgrade(_) => "upgrade",
            },
            status: ask.standing.as_str(),
            detail: ask.detail.clone(),
            failures: ask.failures,
            asked_at: ask.asked_at.map(rfc3339),
            next_at: open.contains(&ask).then(|| rfc3339(ask.due_at)),
        };
        Self {
            merkle_root: anchor.root.to_string(),
            tree_size: anchor.tree_size,
            from_index: anchor.from_index,
            status: anchor.state.as_str(),
            created_at: rfc3339(anchor.created_at),
            stamped_at: anchor.stamped_at.map(rfc3339),
            network: anchor.network.map(Network::as_str),
            block: evidence.map(BlockBody::of),
            assurance: evidence.map(|evidence| evidence.assurance.to_string()),
            confirmations: evidence.and_then(|evidence| evidence.confirmations),
            source: evidence.map(public_source),
            verified_at: anchor.verified_at.map(rfc3339),
            next_at: anchor.due_at.map(rfc3339),
            calendars: anchor.asks.iter().map(ask).collect(),
            tree: format!("{at}/tree"),
            proof: format!("{at}/proof.ots"),
        }
    }
}
