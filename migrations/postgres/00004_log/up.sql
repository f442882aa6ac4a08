-- How many of the activities that have a place are in the tree.
alter table log_state add column tree_size bigint not null default 0;

-- The newest version of each tile. Its older, narrower versions are its beginning.
create table log_tiles (
    -- -1: entries; 0: their hashes; above: the roots of full tiles below.
    level bigint not null check (level between -1 and 7),
    idx bigint not null check (idx >= 0),
    -- 32 bytes each, nothing between.
    hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    primary key (level, idx)
);
-- Hashes do not compress.
alter table log_tiles alter column hashes set storage external;

create table log_checkpoints (
    size bigint primary key check (size > 0),
    root bytea not null check (length(root) = 32),
    -- The signed note.
    note text not null,
    created_at timestamptz not null
);

-- What this server, as a witness, has last seen of other logs.
create table witnessed_logs (
    origin text collate "C" primary key,
    size bigint not null check (size >= 0),
    root bytea not null check (length(root) = 32),
    note text not null,
    seen_at timestamptz not null
);
