-- name: all_feeds
select f.body, p.body from feeds f join polls p on p.feed = f.id order by f.added, f.position

-- name: feed
select f.body, p.body from feeds f join polls p on p.feed = f.id where f.id = %(id)s

-- name: feeds_for_sync
select id, added, body from feeds order by added, position for update

-- name: delete_feed
delete from feeds where id = %(id)s

-- name: put_feed
insert into feeds (id, added, position, body) values (%(id)s, %(added)s, %(position)s, %(body)s)
on conflict (id) do update set added = excluded.added, position = excluded.position, body = excluded.body

-- name: add_feed
insert into feeds (id, added, body) values (%(id)s, %(added)s, %(body)s) on conflict do nothing

-- name: add_poll
insert into polls (feed, next_poll, gone, body) values (%(feed)s, %(next_poll)s, false, %(body)s) on conflict do nothing

-- name: claim_feeds
-- also of a process that has no connection any more: it died, or asks too late, and its epoch is an old one then
with due as (
    select p.feed from polls p join feeds f on f.id = p.feed
    where not p.gone and p.next_poll <= %(now)s and not f.paused
        and (
            p.leased_until is null or p.leased_until <= %(now)s
            or p.holder not in (select application_name from pg_stat_activity where application_name <> '')
        )
    order by p.next_poll, p.feed
    limit %(limit)s
    for update of p skip locked
)
update polls p
set epoch = nextval('epochs'), leased_until = %(until)s, holder = nullif(current_setting('application_name'), '')
from due join feeds f on f.id = due.feed
where p.feed = due.feed
returning f.body, p.body, p.epoch, p.next_poll

-- name: claim_all_feeds
with due as (
    select p.feed from polls p join feeds f on f.id = p.feed
    where not p.gone and not f.paused
    order by p.next_poll, p.feed
    limit %(limit)s
    for update of p skip locked
)
update polls p
set epoch = nextval('epochs'), leased_until = %(until)s, holder = nullif(current_setting('application_name'), '')
from due join feeds f on f.id = due.feed
where p.feed = due.feed
returning f.body, p.body, p.epoch, p.next_poll

-- name: claim_feed
update polls p
set epoch = nextval('epochs'), leased_until = %(until)s, holder = nullif(current_setting('application_name'), '')
from feeds f
where f.id = %(feed)s and p.feed = f.id and not p.gone and not f.paused
returning f.body, p.body, p.epoch

-- name: save_leased
update polls
set next_poll = %(next_poll)s, gone = %(gone)s, body = %(body)s, leased_until = null
where feed = %(feed)s and epoch = %(epoch)s and leased_until is not null

-- name: save_unleased
update polls set next_poll = %(next_poll)s, gone = %(gone)s, body = %(body)s where feed = %(feed)s

-- name: next_poll
select min(greatest(p.next_poll, p.leased_until)) from polls p join feeds f on f.id = p.feed
where not p.gone and not f.paused

-- name: feed_for_pause
select body from feeds where id = %(id)s for update

-- name: update_feed
update feeds set body = %(body)s where id = %(id)s

-- name: hub_leases
select body from hubs
where (%(due)s::timestamptz is null or due <= %(due)s) and (%(feed)s::text is null or feed = %(feed)s)
order by n

-- name: hub_lease
select body from hubs where key = %(key)s

-- name: put_hub_lease
insert into hubs (key, feed, due, body) values (%(key)s, %(feed)s, %(due)s, %(body)s)
on conflict (key) do update set feed = excluded.feed, due = excluded.due, body = excluded.body

-- name: drop_hub_lease
delete from hubs where key = %(key)s
