-- name: take_lease
insert into leases (name, epoch, holder, backend, until)
values (
    %(name)s, nextval('epochs'), %(holder)s, pg_backend_pid(),
    clock_timestamp() + make_interval(secs => %(seconds)s)
)
on conflict (name) do update set
    epoch = excluded.epoch, holder = excluded.holder, backend = excluded.backend, until = excluded.until
where leases.until < clock_timestamp()
    or not exists (select from pg_stat_activity a where a.pid = leases.backend)
returning epoch

-- name: renew_lease
update leases set until = clock_timestamp() + make_interval(secs => %(seconds)s)
where name = %(name)s and epoch = %(epoch)s

-- name: end_lease
update leases set until = clock_timestamp() where name = %(name)s and epoch = %(epoch)s

-- name: hold_lease
-- until the transaction ends nobody takes it over
select from leases where name = %(name)s and epoch = %(epoch)s for share

-- name: leases
select name, holder, until > clock_timestamp() from leases order by name

-- name: keep_leased
-- a day, whatever becomes of who polled it: then the feed is polled anew, and what was handed over is still taken in
update polls set leased_until = clock_timestamp() + interval '1 day', holder = null
where feed = %(feed)s and epoch = %(epoch)s and leased_until is not null

-- name: hand_over
insert into inbox (body) values (%(body)s)

-- name: handed
select n from inbox order by n limit %(limit)s

-- name: begin_handed
update inbox set tries = tries + 1 where n = %(n)s returning tries, body

-- name: drop_handed
delete from inbox where n = %(n)s

-- name: free_feed
update polls set leased_until = null where feed = %(feed)s and epoch = %(epoch)s

-- name: lock_pace
select key, free_at from pace where key = any(%(keys)s) order by key for update

-- name: add_pace
insert into pace (key, free_at) select key, 0 from unnest(%(keys)s::text[]) as key order by key on conflict do nothing

-- name: put_pace
update pace p set free_at = g.free_at
from unnest(%(keys)s::text[], %(times)s::double precision[]) as g (key, free_at) where p.key = g.key

-- name: block
insert into pace (key, free_at)
values (%(key)s, extract(epoch from clock_timestamp())::double precision + %(seconds)s)
on conflict (key) do update set free_at = greatest(pace.free_at, excluded.free_at)

-- name: now
select extract(epoch from clock_timestamp())::double precision

-- name: drop_pace
delete from pace where free_at < extract(epoch from clock_timestamp()) - 120

-- name: begin_seen
-- whoever began and never ended is taken to have died
insert into seen (key, at) values (%(key)s, clock_timestamp())
on conflict (key) do update set at = excluded.at
where not seen.done and seen.at < clock_timestamp() - make_interval(secs => %(seconds)s)
returning key

-- name: is_done
select done from seen where key = %(key)s

-- name: end_seen
update seen set done = true where key = %(key)s

-- name: drop_seen
delete from seen where at < clock_timestamp() - interval '2 days'

-- name: wake_lanes
-- in order, so that two who wake several lanes do not wait for each other
with asleep as (
    select lane from lanes
    where not woken and lane in (select lane from claims where chat = any(%(chats)s) and free_at is not null)
    order by lane
    for update
)
update lanes l set woken = true from asleep where l.lane = asleep.lane returning l.lane

-- name: begin_lane
update lanes set woken = false where lane = %(lane)s

-- name: open_claims
select chat from claims where lane = %(lane)s and open order by chat for update

-- name: release_claims
update deliveries d set due = d.was, claim = null, was = null
from claims k where k.chat = any(%(chats)s) and d.chat = k.chat and d.claim = k.epoch

-- name: end_claims
update claims set epoch = nextval('epochs') where chat = any(%(chats)s)

-- name: due_lanes
-- lanes with something to do that nobody is about to do
select l.lane from lanes l
where exists (select from claims c where c.lane = l.lane and c.free_at <= %(now)s)
    and not exists (
        select from procrastinate_jobs j where j.lock = 'lane ' || l.lane and j.status in ('todo', 'doing')
    )
order by l.lane
for update of l skip locked

-- name: next_due_lane
select min(free_at) from claims where free_at > %(now)s
