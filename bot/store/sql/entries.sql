-- name: fingerprints
select entry, feed, guid, link, title, last_seen from fingerprints
where feed = %(feed)s and (guid = any(%(guids)s) or link = any(%(links)s) or title = any(%(titles)s))
order by last_seen, entry

-- name: put_fingerprints
insert into fingerprints (entry, feed, guid, link, title, last_seen)
select * from unnest(
    %(entry)s::text[], %(feed)s::text[], %(guid)s::text[], %(link)s::text[], %(title)s::text[], %(last_seen)s::timestamptz[]
)
on conflict (entry) do update set
    feed = excluded.feed, guid = excluded.guid, link = excluded.link, title = excluded.title,
    last_seen = excluded.last_seen

-- name: entries
select id, body from entries where id = any(%(ids)s)

-- name: entries_since
select body from entries where seen >= %(since)s order by seen, n

-- name: entries_by_link
select body from entries where link = %(link)s order by seen desc, n

-- name: put_entries
insert into entries (id, link, seen, body)
select * from unnest(%(id)s::text[], %(link)s::text[], %(seen)s::timestamptz[], %(body)s::text[])
on conflict (id) do update set link = excluded.link, seen = excluded.seen, body = excluded.body

-- name: stories
select id, body from stories where id = any(%(ids)s)

-- name: open_stories
select body from stories where last_seen >= %(since)s and not merged order by first_seen, id collate "C"

-- name: put_stories
insert into stories (id, first_seen, last_seen, merged, body)
select * from unnest(
    %(id)s::text[], %(first_seen)s::timestamptz[], %(last_seen)s::timestamptz[], %(merged)s::boolean[], %(body)s::text[]
)
on conflict (id) do update set
    first_seen = excluded.first_seen, last_seen = excluded.last_seen, merged = excluded.merged, body = excluded.body

-- name: drop_entries
delete from entries where seen < %(before)s

-- name: drop_stories
delete from stories where last_seen < %(before)s

-- name: drop_fingerprints
-- never one that the feed's last parsed body may still carry
delete from fingerprints f
where f.last_seen < %(before)s
    and not exists (
        select from polls p
        where p.feed = f.feed
            and f.last_seen >= (p.body::json ->> 'last_parsed')::timestamptz - interval '2 days'
    )
