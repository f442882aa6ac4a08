-- How far each of the witnesses of this server's log has come.
create table log_witnesses (
    -- Its key, as name+id+base64.
    witness text collate "C" primary key,
    -- The size at which it has last seen the log, as far as is known; 0: never.
    seen_size bigint not null check (seen_size >= 0),
    cosigned_at timestamptz,
    -- Since then, and what was wrong the last time.
    failures bigint not null,
    last_error text,
    due_at timestamptz not null
);
