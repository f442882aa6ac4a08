//! What the targets share.
//!
//! To add a target: a file in `src/bin` that begins with `#![no_main]` and calls [`libfuzzer_sys::fuzz_target`]; its
//! name is what `cargo xtask fuzz NAME` takes. A target checks more than that nothing panics: what was read and
//! written must be read again as the same. It begins with some [seeds](plant), since no chance finds a whole file.

#![expect(clippy::disallowed_methods, reason = "the bans are for the server")]

use std::path::Path;

pub use libfuzzer_sys::fuzz_target;

/// Puts inputs to begin with where the engine will look for them, in the folder that `ARTDAG_FUZZ_SEEDS` names.
pub fn plant(seeds: impl IntoIterator<Item = Vec<u8>>) {
    let Some(folder) = std::env::var_os("ARTDAG_FUZZ_SEEDS") else { return };
    for (at, seed) in seeds.into_iter().enumerate() {
        std::fs::write(Path::new(&folder).join(format!("seed-{at}")), seed).expect("the folder can be written to");
    }
}

/// Takes numbers and pieces off the front of the input; of one that has run out, zeros.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    /// The next eight bytes as a number.
    pub fn number(&mut self) -> u64 {
        let piece = self.piece(8);
        let mut bytes = [0; 8];
        bytes[..piece.len()].copy_from_slice(piece);
        u64::from_le_bytes(bytes)
    }

    /// The next number, brought below a bound that is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// As many of the next bytes as there are.
    pub fn piece(&mut self, length: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }
}
