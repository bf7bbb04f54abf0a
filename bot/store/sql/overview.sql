-- name: latest_stories
select body from stories where not merged order by last_seen desc, id desc offset %(offset)s limit %(limit)s

-- name: latest_rings
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where kind = 'ring' order by n desc offset %(offset)s limit %(limit)s

-- name: outbox
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where state = any(%(states)s) order by n desc offset %(offset)s limit %(limit)s

-- name: latest_subscriptions
select body from subscriptions order by id desc offset %(offset)s limit %(limit)s

-- name: volumes
select s, count(*), count(*) filter (where d.kind = 'ring' and d.state = 'sent')
from deliveries d, unnest(d.subscriptions) s
where d.chat = any(%(chats)s) and d.created >= %(since)s and d.kind <> 'correct' and s = any(%(ids)s)
group by s

-- name: rhythm
-- an entry is published before it is seen
select e.body::json ->> 'feed',
    floor(extract(epoch from (e.body::json ->> 'published')::timestamptz) / %(step)s)::bigint, count(*)
from entries e where e.seen >= %(since)s group by 1, 2

-- name: sizes
select (select count(*) from feeds), (select count(*) from entries), (select count(*) from stories),
    (select count(*) from chats), (select count(*) from subscriptions),
    (
        select count(*) from polls p join feeds f on f.id = p.feed
        where f.body::json ->> 'paused' is null and (p.gone or p.body::json ->> 'failures' is not null)
    ),
    (select count(*) from feeds where body::json ->> 'paused' is not null)

-- name: lock_delivery
select state from deliveries where id = %(id)s for update

-- name: check_writable
update tocsin_store set version = version
