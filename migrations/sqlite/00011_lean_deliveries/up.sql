-- Every delivery entered each of these three twice, as it was added and as it ended, for lists that only the operator
-- asks for. And PostgreSQL, when it last saw nothing waiting, took the second for the way to what waits for one server,
-- and looked through what waits for all. The primary key is in the order of age.
drop index deliveries_timeline;
drop index deliveries_in_state;
drop index deliveries_of_host;
create index deliveries_failed on deliveries (activity, inbox) where state = 'failed';
