-- How many of the activities that have a place are in the tree.
alter table log_state add column tree_size integer not null default 0;

-- The newest version of each tile. Its older, narrower versions are its beginning.
create table log_tiles (
    -- -1: entries; 0: their hashes; above: the roots of full tiles below.
    level integer not null check (level between -1 and 7),
    idx integer not null check (idx >= 0),
    -- 32 bytes each, nothing between.
    hashes blob not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
    primary key (level, idx)
) strict;

create table log_checkpoints (
    size integer not null primary key check (size > 0),
    root blob not null check (length(root) = 32),
    -- The signed note.
    note text not null,
    created_at text not null
) strict;

-- What this server, as a witness, has last seen of other logs.
create table witnessed_logs (
    origin text not null primary key,
    size integer not null check (size >= 0),
    root blob not null check (length(root) = 32),
    note text not null,
    seen_at text not null
) strict;
