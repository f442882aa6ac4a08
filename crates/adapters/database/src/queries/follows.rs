//! Who follows whom, between here and elsewhere.

use super::super::schema::{followers, following};
use super::super::{Backend, dialect};
use super::rows::Place;
use super::statement::{Select, Statement};
use super::{Mode, Session, Writing, count};
use artdag_federation::{FollowState, Follower, Following, Iri};
use artdag_kernel::{ActivityId, Instant, Page, Slice, StoreError, Username};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use serde_json::{Value, json};

const ACCEPTED: &str = FollowState::Accepted.as_str();

/// Whom a user has accepted the actor itself cannot put back.
const SAVE_FOLLOWER: &str = "\
    insert into followers \
        (id, username, actor, origin, inbox, shared_inbox, inbox_host, request, state, created_at) \
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    on conflict (username, actor) do update set \
        id = excluded.id, origin = excluded.origin, inbox = excluded.inbox, shared_inbox = excluded.shared_inbox, \
        inbox_host = excluded.inbox_host, request = excluded.request, \
        state = case when followers.state = 'accepted' then followers.state else excluded.state end, \
        created_at = excluded.created_at \
    returning state";

const SAVE_FOLLOWING: &str = "\
    insert into following (id, username, actor, request, state, created_at) values (?, ?, ?, ?, ?, ?) \
    on conflict (username, actor) do update set id = excluded.id, request = excluded.request, \
        state = excluded.state, created_at = excluded.created_at";

/// What is accepted can be ended, what is ended is asked for anew.
const ANSWER: &str = "\
    update following set state = ? where actor = ? \
    and (state = 'pending' or (state = 'accepted' and cast(? as text) = 'rejected'))";

pub(super) fn followers_page(user: &Username, state: Option<FollowState>, page: Page) -> Select<FollowerRow> {
    let of = Statement::new("from followers where followers.username = ?").with(user);
    let of = of.then_if(" and followers.state = ?", state.map(FollowState::as_str));
    Select::new(of).page(page, "followers.created_at", "followers.id")
}

pub(super) async fn list_followers<M: Mode>(
    session: &mut Session<M>,
    user: &Username,
    state: Option<FollowState>,
    page: Page,
) -> Result<Slice<Follower>, StoreError> {
    session.load_page(followers_page(user, state, page), page).await
}

pub(super) async fn count_followers<M: Mode>(session: &mut Session<M>, user: &Username) -> Result<u64, StoreError> {
    let of = followers::username.eq(user.to_string()).and(followers::state.eq(ACCEPTED));
    let query = followers::table.filter(of).count();
    session.run(|conn| query.get_result(conn)).await.map(count)
}

pub(super) async fn followers_at<M: Mode>(
    session: &mut Session<M>,
    of: &[(&Username, &str)],
) -> Result<Vec<Vec<Iri>>, StoreError> {
    let mut found = vec![Vec::new(); of.len()];
    if of.is_empty() {
        return Ok(found);
    }
    let query = followers_of(of);
    let rows: Vec<(i64, Option<String>)> = session.run(|conn| query.load(conn)).await?;
    for (which, actors) in rows {
        let at = Place { table: "followers", row: &format!("pair {which}") };
        let actors: Vec<String> =
            at.sound("actor", actors.map_or(Ok(Vec::new()), |list| serde_json::from_str(&list)))?;
        let actors = actors.iter().map(|actor| at.parse("actor", actor)).collect::<Result<Vec<Iri>, _>>()?;
        if let Some(place) = usize::try_from(which).ok().and_then(|which| found.get_mut(which)) {
            *place = actors;
            place.sort_unstable();
        }
    }
    Ok(found)
}

/// The places in the list, and what follows from there: a look-up of its own for each, which no planner takes for a join
/// of the whole. The word stands in the text: only then is the index known to hold all that is asked for.
pub(super) fn followers_of(of: &[(&Username, &str)]) -> Statement<(BigInt, Nullable<Text>)> {
    let (elements, list) = (dialect::ELEMENTS, dialect::JSON_LIST);
    let text = format!(
        "select cast(element.value ->> 0 as bigint), (select cast({list}(followers.actor) as text) from followers \
            where followers.username = element.value ->> 1 and followers.origin = element.value ->> 2 \
            and followers.state = 'accepted') from {elements}"
    );
    let pairs = of.iter().enumerate().map(|(place, (user, origin))| json!([place, user.as_str(), origin]));
    Statement::new(text).with(json!(pairs.collect::<Vec<Value>>()).to_string())
}

pub(super) async fn find_follower<M: Mode>(
    session: &mut Session<M>,
    user: &Username,
    actor: &Iri,
) -> Result<Option<Follower>, StoreError> {
    let query = followers::table.find((user.to_string(), actor.to_string())).select(FollowerRow::as_select());
    let row = session.run(|conn| async move { query.first(conn).await.optional() }).await?;
    row.map(Follower::try_from).transpose()
}

pub(super) fn following_page(user: &Username, state: Option<FollowState>, page: Page) -> Select<FollowingRow> {
    let of = Statement::new("from following where following.username = ?").with(user);
    let of = of.then_if(" and following.state = ?", state.map(FollowState::as_str));
    Select::new(of).page(page, "following.created_at", "following.id")
}

pub(super) async fn list_following<M: Mode>(
    session: &mut Session<M>,
    user: &Username,
    state: Option<FollowState>,
    page: Page,
) -> Result<Slice<Following>, StoreError> {
    session.load_page(following_page(user, state, page), page).await
}

pub(super) async fn count_following<M: Mode>(session: &mut Session<M>, user: &Username) -> Result<u64, StoreError> {
    let of = following::username.eq(user.to_string()).and(following::state.eq(ACCEPTED));
    let query = following::table.filter(of).count();
    session.run(|conn| query.get_result(conn)).await.map(count)
}

pub(super) async fn find_following<M: Mode>(
    session: &mut Session<M>,
    user: &Username,
    actor: &Iri,
) -> Result<Option<Following>, StoreError> {
    let query = following::table.find((user.to_string(), actor.to_string())).select(FollowingRow::as_select());
    let row = session.run(|conn| async move { query.first(conn).await.optional() }).await?;
    row.map(Following::try_from).transpose()
}

pub(super) async fn local_followers_of<M: Mode>(
    session: &mut Session<M>,
    actor: &Iri,
) -> Result<Vec<(Username, ActivityId)>, StoreError> {
    let query = following::table
        .filter(following::actor.eq(actor.to_string()))
        .filter(following::state.eq(ACCEPTED))
        .order(following::username)
        .select((following::username, following::request));
    let rows: Vec<(String, String)> = session.run(|conn| query.load(conn)).await?;
    let at = Place { table: "following", row: actor.as_str() };
    rows.iter().map(|(name, request)| Ok((at.parse("username", name)?, at.parse("request", request)?))).collect()
}

pub(super) async fn is_related<M: Mode>(session: &mut Session<M>, actor: &Iri) -> Result<bool, StoreError> {
    let followed = following::table.filter(following::actor.eq(actor.to_string()));
    let follows = followers::table.filter(followers::actor.eq(actor.to_string()));
    let query = diesel::select(diesel::dsl::exists(followed).or(diesel::dsl::exists(follows)));
    session.run(|conn| query.get_result(conn)).await
}

pub(super) async fn is_followed<M: Mode>(session: &mut Session<M>, actor: &Iri) -> Result<bool, StoreError> {
    let of = following::actor.eq(actor.to_string()).and(following::state.eq(ACCEPTED));
    let query = diesel::select(diesel::dsl::exists(following::table.filter(of)));
    session.run(|conn| query.get_result(conn)).await
}

pub(super) async fn save_follower(
    session: &mut Session<Writing>,
    follower: &Follower,
) -> Result<FollowState, StoreError> {
    let save = Statement::<Text>::new(SAVE_FOLLOWER)
        .with(follower.id.to_string())
        .with(&follower.user)
        .with(&follower.actor)
        .with(follower.actor.origin())
        .with(&follower.inbox)
        .with(follower.shared_inbox.as_ref())
        .with(follower.shared_inbox.as_ref().unwrap_or(&follower.inbox).host())
        .with(&follower.request)
        .with(follower.state.as_str())
        .with(follower.created_at);
    let states: Vec<String> = session.run(|conn| save.load(conn)).await?;
    let at = Place { table: "followers", row: follower.actor.as_str() };
    at.one_of("state", &FollowState::ALL, FollowState::as_str, states.concat().as_str())
}

pub(super) async fn set_follower_state(
    session: &mut Session<Writing>,
    user: &Username,
    actor: &Iri,
    state: FollowState,
) -> Result<bool, StoreError> {
    let text = "update followers set state = ? where username = ? and actor = ?";
    session.execute(Statement::new(text).with(state.as_str()).with(user).with(actor)).await.map(|n| n > 0)
}

pub(super) async fn remove_follower(
    session: &mut Session<Writing>,
    user: &Username,
    actor: &Iri,
) -> Result<bool, StoreError> {
    let of = || Statement::new("username = ? and actor = ?").with(user).with(actor);
    end(session, of).await.map(|n| n > 0)
}

pub(super) async fn remove_followers_at_inbox(session: &mut Session<Writing>, inbox: &Iri) -> Result<u64, StoreError> {
    end(session, || Statement::new("inbox = ? or shared_inbox = ?").with(inbox).with(inbox)).await
}

/// Removes the followers of a condition. What each asked with may be asked with again.
pub(super) async fn end(session: &mut Session<Writing>, of: impl Fn() -> Statement) -> Result<u64, StoreError> {
    const REOPEN: &str = "\
        update received_activities set is_reopened = true where id in (select request from followers where ";
    session.execute(of().after(REOPEN).then(")")).await?;
    session.execute(of().after("delete from followers where ")).await
}

pub(super) async fn save_following(session: &mut Session<Writing>, following: &Following) -> Result<(), StoreError> {
    let save = Statement::new(SAVE_FOLLOWING)
        .with(following.id.to_string())
        .with(&following.user)
        .with(&following.actor)
        .with(following.request)
        .with(following.state.as_str())
        .with(following.created_at);
    session.execute(save).await.map(drop)
}

pub(super) async fn answer_following(
    session: &mut Session<Writing>,
    actor: &Iri,
    request: Option<ActivityId>,
    user: Option<&Username>,
    state: FollowState,
) -> Result<bool, StoreError> {
    if state == FollowState::Pending || (request.is_none() && user.is_none()) {
        return Ok(false);
    }
    let answer = Statement::new(ANSWER)
        .with(state.as_str())
        .with(actor)
        .with(state.as_str())
        .then_if(" and request = ?", request)
        .then_if(" and username = ?", user);
    session.execute(answer).await.map(|n| n > 0)
}

pub(super) async fn remove_following(
    session: &mut Session<Writing>,
    user: &Username,
    actor: &Iri,
    request: ActivityId,
) -> Result<bool, StoreError> {
    let text = "delete from following where username = ? and actor = ? and request = ?";
    session.execute(Statement::new(text).with(user).with(actor).with(request)).await.map(|n| n > 0)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = followers, check_for_backend(Backend))]
pub(super) struct FollowerRow {
    id: String,
    username: String,
    actor: String,
    inbox: String,
    shared_inbox: Option<String>,
    request: String,
    state: String,
    created_at: Instant,
}

impl TryFrom<FollowerRow> for Follower {
    type Error = StoreError;

    fn try_from(row: FollowerRow) -> Result<Self, StoreError> {
        let at = Place { table: "followers", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            user: at.parse("username", &row.username)?,
            actor: at.parse("actor", &row.actor)?,
            inbox: at.parse("inbox", &row.inbox)?,
            shared_inbox: at.parse_some("shared_inbox", row.shared_inbox.as_deref())?,
            request: at.parse("request", &row.request)?,
            state: at.one_of("state", &FollowState::ALL, FollowState::as_str, &row.state)?,
            created_at: row.created_at,
        })
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = following, check_for_backend(Backend))]
pub(super) struct FollowingRow {
    id: String,
    username: String,
    actor: String,
    request: String,
    state: String,
    created_at: Instant,
}

impl TryFrom<FollowingRow> for Following {
    type Error = StoreError;

    fn try_from(row: FollowingRow) -> Result<Self, StoreError> {
        let at = Place { table: "following", row: &row.id };
        Ok(Self {
            id: at.parse("id", &row.id)?,
            user: at.parse("username", &row.username)?,
            actor: at.parse("actor", &row.actor)?,
            request: at.parse("request", &row.request)?,
            state: at.one_of("state", &FollowState::ALL, FollowState::as_str, &row.state)?,
            created_at: row.created_at,
        })
    }
}
