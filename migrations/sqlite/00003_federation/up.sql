-- The tables of ../../postgres, in SQLite's words.

-- Actors of other servers, as their own documents describe them.
create table remote_actors (
    id text not null primary key,
    kind text not null,
    username text,
    name text,
    inbox text not null,
    shared_inbox text,
    followers text,
    fetched_at text not null
) strict, without rowid;
create index remote_actors_age on remote_actors (fetched_at);

create table remote_keys (
    id text not null primary key,
    owner text not null references remote_actors (id) on delete cascade,
    -- Where it stands among its owner's.
    position integer not null,
    -- How the material is spelled.
    form text not null check (form in ('pem', 'multibase')),
    material text not null,
    fetched_at text not null
) strict, without rowid;
create index remote_keys_of_owner on remote_keys (owner);

create table followers (
    id text not null unique,
    username text not null references users (username),
    actor text not null,
    -- Scheme, host and port of the actor.
    origin text not null,
    inbox text not null,
    shared_inbox text,
    -- Host and port of the shared inbox, or else of the inbox.
    inbox_host text not null,
    -- The id of the Follow.
    request text not null,
    state text not null check (state in ('pending', 'accepted', 'rejected')),
    created_at text not null,
    primary key (username, actor)
) strict, without rowid;
create index followers_timeline on followers (username, created_at, id);
create index followers_in_state on followers (username, state, created_at, id);
create index followers_at_origin on followers (username, origin) where state = 'accepted';
create index followers_of_actor on followers (actor);
create index followers_at_inbox on followers (inbox);
create index followers_at_shared_inbox on followers (shared_inbox) where shared_inbox is not null;
create index followers_by_request on followers (request);

create table following (
    id text not null unique,
    username text not null references users (username),
    actor text not null,
    -- Our Follow.
    request text not null,
    state text not null check (state in ('pending', 'accepted', 'rejected')),
    created_at text not null,
    primary key (username, actor)
) strict, without rowid;
create index following_timeline on following (username, created_at, id);
create index following_in_state on following (username, state, created_at, id);
create index following_of_actor on following (actor, state, username);

-- Which activities came, so that each acts once.
create table received_activities (
    id text not null primary key,
    actor text not null,
    kind text not null,
    received_at text not null
) strict, without rowid;
create index received_activities_age on received_activities (received_at);

-- What was published elsewhere: claims, which have a hash, and posts.
create table remote_objects (
    object_id text not null primary key,
    id text not null unique,
    actor text not null,
    kind text not null,
    content_hash text,
    provenance text,
    name text,
    content text,
    published_at text,
    -- The activity that told of it, and its exact bytes.
    activity text not null,
    document text not null,
    proof_checked integer not null,
    engine_checked integer not null,
    received_at text not null,
    deleted_at text
) strict;
create index remote_objects_claims on remote_objects (content_hash, received_at, id) where content_hash is not null;
create index remote_objects_timeline on remote_objects (received_at, id) where deleted_at is null;
create index remote_objects_of_actor on remote_objects (actor, received_at, id);

create table reactions (
    -- A hash of target, kind and actor, which together may be too long for an index.
    id text not null primary key,
    actor text not null,
    kind text not null check (kind in ('Like', 'Announce')),
    target text not null,
    activity text not null,
    received_at text not null
) strict, without rowid;
create index reactions_to_target on reactions (target, kind);
create index reactions_by_activity on reactions (activity);
create index reactions_of_actor on reactions (actor);

create table notices (
    id text not null primary key,
    kind text not null,
    actor text not null,
    object text not null,
    received_at text not null,
    document text not null
) strict;
create index notices_timeline on notices (received_at, id);

create table domain_rules (
    pattern text not null primary key,
    action text not null check (action in ('block', 'allow')),
    reason text,
    created_at text not null
) strict, without rowid;

-- What is not to be asked for again before a time.
create table fetches (
    what text not null primary key,
    again_at text not null
) strict, without rowid;
create index fetches_age on fetches (again_at);

-- Activities between two actors that are no claims.
create table messages (
    id text not null primary key,
    sender text not null references users (username),
    created_at text not null,
    -- The exact text that was signed.
    document text not null
) strict;

create table deliveries (
    -- A published activity or a message. UUIDs v7 sort by age: the order of mail to one inbox.
    activity text not null,
    inbox text not null,
    host text not null,
    sender text not null references users (username),
    state text not null check (state in ('waiting', 'delivered', 'failed')),
    attempts integer not null,
    -- When it is tried next; when it ended.
    next_at text not null,
    created_at text not null,
    last_status integer,
    last_error text,
    primary key (activity, inbox)
) strict, without rowid;
create index deliveries_waiting on deliveries (host, activity, inbox) where state = 'waiting';
-- The lines in which mail stands before each inbox.
create index deliveries_lines on deliveries (host, inbox, activity) where state = 'waiting';
create index deliveries_timeline on deliveries (created_at, activity);
create index deliveries_in_state on deliveries (state, created_at, activity);
create index deliveries_of_host on deliveries (host, created_at, activity);
create index deliveries_ended on deliveries (next_at) where state <> 'waiting';

-- Servers that mail goes to. Each is a lane that one worker at a time holds.
create table peers (
    host text not null primary key,
    -- When its next mail is due, if there is any.
    due_at text,
    holder text,
    lease_until text,
    failures integer not null default 0,
    failing_since text,
    open_until text,
    scheme text,
    scheme_known_at text,
    width integer not null default 1,
    last_success_at text,
    last_error text,
    check ((holder is null) = (lease_until is null)),
    check ((scheme is null) = (scheme_known_at is null))
) strict, without rowid;
create index peers_due on peers (due_at, host) where due_at is not null and failures = 0;
create index peers_due_in_trouble on peers (due_at, host) where due_at is not null and failures > 0;
create index peers_trouble on peers (failures desc, host) where failures > 0;
