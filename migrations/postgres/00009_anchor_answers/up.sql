-- What each calendar gave, as an OpenTimestamps timestamp of what it was asked about; empty: nothing.
alter table anchor_asks add column answer bytea not null default '';
-- Of the blocks that it named those that were there: each as four bytes of height and the Merkle root.
alter table anchor_asks add column verified bytea not null default '';
alter table anchor_asks alter column answer set storage external;

-- Who gave what was not written down before: the first that was asked to take the digest stands for all of them.
update anchor_asks
    set answer = coalesce((select proof from anchors where anchors.tree_size = anchor_asks.tree_size), '')
    where position = 0;

-- Which of Bitcoin's networks it was stamped for; null: that was not written down.
alter table anchors add column network text check (network in ('mainnet', 'signet', 'regtest'));
create index anchors_confirmed on anchors (tree_size) where state = 'confirmed';
