-- name: chat
select body from chats where id = %(id)s

-- name: chats
select body from chats order by n

-- name: chats_of
select id, body from chats where id = any(%(ids)s) order by n

-- name: put_chat
insert into chats (id, gone, body) values (%(id)s, %(gone)s, %(body)s)
on conflict (id) do update set gone = excluded.gone, body = excluded.body

-- name: delete_chat
delete from chats where id = %(id)s

-- name: next_version
update counters set subscription_version = subscription_version + 1 returning subscription_version

-- name: subscriptions
select body from subscriptions where chat = %(chat)s order by id

-- name: add_subscription
insert into subscriptions (id, chat, version, body) values (%(id)s, %(chat)s, %(version)s, %(body)s)

-- name: next_subscription_id
select nextval('subscription_ids')

-- name: update_subscription
update subscriptions set chat = %(chat)s, version = %(version)s, body = %(body)s where id = %(id)s

-- name: remove_subscription
delete from subscriptions where id = %(id)s

-- name: note_removed
insert into removed (id, version) values (%(id)s, %(version)s)

-- name: subscription_changes
select version, id, body from subscriptions where version > %(after)s
union all
select version, id, null from removed where version > %(after)s and %(after)s > 0
order by version

-- name: put_mute
insert into mutes (chat, story, since) values (%(chat)s, %(story)s, %(since)s)
on conflict (chat, story) do update set since = excluded.since

-- name: mutes
select chat, story, since from mutes where story = any(%(stories)s) order by since, chat

-- name: put_action
insert into actions (id, chat, created, body) values (%(id)s, %(chat)s, %(created)s, %(body)s)
on conflict (id) do update set chat = excluded.chat, created = excluded.created, body = excluded.body

-- name: put_actions
insert into actions (id, chat, created, body)
select * from unnest(%(ids)s::text[], %(chats)s::text[], %(created)s::timestamptz[], %(bodies)s::text[])
on conflict (id) do update set chat = excluded.chat, created = excluded.created, body = excluded.body

-- name: action
select body from actions where id = %(id)s and chat = %(chat)s

-- name: actions_of
select id, body from actions where chat = %(chat)s

-- name: forget_deliveries
delete from deliveries where chat = %(chat)s

-- name: forget_receipts
delete from receipts where chat = %(chat)s

-- name: forget_mutes
delete from mutes where chat = %(chat)s

-- name: forget_actions
delete from actions where chat = %(chat)s

-- name: forget_claims
delete from claims where chat = %(chat)s

-- name: drop_mutes
delete from mutes m
where since < %(before)s and not exists (select from deliveries d where d.chat = m.chat and d.story = m.story)

-- name: drop_actions
delete from actions where created < %(before)s
