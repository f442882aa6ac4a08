use std::fmt;

use ethnum::U256;

use super::BlockHash;

/// How a header spells its target: a byte of length and three of leading digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CompactTarget(u32);

/// A number that a block's hash must not exceed; above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target(U256);

/// How many hashes a chain is expected to have cost.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(U256);

impl CompactTarget {
    /// Wraps the number of a header.
    #[must_use]
    pub const fn from_consensus(bits: u32) -> Self {
        Self(bits)
    }

    /// The number of a header.
    #[must_use]
    pub const fn to_consensus(self) -> u32 {
        self.0
    }

    /// The target, `None` if it is negative, zero, or beyond 256 bits.
    pub(super) fn target(self) -> Option<Target> {
        let length = self.0 >> 24;
        let digits = self.0 & 0x007f_ffff;
        let target = if length <= 3 {
            U256::from(digits >> (8 * (3 - length)))
        } else {
            let shift = 8 * (length - 3);
            let target = U256::from(digits).checked_shl(shift)?;
            // Digits that were shifted out at the top.
            if target >> shift != U256::from(digits) {
                return None;
            }
            target
        };
        let is_negative = self.0 & 0x0080_0000 != 0;
        (target != U256::ZERO && !is_negative).then_some(Target(target))
    }
}

impl Target {
    /// One that no hash meets.
    pub(super) const NONE: Self = Self(U256::ZERO);

    /// The same target in short, which loses what stands behind its leading digits.
    pub(super) fn to_compact(self) -> CompactTarget {
        let bytes = (256 - self.0.leading_zeros()).div_ceil(8);
        let digits = if bytes <= 3 { self.0 << (8 * (3 - bytes)) } else { self.0 >> (8 * (bytes - 3)) };
        let digits = digits.as_u32();
        // The highest bit of the digits is a sign.
        if digits & 0x0080_0000 == 0 {
            CompactTarget(bytes << 24 | digits)
        } else {
            CompactTarget((bytes + 1) << 24 | digits >> 8)
        }
    }

    pub(super) fn is_met_by(self, hash: &BlockHash) -> bool {
        U256::from_le_bytes(*hash.as_bytes()) <= self.0
    }

    /// Longer or shorter by the time that blocks took against the time that they should have taken.
    pub(super) fn scaled(self, taken: u32, wanted: u32) -> Self {
        let (taken, wanted) = (U256::from(taken), U256::from(wanted));
        // In two parts, so that the largest targets do not run over.
        let (whole, rest) = (self.0 / wanted, self.0 % wanted);
        Self(whole.saturating_mul(taken).saturating_add(rest * taken / wanted))
    }

    /// How many hashes it takes on average to meet it: `2^256 / (target + 1)`, which is written without `2^256`.
    pub(super) fn work(self) -> Work {
        Work((!self.0).checked_div(self.0.saturating_add(U256::ONE)).unwrap_or(U256::ZERO) + U256::ONE)
    }
}

impl Work {
    /// Reads the number from 32 bytes, the highest first.
    #[must_use]
    pub fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }

    /// The number in 32 bytes, the highest first.
    #[must_use]
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    pub(super) const fn from_u128(work: u128) -> Self {
        Self(U256::new(work))
    }

    pub(super) fn plus(self, more: Self) -> Self {
        Self(self.0.saturating_add(more.0))
    }

    pub(super) fn minus(self, less: Self) -> Self {
        Self(self.0.saturating_sub(less.0))
    }
}

impl fmt::Display for Work {
    /// As nodes show `chainwork`: 64 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_be_bytes()))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(bits: u32) -> Option<String> {
        CompactTarget(bits).target().map(|Target(target)| format!("{target:x}"))
    }

    #[test]
    fn compact_targets_are_read() {
        assert_eq!(target(0x1d00_ffff), Some(format!("ffff{}", "0".repeat(52))));
        assert_eq!(target(0x0512_3456), Some("1234560000".to_owned()));
        assert_eq!(target(0x0312_3456), Some("123456".to_owned()));
        assert_eq!(target(0x0212_3456), Some("1234".to_owned()));
        assert_eq!(target(0x2200_0001), Some(format!("1{}", "0".repeat(62))));
        assert_eq!(target(0x20ff_ffff), None, "negative");
    }

    #[test]
    fn zero_negative_and_endless_targets_are_refused() {
        for bits in [0, 0x0012_3456, 0x0100_3456, 0x1d00_0000, 0x0392_3456, 0x2300_0001, 0x2200_0100, 0xff00_0001] {
            assert_eq!(target(bits), None, "{bits:08x}");
        }
    }

    #[test]
    fn a_target_keeps_its_leading_digits() {
        for bits in [0x1d00_ffff, 0x207f_ffff, 0x1703_4219, 0x1e03_77ae, 0x0312_3456, 0x0200_8000, 0x2200_0001_u32] {
            let target = CompactTarget(bits).target().unwrap();
            let again = target.to_compact();
            assert_eq!(again.target(), Some(target), "{bits:08x} as {again}");
        }
        assert_eq!(Target(U256::new(0x80)).to_compact(), CompactTarget(0x0200_8000), "the sign bit stays clear");
        assert_eq!(Target(U256::new(0x1234_5678)).to_compact(), CompactTarget(0x0412_3456));
    }

    #[test]
    fn work_is_the_number_of_hashes() {
        let work = |bits| CompactTarget(bits).target().unwrap().work();
        assert_eq!(work(0x207f_ffff), Work::from_u128(2));
        assert_eq!(work(0x1d00_ffff), Work::from_u128(0x1_0001_0001));
        assert_eq!(Target(U256::MAX).work(), Work::from_u128(1));
    }

    #[test]
    fn scaling_does_not_run_over() {
        let easiest = CompactTarget(0x207f_ffff).target().unwrap();
        assert_eq!(easiest.scaled(4, 1), Target(U256::MAX));
        assert_eq!(Target(U256::new(1001)).scaled(3, 4), Target(U256::new(750)));
        assert_eq!(easiest.scaled(1_209_600, 1_209_600), easiest);
    }
}
