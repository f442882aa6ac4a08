//! Ed25519 public keys as Multikeys (W3C Controlled Identifiers 1.0, as FEP-521a uses it): `z`, for base58btc,
//! then the two bytes that say "Ed25519 public key", then the 32 bytes of the key.

/// The multicodec `ed25519-pub` as a varint.
const ED25519: [u8; 2] = [0xed, 0x01];

/// 34 bytes take at most 47 base58 digits. Base58 costs the square of its length, so longer texts are not read.
const MAX_DIGITS: usize = 47;

/// The text is no Ed25519 Multikey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMultikey {
    /// Not `z` and base58btc digits, or far too many of them.
    #[error("must be `z` and the base58btc digits of a key")]
    Encoding,
    /// A key of another kind.
    #[error("must be an Ed25519 public key")]
    Kind,
    /// Says it is Ed25519, but has no 32 bytes.
    #[error("must have 32 bytes after its prefix")]
    Length,
}

/// Spells a key, for `publicKeyMultibase`.
pub fn encode(key: &[u8; 32]) -> String {
    let mut bytes = [0; 34];
    bytes[..2].copy_from_slice(&ED25519);
    bytes[2..].copy_from_slice(key);
    format!("z{}", bs58::encode(bytes).into_string())
}

/// Reads a `publicKeyMultibase`.
///
/// # Errors
/// [`NotAMultikey`]. RSA Multikeys exist too; they are [`NotAMultikey::Kind`] when short enough to be looked at.
pub fn decode(text: &str) -> Result<[u8; 32], NotAMultikey> {
    let digits = text.strip_prefix('z').ok_or(NotAMultikey::Encoding)?;
    if digits.len() > MAX_DIGITS {
        return Err(NotAMultikey::Encoding);
    }
    let bytes = bs58::decode(digits).into_vec().map_err(|_| NotAMultikey::Encoding)?;
    let key = bytes.strip_prefix(&ED25519).ok_or(NotAMultikey::Kind)?;
    key.try_into().map_err(|_| NotAMultikey::Length)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FEP-521a's example.
    const KEY: [u8; 32] = [
        0x2e, 0x6f, 0xcc, 0xe3, 0x67, 0x01, 0xdc, 0x79, 0x14, 0x88, 0xe0, 0xd0, 0xb1, 0x74, 0x5c, 0xc1, 0xe3, 0x3a,
        0x4c, 0x1c, 0x9f, 0xcc, 0x41, 0xc6, 0x3b, 0xd3, 0x43, 0xdb, 0xbe, 0x09, 0x70, 0xe6,
    ];
    const TEXT: &str = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

    #[test]
    fn fep_521a() {
        assert_eq!(encode(&KEY), TEXT);
        assert_eq!(decode(TEXT), Ok(KEY));
    }

    #[test]
    fn the_longest_key_fits() {
        assert_eq!(decode(&encode(&[0xff; 32])), Ok([0xff; 32]));
        assert_eq!(decode(&encode(&[0; 32])), Ok([0; 32]));
    }

    #[test]
    fn refuses_what_is_no_ed25519_key() {
        let multibase = |bytes: &[u8]| format!("z{}", bs58::encode(bytes).into_string());
        assert_eq!(decode(""), Err(NotAMultikey::Encoding));
        assert_eq!(decode(&TEXT[1..]), Err(NotAMultikey::Encoding));
        assert_eq!(decode(&TEXT.replace('M', "0")), Err(NotAMultikey::Encoding));
        assert_eq!(decode("z6Mké"), Err(NotAMultikey::Encoding));
        assert_eq!(decode(&format!("z{}", "1".repeat(1_000_000))), Err(NotAMultikey::Encoding));
        assert_eq!(decode("z"), Err(NotAMultikey::Kind));
        // X25519 and the secret key of Ed25519.
        assert_eq!(decode(&multibase(&[&[0xec, 0x01][..], &KEY].concat())), Err(NotAMultikey::Kind));
        assert_eq!(decode(&multibase(&[&[0x80, 0x26][..], &KEY].concat())), Err(NotAMultikey::Kind));
        assert_eq!(decode(&multibase(&[&ED25519[..], &KEY[1..]].concat())), Err(NotAMultikey::Length));
    }
}
