-- The tables of ../../postgres, in SQLite's words.

create table user_renderers (
    username text not null references users (username),
    l1_server text not null,
    attached_at text not null,
    primary key (username, l1_server)
) strict, without rowid;

-- What must be revoked when its user detaches or logs out. The token itself is nowhere.
create table scoped_tokens (
    token_hash text not null primary key,
    username text not null references users (username),
    l1_server text not null,
    expires_at text not null
) strict, without rowid;
create index scoped_tokens_of_renderer on scoped_tokens (username, l1_server);
create index scoped_tokens_expiry on scoped_tokens (expires_at);

create table invites (
    invite_hash text not null primary key,
    created_at text not null,
    expires_at text not null,
    -- No reference: an invite is used up before its user is there.
    redeemed_by text,
    redeemed_at text,
    check ((redeemed_by is null) = (redeemed_at is null))
) strict, without rowid;

create table runs (
    l1_server text not null,
    run_id text not null,
    recorded_by text not null references users (username),
    recorded_at text not null,
    output text not null references assets (id),
    -- The JSON that the renderer sent.
    report text not null,
    primary key (l1_server, run_id)
) strict;

create table jobs (
    id text not null primary key,
    kind text not null,
    payload text not null,
    -- At most one job with the same key; any number without.
    job_key text unique,
    state text not null check (state in ('waiting', 'running', 'dead')),
    holder text,
    attempts integer not null,
    -- When it is due; when its lease ends while it runs.
    run_at text not null,
    created_at text not null,
    last_error text,
    check ((holder is not null) = (state = 'running'))
) strict;
create index jobs_due on jobs (run_at, id) where state <> 'dead';
create index jobs_timeline on jobs (created_at, id);
create index jobs_in_state on jobs (state, created_at, id);
