use crate::Registry;
use artdag_anchoring::bitcoin::{AttestationError, BlockHash, BlockHeader, ChainRules, LookupError, Network};
use artdag_anchoring::{Assurance, BlockHeaders, Claim, FINAL_CONFIRMATIONS, HeadersError, Refuted, Unknown, Verdict};
use artdag_kernel::Clock;
use chrono::TimeDelta;
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Whom this server asks for Bitcoin's blocks, the best first.
#[derive(Clone)]
pub struct Blocks {
    /// Which of Bitcoin's networks.
    pub network: Network,
    /// Who shows headers.
    pub sources: Vec<Arc<dyn BlockHeaders>>,
    /// What a header of that network must be like.
    pub rules: ChainRules,
    /// Tells whether a source is up to date.
    pub clock: Arc<dyn Clock>,
}

/// How long one source may take for one block.
const PATIENCE: Duration = Duration::from_secs(15);
/// Blocks are made every ten minutes: whose last one is older has not heard of the later ones.
const UP_TO_DATE: TimeDelta = TimeDelta::hours(3);

impl Blocks {
    /// Looks up the blocks that a proof names, each where it can be looked up best. Who does not answer once is not
    /// asked for the others.
    pub async fn judge_all(&self, claims: impl IntoIterator<Item = Claim>) -> Vec<(Claim, Verdict)> {
        let mut sources: Vec<&dyn BlockHeaders> = self.sources.iter().map(AsRef::as_ref).collect();
        let mut verdicts = BTreeMap::new();
        for claim in claims {
            let verdict = self.judge(&mut sources, &claim).await;
            verdicts.insert(claim, verdict);
        }
        verdicts.into_iter().collect()
    }

    async fn judge(&self, sources: &mut Vec<&dyn BlockHeaders>, (height, message): &Claim) -> Verdict {
        let mut unknown = Unknown::NoSource;
        let mut doubt: Option<Refuted> = None;
        let mut highest: Option<(u32, &dyn BlockHeaders)> = None;
        let mut at = 0;
        while let Some(source) = sources.get(at).copied() {
            let judged = timeout(PATIENCE, Verdict::by_source(source, &self.rules, *height, message)).await;
            match judged {
                Ok(Ok(Verdict::Unknown(reason))) => {
                    unknown = reason;
                    if let Unknown::Headers(LookupError::AboveTip { last }) = reason {
                        highest = highest.filter(|(known, _)| *known >= last).or(Some((last, source)));
                    }
                    at += 1;
                    continue;
                }
                Ok(Ok(Verdict::False(refuted))) => {
                    // A block of a fork is none: either it lies deep, or somebody else sees the same.
                    if refuted.is_final() || doubt.is_some() {
                        return Verdict::False(doubt.unwrap_or(refuted));
                    }
                    doubt = Some(refuted);
                    at += 1;
                    continue;
                }
                Ok(Ok(verdict)) => return verdict,
                Ok(Err(error)) => shrug(source, &error),
                Err(elapsed) => shrug(source, &elapsed),
            }
            sources.remove(at);
        }
        if doubt.is_some() {
            return Verdict::Unknown(Unknown::Unsettled);
        }
        if let Some((last, source)) = highest
            && height.saturating_sub(last) > FINAL_CONFIRMATIONS
            && self.is_up_to_date(source, last).await
        {
            let error = AttestationError::NoSuchBlock { last };
            return Verdict::False(Refuted { error, assurance: source.assurance(), confirmations: None });
        }
        Verdict::Unknown(unknown)
    }

    /// Whether the last block of a source has just been made.
    async fn is_up_to_date(&self, source: &dyn BlockHeaders, last: u32) -> bool {
        let Ok(Ok(Some(header))) = timeout(PATIENCE, source.header(last)).await else { return false };
        i64::from(header.time()) >= (self.clock.now() - UP_TO_DATE).timestamp()
    }

    /// The header at a height, of the best source that has it.
    async fn header(&self, height: u32) -> Option<BlockHeader> {
        for source in &self.sources {
            match timeout(PATIENCE, source.header(height)).await {
                Ok(Ok(Some(header))) => return Some(header),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => shrug(source.as_ref(), &error),
                Err(elapsed) => shrug(source.as_ref(), &elapsed),
            }
        }
        None
    }

    /// So many headers from a height on, of a chain that was checked here; `None` where it does not reach. Others are
    /// not asked: they may take a request for each.
    async fn checked_headers(&self, from: u32, count: u32) -> Option<Vec<BlockHeader>> {
        for source in self.sources.iter().filter(|source| source.assurance() == Assurance::PowChain) {
            match timeout(PATIENCE, source.headers(from, count)).await {
                Ok(Ok(headers)) if headers.len() as u64 == u64::from(count) => return Some(headers),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => shrug(source.as_ref(), &error),
                Err(elapsed) => shrug(source.as_ref(), &elapsed),
            }
        }
        None
    }

    /// The last block that each source knows which answers.
    pub async fn tips(&self) -> Vec<(u32, BlockHash)> {
        let tips = self.sources.iter().map(|source| async move {
            let last = async {
                let height = source.tip().await?;
                Ok::<_, HeadersError>(source.header(height).await?.map(|header| (height, header.hash())))
            };
            match timeout(PATIENCE, last).await {
                Ok(Ok(tip)) => return tip,
                Ok(Err(error)) => shrug(source.as_ref(), &error),
                Err(elapsed) => shrug(source.as_ref(), &elapsed),
            }
            None
        });
        join_all(tips).await.into_iter().flatten().collect()
    }
}

impl Registry {
    /// The header of the block at a height, if a source of headers shows it.
    pub async fn block_header(&self, height: u32) -> Option<BlockHeader> {
        self.parts.blocks.header(height).await
    }

    /// So many headers from a height on, out of the chain that was checked here, if it reaches so far.
    pub async fn checked_headers(&self, from: u32, count: u32) -> Option<Vec<BlockHeader>> {
        self.parts.blocks.checked_headers(from, count).await
    }
}

/// Another source may know.
fn shrug(source: &dyn BlockHeaders, error: &(dyn std::error::Error + 'static)) {
    tracing::debug!(source = source.name(), error, "a source of headers gives nothing");
}

#[cfg(test)]
mod tests {
    use super::*;
    use artdag_kernel::Instant;
    use async_trait::async_trait;

    /// A source that repeats one header up to its tip.
    struct Chain {
        assurance: Assurance,
        tip: u32,
        header: BlockHeader,
    }

    #[async_trait]
    impl BlockHeaders for Chain {
        fn assurance(&self) -> Assurance {
            self.assurance
        }

        fn name(&self) -> String {
            "a chain".to_owned()
        }

        async fn tip(&self) -> Result<u32, HeadersError> {
            Ok(self.tip)
        }

        async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
            Ok((height <= self.tip).then_some(self.header))
        }

        async fn headers(&self, _from: u32, _count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
            Ok(Vec::new())
        }
    }

    struct At(Instant);

    impl Clock for At {
        fn now(&self) -> Instant {
            self.0
        }
    }

    const HOUR: i64 = 3600;

    /// Sources with these tips, so many seconds after their blocks.
    fn blocks(age: i64, tips: &[u32]) -> Blocks {
        let rules = ChainRules::of(Network::Regtest);
        let header = *rules.genesis();
        let made_at = chrono::DateTime::from_timestamp(i64::from(header.time()), 0).unwrap();
        let assurances = [Assurance::PowChain, Assurance::Node];
        let chain = |(assurance, tip): (Assurance, &u32)| -> Arc<dyn BlockHeaders> {
            Arc::new(Chain { assurance, tip: *tip, header })
        };
        Blocks {
            network: Network::Regtest,
            sources: assurances.into_iter().zip(tips).map(chain).collect(),
            rules,
            clock: Arc::new(At(made_at + TimeDelta::seconds(age))),
        }
    }

    async fn judge(blocks: &Blocks, height: u32, message: [u8; 32]) -> Verdict {
        blocks.judge_all([(height, message.into())]).await.remove(0).1
    }

    #[tokio::test]
    async fn what_may_be_of_a_fork_is_no_lie_yet() {
        let unsettled = Verdict::Unknown(Unknown::Unsettled);
        assert_eq!(judge(&blocks(0, &[20]), 16, [1; 32]).await, unsettled, "five blocks");
        assert!(matches!(judge(&blocks(0, &[20]), 15, [1; 32]).await, Verdict::False(_)), "six blocks");
        assert_eq!(judge(&blocks(0, &[20, 15]), 16, [1; 32]).await, unsettled, "the other one does not know");
        let agreed = judge(&blocks(0, &[20, 17]), 16, [1; 32]).await;
        assert!(matches!(agreed, Verdict::False(refuted) if refuted.assurance == Assurance::PowChain), "{agreed:?}");
        let root = *blocks(0, &[]).rules.genesis().merkle_root().as_bytes();
        assert!(matches!(judge(&blocks(0, &[20]), 20, root).await, Verdict::Verified(_)));
    }

    #[tokio::test]
    async fn a_block_far_above_the_last_one_is_none() {
        for height in [27, 4_000_000_000] {
            let verdict = judge(&blocks(HOUR, &[10, 20]), height, [1; 32]).await;
            let Verdict::False(refuted) = verdict else { panic!("{height}: {verdict:?}") };
            assert_eq!(
                (refuted.error, refuted.assurance),
                (AttestationError::NoSuchBlock { last: 20 }, Assurance::Node)
            );
        }
        let unknown = |verdict| matches!(verdict, Verdict::Unknown(_));
        assert!(unknown(judge(&blocks(HOUR, &[10, 20]), 26, [1; 32]).await), "it may be there soon");
        assert!(unknown(judge(&blocks(4 * HOUR, &[10, 20]), 27, [1; 32]).await), "nobody is up to date");
        assert!(unknown(judge(&blocks(0, &[]), 27, [1; 32]).await), "nobody answers");
    }

    #[tokio::test]
    async fn every_source_is_watched() {
        let heights = async |tips: &[u32]| {
            let tips = blocks(0, tips).tips().await;
            tips.into_iter().map(|(height, _)| height).collect::<Vec<_>>()
        };
        assert_eq!(heights(&[10, 20]).await, [10, 20], "one that stands still hides no other");
        assert_eq!(heights(&[]).await, [0; 0]);
    }
}
