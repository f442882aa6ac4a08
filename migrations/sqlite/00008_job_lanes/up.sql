-- Who works it off: what waits for other servers has hands of its own, and a line of its own.
alter table jobs add column lane text not null default 'own' check (lane in ('own', 'peers'));
-- What it is about, for kinds that are looked for by that: the sender of a publication, the host of an object.
alter table jobs add column subject text;
update jobs set lane = 'peers' where kind in ('refresh-actor', 'fetch-object', 'synchronize-followers');
update jobs set subject = json_extract(payload, '$.sender') where kind = 'fan-out';

drop index jobs_due;
create index jobs_due on jobs (lane, run_at, id) where state <> 'dead';
create index jobs_about on jobs (kind, subject, created_at, id) where subject is not null and state <> 'dead';

-- The runs of one name: two renderers may have given the same.
create index runs_of_name on runs (run_id, recorded_at, l1_server);
