-- name: all_feeds
select body from feeds order by added, position

-- name: all_polls
select p.body from polls p join feeds f on f.id = p.feed order by f.added, f.position

-- name: all_hubs
select body from hubs order by n

-- name: all_chats
select body from chats order by n

-- name: all_entries
select body from entries order by n

-- name: all_stories
select body from stories order by first_seen, id

-- name: all_actions
select body from actions order by created, id

-- name: all_subscriptions
select body, version from subscriptions order by id

-- name: all_removed
select id, version from removed order by id

-- name: all_fingerprints
select entry, feed, guid, link, title, last_seen from fingerprints order by last_seen, entry

-- name: all_mutes
select chat, story, since from mutes order by since, chat, story

-- name: all_deliveries
select id, chat, story, entry, kind, subscriptions, created, coalesce(was, due), state, attempts, reason, settled, held
from deliveries order by n

-- name: all_receipts
select chat, story, message, sent, edited, shown from receipts order by sent, chat, story, message

-- name: all_waits
select key, free_at from pace where free_at > 0 order by key

-- name: any_feeds
select from feeds limit 1

-- name: any_polls
select from polls limit 1

-- name: any_hubs
select from hubs limit 1

-- name: any_chats
select from chats limit 1

-- name: any_subscriptions
select from subscriptions limit 1

-- name: any_fingerprints
select from fingerprints limit 1

-- name: any_entries
select from entries limit 1

-- name: any_stories
select from stories limit 1

-- name: any_mutes
select from mutes limit 1

-- name: any_actions
select from actions limit 1

-- name: any_deliveries
select from deliveries limit 1

-- name: any_receipts
select from receipts limit 1

-- name: any_removed
select from removed limit 1

-- name: any_waits
select from pace limit 1

-- name: put_wait
insert into pace (key, free_at) values (%(key)s, %(free_at)s)

-- name: put_poll
insert into polls (feed, next_poll, gone, body) values (%(feed)s, %(next_poll)s, %(gone)s, %(body)s)

-- name: set_version
update counters set subscription_version = greatest(
    (select coalesce(max(version), 0) from subscriptions), (select coalesce(max(version), 0) from removed)
)

-- name: set_subscription_id
select setval('subscription_ids', greatest(
    (select coalesce(max(id), 0) from subscriptions), (select coalesce(max(id), 0) from removed)
) + 1, false)

-- name: wrong_claims
select k.chat, k.free_at, d.due
from (select chat, min(due) as due from deliveries where state = 'due' group by chat) d
left join claims k on k.chat = d.chat
where not exists (select from chats c where c.id = d.chat and c.gone)
    and (k.chat is null or k.free_at is distinct from greatest(d.due, k.wait, case when k.open then k.until end))
