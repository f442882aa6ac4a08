-- Stampings of the log: each has the entries from where the one before ends.
create table anchors (
    tree_size integer not null primary key check (tree_size > 0),
    -- Two rounds that begin at once begin at the same place: one of them has to go.
    from_index integer not null unique check (from_index >= 0 and from_index < tree_size),
    root blob not null unique check (length(root) = 32),
    -- SHA-256 of the checkpoint's text.
    checkpoint blob not null check (length(checkpoint) = 32),
    -- The root's 16 bytes, then the checkpoint's.
    nonces blob not null check (length(nonces) = 32),
    state text not null check (state in ('submitting', 'pending', 'confirmed', 'reorged', 'failed')),
    -- An OpenTimestamps timestamp of what calendars were given, which follows from the root, the checkpoint and the nonces.
    proof blob,
    -- The block that shows the age, and on whose word.
    block_height integer check (block_height >= 0),
    block_hash text,
    block_time integer,
    confirmations integer,
    assurance text,
    header_source text,
    verified_at text,
    created_at text not null,
    stamped_at text,
    due_at text,
    revision integer not null default 0
) strict;
create index anchors_due on anchors (due_at, tree_size) where due_at is not null;
create index anchors_block on anchors (block_height, tree_size) where state = 'confirmed';

-- Who is asked what about an anchor.
create table anchor_asks (
    tree_size integer not null references anchors (tree_size),
    -- The key, since calendar and message may be longer than PostgreSQL lets a key be.
    position integer not null,
    calendar text not null,
    -- Of which it said that it would know more; empty: to take the anchor's digest.
    message blob not null,
    standing text not null check (standing in ('waiting', 'silent', 'false', 'answered', 'verified')),
    detail text,
    failures integer not null,
    asked_at text,
    due_at text not null,
    primary key (tree_size, position)
) strict, without rowid;
