-- The tables of ../../postgres, in SQLite's words. Instants are text of one form that sorts by time.

create table users (
    username text not null primary key,
    display_name text,
    email text,
    password_hash text not null,
    created_at text not null,
    -- Both count only what is in the log.
    activity_count integer not null default 0,
    asset_count integer not null default 0
) strict, without rowid;

create table activities (
    id text not null primary key,
    -- Null until the sequencer gives it a place in the log.
    log_index integer,
    actor text not null references users (username),
    kind text not null,
    content_hash text not null,
    published_at text not null,
    -- The exact text that was signed.
    document text not null
) strict;
create unique index activities_log on activities (log_index) where log_index is not null;
create index activities_timeline on activities (published_at, id);
create index activities_of_actor on activities (actor, published_at, id);
create index activities_about on activities (content_hash, published_at, id);
create index activities_unindexed on activities (published_at, id) where log_index is null;

-- A deleted asset stays as its tombstone: deleted_at and withdrawal say so.
create table assets (
    -- What the search index names a row by; explicit, because VACUUM may renumber implicit ones.
    seq integer primary key,
    id text not null unique,
    name text not null,
    content_hash text not null,
    cid text,
    owner text not null references users (username),
    asset_type text not null,
    description text,
    tags text not null,
    url text,
    metadata text,
    provenance text not null,
    run_id text,
    created_at text not null,
    updated_at text not null,
    revision integer not null,
    -- The Create activity.
    claim text not null,
    deleted_at text,
    -- The Delete activity.
    withdrawal text,
    -- Folded words between single spaces: what a search looks through.
    search_text text not null,
    check ((deleted_at is null) = (withdrawal is null))
) strict;
create unique index assets_name on assets (name) where deleted_at is null;
create unique index assets_content on assets (content_hash) where deleted_at is null;
create index assets_timeline on assets (created_at, id) where deleted_at is null;
create index assets_of_owner on assets (owner, created_at, id) where deleted_at is null;
create index assets_of_type on assets (asset_type, created_at, id) where deleted_at is null;
create index assets_of_run on assets (run_id, created_at, id) where deleted_at is null and run_id is not null;
create index tombstones_name on assets (name, deleted_at, id) where deleted_at is not null;
create index tombstones_content on assets (content_hash, deleted_at, id) where deleted_at is not null;

-- The words of live assets. The tokenizer `ascii` takes every byte outside ASCII for a letter, so it cuts the folded
-- words exactly at their spaces.
create virtual table asset_search using fts5 (
    search_text, content = 'assets', content_rowid = 'seq', tokenize = 'ascii', detail = none, columnsize = 0
);
create trigger assets_search_added after insert on assets when new.deleted_at is null begin
    insert into asset_search (rowid, search_text) values (new.seq, new.search_text);
end;
create trigger assets_search_changed after update of search_text, deleted_at on assets begin
    insert into asset_search (asset_search, rowid, search_text)
        select 'delete', old.seq, old.search_text where old.deleted_at is null;
    insert into asset_search (rowid, search_text) select new.seq, new.search_text where new.deleted_at is null;
end;

-- Tags and inputs of live assets only. created_at is the asset's, so that a tag's list needs no sorting.
create table asset_tags (
    tag_key text not null,
    created_at text not null,
    asset_id text not null references assets (id),
    primary key (tag_key, created_at, asset_id)
) strict, without rowid;
create index asset_tags_of_asset on asset_tags (asset_id, tag_key);

create table asset_inputs (
    input_hash text not null,
    asset_id text not null references assets (id),
    position integer not null,
    primary key (input_hash, asset_id)
) strict, without rowid;
create index asset_inputs_of_asset on asset_inputs (asset_id);

create table revoked_tokens (
    token_hash text not null primary key,
    expires_at text not null,
    revoked_at text not null
) strict, without rowid;
create index revoked_tokens_expiry on revoked_tokens (expires_at);

create table leases (
    name text not null primary key,
    holder text not null,
    expires_at text not null
) strict, without rowid;

-- One row: how far the log reaches, and how many live assets it claims.
create table log_state (
    id integer primary key check (id = 1),
    size integer not null,
    assets integer not null
) strict;
insert into log_state (id, size, assets) values (1, 0, 0);
