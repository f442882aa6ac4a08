use crate::hs256;
use artdag_auth::{AccessToken, Claims, InvalidToken, TokenCodec};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use std::fmt;

/// Seals and opens JSON Web Tokens with HMAC-SHA-256 (`HS256`) under one secret.
pub struct JwtCodec {
    // Both wipe their copy of the secret when dropped.
    sealing: EncodingKey,
    opening: DecodingKey,
    validation: Validation,
}

/// The secret has fewer than [`JwtCodec::MIN_SECRET`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token secret must have {} bytes or more", JwtCodec::MIN_SECRET)]
pub struct SecretTooShort;

impl JwtCodec {
    /// As many bytes as the hash has (RFC 7518, 3.2).
    pub const MIN_SECRET: usize = 32;

    /// Tokens of this server are a few hundred bytes; longer ones are not even looked at.
    const MAX_TOKEN: usize = 8 * 1024;

    /// A codec under this secret. Tokens outlive the process as long as the secret does.
    ///
    /// # Errors
    /// [`SecretTooShort`].
    pub fn new(secret: &[u8]) -> Result<Self, SecretTooShort> {
        if secret.len() < Self::MIN_SECRET {
            return Err(SecretTooShort);
        }
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // What the claims must say is decided by `Claims::check`, by the clock it is given.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        Ok(Self { sealing: EncodingKey::from_secret(secret), opening: DecodingKey::from_secret(secret), validation })
    }
}

impl TokenCodec for JwtCodec {
    #[expect(clippy::expect_used, reason = "claims are text and integers, and the key and algorithm fit: see tests")]
    fn seal(&self, claims: &Claims) -> AccessToken {
        let compact = encode(&Header::new(Algorithm::HS256), claims, &self.sealing);
        AccessToken::new(compact.expect("HS256 seals any claims"))
    }

    fn open(&self, token: &AccessToken) -> Result<Claims, InvalidToken> {
        let compact = token.reveal();
        if compact.len() > Self::MAX_TOKEN {
            return Err(InvalidToken);
        }
        match decode::<Claims>(compact, &self.opening, &self.validation) {
            Ok(opened) => Ok(opened.claims),
            Err(_) => Err(InvalidToken),
        }
    }
}

impl fmt::Debug for JwtCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtCodec(..)")
    }
}
