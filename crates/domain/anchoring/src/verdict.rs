use std::fmt;
use std::str::FromStr;

use crate::bitcoin::{
    AttestationError, BlockHash, BlockHeader, ChainRules, Confirmed, HeaderChain, LookupError, verify_attestation,
};
use crate::text::decimal;
use crate::{Day, FINAL_CONFIRMATIONS};

/// On whose word a block is believed, the best first.
///
/// Written as `pow-chain`, `node`, `explorers 2/3` and `supplied-header`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Assurance {
    /// Nobody's: a chain of headers with all its work was checked here.
    PowChain,
    /// A node's, which its operator trusts.
    Node,
    /// Some explorers' on the web.
    Explorers {
        /// How many of them showed this header.
        agreeing: u32,
        /// How many were asked.
        asked: u32,
    },
    /// That of whoever handed the header in. It has cost some work, and may be of no chain.
    SuppliedHeader,
}

/// The text names no assurance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `pow-chain`, `node`, `explorers k/n` or `supplied-header`")]
pub struct UnknownAssurance;

/// The block that shows the age of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// On whose word.
    pub assurance: Assurance,
    /// The block's height.
    pub height: u32,
    /// Its hash.
    pub block_hash: BlockHash,
    /// Its time, in seconds since 1970. State it by [`Evidence::existed_by`].
    pub block_time: u32,
    /// How many blocks stand on it, itself included, if that is known.
    pub confirmations: Option<u32>,
    /// Where the header came from, in words for a person.
    pub source: String,
}

/// A block that somebody showed.
#[derive(Clone, Copy, Debug)]
pub struct ShownBlock<'a> {
    /// Who it was.
    pub assurance: Assurance,
    /// The height that they say it has.
    pub height: u32,
    /// Its header.
    pub header: BlockHeader,
    /// How many blocks they say stand on it, itself included.
    pub confirmations: Option<u32>,
    /// Where the header came from, in words for a person.
    pub source: &'a str,
}

/// What can be said of the claim that a message was known when a block was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Verified(Evidence),
    /// The block does not say so.
    False(Refuted),
    /// There is no block to tell by.
    Unknown(Unknown),
}

/// Why a message is not attested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refuted {
    /// What the block says instead.
    pub error: AttestationError,
    /// On whose word.
    pub assurance: Assurance,
    /// How many blocks stand on the one that says so, itself included, if that is known.
    pub confirmations: Option<u32>,
}

/// Why nothing can be said. It is never as good as a yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unknown {
    /// The chain of headers does not tell.
    #[error("the headers do not tell")]
    Headers(#[from] LookupError),
    /// The header has not the work that it claims, or claims less than the network takes; it is of no block.
    #[error("the header has not the work that a block has")]
    NoWork,
    /// The only source that shows another block shows it so close to the end of its chain that it may be of a fork.
    #[error("the last blocks may still be replaced")]
    Unsettled,
    /// Nobody is there to show blocks.
    #[error("no source of block headers answers")]
    NoSource,
}

impl Verdict {
    /// Judges by a chain of headers that was checked here.
    #[must_use]
    pub fn by_chain(chain: &HeaderChain, height: u32, message: &[u8], source: &str) -> Self {
        let Confirmed { header, hash, confirmations, .. } = match chain.confirm(height) {
            Ok(confirmed) => confirmed,
            Err(error) => return Self::Unknown(error.into()),
        };
        Self::by_block(message, &header, || Evidence {
            assurance: Assurance::PowChain,
            height,
            block_hash: hash,
            block_time: header.time(),
            confirmations: Some(confirmations),
            source: source.to_owned(),
        })
    }

    /// Judges by one block, on the word of whoever showed it.
    #[must_use]
    pub fn by_header(rules: &ChainRules, shown: ShownBlock<'_>, message: &[u8]) -> Self {
        let ShownBlock { assurance, height, header, confirmations, source } = shown;
        if !rules.admit(&header) {
            return Self::Unknown(Unknown::NoWork);
        }
        Self::by_block(message, &header, || Evidence {
            assurance,
            height,
            block_hash: header.hash(),
            block_time: header.time(),
            confirmations,
            source: source.to_owned(),
        })
    }

    fn by_block(message: &[u8], header: &BlockHeader, evidence: impl FnOnce() -> Evidence) -> Self {
        let evidence = evidence();
        match verify_attestation(message, header) {
            Ok(()) => Self::Verified(evidence),
            Err(error) => {
                let Evidence { assurance, confirmations, .. } = evidence;
                Self::False(Refuted { error, assurance, confirmations })
            }
        }
    }
}

impl Assurance {
    /// Whether the other's word counts for more: of another kind, or of more explorers.
    #[must_use]
    pub fn is_weaker_than(self, other: Self) -> bool {
        self.weight() < other.weight()
    }

    const fn weight(self) -> (u8, u32) {
        match self {
            Self::PowChain => (3, 0),
            Self::Node => (2, 0),
            Self::Explorers { agreeing, asked: _ } => (1, agreeing),
            Self::SuppliedHeader => (0, 0),
        }
    }
}

impl Refuted {
    /// Whether it will stay so. The last blocks of a chain may be those of a fork, of which others know already.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.confirmations.is_none_or(|confirmations| confirmations >= FINAL_CONFIRMATIONS)
    }
}

impl Evidence {
    /// The day by which the message existed. The hour is not said, since miners' clocks are off by some.
    #[must_use]
    pub const fn existed_by(&self) -> Day {
        Day::of(self.block_time)
    }

    /// Whether it is so deep in the chain that it will stay there.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.confirmations.is_some_and(|confirmations| confirmations >= FINAL_CONFIRMATIONS)
    }
}

impl FromStr for Assurance {
    type Err = UnknownAssurance;

    fn from_str(text: &str) -> Result<Self, UnknownAssurance> {
        let explorers = || {
            let (agreeing, asked) = text.strip_prefix("explorers ")?.split_once('/')?;
            let number = |text| decimal(text).and_then(|number| u32::try_from(number).ok());
            Some(Self::Explorers { agreeing: number(agreeing)?, asked: number(asked)? })
        };
        match text {
            "pow-chain" => Ok(Self::PowChain),
            "node" => Ok(Self::Node),
            "supplied-header" => Ok(Self::SuppliedHeader),
            _ => explorers().ok_or(UnknownAssurance),
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PowChain => f.write_str("pow-chain"),
            Self::Node => f.write_str("node"),
            Self::Explorers { agreeing, asked } => write!(f, "explorers {agreeing}/{asked}"),
            Self::SuppliedHeader => f.write_str("supplied-header"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bitcoin::{Network, TooLittleWork};

    #[test]
    fn assurances_come_back() {
        let explorers = Assurance::Explorers { agreeing: 2, asked: 3 };
        for (assurance, text) in [
            (Assurance::PowChain, "pow-chain"),
            (Assurance::Node, "node"),
            (explorers, "explorers 2/3"),
            (Assurance::SuppliedHeader, "supplied-header"),
        ] {
            assert_eq!((assurance.to_string().as_str(), text.parse()), (text, Ok(assurance)));
        }
        for wrong in ["", "pow", "explorers", "explorers 2", "explorers 02/3", "explorers 2/3/4", "explorers -1/2"] {
            assert_eq!(wrong.parse::<Assurance>(), Err(UnknownAssurance), "{wrong}");
        }
    }

    #[test]
    fn some_words_count_for_more() {
        let explorers = |agreeing| Assurance::Explorers { agreeing, asked: 3 };
        let order = [Assurance::SuppliedHeader, explorers(1), explorers(2), Assurance::Node, Assurance::PowChain];
        for (at, one) in order.iter().enumerate() {
            for (other_at, other) in order.iter().enumerate() {
                assert_eq!(one.is_weaker_than(*other), at < other_at, "{one} and {other}");
            }
        }
    }

    #[test]
    fn a_chain_says_yes_no_or_nothing() {
        let chain = HeaderChain::new(ChainRules::of(Network::Regtest));
        let genesis = chain.headers()[0];
        let root = genesis.merkle_root();
        let Verdict::Verified(evidence) = Verdict::by_chain(&chain, 0, root.as_bytes(), "a file") else {
            panic!("it is the root")
        };
        assert_eq!((evidence.block_hash, evidence.existed_by().to_string()), (genesis.hash(), "2011-02-02".to_owned()));
        assert_eq!((evidence.confirmations, evidence.is_final()), (Some(1), false));
        let (assurance, confirmations) = (Assurance::PowChain, Some(1));
        let wrong = |error| Verdict::False(Refuted { error, assurance, confirmations });
        assert_eq!(Verdict::by_chain(&chain, 0, &[1; 32], ""), wrong(AttestationError::AnotherRoot));
        assert_eq!(Verdict::by_chain(&chain, 0, &[1; 20], ""), wrong(AttestationError::NotARoot(20)));
        let beyond = Verdict::Unknown(LookupError::AboveTip { last: 0 }.into());
        assert_eq!(Verdict::by_chain(&chain, 1, root.as_bytes(), ""), beyond);
        let short = HeaderChain::new(ChainRules::of(Network::Mainnet));
        let unknown = Verdict::by_chain(&short, 0, root.as_bytes(), "");
        let too_little =
            |unknown| matches!(unknown, Unknown::Headers(LookupError::TooLittleWork(TooLittleWork { .. })));
        assert!(matches!(unknown, Verdict::Unknown(reason) if too_little(reason)), "the root is right all the same");
    }

    #[test]
    fn a_header_without_its_work_says_nothing() {
        let rules = ChainRules::of(Network::Mainnet);
        let genesis = *rules.genesis();
        let shown = |header: &BlockHeader| ShownBlock {
            assurance: Assurance::SuppliedHeader,
            height: 0,
            header: *header,
            confirmations: None,
            source: "an argument",
        };
        let by = |header: &BlockHeader| Verdict::by_header(&rules, shown(header), genesis.merkle_root().as_bytes());
        let Verdict::Verified(evidence) = by(&genesis) else { panic!("it is the root") };
        assert_eq!((evidence.existed_by().to_string(), evidence.is_final()), ("2009-01-03".to_owned(), false));
        let mut bytes = *genesis.as_bytes();
        bytes[68] ^= 1;
        assert_eq!(by(&BlockHeader::from_bytes(bytes)), Verdict::Unknown(Unknown::NoWork));
        let easy = ChainRules::of(Network::Regtest);
        assert!(easy.genesis().has_its_work());
        assert_eq!(by(easy.genesis()), Verdict::Unknown(Unknown::NoWork), "the work of another network is none here");
    }
}
