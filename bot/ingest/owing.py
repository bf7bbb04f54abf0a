"""Who is owed what about an entry: what the store says the chats were told, put before `alerts.outbox`.

One entry may ring tens of thousands of chats, so everything that goes through them leaves turns to others.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from bot.alerts.outbox import Told, corrected, independent_outlets, owed
from bot.model import DeliveryKind, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.ingest.turn import Turn
    from bot.model import ChatId, Delivery, Entry, FeedId, Story, Subscription, SubscriptionId
    from bot.ports import Clock, Store

#: chats decided on before the event loop gets a turn
_SLICE = 200


async def owe(
    turn: Turn,
    entry: Entry,
    story: Story,
    *,
    matched: Iterable[Subscription],
    once: bool,
    store: Store,
    clock: Clock,
    subscriptions: Mapping[SubscriptionId, Subscription],
    owners: Mapping[FeedId, str],
) -> None:
    """Adds to the turn what every chat is owed about the entry that these subscriptions match.

    `once`: an edit brought the match, which rings only chats that know nothing of the story.
    """
    by_chat: dict[ChatId, list[Subscription]] = {}
    for number, subscription in enumerate(matched, 1):
        by_chat.setdefault(subscription.chat, []).append(subscription)
        if number % (_SLICE * 10) == 0:
            await clock.sleep(0)
    known = await told(turn, story, store, clock)
    if once:
        by_chat = {chat: found for chat, found in by_chat.items() if known.get(chat, Told()).nothing}
        known = {chat: known[chat] for chat in by_chat if chat in known}
    chats = sorted(by_chat.keys() | known.keys())
    if not chats:
        return
    outlets = await _outlets(turn, story, store, owners) if _asks_for_outlets(by_chat, known) else 1
    rest = iter(chats)
    while part := list(islice(rest, _SLICE)):
        rows = owed(
            entry,
            matched={chat: by_chat[chat] for chat in part if chat in by_chat},
            told={chat: known[chat] for chat in part if chat in known},
            chats={chat.id: chat for chat in await store.chats(part)},
            subscriptions=subscriptions,
            outlets=outlets,
            now=turn.now,
        )
        turn.deliveries.update((row.id, row) for row in rows)
        await clock.sleep(0)


async def correct(turn: Turn, entry: Entry, story: Story, store: Store, clock: Clock) -> None:
    """Adds to the turn the changes of alerts that show this entry's headline, after the outlet changed it."""
    rings = [known.ring for known in (await told(turn, story, store, clock)).values() if known.ring and not known.muted]
    rest = iter(rings)
    while part := list(islice(rest, _SLICE)):
        turn.deliveries.update((row.id, row) for row in corrected(entry, part, turn.now))
        await clock.sleep(0)


async def told(turn: Turn, story: Story, store: Store, clock: Clock) -> dict[ChatId, Told]:
    """What each chat knows of the story, under any name it had."""
    names = (story.id, *story.merged)
    rows = {row.id: row for row in await store.rings(names)}
    rows.update((i, row) for i, row in turn.deliveries.items() if row.story in names)
    known: dict[ChatId, Told] = {}
    for number, row in enumerate(rows.values(), 1):
        if number % (_SLICE * 10) == 0:
            await clock.sleep(0)
        if row.kind is not DeliveryKind.RING:
            continue
        before = known.get(row.chat, Told())
        if row.state is DeliveryState.MUTED:
            # what was never told, because it was stopped or paused in time, may ring for others
            if row.story == story.id:
                known[row.chat] = replace(before, stopped=row)
        elif before.ring is None or _rank(row) > _rank(before.ring):
            known[row.chat] = replace(before, ring=row)
    for mute in await store.mutes(names):
        known[mute.chat] = replace(known.get(mute.chat, Told()), muted=True)
    return known


async def _outlets(turn: Turn, story: Story, store: Store, owners: Mapping[FeedId, str]) -> int:
    fresh = [turn.entries[i] for i in story.entries if i in turn.entries]
    stored = await store.entries([i for i in story.entries if i not in turn.entries])
    return independent_outlets([*stored, *fresh], owners)


def _asks_for_outlets(matched: Mapping[ChatId, Sequence[Subscription]], known: Mapping[ChatId, Told]) -> bool:
    """Only `min:` does, so a story's outlets are counted only where somebody waits for them."""
    return any(s.min_outlets > 1 for found in matched.values() for s in found) or any(
        t.ring is not None and t.ring.state is DeliveryState.WAITING for t in known.values()
    )


def _rank(ring: Delivery) -> int:
    """Of several rings that a late merge leaves, the one that was sent counts, then the one that will be."""
    return {DeliveryState.WAITING: 0, DeliveryState.DUE: 2, DeliveryState.SENT: 3}.get(ring.state, 1)
