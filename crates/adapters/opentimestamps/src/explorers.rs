//! Several explorers, compared.

use artdag_anchoring::Assurance;
use artdag_anchoring::bitcoin::BlockHeader;
use artdag_anchoring::{BlockHeaders, HeadersError};
use async_trait::async_trait;
use futures_util::future::join_all;

/// Several explorers, of which so many must show the same. One that fails or lies is outvoted.
pub struct Explorers {
    explorers: Vec<Box<dyn BlockHeaders>>,
    least: usize,
}

/// Explorers cannot be compared in that way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than half of the explorers have to agree, and no more than there are")]
pub struct InvalidQuorum;

/// What an explorer shows at a height; `None` stands for the end of its chain.
type Shown = Option<BlockHeader>;

impl Explorers {
    /// Believes what at least so many of these show.
    ///
    /// # Errors
    ///
    /// If two different things could both be shown by so many, or there are not so many.
    pub fn new(explorers: Vec<Box<dyn BlockHeaders>>, least: usize) -> Result<Self, InvalidQuorum> {
        let fits = least <= explorers.len() && least > explorers.len() / 2;
        if fits { Ok(Self { explorers, least }) } else { Err(InvalidQuorum) }
    }

    /// What enough of them show. They are a majority, so there is at most one such thing.
    fn agreed(&self, votes: &[Shown]) -> Option<Shown> {
        let enough = |vote: &&Shown| votes.iter().filter(|other| other == vote).count() >= self.least;
        votes.iter().find(enough).copied()
    }

    /// Why they do not agree: because some fail, or because some show something else.
    fn disagreement(&self, failures: Vec<HeadersError>, on: &str) -> HeadersError {
        let why = format!("no {} of {} show the same {on}", self.least, self.explorers.len());
        failures.into_iter().next().unwrap_or(HeadersError::Nonsense { whose: self.name(), why })
    }
}

#[async_trait]
impl BlockHeaders for Explorers {
    fn assurance(&self) -> Assurance {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Assurance::Explorers { agreeing: number(self.least), asked: number(self.explorers.len()) }
    }

    fn name(&self) -> String {
        let names: Vec<String> = self.explorers.iter().map(|explorer| explorer.name()).collect();
        names.join(", ")
    }

    /// The height that enough of them have reached.
    async fn tip(&self) -> Result<u32, HeadersError> {
        let tips = join_all(self.explorers.iter().map(|explorer| explorer.tip())).await;
        let (mut heights, mut failures) = (Vec::new(), Vec::new());
        for tip in tips {
            match tip {
                Ok(height) => heights.push(height),
                Err(error) => failures.push(error),
            }
        }
        heights.sort_unstable_by(|one, other| other.cmp(one));
        let height = heights.get(self.least - 1).copied();
        height.ok_or_else(|| self.disagreement(failures, "height"))
    }

    async fn header(&self, height: u32) -> Result<Option<BlockHeader>, HeadersError> {
        Ok(self.headers(height, 1).await?.first().copied())
    }

    async fn headers(&self, from: u32, count: u32) -> Result<Vec<BlockHeader>, HeadersError> {
        let shown = join_all(self.explorers.iter().map(|explorer| explorer.headers(from, count))).await;
        let (mut lists, mut failures) = (Vec::new(), Vec::new());
        for list in shown {
            match list {
                Ok(list) => lists.push(list),
                Err(error) => failures.push(error),
            }
        }
        let mut headers = Vec::new();
        for at in 0..usize::try_from(count).unwrap_or(usize::MAX) {
            let votes: Vec<Shown> = lists.iter().map(|list| list.get(at).copied()).collect();
            match self.agreed(&votes) {
                Some(Some(header)) => headers.push(header),
                None if headers.is_empty() => {
                    return Err(self.disagreement(failures, &format!("header at height {from}")));
                }
                Some(None) | None => break,
            }
        }
        Ok(headers)
    }
}
