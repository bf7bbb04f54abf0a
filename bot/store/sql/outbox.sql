-- name: make_claims
-- an update of what is there, so that nobody drops the row before it is locked
insert into claims (chat) select chat from unnest(%(chats)s::text[]) as chat order by chat
on conflict (chat) do update set chat = excluded.chat

-- name: lock_claims
-- always in this order, so that two who change several chats do not wait for each other
select chat, epoch from claims where chat = any(%(chats)s) order by chat for update

-- name: refresh_claims
-- in a statement of its own after the lock, so that it sees what was committed while it waited
update claims k
set open = t.open,
    free_at = case
        when not t.gone and t.due is not null then greatest(t.due, k.wait, case when t.open then k.until end)
    end
from (
    select
        c.chat,
        exists (select from chats s where s.id = c.chat and s.gone) as gone,
        exists (select from deliveries d where d.chat = c.chat and d.claim is not null and d.claim = c.epoch) as open,
        (select min(d.due) from deliveries d where d.chat = c.chat and d.state = 'due') as due
    from claims c
    where c.chat = any(%(chats)s)
) t
where k.chat = t.chat

-- name: free_chats
select chat from claims where free_at <= %(now)s order by free_at, chat limit %(limit)s for update skip locked

-- name: free_chats_of_lane
select chat from claims where lane = %(lane)s and free_at <= %(now)s
order by free_at, chat limit %(limit)s for update skip locked

-- name: claim_chats
update claims set epoch = nextval('epochs'), until = %(until)s, wait = null
where chat = any(%(chats)s) returning chat, epoch

-- name: wait
update claims set wait = %(wait)s where chat = %(chat)s

-- name: claim_deliveries
with due as (
    select id, row_number() over (partition by chat order by n) as place
    from deliveries
    where chat = any(%(chats)s) and state = 'due' and due <= %(now)s
)
update deliveries d
set attempts = d.attempts + 1, was = d.due, due = %(until)s, claim = k.epoch
from due, claims k
where due.place <= %(rows)s and d.id = due.id and k.chat = d.chat
returning d.n, d.id, d.chat, d.story, d.entry, d.kind, d.subscriptions, d.created, d.due, d.state, d.attempts, d.reason,
    d.settled, d.held

-- name: put_deliveries
insert into deliveries (
    id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
)
select id, chat, story, entry, kind, subscriptions::bigint[], created, due, state, attempts, reason, settled, held
from unnest(
    %(id)s::text[], %(chat)s::text[], %(story)s::text[], %(entry)s::text[], %(kind)s::text[], %(subscriptions)s::text[],
    %(created)s::timestamptz[], %(due)s::timestamptz[], %(state)s::text[], %(attempts)s::integer[], %(reason)s::text[],
    %(settled)s::timestamptz[], %(held)s::boolean[]
) as given (id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held)
on conflict (id) do update set
    entry = excluded.entry, subscriptions = excluded.subscriptions, created = excluded.created, due = excluded.due,
    state = excluded.state, attempts = excluded.attempts, reason = excluded.reason, settled = excluded.settled,
    held = excluded.held
where deliveries.state in ('waiting', 'muted')
returning chat, due, state

-- name: owe_claims
-- one more row is due: what `refresh_claims` would find, without looking at all that is due there
insert into claims (chat, free_at)
select g.chat, case when not exists (select from chats s where s.id = g.chat and s.gone) then g.due end
from unnest(%(chats)s::text[], %(due)s::timestamptz[]) as g (chat, due)
order by g.chat
on conflict (chat) do update set free_at = case
    when excluded.free_at is null then claims.free_at
    else least(
        claims.free_at, greatest(excluded.free_at, claims.wait, case when claims.open then claims.until end)
    )
end

-- name: settle_deliveries
update deliveries d
set entry = g.entry, subscriptions = g.subscriptions::bigint[], created = g.created, due = g.due, state = g.state,
    attempts = g.attempts, reason = g.reason, settled = g.settled, held = g.held, claim = null, was = null
from unnest(
    %(id)s::text[], %(entry)s::text[], %(subscriptions)s::text[], %(created)s::timestamptz[], %(due)s::timestamptz[],
    %(state)s::text[], %(attempts)s::integer[], %(reason)s::text[], %(settled)s::timestamptz[], %(held)s::boolean[]
) as g (id, entry, subscriptions, created, due, state, attempts, reason, settled, held)
where d.id = g.id

-- name: release_claim
update deliveries set due = was, claim = null, was = null where chat = %(chat)s and claim = %(epoch)s

-- name: release_held
update deliveries set due = %(now)s
where chat = %(chat)s and state = 'due' and held and due > %(now)s and claim is null

-- name: put_receipts
insert into receipts (chat, story, message, sent, edited, shown)
select * from unnest(
    %(chat)s::text[], %(story)s::text[], %(message)s::text[], %(sent)s::timestamptz[], %(edited)s::timestamptz[],
    %(shown)s::text[]
)
on conflict (chat, story, message) do update set
    sent = excluded.sent, edited = excluded.edited, shown = excluded.shown

-- name: deliveries_of_stories
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where story = any(%(stories)s) order by n

-- name: rings_of_stories
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where story = any(%(stories)s) and kind = 'ring' order by n

-- name: alerts_since
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where created >= %(since)s and kind in ('ring', 'develop') order by n

-- name: deliveries_of_chat
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where chat = %(chat)s and story = any(%(stories)s) order by n

-- name: receipts
select chat, story, message, sent, edited, shown from receipts
where chat = %(chat)s and story = any(%(stories)s) order by sent, story, message

-- name: receipt_of
select chat, story, message, sent, edited, shown from receipts
where chat = %(chat)s and message = %(message)s order by sent, story limit 1

-- name: next_due
select min(free_at) from claims

-- name: counts
select kind, state, held, subscriptions <> '{}', count(*) from deliveries
where (created >= %(since)s or state in ('due', 'waiting')) and (%(chat)s::text is null or chat = %(chat)s)
group by 1, 2, 3, 4

-- name: oldest_held
select min(created) from deliveries where state = 'due' and (%(chat)s::text is null or chat = %(chat)s)

-- name: dead
select id, chat, story, entry, kind, subscriptions, created, due, state, attempts, reason, settled, held
from deliveries where state = 'dead' and (%(chat)s::text is null or chat = %(chat)s) order by n desc limit %(limit)s

-- name: drop_deliveries
-- a row that waits can't be told any more when its story is not kept
delete from deliveries d
where case
    when state in ('waiting', 'due')
        then created < %(before)s and not exists (select from stories s where s.id = d.story)
    else coalesce(settled, created) < %(before)s
end

-- name: drop_receipts
delete from receipts r
where sent < %(before)s and not exists (select from deliveries d where d.chat = r.chat and d.story = r.story)

-- name: drop_claims
delete from claims k where free_at is null and not open and not exists (select from deliveries d where d.chat = k.chat)

-- name: move_twins_there
-- a row that has reached an end beats one that has not
delete from deliveries t using deliveries d
where d.chat = %(old)s and t.id = %(new_text)s || '|' || d.story || '|' || d.kind
        || case when d.kind = 'ring' then '' else '|' || d.entry end
    and t.state in ('due', 'waiting') and d.state not in ('due', 'waiting')

-- name: move_twins_here
delete from deliveries d using deliveries t
where d.chat = %(old)s and t.id = %(new_text)s || '|' || d.story || '|' || d.kind
        || case when d.kind = 'ring' then '' else '|' || d.entry end

-- name: move_deliveries
update deliveries
set chat = %(new)s,
    id = %(new_text)s || '|' || story || '|' || kind || case when kind = 'ring' then '' else '|' || entry end
where chat = %(old)s

-- name: move_receipts
insert into receipts (chat, story, message, sent, edited, shown)
select %(new)s, story, message, sent, edited, shown from receipts where chat = %(old)s
on conflict (chat, story, message) do update set sent = excluded.sent, edited = excluded.edited, shown = excluded.shown

-- name: move_mutes
insert into mutes (chat, story, since) select %(new)s, story, since from mutes where chat = %(old)s on conflict do nothing
