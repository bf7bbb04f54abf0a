"""Due deliveries in, sent messages out.

    claim → plan (hold, fold, render) → pace → send or edit → settle

At-least-once: a claim counts the attempt before anything is sent, and every send is settled on its own, so that a
crash or a lost answer costs at most that one message a second time. One chat's rows are handled in order by one task;
chats never wait for one another.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

import structlog

from bot.alerts import reasons
from bot.alerts.outbox import given_up, retry_at
from bot.alerts.plan import Edit, Facts, Send, Settle, StoryFacts, plan, release
from bot.errors import LeaseLost, StoreError
from bot.i18n import fill, speaking
from bot.model import (
    ChatGone,
    ChatMoved,
    DeliveryKind,
    DeliveryState,
    Receipt,
    Refused,
    RetryLater,
    Sent,
    Settlement,
    later,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from bot.alerts.pace import Pacer
    from bot.model import ChatId, Claim, Delivery, SendOutcome, Story, StoryId
    from bot.ports import Clock, Messenger, Store
    from bot.stories.summary import Habits

log = structlog.get_logger()

#: seconds for which a chat is in one task's hands
LEASE = 60.0
#: chats served at the same time
LANES = 64
#: a chat whose own limits ask for a longer pause gives its lane to another chat
PATIENCE = 2.5
#: seconds to wait when the store can't be written (disk full): nothing may be sent that could not be recorded
_STORE_TROUBLE = 5.0
#: seconds to wait for a platform that has rows but no adapter
_NO_ADAPTER = 600.0
#: the store is asked at least this often: another process may write to it, and the wall clock may be stepped under us
_LOOK = 60.0
#: chats whose wait is remembered before those whose wait is over are forgotten
_SWEEP_AT = 10_000
_ALL = 1_000_000
#: seconds; no back-off is longer
_LONGEST_WAIT = 1200.0


class Deliverer:
    """Drains the outbox. Holds the pacing and the tasks in hand; everything else is in the store."""

    def __init__(
        self,
        *,
        store: Store,
        messengers: Mapping[str, Messenger],
        clock: Clock,
        rng: Random,
        habits: Habits,
        away: tuple[datetime, datetime] | None,
        pacer: Pacer,
        fault: Callable[[str], None],
    ) -> None:
        self._store = store
        self._messengers = messengers
        self._clock = clock
        self._rng = rng
        self._habits = habits
        self._away = away
        self._fault = fault
        self._pacer = pacer
        self._tasks: set[asyncio.Task[None]] = set()
        self._work = asyncio.Event()
        self._stopping = False
        self._caught_up = False
        #: wall clock minus monotonic clock, when last looked at
        self._skew = clock.now().timestamp() - clock.monotonic()
        #: chats that must wait, and until when by the wall and the monotonic clock: what arrives meanwhile waits too
        self._waits: dict[ChatId, tuple[datetime, float]] = {}

    def wake(self) -> None:
        """Something may be due: look now."""
        self._work.set()

    def caught_up(self) -> None:
        """Every source was read since the start: what was missed need not be held any longer."""
        self._caught_up = True

    async def run(self) -> None:
        """Serves due chats until `stop`; sleeps until the next row is due or `wake` is called."""
        while not self._stopping:
            self._work.clear()
            try:
                await self._start_lanes()
                due = await self._store.next_due(self._clock.now()) if len(self._tasks) < LANES else None
            except StoreError as error:
                log.warning("outbox unavailable", reason=str(error))
                due = later(self._clock.now(), _STORE_TROUBLE)
            await self._wait(due)

    async def drain(self) -> None:
        """Delivers everything that is due now, and returns when nothing is."""
        while True:
            await self._start_lanes()
            if not self._tasks:
                return
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)

    async def stop(self, deadline: float) -> None:
        """Takes no new work, finishes the messages in hand within `deadline` seconds, gives the rest back."""
        self._stopping = True
        self._work.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start_lanes(self) -> None:
        free = LANES - len(self._tasks)
        if free <= 0:
            return
        await self._follow_clock()
        for claim in await self._store.claim_deliveries(self._clock.now(), LEASE, free):
            self._fault("claimed")
            task = asyncio.create_task(self._serve(claim), name=f"deliver {claim.chat.id}")
            self._tasks.add(task)
            task.add_done_callback(self._lane_done)

    async def _follow_clock(self) -> None:
        """A clock that was set back by a day must not delay by a day what waits for seconds: all is looked at anew."""
        now = self._clock.now()
        skew = now.timestamp() - self._clock.monotonic()
        back = self._skew - skew
        if back > _LOOK and self._tasks:
            return  # their claims must not be taken from them: as soon as none is in hand
        if back > _LOOK:
            log.warning("clock was set back", seconds=round(back))
            self._waits.clear()
            ahead = back + _LONGEST_WAIT
            for claim in await self._store.claim_deliveries(later(now, ahead), LEASE - ahead, _ALL):
                await self._give_back(claim, list(claim.deliveries), now)
        self._skew = skew

    def _lane_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery lane failed", lane=task.get_name(), exc_info=error)
        self._work.set()

    async def _wait(self, due: datetime | None) -> None:
        seconds = _LOOK if due is None else max(0.0, (due - self._clock.now()).total_seconds())
        waits: list[asyncio.Task[object]] = [
            asyncio.create_task(self._work.wait()),
            asyncio.create_task(self._nap(min(seconds, _LOOK))),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _nap(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    async def _serve(self, claim: Claim) -> None:
        """One chat's claimed rows, in order."""
        rows = list(claim.deliveries)
        try:
            messenger = self._messengers.get(claim.chat.id.platform)
            if messenger is None:
                reason = fill(reasons.NOT_CONFIGURED, platform=claim.chat.id.platform)
                await self._give_back(claim, rows, later(self._clock.now(), _NO_ADAPTER), reason)
                return
            if due := self._must_wait(claim.chat.id):
                await self._give_back(claim, rows, due)
                return
            with speaking(claim.chat.language):
                await self._serve_rows(claim, rows, messenger)
        except LeaseLost:
            log.warning("claim lost", chat=str(claim.chat.id))
        except StoreError as error:
            # what was sent and not recorded is sent again after the lease: at least once
            log.warning("not recorded", chat=str(claim.chat.id), reason=str(error))

    async def _serve_rows(self, claim: Claim, rows: list[Delivery], messenger: Messenger) -> None:
        chat = claim.chat.id
        limits, group = messenger.limits, messenger.is_group(chat)
        facts = await self._facts(claim, rows)
        began = self._clock.monotonic()
        while rows:
            step = plan(rows, facts, limits.length, self._clock.now())
            if isinstance(step, Settle):
                await self._settle(claim, rows, step.rows)
                continue
            now = self._clock.monotonic()
            wait = max(
                self._pacer.chat_wait(chat, limits=limits, group=group, now=now),
                self._pacer.blocked(chat.platform, now),
            )
            if self._stopping or wait > PATIENCE or now - began > LEASE / 3:
                seconds = 0.0 if self._stopping else wait
                await self._give_back(claim, rows, self._wait_until(chat, seconds))
                return
            await self._clock.sleep(self._pacer.reserve(chat, limits=limits, group=group, now=now))
            if not await self._send(claim, rows, step, messenger):
                return
            if rows:
                facts = await self._facts(claim, rows)

    async def _send(self, claim: Claim, rows: list[Delivery], step: Send | Edit, messenger: Messenger) -> bool:
        """One send and its settlement; False when the chat can't go on now."""
        if isinstance(step, Send) and step.actions:
            await self._store.put_actions(step.actions)
        outcome = await self._call(messenger, claim, step)
        self._fault("sent")
        now = self._clock.now()
        if isinstance(outcome, Sent | Refused):
            settled, receipts = _outcome_rows(claim, step, outcome, now)
            await self._settle(claim, rows, settled, receipts)
            self._fault("settled")
            return True
        await self._interrupted(claim, rows, step, outcome, now)
        return False

    async def _call(self, messenger: Messenger, claim: Claim, step: Send | Edit) -> SendOutcome:
        try:
            if isinstance(step, Send):
                return await messenger.send(claim.chat.id, step.message, step.reply_to)
            return await messenger.edit(claim.chat.id, step.receipt.message, step.message)
        except Exception as error:
            # adapters promise not to raise; one that does must not stop the others, nor lose the alert
            log.exception("adapter failed", chat=str(claim.chat.id))
            return RetryLater(f"internal error: {type(error).__name__}")

    async def _interrupted(
        self, claim: Claim, rows: list[Delivery], step: Send | Edit, outcome: SendOutcome, now: datetime
    ) -> None:
        """The chat, or its platform, can't take anything now: give everything back with the right due time."""
        match outcome:
            case RetryLater(reason, after, platform_wide):
                due = retry_at(rows[0], after, now, self._rng)
                self._wait_until(claim.chat.id, (due - now).total_seconds())
                if platform_wide:
                    self._pacer.block(claim.chat.id.platform, self._clock.monotonic() + (due - now).total_seconds())
                log.info("send deferred", chat=str(claim.chat.id), reason=reason, due=due.isoformat())
                tried = {row.id for row in step.rows}
                back = [_retry(row, due, reason, now) if row.id in tried else release(row, due) for row in rows]
                await self._settle(claim, rows, back)
            case ChatGone(reason):
                log.info("chat gone", chat=str(claim.chat.id), reason=reason)
                await self._settle(claim, rows, [release(row, now) for row in rows], gone=reason)
            case ChatMoved(to):
                log.info("chat moved", chat=str(claim.chat.id), to=str(to))
                await self._settle(claim, rows, [release(row, now) for row in rows], moved_to=to)
            case Sent() | Refused():
                raise AssertionError(outcome)
            case _:
                assert_never(outcome)

    def _wait_until(self, chat: ChatId, seconds: float) -> datetime:
        """The chat gets nothing for so long; rows that come meanwhile must not overtake those that wait."""
        monotonic = self._clock.monotonic()
        due = later(self._clock.now(), seconds)
        self._waits[chat] = due, monotonic + seconds
        if len(self._waits) > _SWEEP_AT:
            self._waits = {chat: wait for chat, wait in self._waits.items() if wait[1] > monotonic}
        return due

    def _must_wait(self, chat: ChatId) -> datetime | None:
        """Until when the chat must wait; exactly what its waiting rows say, so that all come back together, in order."""
        due, until = self._waits.get(chat, (None, 0.0))
        if due is not None and self._clock.now() < due and self._clock.monotonic() < until:
            return due
        self._waits.pop(chat, None)
        return None

    async def _give_back(self, claim: Claim, rows: list[Delivery], due: datetime, reason: str = "") -> None:
        back = [replace(release(row, due), reason=reason or row.reason) for row in rows]
        await self._settle(claim, rows, back)

    async def _settle(
        self,
        claim: Claim,
        rows: list[Delivery],
        settled: Sequence[Delivery],
        receipts: Sequence[Receipt] = (),
        **chat: object,
    ) -> None:
        settlement = Settlement(claim.chat.id, claim.epoch, tuple(settled), tuple(receipts), **chat)  # type: ignore[arg-type]
        await self._store.settle(settlement)
        done = {row.id for row in settled}
        rows[:] = [row for row in rows if row.id not in done]

    async def _facts(self, claim: Claim, rows: Sequence[Delivery]) -> Facts:
        """Everything that planning needs, fresh from the store: what joined since the claim is shown too."""
        chat = claim.chat.id
        ids = list(dict.fromkeys(row.story for row in rows))
        stories = {s.id: s for s in await self._store.stories(ids)}
        heirs = {s.id: s for s in await self._store.stories([s.merged_into for s in stories.values() if s.merged_into])}
        receipts = {r.story: r for r in await self._store.receipts(chat, ids)}
        names = {i: _names(heirs.get(story.merged_into, story), i) for i, story in stories.items()}
        every = list(dict.fromkeys(name for of_story in names.values() for name in of_story))
        muted = {m.story for m in await self._store.mutes(every) if m.chat == chat}
        rings = _rings(await self._store.deliveries(chat, every))
        known: dict[StoryId, StoryFacts] = {}
        for story in stories.values():
            whole = heirs.get(story.merged_into, story)
            entries = tuple(await self._store.entries(whole.entries))
            ring, others = rings.get(story.id), [rings[name] for name in names[story.id][1:] if name in rings]
            known[story.id] = StoryFacts(
                whole,
                entries,
                ring,
                receipts.get(story.id),
                muted=not muted.isdisjoint(names[story.id]),
                rang=any(other.state is DeliveryState.SENT for other in others),
            )
        entries_of_rows = await self._store.entries([row.entry for row in (*rows, *rings.values())])
        return Facts(
            chat=await self._store.chat(chat) or claim.chat,
            stories=known,
            entries={e.id: e for e in (*entries_of_rows, *(e for s in known.values() for e in s.entries))},
            subscriptions={s.id: s for s in await self._store.subscriptions(chat)},
            habits=self._habits,
            away=self._away,
            caught_up=self._caught_up,
        )


def _names(story: Story, own: StoryId) -> list[StoryId]:
    """Every name of the story, its own first: late merges leave several."""
    return list(dict.fromkeys((own, story.id, *story.merged)))


def _rings(rows: Iterable[Delivery]) -> dict[StoryId, Delivery]:
    return {row.story: row for row in rows if row.kind is DeliveryKind.RING}


def _retry(row: Delivery, due: datetime, reason: str, now: datetime) -> Delivery:
    if given_up(row, now):
        return replace(row, state=DeliveryState.DEAD, reason=fill(reasons.GAVE_UP, reason=reason), settled=now)
    return replace(row, state=DeliveryState.DUE, due=due, reason=reason)


def _outcome_rows(
    claim: Claim, step: Send | Edit, outcome: Sent | Refused, now: datetime
) -> tuple[list[Delivery], list[Receipt]]:
    """The rows and receipts after the platform took or refused a message."""
    covered = [replace(r, state=DeliveryState.FOLDED, settled=now, reason=reasons.SAME_MESSAGE) for r in step.folded]
    if isinstance(outcome, Refused):
        # an edit is refused when the person deleted the message: nobody waits for it
        state = DeliveryState.DEAD if isinstance(step, Send) else DeliveryState.FOLDED
        return [*(replace(r, state=state, settled=now, reason=outcome.reason) for r in step.rows), *covered], []
    sent = [replace(r, state=DeliveryState.SENT, settled=now, held=False, reason="") for r in step.rows]
    if isinstance(step, Edit):
        return [*sent, *covered], [replace(step.receipt, edited=now, shown=step.shown)]
    receipts = [Receipt(claim.chat.id, story, outcome.message, now, None, shown) for story, shown in step.shows]
    return [*sent, *covered], receipts
