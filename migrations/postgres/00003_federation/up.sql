-- Actors of other servers, as their own documents describe them.
create table remote_actors (
    id text collate "C" primary key,
    kind text not null,
    username text,
    name text,
    inbox text collate "C" not null,
    shared_inbox text collate "C",
    followers text collate "C",
    fetched_at timestamptz not null
);
create index remote_actors_age on remote_actors (fetched_at);

create table remote_keys (
    id text collate "C" primary key,
    owner text collate "C" not null references remote_actors (id) on delete cascade,
    -- Where it stands among its owner's.
    position bigint not null,
    -- How the material is spelled.
    form text collate "C" not null check (form in ('pem', 'multibase')),
    material text not null,
    fetched_at timestamptz not null
);
create index remote_keys_of_owner on remote_keys (owner);

create table followers (
    id text collate "C" not null unique,
    username text collate "C" not null references users (username),
    actor text collate "C" not null,
    -- Scheme, host and port of the actor.
    origin text collate "C" not null,
    inbox text collate "C" not null,
    shared_inbox text collate "C",
    -- Host and port of the shared inbox, or else of the inbox.
    inbox_host text collate "C" not null,
    -- The id of the Follow.
    request text collate "C" not null,
    state text collate "C" not null check (state in ('pending', 'accepted', 'rejected')),
    created_at timestamptz not null,
    primary key (username, actor)
);
create index followers_timeline on followers (username, created_at, id);
create index followers_in_state on followers (username, state, created_at, id);
create index followers_at_origin on followers (username, origin) where state = 'accepted';
create index followers_of_actor on followers (actor);
create index followers_at_inbox on followers (inbox);
create index followers_at_shared_inbox on followers (shared_inbox) where shared_inbox is not null;
create index followers_by_request on followers (request);

create table following (
    id text collate "C" not null unique,
    username text collate "C" not null references users (username),
    actor text collate "C" not null,
    -- Our Follow.
    request text collate "C" not null,
    state text collate "C" not null check (state in ('pending', 'accepted', 'rejected')),
    created_at timestamptz not null,
    primary key (username, actor)
);
create index following_timeline on following (username, created_at, id);
create index following_in_state on following (username, state, created_at, id);
create index following_of_actor on following (actor, state, username);

-- Which activities came, so that each acts once.
create table received_activities (
    id text collate "C" primary key,
    actor text collate "C" not null,
    kind text not null,
    received_at timestamptz not null
);
create index received_activities_age on received_activities (received_at);

-- What was published elsewhere: claims, which have a hash, and posts.
create table remote_objects (
    object_id text collate "C" primary key,
    id text collate "C" not null unique,
    actor text collate "C" not null,
    kind text not null,
    content_hash text collate "C",
    provenance text,
    name text,
    content text,
    published_at timestamptz,
    -- The activity that told of it, and its exact bytes.
    activity text collate "C" not null,
    document text not null,
    proof_checked boolean not null,
    engine_checked boolean not null,
    received_at timestamptz not null,
    deleted_at timestamptz
);
create index remote_objects_claims on remote_objects (content_hash, received_at, id) where content_hash is not null;
create index remote_objects_timeline on remote_objects (received_at, id) where deleted_at is null;
create index remote_objects_of_actor on remote_objects (actor, received_at, id);

create table reactions (
    -- A hash of target, kind and actor, which together may be too long for an index.
    id text collate "C" primary key,
    actor text collate "C" not null,
    kind text collate "C" not null check (kind in ('Like', 'Announce')),
    target text collate "C" not null,
    activity text collate "C" not null,
    received_at timestamptz not null
);
create index reactions_to_target on reactions (target, kind);
create index reactions_by_activity on reactions (activity);
create index reactions_of_actor on reactions (actor);

create table notices (
    id text collate "C" primary key,
    kind text not null,
    actor text collate "C" not null,
    object text collate "C" not null,
    received_at timestamptz not null,
    document text not null
);
create index notices_timeline on notices (received_at, id);

create table domain_rules (
    pattern text collate "C" primary key,
    action text collate "C" not null check (action in ('block', 'allow')),
    reason text,
    created_at timestamptz not null
);

-- What is not to be asked for again before a time.
create table fetches (
    what text collate "C" primary key,
    again_at timestamptz not null
);
create index fetches_age on fetches (again_at);

-- Activities between two actors that are no claims.
create table messages (
    id text collate "C" primary key,
    sender text collate "C" not null references users (username),
    created_at timestamptz not null,
    -- The exact text that was signed.
    document text not null
);

create table deliveries (
    -- A published activity or a message. UUIDs v7 sort by age: the order of mail to one inbox.
    activity text collate "C" not null,
    inbox text collate "C" not null,
    host text collate "C" not null,
    sender text collate "C" not null references users (username),
    state text collate "C" not null check (state in ('waiting', 'delivered', 'failed')),
    attempts bigint not null,
    -- When it is tried next; when it ended.
    next_at timestamptz not null,
    created_at timestamptz not null,
    last_status bigint,
    last_error text,
    primary key (activity, inbox)
);
create index deliveries_waiting on deliveries (host, activity, inbox) where state = 'waiting';
-- The lines in which mail stands before each inbox.
create index deliveries_lines on deliveries (host, inbox, activity) where state = 'waiting';
create index deliveries_timeline on deliveries (created_at, activity);
create index deliveries_in_state on deliveries (state, created_at, activity);
create index deliveries_of_host on deliveries (host, created_at, activity);
create index deliveries_ended on deliveries (next_at) where state <> 'waiting';

-- Servers that mail goes to. Each is a lane that one worker at a time holds.
create table peers (
    host text collate "C" primary key,
    -- When its next mail is due, if there is any.
    due_at timestamptz,
    holder text collate "C",
    lease_until timestamptz,
    failures bigint not null default 0,
    failing_since timestamptz,
    open_until timestamptz,
    scheme text collate "C",
    scheme_known_at timestamptz,
    width bigint not null default 1,
    last_success_at timestamptz,
    last_error text,
    check ((holder is null) = (lease_until is null)),
    check ((scheme is null) = (scheme_known_at is null))
);
create index peers_due on peers (due_at, host) where due_at is not null and failures = 0;
create index peers_due_in_trouble on peers (due_at, host) where due_at is not null and failures > 0;
create index peers_trouble on peers (failures desc, host) where failures > 0;
