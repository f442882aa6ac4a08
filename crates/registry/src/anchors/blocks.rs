use crate::Registry;
use artdag_anchoring::bitcoin::{BlockHash, BlockHeader, ChainRules, Network};
use artdag_anchoring::{Assurance, BlockHeaders, Claim, HeadersError, Unknown, Verdict};
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
}

/// How long one source may take for one block.
const PATIENCE: Duration = Duration::from_secs(15);

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
        let mut at = 0;
        while let Some(source) = sources.get(at).copied() {
            match timeout(PATIENCE, Verdict::by_source(source, &self.rules, *height, message)).await {
                Ok(Ok(Verdict::Unknown(reason))) => {
                    unknown = reason;
                    at += 1;
                    continue;
                }
                Ok(Ok(verdict)) => return verdict,
                Ok(Err(error)) => shrug(source, &error),
                Err(elapsed) => shrug(source, &elapsed),
            }
            sources.remove(at);
        }
        Verdict::Unknown(unknown)
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

    /// The last block that the best source which answers knows.
    pub async fn tip(&self) -> Option<(u32, BlockHash)> {
        for source in &self.sources {
            let last = async {
                let height = source.tip().await?;
                Ok::<_, HeadersError>(source.header(height).await?.map(|header| (height, header.hash())))
            };
            match timeout(PATIENCE, last).await {
                Ok(Ok(Some(tip))) => return Some(tip),
                Ok(Ok(None)) => {}
                Ok(Err(error)) => shrug(source.as_ref(), &error),
                Err(elapsed) => shrug(source.as_ref(), &elapsed),
            }
        }
        None
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
