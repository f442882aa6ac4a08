//! `InviteRepository`

use super::super::schema::invites;
use super::{Session, Writing, micros};
use artdag_auth::{InviteHash, InviteRepository};
use artdag_kernel::{Instant, StoreError, Username};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

#[async_trait]
impl InviteRepository for Session<Writing> {
    async fn add_invite(&mut self, invite: &InviteHash, expires_at: Instant, now: Instant) -> Result<(), StoreError> {
        let row = (
            invites::invite_hash.eq(invite.to_string()),
            invites::created_at.eq(micros(now)),
            invites::expires_at.eq(micros(expires_at)),
        );
        let query = diesel::insert_into(invites::table).values(row).on_conflict_do_nothing();
        match self.run(|conn| query.execute(conn)).await? {
            0 => Err(StoreError::Conflict("invite")),
            _ => Ok(()),
        }
    }

    async fn redeem_invite(&mut self, invite: &InviteHash, by: &Username, now: Instant) -> Result<bool, StoreError> {
        let now = micros(now);
        // Whoever comes second waits for the row, and then finds it used up.
        let good = invites::table
            .filter(invites::invite_hash.eq(invite.to_string()))
            .filter(invites::redeemed_at.is_null())
            .filter(invites::expires_at.gt(now));
        let used = (invites::redeemed_by.eq(by.to_string()), invites::redeemed_at.eq(now));
        let query = diesel::update(good).set(used);
        self.run(|conn| query.execute(conn)).await.map(|n| n > 0)
    }
}
