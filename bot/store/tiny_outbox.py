"""The outbox in TinyDB: deliveries, claims and receipts.

An open claim keeps the time at which each of its rows was due before. No other process can have the file, so claims
found when it is opened are those of a dead process: their rows fall due again at their old times.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from bot.errors import LeaseLost
from bot.model import Chat, Claim, DeliveryKind, DeliveryState, Tally, later
from bot.store import codec
from bot.store.codec import chat_key, chat_of
from bot.store.order import DueHeap, DueRows
from bot.store.tiny_base import several
from bot.store.tiny_chats import Chats

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.model import ChatId, Delivery, DeliveryId, Receipt, Settlement, StoryId
    from bot.store.journal import JournalDB, JournalTable

#: rows of one claim at most
CLAIM_ROWS = 200

#: rows counted before others get a turn
_SLICE = 1000

#: a guess that is never late
SOON = datetime.min.replace(tzinfo=UTC)


#: what the JSON of a ring has, and no other row: in texts quotes are escaped
RING = b'"kind":"ring"'
_DEVELOP = b'"kind":"develop"'


class Counted(msgspec.Struct, gc=False):
    """What is counted of a delivery."""

    created: datetime
    kind: DeliveryKind
    state: DeliveryState
    subscriptions: tuple[int, ...]
    held: bool = False

    @property
    def tally(self) -> Tally:
        return Tally(self.kind, self.state, self.held, bool(self.subscriptions))


class _Row(Counted, gc=False, kw_only=True):
    """What is watched of a delivery."""

    chat: str
    due: datetime
    #: while it is in a claim: when it was due before
    was: datetime | None = None


class _ClaimRow(msgspec.Struct, frozen=True):
    """A row of `claims`."""

    chat: str
    epoch: int
    until: datetime
    #: nothing is given out before
    wait: datetime | None = None


_counts = msgspec.json.Decoder(Counted)

#: of rows that have not reached an end
_OPEN = (DeliveryState.DUE, DeliveryState.WAITING)


class Deliveries(Chats):
    """Outbox."""

    def __init__(self, db: JournalDB, opened: int) -> None:
        # by chat, rows in state DUE only: what claims look at; and those in a claim, with when they were due before
        self._due_rows: dict[str, DueRows] = {}
        self._claimed: dict[str, dict[int, datetime]] = {}
        self._dead_rows: set[int] = set()
        self._waiting_rows: set[int] = set()
        #: by day of creation (UTC), so that an account of whole days needs no look at the rows
        self._tallies: Counter[tuple[int, Tally]] = Counter()
        self._claims: dict[str, tuple[int, _ClaimRow]] = {}
        self._free: DueHeap[str] = DueHeap(self._when_free)
        super().__init__(db, opened)
        self._deliveries = self._table("deliveries", ("chat", "story"), "story", "chat")
        self._receipts = self._table("receipts", ("chat", "story"), ("chat", "message"), "chat")
        self._claim_table = self._table("claims", "chat")
        self._row_decoder = msgspec.json.Decoder(_Row)
        self._claim_decoder = msgspec.json.Decoder(_ClaimRow)
        self._storage.watch("claims", self._follow_claim)
        self._storage.watch("deliveries", self._follow_delivery)

    def _follow_delivery(self, row: int, old: bytes | None, new: bytes | None) -> None:
        after = None if new is None else self._row_decoder.decode(new)
        if old is not None:
            before = self._row_decoder.decode(old)
            self._dead_rows.discard(row)
            self._waiting_rows.discard(row)
            self._tallied(before, -1)
            if before.state == "due" and (after is None or after.state != "due" or after.chat != before.chat):
                self._due_rows[before.chat].drop(row)
                if not self._due_rows[before.chat].due:
                    del self._due_rows[before.chat]
            if before.was is not None:
                self._unclaim(before.chat, row)
        if after is None:
            return
        self._tallied(after, 1)
        if after.state == "due":
            if after.chat not in self._due_rows:
                self._due_rows[after.chat] = DueRows()
            self._due_rows[after.chat].put(row, after.due)
            if after.was is not None:
                self._claimed.setdefault(after.chat, {})[row] = after.was
            self._free.touch(after.chat, after.due)
        elif after.state == "dead":
            self._dead_rows.add(row)
        elif after.state == "waiting":
            self._waiting_rows.add(row)

    def _tallied(self, row: _Row, by: int) -> None:
        key = row.created.toordinal(), row.tally
        self._tallies[key] += by
        if not self._tallies[key]:
            del self._tallies[key]

    def _unclaim(self, chat: str, row: int) -> None:
        """The chat is free with its last row."""
        rows = self._claimed[chat]
        del rows[row]
        if not rows:
            del self._claimed[chat]
            self._free.touch(chat, SOON)

    def _follow_claim(self, row: int, old: bytes | None, new: bytes | None) -> None:
        if new is None:
            if old is not None:
                self._claims.pop(self._claim_decoder.decode(old).chat, None)
            return
        claim = self._claim_decoder.decode(new)
        self._claims[claim.chat] = (row, claim)
        self._free.touch(claim.chat, SOON)

    def _chat_changed(self, key: str) -> None:
        self._free.touch(key, SOON)

    def _when_free(self, chat: str) -> datetime | None:
        rows = self._due_rows.get(chat)
        due = rows.first() if rows else None
        if due is None or chat in self._gone:
            return None
        if chat not in self._claims:
            return due
        claim = self._claims[chat][1]
        return max(due, claim.wait or due, claim.until if chat in self._claimed else due)

    def _chat_tables(self) -> list[JournalTable]:
        return [*super()._chat_tables(), self._deliveries, self._receipts, self._claim_table]

    def void_claims(self) -> None:
        """What a dead process had claimed falls due at its old time; inside a transaction."""
        for chat in [*self._claimed]:
            self._release(chat)

    def _release(self, chat: str) -> None:
        """Rows still in the chat's claim fall due at their old times."""
        for row, due in [*self._claimed.get(chat, {}).items()]:
            delivery = codec.delivery.decode(self._deliveries.rows[row])
            self._deliveries.put(row, codec.delivery.encode(replace(delivery, due=due)))

    def _is_idle(self, raw: bytes) -> bool:
        """Whether this row of `claims` is of a chat without deliveries."""
        return not self._deliveries.find(chat=self._claim_decoder.decode(raw).chat)

    # ------------------------------------------------------------ claim and settle

    async def claim_deliveries(self, now: datetime, lease: float, limit: int) -> list[Claim]:
        until = later(now, lease)
        chats: list[str] = []
        try:
            async with self._transaction():
                chats = self._free.take(now, limit)
                claims = [self._claim(key, now, until) for key in chats]
        finally:
            for key in chats:
                self._free.touch(key, SOON)
        if claims:
            await self._durable()
        return claims

    def _claim(self, key: str, now: datetime, until: datetime) -> Claim:
        self._epoch += 1
        there = self._claims.get(key)
        claim = _ClaimRow(key, self._epoch, until)
        self._claim_table.put(there[0] if there else None, msgspec.json.encode(claim))
        due = sorted(row for row, due in self._due_rows[key].due.items() if due <= now)[:CLAIM_ROWS]
        for row in {*self._claimed.get(key, ())}.difference(due):  # of a claim that ran out
            self._deliveries.put(row, codec.delivery.encode(codec.delivery.decode(self._deliveries.rows[row])))
        deliveries = []
        for row in due:
            delivery = codec.delivery.decode(self._deliveries.rows[row])
            claimed = replace(delivery, attempts=delivery.attempts + 1, due=until)
            was = b',"was":%s}' % msgspec.json.encode(delivery.due)
            self._deliveries.put(row, codec.delivery.encode(claimed)[:-1] + was)
            deliveries.append(claimed)
        found = self._chats.find(id=key)
        chat = codec.chat.decode(self._chats.rows[found[0]]) if found else Chat(chat_of(key))
        return Claim(chat, tuple(deliveries), claim.epoch)

    async def settle(self, settlement: Settlement) -> None:
        key = chat_key(settlement.chat)
        async with self._transaction():
            there = self._claims.get(key)
            if there is None or there[1].epoch != settlement.epoch:
                raise LeaseLost(f"the claim on {settlement.chat} was taken over")
            for delivery in settlement.deliveries:
                found = self._delivery_row(delivery.chat, delivery.story, delivery.id)
                if found is not None:
                    self._deliveries.put(found[0], codec.delivery.encode(delivery))
            for receipt in settlement.receipts:
                self._put_receipt(receipt)
            if settlement.wait:
                row = _ClaimRow(key, there[1].epoch, there[1].until, settlement.wait)
                self._claim_table.put(there[0], msgspec.json.encode(row))
            if settlement.gone or settlement.moved_to:
                self._release(key)
            if settlement.gone:
                found_chat = self._chats.find(id=key)
                chat = codec.chat.decode(self._chats.rows[found_chat[0]]) if found_chat else Chat(settlement.chat)
                gone = codec.chat.encode(replace(chat, gone=settlement.gone))
                self._chats.put(found_chat[0] if found_chat else None, gone)
            if settlement.moved_to:
                self._move_chat(settlement.chat, settlement.moved_to)
        await self._durable()

    def _move_chat(self, old: ChatId, new: ChatId) -> None:
        """Every row that bears the chat's id; see tiny_move."""
        raise NotImplementedError

    def _put_receipt(self, receipt: Receipt) -> None:
        rows = self._receipts.rows
        for row in self._receipts.find(chat=chat_key(receipt.chat), story=receipt.story):
            if codec.receipt.decode(rows[row]).message == receipt.message:
                self._receipts.put(row, codec.receipt.encode(receipt))
                return
        self._receipts.put(None, codec.receipt.encode(receipt))

    def _delivery_row(self, chat: ChatId, story: StoryId, wanted: DeliveryId) -> tuple[int, Delivery] | None:
        rows = self._deliveries.rows
        for row in self._deliveries.find(chat=chat_key(chat), story=story):
            delivery = codec.delivery.decode(rows[row])
            if delivery.id == wanted:
                return row, delivery
        return None

    # ------------------------------------------------------------ reading

    async def deliveries(self, chat: ChatId | None, stories: Sequence[StoryId]) -> list[Delivery]:
        if chat is None:
            found = [row for story in set(stories) for row in self._deliveries.find(story=story)]
        else:
            key = chat_key(chat)
            found = [row for story in set(stories) for row in self._deliveries.find(chat=key, story=story)]
        rows = self._deliveries.rows
        return [codec.delivery.decode(rows[row]) for row in sorted(found)]

    async def rings(self, stories: Sequence[StoryId]) -> list[Delivery]:
        rows = self._deliveries.rows
        found = sorted(row for story in set(stories) for row in self._deliveries.find(story=story))
        # decoding all would take time with every entry of a story that thousands of chats hear of
        return await codec.decode_all(codec.delivery, [raw for row in found if RING in (raw := rows[row])])

    async def alerts_since(self, since: datetime) -> list[Delivery]:
        raws = [raw for raw in self._deliveries.rows.values() if RING in raw or _DEVELOP in raw]
        return [row for row in await codec.decode_all(codec.delivery, raws) if row.created >= since]

    async def receipts(self, chat: ChatId, stories: Sequence[StoryId]) -> list[Receipt]:
        key = chat_key(chat)
        found = [r for story in set(stories) for r in several(self._receipts, codec.receipt, chat=key, story=story)]
        return sorted(found, key=lambda receipt: receipt.sent)

    async def receipt_of(self, chat: ChatId, message: str) -> Receipt | None:
        found = several(self._receipts, codec.receipt, chat=chat_key(chat), message=message)
        return found[0] if found else None

    async def release_held(self, chat: ChatId, now: datetime) -> int:
        key = chat_key(chat)
        released = 0
        async with self._transaction():
            due_rows = self._due_rows.get(key)
            for row, due in [*due_rows.due.items()] if due_rows else []:
                delivery = codec.delivery.decode(self._deliveries.rows[row])
                if delivery.held and due > now and row not in self._claimed.get(key, {}):
                    self._deliveries.put(row, codec.delivery.encode(replace(delivery, due=now)))
                    released += 1
        if released:
            await self._durable()
        return released

    async def next_due(self, now: datetime) -> datetime | None:  # noqa: ARG002  # the answer does not depend on it
        first = self._free.first()
        return first[0] if first else None

    async def counts(self, chat: ChatId | None, since: datetime) -> dict[Tally, int]:
        if chat is None and since.timetz() == time(tzinfo=UTC):
            counts: Counter[Tally] = Counter()
            for (day, tally), count in self._tallies.items():
                if day >= since.toordinal() or tally.state in _OPEN:
                    counts[tally] += count
            return dict(counts)
        rows = self._deliveries.rows
        raws = [*rows.values()] if chat is None else [rows[row] for row in self._deliveries.find(chat=chat_key(chat))]
        found: Counter[Tally] = Counter()
        for start in range(0, len(raws), _SLICE):
            found += _count(raws[start : start + _SLICE], since)
            await asyncio.sleep(0)  # noqa: TID251  # a turn for others: a thread would wait longer for its own
        return dict(found)

    async def oldest_held(self, chat: ChatId | None) -> datetime | None:
        chats = [*self._due_rows] if chat is None else [chat_key(chat)]
        rows = self._deliveries.rows
        raws = [rows[row] for key in chats for row in (self._due_rows[key].due if key in self._due_rows else ())]
        if len(raws) < 5000:
            return _oldest(raws)
        return await asyncio.to_thread(_oldest, raws)

    async def dead(self, chat: ChatId | None, limit: int) -> list[Delivery]:
        rows = self._deliveries.rows
        key = None if chat is None else chat_key(chat)
        newest = (rows[row] for row in sorted(self._dead_rows, reverse=True))
        found = (raw for raw in newest if key is None or self._row_decoder.decode(raw).chat == key)
        return [codec.delivery.decode(raw) for raw in islice(found, limit)]


def _count(raws: Iterable[bytes], since: datetime) -> Counter[Tally]:
    found = map(_counts.decode, raws)
    return Counter(row.tally for row in found if row.created >= since or row.state in _OPEN)


def _oldest(raws: Iterable[bytes]) -> datetime | None:
    return min((_counts.decode(raw).created for raw in raws), default=None)
