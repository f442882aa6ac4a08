//! `AttachmentReads`, `AttachmentRepository`

use super::super::schema::{Moment, scoped_tokens, user_renderers};
use super::super::{Backend, dialect};
use super::rows::Place;
use super::{Mode, Session, Writing, micros};
use artdag_auth::{Attachment, AttachmentReads, AttachmentRepository, TokenHash};
use artdag_kernel::{Instant, ServerUrl, StoreError, Username};
use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;

/// Changes nothing that is there. Unlike `do nothing` it waits for a detachment under way, and then attaches anew.
const ATTACH: &str = "\
    insert into user_renderers (username, l1_server, attached_at) values ($1, $2, $3) \
    on conflict (username, l1_server) do update set attached_at = user_renderers.attached_at";

/// Of one renderer, or of all when $2 is null.
const DETACH: &str = "\
    delete from user_renderers where username = $1 and ($2 is null or l1_server = $2) \
    returning username, l1_server, attached_at";

/// Not the token of whoever attached just after [`DETACH`] looked: their attachment stays too.
pub(super) const REVOKE: &str = "\
    insert into revoked_tokens (token_hash, expires_at, revoked_at) \
    select token_hash, expires_at, $1 from scoped_tokens where username = $2 and ($3 is null or l1_server = $3) \
    and not exists (select 1 from user_renderers as attached \
        where attached.username = scoped_tokens.username and attached.l1_server = scoped_tokens.l1_server) \
    on conflict do nothing";

/// Only what was revoked: a token that was made since stays known.
const FORGET: &str = "\
    delete from scoped_tokens where username = $1 and ($2 is null or l1_server = $2) \
    and exists (select 1 from revoked_tokens where revoked_tokens.token_hash = scoped_tokens.token_hash)";

#[async_trait]
impl<M: Mode> AttachmentReads for Session<M> {
    async fn list_attachments(&mut self, username: &Username) -> Result<Vec<Attachment>, StoreError> {
        let query = user_renderers::table
            .filter(user_renderers::username.eq(username.to_string()))
            .order((user_renderers::attached_at, user_renderers::l1_server))
            .select(AttachmentRow::as_select());
        let rows: Vec<AttachmentRow> = self.run(|conn| query.load(conn)).await?;
        rows.into_iter().map(Attachment::try_from).collect()
    }
}

#[async_trait]
impl AttachmentRepository for Session<Writing> {
    async fn lock_attachments(&mut self, username: &Username) -> Result<(), StoreError> {
        let username = username.to_string();
        self.run(|conn| dialect::lock_user(conn, username)).await
    }

    async fn attach(&mut self, attachment: &Attachment) -> Result<(), StoreError> {
        let query = sql_query(ATTACH)
            .bind::<Text, _>(attachment.username.to_string())
            .bind::<Text, _>(attachment.l1_server.to_string())
            .bind::<Moment, _>(micros(attachment.attached_at));
        self.run(|conn| query.execute(conn)).await.map(drop)
    }

    async fn add_scoped_token(
        &mut self,
        token: &TokenHash,
        attachment: &Attachment,
        expires_at: Instant,
    ) -> Result<(), StoreError> {
        let row = (
            scoped_tokens::token_hash.eq(token.to_string()),
            scoped_tokens::username.eq(attachment.username.to_string()),
            scoped_tokens::l1_server.eq(attachment.l1_server.to_string()),
            scoped_tokens::expires_at.eq(micros(expires_at)),
        );
        let query = diesel::insert_into(scoped_tokens::table).values(row).on_conflict_do_nothing();
        self.run(|conn| query.execute(conn)).await.map(drop)
    }

    async fn detach(
        &mut self,
        username: &Username,
        l1_server: Option<&ServerUrl>,
        now: Instant,
    ) -> Result<Vec<Attachment>, StoreError> {
        let (username, l1_server) = (username.to_string(), l1_server.map(ToString::to_string));
        // First, because it waits for an attachment under way, whose token is then seen below.
        let query = sql_query(DETACH).bind::<Text, _>(username.clone()).bind::<Nullable<Text>, _>(l1_server.clone());
        let mut rows: Vec<AttachmentRow> = self.run(|conn| query.load(conn)).await?;
        let query = sql_query(REVOKE)
            .bind::<Moment, _>(micros(now))
            .bind::<Text, _>(username.clone())
            .bind::<Nullable<Text>, _>(l1_server.clone());
        self.run(|conn| query.execute(conn)).await?;
        let query = sql_query(FORGET).bind::<Text, _>(username).bind::<Nullable<Text>, _>(l1_server);
        self.run(|conn| query.execute(conn)).await?;
        rows.sort_unstable_by(|a, b| (a.attached_at, &a.l1_server).cmp(&(b.attached_at, &b.l1_server)));
        rows.into_iter().map(Attachment::try_from).collect()
    }
}

#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = user_renderers, check_for_backend(Backend))]
struct AttachmentRow {
    username: String,
    l1_server: String,
    attached_at: Instant,
}

impl TryFrom<AttachmentRow> for Attachment {
    type Error = StoreError;

    fn try_from(row: AttachmentRow) -> Result<Self, StoreError> {
        let key = format!("{} {}", row.username, row.l1_server);
        let at = Place { table: "user_renderers", row: &key };
        Ok(Self {
            username: at.parse("username", &row.username)?,
            l1_server: at.parse("l1_server", &row.l1_server)?,
            attached_at: row.attached_at,
        })
    }
}
