//! `RevocationReads`, `RevocationRepository`

use super::super::schema::{invites, revoked_tokens, scoped_tokens};
use super::{Mode, Session, Writing, micros};
use artdag_auth::{RevocationReads, RevocationRepository, TokenHash};
use artdag_kernel::{Instant, StoreError};
use async_trait::async_trait;
use chrono::TimeDelta;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use std::collections::{HashMap, HashSet};

/// How long one can look up who used which invite.
const INVITE_MEMORY: TimeDelta = TimeDelta::days(30);

#[async_trait]
impl<M: Mode> RevocationReads for Session<M> {
    async fn is_revoked(&mut self, token: &TokenHash) -> Result<bool, StoreError> {
        let query = diesel::select(exists(revoked_tokens::table.find(token.to_string())));
        self.run(|conn| query.get_result(conn)).await
    }

    async fn revoked_among(&mut self, tokens: &[TokenHash]) -> Result<HashSet<TokenHash>, StoreError> {
        let texts: HashMap<String, TokenHash> = tokens.iter().map(|token| (token.to_string(), *token)).collect();
        let known = revoked_tokens::table.filter(revoked_tokens::token_hash.eq_any(texts.keys().cloned()));
        let query = known.select(revoked_tokens::token_hash);
        let found: Vec<String> = self.run(|conn| query.load(conn)).await?;
        Ok(found.iter().filter_map(|text| texts.get(text).copied()).collect())
    }
}

#[async_trait]
impl RevocationRepository for Session<Writing> {
    async fn revoke(&mut self, token: &TokenHash, expires_at: Instant, now: Instant) -> Result<(), StoreError> {
        let row = (
            revoked_tokens::token_hash.eq(token.to_string()),
            revoked_tokens::expires_at.eq(micros(expires_at)),
            revoked_tokens::revoked_at.eq(micros(now)),
        );
        let query = diesel::insert_into(revoked_tokens::table).values(row).on_conflict_do_nothing();
        self.run(|conn| query.execute(conn)).await.map(drop)
    }

    async fn sweep_revocations(&mut self, now: Instant) -> Result<u64, StoreError> {
        let now = micros(now);
        let query = diesel::delete(scoped_tokens::table.filter(scoped_tokens::expires_at.lt(now)));
        self.run(|conn| query.execute(conn)).await?;
        let unused = invites::redeemed_at.is_null().and(invites::expires_at.lt(now));
        let query = diesel::delete(invites::table.filter(unused));
        self.run(|conn| query.execute(conn)).await?;
        let query = diesel::delete(invites::table.filter(invites::redeemed_at.lt(now - INVITE_MEMORY)));
        self.run(|conn| query.execute(conn)).await?;
        let query = diesel::delete(revoked_tokens::table.filter(revoked_tokens::expires_at.lt(now)));
        self.run(|conn| query.execute(conn)).await.map(|n| n as u64)
    }
}
