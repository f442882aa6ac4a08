-- Withdrawals of what was never heard of.
create index remote_objects_unheard on remote_objects (deleted_at) where kind = 'Tombstone' and content_hash is null;

-- What a user's followers did not get, for good or so far.
create index deliveries_failing on deliveries (sender, state, created_at, activity) where last_error is not null;

-- Each standing has lanes of its own: those who never answered may be many.
drop index peers_due;
create index peers_due_proven on peers (due_at, host)
    where due_at is not null and failures = 0 and last_success_at is not null;
create index peers_due_new on peers (due_at, host)
    where due_at is not null and failures = 0 and last_success_at is null;
