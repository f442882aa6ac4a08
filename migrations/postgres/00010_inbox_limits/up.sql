-- When an activity was signed that came, by its sender's clock, and whether its id counts as new when it is signed again.
alter table received_activities add column signed_at timestamptz;
alter table received_activities add column is_reopened boolean not null default false;

-- Host and port of the actor.
alter table notices add column host text collate "C" not null default '';
create index notices_of_host on notices (host, received_at);

-- Posts that stand, which are not kept for good.
create index remote_objects_posts on remote_objects (received_at) where content_hash is null and deleted_at is null;
