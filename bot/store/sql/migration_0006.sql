-- Whether a feed is paused, as its body says it: a planner that can't look into bodies reads them all for each claim.
alter table feeds add paused boolean generated always as (body like '%"paused":%') stored;
