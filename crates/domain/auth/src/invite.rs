use artdag_kernel::{Instant, StoreError, Username};
use async_trait::async_trait;
use sha2::{Digest, Sha256};
use std::fmt;

/// A word that lets one person register where registration is by invitation. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// Makes a code from 16 bytes of chance: 32 hex digits.
    pub fn from_chance(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }

    /// Takes what somebody typed: white space around it and the case of letters do not count.
    pub fn typed(text: &str) -> Self {
        Self(text.trim().to_ascii_lowercase())
    }

    /// The code, to hand to who is invited.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store knows it by.
    pub fn hash(&self) -> InviteHash {
        InviteHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteCode(..)")
    }
}

/// SHA-256 of an invite code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteHash([u8; 32]);

impl fmt::Display for InviteHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// Keeps invites.
#[async_trait]
pub trait InviteRepository: Send {
    /// Adds an invite that is good until `expires_at`.
    async fn add_invite(&mut self, invite: &InviteHash, expires_at: Instant, now: Instant) -> Result<(), StoreError>;

    /// Uses an invite up. `false` when there is none that is unused and still good. Two that try at once: one
    /// gets `true`.
    async fn redeem_invite(&mut self, invite: &InviteHash, by: &Username, now: Instant) -> Result<bool, StoreError>;
}
