-- Keys are compared byte by byte (collation "C"), as SQLite does, so that both engines order and compare alike.
-- JSON is kept as text: jsonb would respell numbers and cannot hold \u0000.

create table users (
    username text collate "C" primary key,
    display_name text,
    email text,
    password_hash text not null,
    created_at timestamptz not null,
    -- Both count only what is in the log.
    activity_count bigint not null default 0,
    asset_count bigint not null default 0
);

create table activities (
    id text collate "C" primary key,
    -- Null until the sequencer gives it a place in the log.
    log_index bigint,
    actor text collate "C" not null references users (username),
    kind text collate "C" not null,
    content_hash text collate "C" not null,
    published_at timestamptz not null,
    -- The exact text that was signed.
    document text not null
);
create unique index activities_log on activities (log_index) where log_index is not null;
create index activities_timeline on activities (published_at, id);
create index activities_of_actor on activities (actor, published_at, id);
create index activities_about on activities (content_hash, published_at, id);
create index activities_unindexed on activities (published_at, id) where log_index is null;

-- A deleted asset stays as its tombstone: deleted_at and withdrawal say so.
create table assets (
    id text collate "C" primary key,
    name text collate "C" not null,
    content_hash text collate "C" not null,
    cid text,
    owner text collate "C" not null references users (username),
    asset_type text collate "C" not null,
    description text,
    tags text not null,
    url text,
    metadata text,
    provenance text not null,
    run_id text collate "C",
    created_at timestamptz not null,
    updated_at timestamptz not null,
    revision bigint not null,
    -- The Create activity.
    claim text collate "C" not null,
    deleted_at timestamptz,
    -- The Delete activity.
    withdrawal text collate "C",
    -- Folded words between single spaces: what a search looks through.
    search_text text not null,
    search tsvector generated always as (array_to_tsvector(string_to_array(search_text, ' '))) stored,
    check ((deleted_at is null) = (withdrawal is null))
);
create unique index assets_name on assets (name) where deleted_at is null;
create unique index assets_content on assets (content_hash) where deleted_at is null;
create index assets_timeline on assets (created_at, id) where deleted_at is null;
create index assets_of_owner on assets (owner, created_at, id) where deleted_at is null;
create index assets_of_type on assets (asset_type, created_at, id) where deleted_at is null;
create index assets_of_run on assets (run_id, created_at, id) where deleted_at is null and run_id is not null;
create index assets_search on assets using gin (search) where deleted_at is null;
create index tombstones_name on assets (name, deleted_at, id) where deleted_at is not null;
create index tombstones_content on assets (content_hash, deleted_at, id) where deleted_at is not null;

-- Tags and inputs of live assets only. created_at is the asset's, so that a tag's list needs no sorting.
create table asset_tags (
    tag_key text collate "C" not null,
    created_at timestamptz not null,
    asset_id text collate "C" not null references assets (id),
    primary key (tag_key, created_at, asset_id)
);
create index asset_tags_of_asset on asset_tags (asset_id, tag_key);

create table asset_inputs (
    input_hash text collate "C" not null,
    asset_id text collate "C" not null references assets (id),
    position bigint not null,
    primary key (input_hash, asset_id)
);
create index asset_inputs_of_asset on asset_inputs (asset_id);

create table revoked_tokens (
    token_hash text collate "C" primary key,
    expires_at timestamptz not null,
    revoked_at timestamptz not null
);
create index revoked_tokens_expiry on revoked_tokens (expires_at);

create table leases (
    name text collate "C" primary key,
    holder text collate "C" not null,
    expires_at timestamptz not null
);

-- One row: how far the log reaches, and how many live assets it claims.
create table log_state (
    id bigint primary key check (id = 1),
    size bigint not null,
    assets bigint not null
);
insert into log_state (id, size, assets) values (1, 0, 0);
