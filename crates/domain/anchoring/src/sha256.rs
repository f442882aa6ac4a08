//! SHA-256 of messages whose length is known beforehand. Their padding is part of a block on the stack, which saves
//! the buffering and the branches of a general hasher: about a third of the time for a node of the tree.

use sha2::block_api::compress256;

use crate::Digest;

/// FIPS 180-4, section 5.3.3.
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of one byte and 32 more.
pub(crate) fn of_33(prefix: u8, digest: &Digest) -> Digest {
    let mut block = [0; 64];
    block[0] = prefix;
    block[1..33].copy_from_slice(digest.as_bytes());
    block[33] = 0x80;
    pad(&mut block, 33);
    digest_of(&[block])
}

/// SHA-256 of one byte and twice 32 more.
pub(crate) fn of_65(prefix: u8, left: &Digest, right: &Digest) -> Digest {
    let mut blocks = [[0; 64]; 2];
    blocks[0][0] = prefix;
    blocks[0][1..33].copy_from_slice(left.as_bytes());
    blocks[0][33..].copy_from_slice(&right.as_bytes()[..31]);
    blocks[1][0] = right.as_bytes()[31];
    blocks[1][1] = 0x80;
    pad(&mut blocks[1], 65);
    digest_of(&blocks)
}

/// SHA-256 of the SHA-256 of 80 bytes: how a block is named by its header.
pub(crate) fn twice_of_80(bytes: &[u8; 80]) -> [u8; 32] {
    let mut blocks = [[0; 64]; 2];
    blocks[0].copy_from_slice(&bytes[..64]);
    blocks[1][..16].copy_from_slice(&bytes[64..]);
    blocks[1][16] = 0x80;
    pad(&mut blocks[1], 80);
    let inner = digest_of(&blocks);
    let mut block = [0; 64];
    block[..32].copy_from_slice(inner.as_bytes());
    block[32] = 0x80;
    pad(&mut block, 32);
    *digest_of(&[block]).as_bytes()
}

/// Ends the last block with the length of the message in bits.
fn pad(last: &mut [u8; 64], length: u64) {
    last[56..].copy_from_slice(&(length * 8).to_be_bytes());
}

fn digest_of(blocks: &[[u8; 64]]) -> Digest {
    let mut state = INITIAL;
    compress256(&mut state, blocks);
    let mut bytes = [0; 32];
    for (chunk, word) in bytes.chunks_exact_mut(4).zip(state) {
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    Digest::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_general_hasher() {
        let (left, right) = (Digest::of(b"left"), Digest::of(b"right"));
        assert_eq!(of_33(7, &left), Digest::of(&[&[7], &left.as_bytes()[..]].concat()));
        assert_eq!(of_65(7, &left, &right), Digest::of(&[&[7], &left.as_bytes()[..], right.as_bytes()].concat()));
        let header: [u8; 80] = std::array::from_fn(|at| u8::try_from(at * 3).unwrap());
        assert_eq!(twice_of_80(&header), *Digest::of(Digest::of(&header).as_bytes()).as_bytes());
    }
}
