use std::fmt;
use std::str::FromStr;

use super::work::Target;
use super::{BlockHeader, CompactTarget, Work};

/// Which of Bitcoin's networks a chain belongs to. A proof does not say; mainnet is the one that counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// The one with the money, and with the work.
    #[default]
    Mainnet,
    /// For trials: its blocks need a signature besides the work, which headers alone do not show.
    Signet,
    /// For tests: everybody makes blocks at will.
    Regtest,
}

/// The text names no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be `mainnet`, `signet` or `regtest`")]
pub struct UnknownNetwork;

/// What holds for a chain of headers.
#[derive(Clone, Debug)]
pub struct ChainRules {
    pub(super) genesis: BlockHeader,
    /// The easiest target there may be.
    pub(super) limit: Target,
    pub(super) retarget: Option<Retarget>,
    pub(super) minimum_work: Work,
}

/// How the target follows the time that blocks take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retarget {
    /// After how many blocks there is a new target; above zero.
    pub interval: u32,
    /// How many seconds these should take; above three.
    pub timespan: u32,
}

impl Retarget {
    /// Two weeks, a block each ten minutes.
    const BITCOIN: Self = Self { interval: 2016, timespan: 14 * 24 * 60 * 60 };
}

/// The work of mainnet at block 886,157 (March 2025), as the releases of Bitcoin Core of that spring know it.
const MAINNET_WORK: u128 = 0xb1f3_b93b_65b1_6d03_5a82_be84;
/// The work of signet at that time, from the same place.
const SIGNET_WORK: u128 = 0x02b5_17f3_d1a1;

impl ChainRules {
    /// The rules of a network.
    #[must_use]
    pub fn of(network: Network) -> Self {
        let (time, bits, nonce, retarget, work) = match network {
            Network::Mainnet => (1_231_006_505, 0x1d00_ffff, 2_083_236_893, Some(Retarget::BITCOIN), MAINNET_WORK),
            Network::Signet => (1_598_918_400, 0x1e03_77ae, 52_613_770, Some(Retarget::BITCOIN), SIGNET_WORK),
            Network::Regtest => (1_296_688_602, 0x207f_ffff, 2, None, 0),
        };
        let bits = CompactTarget::from_consensus(bits);
        let limit = bits.target().unwrap_or(Target::NONE);
        Self { genesis: genesis(time, bits, nonce), limit, retarget, minimum_work: Work::from_u128(work) }
    }

    /// The rules of a chain of one's own: its first header, whose target is also the easiest, and how the target
    /// follows the time. `None` if the header's target is none, or the numbers of `retarget` are too small.
    #[must_use]
    pub fn private(genesis: BlockHeader, retarget: Option<Retarget>) -> Option<Self> {
        let limit = genesis.bits().target()?;
        let makes_sense = retarget.is_none_or(|Retarget { interval, timespan }| interval > 0 && timespan > 3);
        makes_sense.then_some(Self { genesis, limit, retarget, minimum_work: Work::default() })
    }

    /// The same rules with another least work. A release knows it from when it was made; later, more is known.
    #[must_use]
    pub const fn with_minimum_work(mut self, work: Work) -> Self {
        self.minimum_work = work;
        self
    }

    /// The first header.
    #[must_use]
    pub const fn genesis(&self) -> &BlockHeader {
        &self.genesis
    }

    /// The work that a chain must have before anything is said about its blocks.
    #[must_use]
    pub const fn minimum_work(&self) -> Work {
        self.minimum_work
    }

    /// Whether a header has the work that it claims, and claims the least that the network takes. That is no proof of
    /// being in a chain, and on most networks it is cheap.
    #[must_use]
    pub fn admit(&self, header: &BlockHeader) -> bool {
        header.has_its_work() && header.bits().target().is_some_and(|target| target <= self.limit)
    }

    /// Whether the height is the first of those that share a target.
    pub(super) fn begins_period(&self, height: u32) -> bool {
        self.retarget.is_some_and(|retarget| height.is_multiple_of(retarget.interval))
    }

    /// The target after a period that took from one time to the other.
    pub(super) fn retargeted(&self, bits: CompactTarget, first_time: u32, last_time: u32) -> CompactTarget {
        let (Some(Retarget { timespan, .. }), Some(target)) = (self.retarget, bits.target()) else {
            return bits;
        };
        // Times may run backwards, which counts as the least that a period can take.
        let taken = last_time.saturating_sub(first_time).clamp(timespan / 4, timespan.saturating_mul(4));
        target.scaled(taken, timespan).min(self.limit).to_compact()
    }
}

/// The first headers of all networks have the same transaction under them.
fn genesis(time: u32, bits: CompactTarget, nonce: u32) -> BlockHeader {
    const MERKLE_ROOT: [u8; 32] = [
        0x3b, 0xa3, 0xed, 0xfd, 0x7a, 0x7b, 0x12, 0xb2, 0x7a, 0xc7, 0x2c, 0x3e, 0x67, 0x76, 0x8f, 0x61, 0x7f, 0xc8,
        0x1b, 0xc3, 0x88, 0x8a, 0x51, 0x32, 0x3a, 0x9f, 0xb8, 0xaa, 0x4b, 0x1e, 0x5e, 0x4a,
    ];
    let mut bytes = [0; 80];
    bytes[0] = 1;
    bytes[36..68].copy_from_slice(&MERKLE_ROOT);
    bytes[68..72].copy_from_slice(&time.to_le_bytes());
    bytes[72..76].copy_from_slice(&bits.to_consensus().to_le_bytes());
    bytes[76..].copy_from_slice(&nonce.to_le_bytes());
    BlockHeader::from_bytes(bytes)
}

impl Network {
    /// Its name in settings and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mainnet => "mainnet",
            Self::Signet => "signet",
            Self::Regtest => "regtest",
        }
    }
}

impl FromStr for Network {
    type Err = UnknownNetwork;

    fn from_str(text: &str) -> Result<Self, UnknownNetwork> {
        let all = [Self::Mainnet, Self::Signet, Self::Regtest];
        all.into_iter().find(|network| network.as_str() == text).ok_or(UnknownNetwork)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_begins_with_its_genesis_block() {
        for (network, hash) in [
            (Network::Mainnet, "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"),
            (Network::Signet, "00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6"),
            (Network::Regtest, "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206"),
        ] {
            let rules = ChainRules::of(network);
            assert_eq!(rules.genesis().hash().to_string(), hash);
            assert!(rules.genesis().has_its_work());
            assert_eq!(network.as_str().parse(), Ok(network));
        }
        assert_eq!("testnet".parse::<Network>(), Err(UnknownNetwork));
    }

    #[test]
    fn targets_follow_the_time() {
        let rules = ChainRules::of(Network::Mainnet);
        let after =
            |bits, first, last| rules.retargeted(CompactTarget::from_consensus(bits), first, last).to_consensus();
        // Mainnet's blocks 30240 to 32255, the first that changed it.
        assert_eq!(after(0x1d00_ffff, 1_261_130_161, 1_262_152_739), 0x1d00_d86a);
        // Blocks 66528 to 68543, which took less than a quarter of their time.
        assert_eq!(after(0x1c05_a3f4, 1_279_008_237, 1_279_297_671), 0x1c01_68fd);
        // Never by more than four either way, and never beyond the limit.
        assert_eq!(after(0x1c0f_fff0, 0, u32::MAX), 0x1c3f_ffc0);
        assert_eq!(after(0x1c10_0000, 0, 1), 0x1c04_0000);
        assert_eq!(after(0x1c10_0000, 2, 1), 0x1c04_0000);
        assert_eq!(after(0x1d00_ffff, 0, u32::MAX), 0x1d00_ffff);
    }
}
