"""One chat's claimed rows, in order: plan, pace, send or edit, settle, until none is left or the chat must wait."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, assert_never

import structlog

from bot.alerts import reasons
from bot.alerts.facts import Edit, Send, Settle
from bot.alerts.outbox import given_up, retry_at
from bot.alerts.plan import plan, release
from bot.deliver.gather import gather
from bot.deliver.parting import tell_managers
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
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from random import Random

    from bot.alerts.facts import Facts
    from bot.meter import Meter
    from bot.model import ChatId, Claim, Delivery, Limits, SendOutcome
    from bot.ports import Clock, Messenger, Pace, Store
    from bot.stories.summary import Habits

log = structlog.get_logger()

#: seconds for which a chat is in one task's hands
LEASE = 60.0
#: a chat whose own limits ask for a longer pause gives its lane to another chat
PATIENCE = 2.5
#: seconds to wait for a platform that has rows but no adapter
_NO_ADAPTER = 600.0
#: seconds after which a claim is shown to be still ours before anything is sent
_PROOF = 5.0
#: seconds until a message that could not be recorded as sent is recorded again
_RECORD_AGAIN = 1.0

#: as metrics name them
_OUTCOMES = {Sent: "sent", Refused: "refused", RetryLater: "retried", ChatGone: "gone", ChatMoved: "moved"}


class Lanes:
    """Serves claims, any number at once, one chat each. Holds the pacing; everything else is in the store."""

    def __init__(
        self,
        *,
        store: Store,
        messengers: Mapping[str, Messenger],
        clock: Clock,
        rng: Random,
        habits: Habits,
        away: tuple[datetime, datetime] | None,
        pace: Pace,
        fault: Callable[[str], None],
        meter: Meter,
        unrecorded: set[ChatId],
    ) -> None:
        """`unrecorded`: chats with a message that the store refused to record, of all lanes of this process."""
        self._store = store
        self._messengers = messengers
        self._clock = clock
        self._rng = rng
        self._habits = habits
        self._away = away
        self._fault = fault
        self._meter = meter
        self._pace = pace
        self._unrecorded = unrecorded
        #: nothing more is to be sent: what is in hand is given back
        self.stopping = False
        #: every source was read since the start
        self.caught_up = False

    async def serve(self, claim: Claim) -> None:
        """One chat's claimed rows, in order, to their end; never raises for what a store or a platform does."""
        rows = list(claim.deliveries)
        try:
            messenger = self._messengers.get(claim.chat.id.platform)
            if messenger is None:
                reason = fill(reasons.NOT_CONFIGURED, platform=claim.chat.id.platform)
                await self.give_back(claim, rows, later(self._clock.now(), _NO_ADAPTER), reason)
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
        began = proved = self._clock.monotonic()
        while rows:
            while self._unrecorded and not self.stopping:
                await self._clock.sleep(_RECORD_AGAIN)
            step = plan(rows, facts, limits.length, self._clock.now())
            if isinstance(step, Settle):
                await self._settle(claim, rows, step.rows)
                continue
            if isinstance(step, Send) and step.actions:
                await self._store.put_actions(step.actions)
            wait = await self._turn(chat, limits, began, group=group)
            if wait is not None:
                await self.give_back(claim, rows, later(self._clock.now(), wait))
                return
            if self._unrecorded:  # what the platform takes now could not be recorded either, and would come twice
                continue
            if (
                self._clock.monotonic() - proved > _PROOF
            ):  # this process may have slept while another took the claim over
                await self._settle(claim, rows, ())
            if not await self._send(claim, rows, step, facts, messenger):
                return
            proved = self._clock.monotonic()
            if rows:
                facts = await self._facts(claim, rows)

    async def _turn(self, chat: ChatId, limits: Limits, began: float, *, group: bool) -> float | None:
        """None when the chat may be sent to now; else its rows are given back, due after so many seconds."""
        if self.stopping or self._clock.monotonic() - began > LEASE / 3:  # a moment given now would be lost
            return 0.0
        wait = await self._pace.turn(chat, limits=limits, group=group, patience=PATIENCE)
        late = self._clock.monotonic() - began > LEASE * 2 / 3
        return wait if wait or late or self.stopping else None

    async def _send(
        self, claim: Claim, rows: list[Delivery], step: Send | Edit, facts: Facts, messenger: Messenger
    ) -> bool:
        """One send and its settlement; False when the chat can't go on now."""
        outcome = await self._call(messenger, claim, step)
        self._fault("sent")
        now = self._clock.now()
        self._count(step, outcome, facts, now)
        if isinstance(outcome, Sent | Refused):
            settled, receipts = _outcome_rows(claim, step, outcome, now)
            await self._record(claim, rows, settled, receipts)
            self._fault("settled")
            return True
        await self._interrupted(claim, rows, step, outcome, now)
        return False

    def _count(self, step: Send | Edit, outcome: SendOutcome, facts: Facts, now: datetime) -> None:
        platform = facts.chat.id.platform
        word = "edited" if isinstance(step, Edit) and isinstance(outcome, Sent) else _OUTCOMES[type(outcome)]
        self._meter.deliveries[platform, word] += 1
        for row in step.rows if isinstance(outcome, Sent) else ():
            entry = facts.entries.get(row.entry)
            if entry is not None and row.kind in (DeliveryKind.RING, DeliveryKind.DEVELOP):
                self._meter.lags[platform, row.held].observe((now - entry.published).total_seconds())

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
                if platform_wide:
                    await self._pace.block(claim.chat.id.platform, (due - now).total_seconds())
                log.info("send deferred", chat=str(claim.chat.id), reason=reason, due=due.isoformat())
                tried = {row.id for row in step.rows}
                back = [_retry(row, due, reason, now) if row.id in tried else release(row, due) for row in rows]
                await self._settle(claim, rows, back, wait=due)
            case ChatGone(reason):
                log.info("chat gone", chat=str(claim.chat.id), reason=reason)
                await self._settle(claim, rows, [release(row, now) for row in rows], gone=reason)
                await tell_managers(self._store, self._messengers[claim.chat.id.platform], claim.chat, reason)
            case ChatMoved(to):
                log.info("chat moved", chat=str(claim.chat.id), to=str(to))
                await self._settle(claim, rows, [release(row, now) for row in rows], moved_to=to)
            case Sent() | Refused():
                raise AssertionError(outcome)
            case _:
                assert_never(outcome)

    async def give_back(self, claim: Claim, rows: list[Delivery], due: datetime, reason: str = "") -> None:
        """Rows as they were before they were claimed, due at another time."""
        back = [replace(release(row, due), reason=reason or row.reason) for row in rows]
        await self._settle(claim, rows, back, wait=due)

    async def _record(
        self, claim: Claim, rows: list[Delivery], settled: Sequence[Delivery], receipts: Sequence[Receipt]
    ) -> None:
        """What the platform took is written down, however often it takes while the claim is ours: else it comes twice."""
        until = self._clock.monotonic() + LEASE / 2
        try:
            while True:
                try:
                    return await self._settle(claim, rows, settled, receipts)
                except StoreError as error:
                    if isinstance(error, LeaseLost) or self._clock.monotonic() > until:
                        raise
                    log.info("not recorded yet", chat=str(claim.chat.id), reason=str(error))
                self._unrecorded.add(claim.chat.id)
                await self._clock.sleep(_RECORD_AGAIN)
        finally:
            self._unrecorded.discard(claim.chat.id)

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
        return await gather(self._store, claim, rows, habits=self._habits, away=self._away, caught_up=self.caught_up)


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
    # an entry that made a held ring go out at once is told by it, and edited nothing
    sent = [
        replace(r, state=DeliveryState.FOLDED, reason=reasons.SAME_MESSAGE) if r.kind is DeliveryKind.GROW else r
        for r in sent
    ]
    receipts = [Receipt(claim.chat.id, story, outcome.message, now, None, shown) for story, shown in step.shows]
    return [*sent, *covered], receipts
