//! Every list must be read from an index that has it in order: as long as a page, however long the list.

use super::super::{Backend, Connection, MIGRATIONS, dialect, schema::Moment};
use super::activities::{Timeline, log_range};
use super::anchors::{anchors_at, asks_at, best_trees, due, from_block, largest, next_due};
use super::attachments::REVOKE;
use super::deliveries::{add_to_followers, conclude, due_of, failing, last_follower, newest};
use super::follows::{followers_of, followers_page, following_page};
use super::heard::{claimants_of, claims_to, heard_of, timeline};
use super::job_lists::{Earlier, JobList, count_about};
use super::jobs::DUE;
use super::lanes;
use super::lineage::{children, claims, claims_of};
use super::listing::{Length, Listing};
use super::log::NUMBER;
use super::provenance::runs_of;
use super::receipts::notices_page;
use super::stored::{activities_at, anchors_of_sizes, assets_behind, checkpoints_of, tiles_of};
use super::tree::tiles_at;
use artdag_anchoring::bitcoin::Network;
use artdag_assets::{AssetFilter, SearchWords};
use artdag_federation::delivery::Breaker;
use artdag_federation::{DeliveryState, FollowState, Peer};
use artdag_kernel::{ContentHash, Cursor, Page, PageLimit, Position};
use artdag_registry::{JobState, Lane, QueuedJob};
use chrono::DateTime;
use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;
use uuid::Uuid;

struct Explain<Q>(Q);

impl<Q: QueryFragment<Backend>> QueryFragment<Backend> for Explain<Q> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Backend>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(dialect::plan::EXPLAIN);
        self.0.walk_ast(out)
    }
}

impl<Q> Query for Explain<Q> {
    type SqlType = dialect::plan::Line;
}

impl<Q> QueryId for Explain<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

async fn plan<Q: QueryFragment<Backend> + Send>(conn: &mut Connection, query: Q) -> String {
    let rows: Vec<dialect::plan::Row> = Explain(query).load(conn).await.unwrap();
    rows.into_iter().map(dialect::plan::text).collect::<Vec<_>>().join("\n")
}

/// 20,000 assets of 100 owners, of 100 types and runs, with 100 tags and one that all have, nearly all in the log. Of
/// fewer, larger groups it may be right to read the timeline and pass over the others. Five are made from each, and
/// all from one.
const FILL: &str = "
    insert into users (username, password_hash, created_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 99)
        select 'user' || n, '', {at} from n;
    insert into activities (id, log_index, actor, kind, content_hash, published_at, document)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'activity' || n, case when n < 19900 then n end, 'user' || (n % 100), 'Create', 'hash' || n,
            {at}, '{}' from n;
    insert into log_tiles (level, idx, hashes)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select n % 2, n / 2, cast('a hash of thirty-two bytes or so' as {bytes}) from n;
    insert into log_checkpoints (size, root, note, created_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select n + 1, cast('a hash of thirty-two bytes or so' as {bytes}), 'note', {at} from n;
    insert into anchors (tree_size, from_index, root, checkpoint, nonces, state, block_height, created_at, due_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select n + 1, n, cast((100000 + n) || 'a root of thirty-two bytes' as {bytes}),
            cast('a hash of thirty-two bytes or so' as {bytes}), cast('a hash of thirty-two bytes or so' as {bytes}),
            case when n % 50 = 0 then 'pending' else 'confirmed' end, case when n % 50 > 0 then n end, {at},
            case when n % 50 = 0 then {at} end from n;
    insert into anchor_asks (tree_size, position, calendar, message, standing, failures, due_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 59999)
        select n / 3 + 1, n % 3, 'calendar', cast('message' as {bytes}), 'waiting', 0, {at} from n;
    insert into assets (id, name, content_hash, owner, asset_type, tags, provenance, run_id, created_at, updated_at,
            revision, claim, search_text)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'asset' || n, 'name' || n, 'hash' || n, 'user' || (n % 100), 'type' || (n % 100), '[]', '{}',
            'run' || (n % 100), {at}, {at}, 1, 'activity' || n, 'name' || n || ' word' || (n % 7) from n;
    insert into asset_tags (tag_key, created_at, asset_id)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'tag' || (n % 100), {at}, 'asset' || n from n union all select 'every', {at}, 'asset' || n from n;
    insert into asset_inputs (input_hash, asset_id, position)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'hash' || (n / 5), 'asset' || n, 0 from n union all select 'every', 'asset' || n, 1 from n;
    insert into scoped_tokens (token_hash, username, l1_server, expires_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'token' || n, 'user' || (n % 100), 'https://l' || (n % 7), {at} from n;
    insert into jobs (id, kind, payload, state, attempts, run_at, created_at, lane, subject)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'job' || n, case when n % 9 = 0 then 'kind' else 'other' end, '{}',
            case when n % 50 < 10 then 'waiting' else 'dead' end, 0, {at}, {at},
            case when n % 3 = 0 then 'own' else 'peers' end, case when n % 2 = 0 then 'user' || (n % 100) end from n;
    insert into runs (l1_server, run_id, recorded_by, recorded_at, output, report)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'https://l' || n, 'run' || (n % 100), 'user7', {at}, 'asset' || n, '{}' from n;
    insert into followers (id, username, actor, origin, inbox, shared_inbox, inbox_host, request, state, created_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'follower' || n, 'user' || (n % 100), 'actor' || n, 'https://h' || (n % 300), 'inbox' || n,
            'shared' || (n % 300), 'h' || (n % 300), 'follow' || n,
            case when n % 7 = 0 then 'pending' else 'accepted' end, {at} from n;
    insert into following (id, username, actor, request, state, created_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'following' || n, 'user' || (n % 100), 'actor' || (n / 100), 'follow' || n,
            case when n % 7 = 0 then 'pending' else 'accepted' end, {at} from n;
    insert into remote_objects (object_id, id, actor, kind, content_hash, activity, document, proof_checked,
            engine_checked, received_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'object' || n, 'heard' || n, 'actor' || (n % 100), 'Image', 'hash' || (n % 5000), 'activity' || n, '{}',
            false, false, {at} from n;
    insert into notices (id, kind, actor, object, received_at, document)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'notice' || n, 'Flag', 'actor', 'object', {at}, '{}' from n;
    insert into deliveries (activity, inbox, host, sender, state, attempts, next_at, created_at, last_error)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 19999)
        select 'activity' || n, 'inbox' || (n % 300), 'h' || (n % 20), 'user7',
            case when n % 1000 < 300 then 'waiting' else 'delivered' end, 0, {at}, {at},
            case when n % 10 = 0 then 'it is down' end from n;
    insert into peers (host, due_at, failures, last_success_at)
        with recursive n (n) as (select 0 union all select n + 1 from n where n < 99999)
        select 'h' || n, case when n < 200 then {at} end, n % 2, case when n % 3 > 0 then {at} end from n;
    {analyze}";

fn fan_out(at: Cursor) -> QueuedJob {
    QueuedJob {
        id: at.id,
        kind: "kind".to_owned(),
        payload: String::new(),
        lane: Lane::Own,
        subject: Some("user7".to_owned()),
        key: None,
        state: JobState::Waiting,
        attempts: 0,
        run_at: at.at,
        created_at: at.at,
        last_error: None,
    }
}

fn page(position: Position) -> Page {
    Page { limit: PageLimit::DEFAULT, position }
}

/// The plans of every page of every list, each with the index that it must name.
async fn plans(conn: &mut Connection) -> Vec<(String, &'static str)> {
    let fill = FILL
        .replace("{at}", dialect::plan::AT)
        .replace("{bytes}", dialect::plan::BYTES)
        .replace("{analyze}", dialect::plan::ANALYZE);
    conn.batch_execute(&fill).await.unwrap();
    let cursor = Cursor { at: DateTime::from_timestamp(1_767_528_000, 0).unwrap(), id: Default::default() };
    let with = |change: fn(&mut AssetFilter)| {
        let mut filter = AssetFilter::default();
        change(&mut filter);
        filter
    };
    let lists = [
        (AssetFilter::default(), "assets_timeline"),
        (with(|f| f.owner = Some("user7".parse().unwrap())), "assets_of_owner"),
        (with(|f| f.asset_type = Some("type1".parse().unwrap())), "assets_of_type"),
        (with(|f| f.run_id = Some("run17".parse().unwrap())), "assets_of_run"),
        (with(|f| f.tags = vec!["tag14".parse().unwrap()]), dialect::plan::TAGS),
        (with(|f| f.tags = vec!["tag14".parse().unwrap(), "every".parse().unwrap()]), dialect::plan::TAGS),
    ];
    let mut plans = Vec::new();
    for position in [Position::Newest, Position::OlderThan(cursor), Position::NewerThan(cursor), Position::Offset(20)] {
        for (filter, index) in &lists {
            plans.push((plan(conn, Listing::new(filter, page(position))).await, *index));
        }
        plans.push((plan(conn, Timeline::new(None, page(position))).await, "activities_timeline"));
        let actor = "user7".parse().unwrap();
        plans.push((plan(conn, Timeline::new(Some(&actor), page(position))).await, "activities_of_actor"));
        plans.push((plan(conn, JobList::new(None, page(position))).await, "jobs_timeline"));
        plans.push((plan(conn, JobList::new(Some(JobState::Waiting), page(position))).await, "jobs_in_state"));
        let (page, state) = (page(position), Some(FollowState::Accepted));
        plans.push((plan(conn, followers_page(&actor, None, page)).await, "followers_timeline"));
        plans.push((plan(conn, followers_page(&actor, state, page)).await, "followers_in_state"));
        plans.push((plan(conn, following_page(&actor, None, page)).await, "following_timeline"));
        plans.push((plan(conn, following_page(&actor, state, page)).await, "following_in_state"));
        plans.push((plan(conn, timeline(&actor, page)).await, "remote_objects_timeline"));
        plans.push((plan(conn, notices_page(page)).await, "notices_timeline"));
    }
    let due_jobs = format!("{DUE}{}", dialect::SKIP_LOCKED);
    let due_jobs =
        diesel::sql_query(due_jobs).bind::<Text, _>("own").bind::<Moment, _>(cursor.at).bind::<BigInt, _>(16);
    plans.push((plan(conn, due_jobs).await, "jobs_due"));
    for after in [None, Some(cursor)] {
        let earlier = Earlier::than(&fan_out(cursor), after, 50).unwrap();
        plans.push((plan(conn, earlier).await, "jobs_about"));
    }
    plans.push((plan(conn, runs_of(&"run17".parse().unwrap(), 50)).await, "runs_of_name"));
    for before in [None, Some(700)] {
        plans.push((plan(conn, largest(before, 50)).await, dialect::plan::ANCHORS));
    }
    plans.push((plan(conn, due(cursor.at, 64)).await, "anchors_due"));
    plans.push((plan(conn, next_due()).await, "anchors_due"));
    plans.push((plan(conn, from_block(19_900)).await, "anchors_block"));
    plans.push((plan(conn, newest(None, None, 50)).await, dialect::plan::DELIVERIES_IN_ORDER));
    plans
        .push((plan(conn, newest(Some(DeliveryState::Delivered), None, 50)).await, dialect::plan::DELIVERIES_IN_ORDER));
    plans.push((plan(conn, newest(Some(DeliveryState::Failed), None, 50)).await, "deliveries_failed"));
    let sender = "user7".parse().unwrap();
    plans.push((plan(conn, failing(&sender, DeliveryState::Waiting, 25)).await, "deliveries_failing"));
    plans.push((plan(conn, lanes::of_health(true, 50)).await, "peers_trouble"));
    plans.push((plan(conn, lanes::of_health(false, 50)).await, dialect::plan::PEERS_IN_ORDER));
    plans.push((plan(conn, lanes::with_mail("", 50)).await, dialect::plan::PEERS));
    for index in ["peers_due_proven", "peers_due_new", "peers_due_in_trouble"] {
        plans.push((plan(conn, lanes::due(cursor.at, [16; 3])).await, index));
    }
    plans.push((plan(conn, activities_at(&(7000..7512), 512)).await, "activities_log"));
    plans.push((plan(conn, tiles_of(1, &(7000..7001), 1)).await, dialect::plan::TILES));
    plans.push((plan(conn, checkpoints_of(&(7001..7513), 512)).await, dialect::plan::CHECKPOINTS));
    plans.push((plan(conn, anchors_of_sizes(&(7001..7513), 512)).await, dialect::plan::ANCHORS));
    plans.push((plan(conn, assets_behind("asset7", 512)).await, dialect::plan::IDS));
    let hosts: Vec<String> = (0..30).map(|n| format!("h{n}")).collect();
    plans.push((plan(conn, due_of(&hosts, cursor.at, 10)).await, "deliveries_waiting"));
    plans
}

/// Plans that may sort: there is little to sort, or no order to be had.
async fn other_plans(conn: &mut Connection) -> Vec<(String, &'static str)> {
    let hash = ContentHash::of(b"x");
    let by_hash = AssetFilter { content_hash: Some(hash), ..AssetFilter::default() };
    let by_word = AssetFilter { words: Some(SearchWords::of("name123 word3")), ..AssetFilter::default() };
    let by_run = AssetFilter { run_id: Some("run17".parse().unwrap()), ..AssetFilter::default() };
    let number = diesel::sql_query(NUMBER).bind::<BigInt, _>(19_900).bind::<BigInt, _>(50);
    let revoke = diesel::sql_query(REVOKE)
        .bind::<Moment, _>(DateTime::UNIX_EPOCH)
        .bind::<Text, _>("user7")
        .bind::<Nullable<Text>, _>(Some("https://l3"));
    vec![
        (plan(conn, Listing::new(&by_hash, page(Position::Newest))).await, "assets_content"),
        (plan(conn, Listing::new(&by_word, page(Position::Newest))).await, dialect::plan::SEARCH),
        (plan(conn, Length::new(&by_run)).await, "assets_of_run"),
        (plan(conn, number).await, "activities_unindexed"),
        (plan(conn, log_range("document", 19_000, 50)).await, "activities_log"),
        (plan(conn, tiles_at(&[(0, 7), (0, 19_000), (1, 0)])).await, dialect::plan::TILES),
        (plan(conn, claims_to(&hash, 50)).await, "remote_objects_claims"),
        (plan(conn, claimants_of(&hash, 50)).await, "remote_objects_claims"),
        (plan(conn, revoke).await, "scoped_tokens_of_renderer"),
        (plan(conn, count_about("kind", Some("user7"), 100)).await, "jobs_about"),
        (plan(conn, count_about("kind", None, 100)).await, "jobs_about"),
    ]
}

/// The plans of what is done for each delivery: never a look at all of them, or at all servers.
async fn delivery_plans(conn: &mut Connection) -> Vec<(String, &'static str)> {
    let (activity, sender) = (Uuid::nil().into(), "user7".parse().unwrap());
    let object = "https://a.example/1".parse().unwrap();
    let peer = Peer {
        host: "h7".to_owned(),
        breaker: Breaker::default(),
        scheme: None,
        width: 1,
        last_success_at: None,
        last_error: None,
        due_at: None,
    };
    vec![
        (plan(conn, lanes::settled("h7")).await, "deliveries_lines"),
        (plan(conn, lanes::settled("h7")).await, dialect::plan::PEERS),
        (plan(conn, lanes::released("w", &[&peer])).await, "deliveries_lines"),
        (plan(conn, lanes::released("w", &[&peer])).await, dialect::plan::PEERS),
        (plan(conn, conclude(&[Value::Null])).await, dialect::plan::DELIVERIES),
        (plan(conn, heard_of(&[&object], &object)).await, dialect::plan::OBJECTS),
        (plan(conn, followers_of(&[(&sender, "https://h7")])).await, "followers_at_origin"),
        (plan(conn, last_follower(&sender, None, 100)).await, dialect::plan::FOLLOWERS),
        (
            plan(conn, add_to_followers(activity, &sender, (None, Some("b")), DateTime::UNIX_EPOCH)).await,
            dialect::plan::FOLLOWERS,
        ),
    ]
}

/// The plans of one step of a lineage, from few nodes and from many, and from the input of every asset: never a look
/// at all assets.
async fn lineage_plans(conn: &mut Connection) -> Vec<(String, &'static str)> {
    let mut plans = Vec::new();
    for n in [1, 40] {
        let hashes: Vec<ContentHash> = (0..n).map(|n: u32| ContentHash::of(&n.to_be_bytes())).collect();
        plans.push((plan(conn, claims(&hashes)).await, "assets_content"));
        let ids: Vec<String> = (0..n).map(|n| format!("asset{n}")).collect();
        plans.push((plan(conn, claims_of(&ids)).await, dialect::plan::IDS));
        let inputs: Vec<String> = (0..n).map(|n| format!("hash{n}")).collect();
        let after = Some(("hash0".to_owned(), "asset3".to_owned()));
        for children in [children(&inputs, None, 1000), children(&inputs, after, 1000)] {
            plans.push((plan(conn, children).await, dialect::plan::INPUTS));
        }
    }
    let every = children(&["every".to_owned()], None, 1000);
    plans.push((plan(conn, every).await, dialect::plan::INPUTS));
    plans
}

/// The plans of what shows anchors beside activities: never a look at all anchors.
async fn anchor_plans(conn: &mut Connection) -> Vec<(String, &'static str)> {
    let indices: Vec<i64> = (0..200).map(|n| n * 50).collect();
    vec![
        (plan(conn, best_trees(&indices, None)).await, dialect::plan::ANCHORS),
        (plan(conn, best_trees(&indices, Some(Network::Regtest))).await, dialect::plan::ANCHORS),
        (plan(conn, anchors_at(&[3, 700])).await, dialect::plan::ANCHORS),
        (plan(conn, asks_at(&[3, 700])).await, dialect::plan::ASKS),
    ]
}

async fn check(conn: &mut Connection) {
    for (plan, index) in plans(conn).await {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
        for costly in dialect::plan::COSTLY {
            assert!(!plan.contains(costly), "{costly}, though {index} has the order:\n{plan}");
        }
    }
    for (plan, index) in other_plans(conn).await {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
    }
    let mut narrow = lineage_plans(conn).await;
    narrow.extend(anchor_plans(conn).await);
    for (plan, index) in narrow {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
        for scan in dialect::plan::SCANS {
            assert!(!plan.contains(scan), "{scan}, though there is {index}:\n{plan}");
        }
    }
    check_deliveries(conn).await;
    // Looked at when nothing waited, what waits for all servers is no way to what waits for one.
    let idle = format!("update deliveries set state = 'delivered';{}", dialect::plan::ANALYZE);
    conn.batch_execute(&idle).await.unwrap();
    check_deliveries(conn).await;
    let due = plan(conn, due_of(&["h7".to_owned()], DateTime::UNIX_EPOCH, 10)).await;
    assert!(due.contains("deliveries_waiting") || due.contains("deliveries_lines"), "not by the server:\n{due}");
    assert!(super::check_schema(conn, &MIGRATIONS).await.is_ok());
}

async fn check_deliveries(conn: &mut Connection) {
    for (plan, index) in delivery_plans(conn).await {
        assert!(plan.contains(index), "not by {index}:\n{plan}");
        for scan in dialect::plan::DELIVERY_SCANS {
            assert!(!plan.contains(scan), "{scan}, though there is {index}:\n{plan}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_from_their_indexes() {
    let Some((mut conn, _database)) = super::super::fresh().await else {
        return;
    };
    check(&mut conn).await;
}
