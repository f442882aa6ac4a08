//! What a peer has shown, and what it is asked by.

use crate::kept_headers::KeptHeaders;
use artdag_anchoring::HeadersError;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, HeaderChain};
use tokio::time::Instant;

/// What a peer has shown.
pub(super) struct Shown {
    pub(super) at: Instant,
    /// Whose turn it was.
    pub(super) turn: usize,
    /// The height of the last header that was not sent, since both have it.
    pub(super) fork: u32,
    /// Those above. They follow one another and have their own work, which says little.
    pub(super) headers: Vec<BlockHeader>,
    /// Whether that is all the peer has.
    pub(super) is_all: bool,
    /// Whether somebody has fetched them, to keep them.
    pub(super) was_taken: bool,
}

/// Blocks that are kept, the last one first.
pub(super) type Locator = Vec<(u32, BlockHash)>;

impl Shown {
    pub(super) fn tip(&self) -> u32 {
        self.fork.saturating_add(u32::try_from(self.headers.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn is_in(&self, chain: &HeaderChain) -> bool {
        self.headers.last().is_none_or(|last| chain.headers().get(index(self.tip())) == Some(last))
    }

    /// What it shows from a height on. What a peer has in common with the kept chain it does not send.
    pub(super) async fn part(
        &self,
        kept: &KeptHeaders,
        from: u32,
        count: u32,
    ) -> Result<Vec<BlockHeader>, HeadersError> {
        let part = |headers: &[BlockHeader], from: u32, count: u32| -> Vec<BlockHeader> {
            headers.iter().skip(index(from)).take(index(count)).copied().collect()
        };
        let Some(above) = from.checked_sub(self.fork + 1) else {
            let common = self.fork + 1 - from;
            let mut headers = part(kept.chain().await?.headers(), from, count.min(common));
            headers.extend(part(&self.headers, 0, count.saturating_sub(common)));
            return Ok(headers);
        };
        Ok(part(&self.headers, above, count))
    }
}

/// Blocks by which a peer sees what it has in common with the kept chain, however far back it has branched off.
pub(super) fn locator(chain: &HeaderChain) -> Locator {
    let at = |height| chain.headers().get(index(height)).map(|header| (height, header.hash()));
    heights(chain.height()).filter_map(at).collect()
}

/// The last ten, then fewer and fewer, down to the first.
fn heights(tip: u32) -> impl Iterator<Item = u32> {
    let next = |(height, step, count): &(u32, u32, u32)| {
        let step = if *count < 10 { 1 } else { step.saturating_mul(2) };
        (*height > 0).then(|| (height.saturating_sub(step), step, count + 1))
    };
    std::iter::successors(Some((tip, 1, 1)), next).map(|(height, _, _)| height)
}

fn index(height: u32) -> usize {
    usize::try_from(height).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_anchoring::bitcoin::{ChainRules, Network};

    #[test]
    fn a_locator_goes_down_to_the_first_block() {
        let rules = ChainRules::of(Network::Regtest);
        let genesis = *rules.genesis();
        assert_eq!(locator(&HeaderChain::new(rules)), [(0, genesis.hash())]);
        let heights = |tip: u32| heights(tip).collect::<Vec<_>>();
        assert_eq!(heights(3), [3, 2, 1, 0]);
        assert_eq!(heights(30), [30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 19, 15, 7, 0]);
        let long = heights(u32::MAX);
        assert!(long.len() < 101 && long.last() == Some(&0) && long.is_sorted_by(|one, next| one > next), "{long:?}");
    }
}
