create table user_renderers (
    username text collate "C" not null references users (username),
    l1_server text collate "C" not null,
    attached_at timestamptz not null,
    primary key (username, l1_server)
);

-- What must be revoked when its user detaches or logs out. The token itself is nowhere.
create table scoped_tokens (
    token_hash text collate "C" primary key,
    username text collate "C" not null references users (username),
    l1_server text collate "C" not null,
    expires_at timestamptz not null
);
create index scoped_tokens_of_renderer on scoped_tokens (username, l1_server);
create index scoped_tokens_expiry on scoped_tokens (expires_at);

create table invites (
    invite_hash text collate "C" primary key,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    -- No reference: an invite is used up before its user is there.
    redeemed_by text collate "C",
    redeemed_at timestamptz,
    check ((redeemed_by is null) = (redeemed_at is null))
);

create table runs (
    l1_server text collate "C" not null,
    run_id text collate "C" not null,
    recorded_by text collate "C" not null references users (username),
    recorded_at timestamptz not null,
    output text collate "C" not null references assets (id),
    -- The JSON that the renderer sent.
    report text not null,
    primary key (l1_server, run_id)
);

create table jobs (
    id text collate "C" primary key,
    kind text collate "C" not null,
    payload text not null,
    -- At most one job with the same key; any number without.
    job_key text collate "C" unique,
    state text collate "C" not null check (state in ('waiting', 'running', 'dead')),
    holder text collate "C",
    attempts bigint not null,
    -- When it is due; when its lease ends while it runs.
    run_at timestamptz not null,
    created_at timestamptz not null,
    last_error text,
    check ((holder is not null) = (state = 'running'))
);
create index jobs_due on jobs (run_at, id) where state <> 'dead';
create index jobs_timeline on jobs (created_at, id);
create index jobs_in_state on jobs (state, created_at, id);
