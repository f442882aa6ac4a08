use super::cursor::Cursor;
use super::{BlockHash, BlockHeader, ChainRules, HeaderError, Work};

/// The heaviest chain of headers that was shown, 80 bytes a header.
///
/// ```
/// use artdag_anchoring::bitcoin::{ChainRules, HeaderChain, LookupError, Network};
///
/// let chain = HeaderChain::new(ChainRules::of(Network::Mainnet));
/// assert_eq!(chain.height(), 0);
/// // One header is not Bitcoin: anybody could have made it.
/// assert!(matches!(chain.confirm(0), Err(LookupError::TooLittleWork(_))));
/// ```
#[derive(Clone, Debug)]
pub struct HeaderChain {
    rules: ChainRules,
    first_height: u32,
    /// Never empty.
    headers: Vec<BlockHeader>,
    tip: BlockHash,
    /// Of all headers down to the genesis block.
    work: Work,
}

/// A header that is believed without those before it.
#[derive(Clone, Copy, Debug)]
pub struct TrustedStart {
    /// Its height, which must be the first of those that share a target.
    pub height: u32,
    /// The header.
    pub header: BlockHeader,
    /// The work of the chain up to and with it.
    pub work: Work,
}

/// The trusted header cannot be a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a chain can only begin with a header of a valid target, at the first height that has it")]
pub struct WrongStart;

/// How the chain changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The last height that is as it was.
    pub fork_height: u32,
    /// The headers above it that are no longer part of the chain, the lowest first.
    pub removed: Vec<BlockHeader>,
    /// How many headers are new.
    pub added: usize,
}

/// Why headers were not taken. The chain is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// The first of them does not follow on a header of the chain.
    #[error("the headers do not follow on any that is known")]
    Unknown,
    /// One of them breaks a rule.
    #[error("a header is invalid")]
    Invalid(#[from] HeaderError),
    /// They branch off from the chain and have no more work than what they would replace.
    #[error("a branch from height {fork_height} on has no more work than the chain")]
    NotHeavier {
        /// The last height that both have.
        fork_height: u32,
    },
}

/// A block of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Its height.
    pub height: u32,
    /// Its header.
    pub header: BlockHeader,
    /// Its hash.
    pub hash: BlockHash,
    /// How many blocks the chain has from it on, itself included.
    pub confirmations: u32,
}

/// Why nothing is said about a height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The chain is not yet, or not at all, the one it should be.
    #[error("the chain of headers is not trusted")]
    TooLittleWork(#[from] TooLittleWork),
    /// The chain begins above.
    #[error("the headers begin at height {first}")]
    BelowStart {
        /// Its first height.
        first: u32,
    },
    /// The chain ends below.
    #[error("the headers end at height {last}")]
    AboveTip {
        /// Its last height.
        last: u32,
    },
}

/// The chain has less work than is known to be in the network's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the headers have a work of {have}, below the least of {least}")]
pub struct TooLittleWork {
    /// The chain's work.
    pub have: Work,
    /// What it must have.
    pub least: Work,
}

impl HeaderChain {
    /// The chain of the genesis block alone.
    #[must_use]
    pub fn new(rules: ChainRules) -> Self {
        let genesis = rules.genesis;
        let work = work_of(&[genesis]);
        Self { rules, first_height: 0, headers: vec![genesis], tip: genesis.hash(), work }
    }

    /// A chain that begins above the genesis block, with a header that the caller vouches for.
    ///
    /// The times of the first ten headers after it are compared with fewer than eleven others.
    ///
    /// # Errors
    ///
    /// If the height is within a period, so that the next target could not be computed, or the header has no target.
    pub fn from_trusted(rules: ChainRules, start: TrustedStart) -> Result<Self, WrongStart> {
        let TrustedStart { height, header, work } = start;
        let begins = rules.retarget.is_none() || rules.begins_period(height);
        if !begins || header.bits().target().is_none_or(|target| target > rules.limit) {
            return Err(WrongStart);
        }
        Ok(Self { rules, first_height: height, headers: vec![header], tip: header.hash(), work })
    }

    /// The rules it keeps to.
    #[must_use]
    pub const fn rules(&self) -> &ChainRules {
        &self.rules
    }

    /// The height of the last header.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.first_height.saturating_add(u32::try_from(self.headers.len() - 1).unwrap_or(u32::MAX))
    }

    /// The hash of the last header.
    #[must_use]
    pub const fn tip(&self) -> BlockHash {
        self.tip
    }

    /// The work of the whole chain, also of what lies below its first header.
    #[must_use]
    pub const fn work(&self) -> Work {
        self.work
    }

    /// The height of the first header.
    #[must_use]
    pub const fn first_height(&self) -> u32 {
        self.first_height
    }

    /// The headers from the first to the last, to be stored. For what they are worth see [`Self::confirm`].
    #[must_use]
    pub fn headers(&self) -> &[BlockHeader] {
        &self.headers
    }

    /// The height of a header of the chain. Looks from the last one down, through 80 bytes a height.
    #[must_use]
    pub fn find(&self, hash: &BlockHash) -> Option<u32> {
        if *hash == self.tip {
            return Some(self.height());
        }
        let next = self.headers.iter().rposition(|header| header.previous() == *hash)?;
        self.first_height.checked_add(u32::try_from(next.checked_sub(1)?).ok()?)
    }

    /// Takes headers that follow one another and begin where they please: at the chain's first header, or after any
    /// one of it. Those that are known are passed over. If they branch off, the branch must have more work than what
    /// it replaces; it then does so at once or, if anything is wrong with it, not at all.
    ///
    /// A branch is not kept for later. Whoever gets a longer one sends it again from the fork.
    ///
    /// # Errors
    ///
    /// If the headers do not follow on the chain, break a rule, or have too little work. The chain is then as it was.
    pub fn accept(&mut self, headers: &[BlockHeader]) -> Result<Change, AcceptError> {
        let mut new = headers;
        let mut fork = 0;
        if let Some((first, rest)) = new.split_first() {
            if *first == self.headers[0] {
                new = rest;
            } else {
                let height = self.find(&first.previous()).ok_or(AcceptError::Unknown)?;
                fork = usize::try_from(height - self.first_height).map_err(|_| AcceptError::Unknown)?;
            }
        }
        let known = new.iter().zip(&self.headers[fork + 1..]).take_while(|(new, known)| new == known).count();
        let new = &new[known..];
        let keep = fork + known + 1;
        let fork_height = self.first_height + u32::try_from(keep - 1).unwrap_or(u32::MAX);
        if new.is_empty() {
            return Ok(Change { fork_height, removed: Vec::new(), added: 0 });
        }
        let gained = self.check(keep, new)?;
        let lost = work_of(&self.headers[keep..]);
        if gained <= lost {
            return Err(AcceptError::NotHeavier { fork_height });
        }
        let removed = self.headers.split_off(keep);
        self.headers.extend_from_slice(new);
        self.work = self.work.minus(lost).plus(gained);
        self.tip = new[new.len() - 1].hash();
        Ok(Change { fork_height, removed, added: new.len() })
    }

    /// What is known of the block at a height.
    ///
    /// # Errors
    ///
    /// If the chain has too little work to be believed, or does not reach there.
    pub fn confirm(&self, height: u32) -> Result<Confirmed, LookupError> {
        self.check_work()?;
        let at = height.checked_sub(self.first_height).ok_or(LookupError::BelowStart { first: self.first_height })?;
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        let header = *self.headers.get(at).ok_or_else(|| LookupError::AboveTip { last: self.height() })?;
        let hash = self.headers.get(at + 1).map_or(self.tip, BlockHeader::previous);
        Ok(Confirmed { height, header, hash, confirmations: self.height() - height + 1 })
    }

    /// Whether the chain has the least work that is known of its network.
    ///
    /// # Errors
    ///
    /// If it has not.
    pub fn check_work(&self) -> Result<(), TooLittleWork> {
        let least = self.rules.minimum_work;
        if self.work >= least { Ok(()) } else { Err(TooLittleWork { have: self.work, least }) }
    }

    /// Checks headers that follow on the first so many, and returns their work.
    fn check(&self, keep: usize, new: &[BlockHeader]) -> Result<Work, AcceptError> {
        let last_height = self.first_height + u32::try_from(keep - 1).unwrap_or(u32::MAX);
        let interval = self.rules.retarget.map_or(0, |retarget| retarget.interval);
        let reach = usize::try_from(interval).unwrap_or(usize::MAX).max(11).min(keep);
        let context = &self.headers[keep - reach..keep];
        let first_height = last_height - u32::try_from(reach - 1).unwrap_or(0);
        let mut cursor = Cursor::at(&self.rules, first_height, context).ok_or(AcceptError::Unknown)?;
        let mut work = Work::default();
        for header in new {
            work = work.plus(cursor.advance(&self.rules, header)?);
        }
        Ok(work)
    }
}

impl Change {
    /// Whether headers were replaced, and what was confirmed by them no longer is.
    #[must_use]
    pub const fn is_reorg(&self) -> bool {
        !self.removed.is_empty()
    }
}

fn work_of(headers: &[BlockHeader]) -> Work {
    let works = headers.iter().filter_map(|header| header.bits().target());
    works.fold(Work::default(), |sum, target| sum.plus(target.work()))
}
