//! `UserReads`, `UserRepository`

use super::super::schema::users;
use super::rows::UserRow;
use super::{Mode, Session, Writing, count};
use artdag_auth::{User, UserReads, UserRepository};
use artdag_kernel::{StoreError, Username};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

#[async_trait]
impl<M: Mode> UserReads for Session<M> {
    async fn find_user(&mut self, username: &Username) -> Result<Option<User>, StoreError> {
        let query = users::table.find(username.to_string()).select(UserRow::as_select());
        let row = self.run(|conn| async move { query.first(conn).await.optional() }).await?;
        row.map(User::try_from).transpose()
    }

    async fn count_users(&mut self) -> Result<u64, StoreError> {
        self.run(|conn| users::table.count().get_result(conn)).await.map(count)
    }
}

#[async_trait]
impl UserRepository for Session<Writing> {
    async fn add_user(&mut self, user: &User) -> Result<(), StoreError> {
        let query = diesel::insert_into(users::table).values(UserRow::from(user)).on_conflict_do_nothing();
        match self.run(|conn| query.execute(conn)).await? {
            0 => Err(StoreError::Conflict("user")),
            _ => Ok(()),
        }
    }
}
