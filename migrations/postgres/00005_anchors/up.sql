-- Stampings of the log: each has the entries from where the one before ends.
create table anchors (
    tree_size bigint primary key check (tree_size > 0),
    -- Two rounds that begin at once begin at the same place: one of them has to go.
    from_index bigint not null unique check (from_index >= 0 and from_index < tree_size),
    root bytea not null unique check (length(root) = 32),
    -- SHA-256 of the checkpoint's text.
    checkpoint bytea not null check (length(checkpoint) = 32),
    -- The root's 16 bytes, then the checkpoint's.
    nonces bytea not null check (length(nonces) = 32),
    state text not null check (state in ('submitting', 'pending', 'confirmed', 'reorged', 'failed')),
    -- An OpenTimestamps timestamp of what calendars were given, which follows from the root, the checkpoint and the nonces.
    proof bytea,
    -- The block that shows the age, and on whose word.
    block_height bigint check (block_height >= 0),
    block_hash text collate "C",
    block_time bigint,
    confirmations bigint,
    assurance text,
    header_source text,
    verified_at timestamptz,
    created_at timestamptz not null,
    stamped_at timestamptz,
    due_at timestamptz,
    revision bigint not null default 0
);
create index anchors_due on anchors (due_at, tree_size) where due_at is not null;
create index anchors_block on anchors (block_height, tree_size) where state = 'confirmed';
-- Proofs do not compress.
alter table anchors alter column proof set storage external;

-- Who is asked what about an anchor.
create table anchor_asks (
    tree_size bigint not null references anchors (tree_size),
    -- The key, since calendar and message may be longer than PostgreSQL lets a key be.
    position bigint not null,
    calendar text collate "C" not null,
    -- Of which it said that it would know more; empty: to take the anchor's digest.
    message bytea not null,
    standing text not null check (standing in ('waiting', 'silent', 'false', 'answered', 'verified')),
    detail text,
    failures bigint not null,
    asked_at timestamptz,
    due_at timestamptz not null,
    primary key (tree_size, position)
);
