"""The outbox in PostgreSQL. A chat's row in `claims` is what one worker at a time can lock, and its epoch fences what a
late worker would still write.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

from bot.errors import LeaseLost
from bot.model import (
    Chat,
    Claim,
    Delivery,
    DeliveryId,
    DeliveryKind,
    DeliveryState,
    EntryId,
    Receipt,
    StoryId,
    Tally,
    later,
)
from bot.store import codec
from bot.store.codec import chat_key, chat_of
from bot.store.pg_base import do, rows
from bot.store.pg_chats import OUTBOX as SQL
from bot.store.pg_chats import SQL as CHATS
from bot.store.pg_chats import PgChats
from bot.store.pg_lanes import wake_lanes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bot.model import ChatId, Settlement
    from bot.store.pg_base import Connection
    from bot.store.pg_lanes import Wake

#: rows sent at once: one entry may ring 50,000 chats, and making arrays of them holds the event loop
BATCH = 1000
#: rows of one claim at most
CLAIM_ROWS = 200

T = TypeVar("T")

_PLAIN = ("id", "story", "entry", "kind", "created", "due", "state", "attempts", "reason", "settled", "held")


class PgDeliveries(PgChats):
    """Outbox."""

    #: claims are of this lane's chats only
    lane: int | None = None
    #: told, within the transaction, which lanes have something to do; None: nobody drains lanes
    wake: Wake | None = None

    async def claim_deliveries(self, now: datetime, lease: float, limit: int) -> list[Claim]:
        until = later(now, lease)
        free = SQL["free_chats" if self.lane is None else "free_chats_of_lane"]

        async def work(connection: Connection) -> list[Claim]:
            found = await rows(connection, free, now=now, limit=limit, lane=self.lane)
            chats = [chat for (chat,) in found]
            if not chats:
                return []
            epochs = dict(await rows(connection, SQL["claim_chats"], chats=chats, until=until))
            values = {"chats": chats, "now": now, "until": until, "rows": CLAIM_ROWS}
            due: dict[str, list[Delivery]] = {chat: [] for chat in chats}
            for row in sorted(await rows(connection, SQL["claim_deliveries"], **values)):
                due[row[2]].append(delivery_of(row[1:]))
            await do(connection, SQL["refresh_claims"], chats=chats)
            settings = dict(await rows(connection, CHATS["chats_of"], ids=chats))
            return [
                Claim(
                    codec.chat.decode(settings[chat]) if chat in settings else Chat(chat_of(chat)),
                    tuple(due[chat]),
                    epochs[chat],
                )
                for chat in chats
                if due[chat]
            ]

        return await self.run(work)

    async def settle(self, settlement: Settlement) -> None:
        key = chat_key(settlement.chat)

        async def work(connection: Connection) -> None:
            keys = [key, chat_key(settlement.moved_to)] if settlement.moved_to else [key]
            current = dict(await rows(connection, SQL["lock_claims"], chats=keys))
            if current.get(key) != settlement.epoch:
                raise LeaseLost(f"the claim on {settlement.chat} was taken over")
            if settlement.deliveries:
                await do(connection, SQL["settle_deliveries"], **delivery_columns(settlement.deliveries))
            await self.put_receipts(connection, settlement.receipts)
            if settlement.wait:
                await do(connection, SQL["wait"], chat=key, wait=settlement.wait)
            if settlement.gone or settlement.moved_to:
                await do(connection, SQL["release_claim"], chat=key, epoch=settlement.epoch)
            if settlement.gone:
                found = await rows(connection, CHATS["chat"], id=key)
                chat = codec.chat.decode(found[0][0]) if found else Chat(settlement.chat)
                await self._put_chat(connection, replace(chat, gone=settlement.gone))
            if settlement.moved_to:
                await self._move(connection, settlement.chat, settlement.moved_to)
            await do(connection, SQL["refresh_claims"], chats=keys)

        await self.run(work)

    async def put_receipts(self, connection: Connection, receipts: Iterable[Receipt]) -> None:
        last = {(r.chat, r.story, r.message): r for r in receipts}.values()
        if last:
            values: dict[str, list[Any]] = {"chat": [chat_key(receipt.chat) for receipt in last]}
            for name in ("story", "message", "sent", "edited", "shown"):
                values[name] = [getattr(receipt, name) for receipt in last]
            await do(connection, SQL["put_receipts"], **values)

    async def put_deliveries(self, connection: Connection, deliveries: Iterable[Delivery]) -> None:
        """Inserted where new or where the stored row waits or was muted; the same goes for rows given twice."""
        given: dict[DeliveryId, Delivery] = {}
        for delivery in deliveries:
            if delivery.id not in given or given[delivery.id].state in (DeliveryState.WAITING, DeliveryState.MUTED):
                given[delivery.id] = delivery
        due: dict[str, datetime] = {}
        for batch in batched(given.values(), BATCH):
            for chat, at, state in await rows(connection, SQL["put_deliveries"], **delivery_columns(batch)):
                if state == DeliveryState.DUE:
                    due[chat] = min(at, due.get(chat, at))
        # all chats in one order, so that two who change several do not wait for each other
        for keys in batched(sorted(due), BATCH):
            await do(connection, SQL["owe_claims"], chats=[*keys], due=[due[key] for key in keys])
            if self.wake is not None:
                await wake_lanes(connection, [*keys], self.wake)

    # ------------------------------------------------------------ moving

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        keys = [chat_key(old), chat_key(new)]

        async def work(connection: Connection) -> None:
            current = dict(await rows(connection, SQL["lock_claims"], chats=keys))
            if keys[0] in current:
                await do(connection, SQL["release_claim"], chat=keys[0], epoch=current[keys[0]])
            await self._move(connection, old, new)
            await do(connection, SQL["refresh_claims"], chats=keys)

        await self.run(work)

    async def _move(self, connection: Connection, old: ChatId, new: ChatId) -> None:
        """Every row that bears the chat's id. Where both have one of the same meaning, the one at the new id stays,
        except that a delivery which has reached an end beats one that has not.
        """
        if old == new:
            return
        keys = {"old": chat_key(old), "new": chat_key(new)}
        await do(connection, SQL["make_claims"], chats=[keys["new"]])
        await do(connection, SQL["lock_claims"], chats=[keys["new"]])
        await self._move_settings(connection, old, new)
        for name in ("move_twins_there", "move_twins_here", "move_deliveries", "move_receipts", "move_mutes"):
            await do(connection, SQL[name], **keys, new_text=str(new))
        for _, body in await rows(connection, CHATS["actions_of"], chat=keys["old"]):
            await self.put_action(connection, replace(codec.action.decode(body), chat=new))
        for table in ("receipts", "mutes", "claims"):
            await do(connection, CHATS[f"forget_{table}"], chat=keys["old"])

    async def _move_settings(self, connection: Connection, old: ChatId, new: ChatId) -> None:
        found = await rows(connection, CHATS["chat"], id=chat_key(old))
        if found and not await rows(connection, CHATS["chat"], id=chat_key(new)):
            await self._put_chat(connection, replace(codec.chat.decode(found[0][0]), id=new, gone=""))
        await do(connection, CHATS["delete_chat"], id=chat_key(old))
        there = await rows(connection, CHATS["subscriptions"], chat=chat_key(new))
        queries = {codec.subscription.decode(body).query for (body,) in there}
        for (body,) in await rows(connection, CHATS["subscriptions"], chat=chat_key(old)):
            subscription = codec.subscription.decode(body)
            if subscription.query in queries:
                await self._remove_subscription(connection, subscription.id)
            else:
                await self._put_subscription(connection, "update_subscription", replace(subscription, chat=new))

    # ------------------------------------------------------------ reading

    async def deliveries(self, chat: ChatId | None, stories: Sequence[StoryId]) -> list[Delivery]:
        if chat is None:
            found = await self._rows(SQL["deliveries_of_stories"], stories=[*stories])
        else:
            found = await self._rows(SQL["deliveries_of_chat"], chat=chat_key(chat), stories=[*stories])
        return [delivery_of(row) for row in found]

    async def rings(self, stories: Sequence[StoryId]) -> list[Delivery]:
        return [delivery_of(row) for row in await self._rows(SQL["rings_of_stories"], stories=[*stories])]

    async def alerts_since(self, since: datetime) -> list[Delivery]:
        return [delivery_of(row) for row in await self._rows(SQL["alerts_since"], since=since)]

    async def receipts(self, chat: ChatId, stories: Sequence[StoryId]) -> list[Receipt]:
        found = await self._rows(SQL["receipts"], chat=chat_key(chat), stories=[*stories])
        return [receipt_of(row) for row in found]

    async def receipt_of(self, chat: ChatId, message: str) -> Receipt | None:
        found = await self._rows(SQL["receipt_of"], chat=chat_key(chat), message=message)
        return receipt_of(found[0]) if found else None

    async def release_held(self, chat: ChatId, now: datetime) -> int:
        key = chat_key(chat)

        async def work(connection: Connection) -> int:
            await do(connection, SQL["lock_claims"], chats=[key])
            released = await do(connection, SQL["release_held"], chat=key, now=now)
            await do(connection, SQL["refresh_claims"], chats=[key])
            return released

        return await self.run(work)

    async def next_due(self, now: datetime) -> datetime | None:  # noqa: ARG002  # the answer does not depend on it
        moment: datetime | None = await self._value(SQL["next_due"])
        return moment

    async def counts(self, chat: ChatId | None, since: datetime) -> dict[Tally, int]:
        found = await self._rows(SQL["counts"], chat=chat_key(chat) if chat else None, since=since)
        return {Tally(DeliveryKind(kind), DeliveryState(state), *rest): count for kind, state, *rest, count in found}

    async def oldest_held(self, chat: ChatId | None) -> datetime | None:
        moment: datetime | None = await self._value(SQL["oldest_held"], chat=chat_key(chat) if chat else None)
        return moment

    async def dead(self, chat: ChatId | None, limit: int) -> list[Delivery]:
        found = await self._rows(SQL["dead"], chat=chat_key(chat) if chat else None, limit=limit)
        return [delivery_of(row) for row in found]


def batched(values: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    """In tuples of `size`, the last one shorter."""
    rest = iter(values)
    while batch := tuple(islice(rest, size)):
        yield batch


def delivery_columns(deliveries: Iterable[Delivery]) -> dict[str, list[Any]]:
    """Rows as arrays by column, for `unnest`."""
    given = [*deliveries]
    values: dict[str, list[Any]] = {name: [*map(attrgetter(name), given)] for name in _PLAIN}
    values["chat"] = [chat_key(delivery.chat) for delivery in given]
    values["subscriptions"] = ["{" + ",".join(map(str, row.subscriptions)) + "}" for row in given]
    values["kind"] = [delivery.kind.value for delivery in given]
    values["state"] = [delivery.state.value for delivery in given]
    return values


def delivery_of(row: Sequence[Any]) -> Delivery:
    """A delivery from its columns, in the order of the type."""
    name, chat, story, entry, kind, subscriptions, created, due, state, *rest = row
    return Delivery(
        DeliveryId(name), chat_of(chat), StoryId(story), EntryId(entry), DeliveryKind(kind), tuple(subscriptions),
        created, due, DeliveryState(state), *rest,
    )  # fmt: skip


def receipt_of(row: Sequence[Any]) -> Receipt:
    """A receipt from its columns, in the order of the type."""
    return Receipt(chat_of(row[0]), *row[1:])
