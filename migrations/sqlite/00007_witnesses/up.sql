-- How far each of the witnesses of this server's log has come.
create table log_witnesses (
    -- Its key, as name+id+base64.
    witness text not null primary key,
    -- The size at which it has last seen the log, as far as is known; 0: never.
    seen_size integer not null check (seen_size >= 0),
    cosigned_at text,
    -- Since then, and what was wrong the last time.
    failures integer not null,
    last_error text,
    due_at text not null
) strict, without rowid;
