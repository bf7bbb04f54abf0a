"""How long an answer to a person is worth trying. Alerts are the outbox's work: it waits as long as it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import RetryLater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.model import ChatId, Limits, SendOutcome
    from bot.ports import Clock, Pace

#: tries, and the longest wait (seconds) asked for by a platform that an answer outlives
TRIES, LONGEST = 4, 60.0


class Patience:
    """Paces answers together with alerts, and waits exactly as long as the platform asks."""

    def __init__(self, clock: Clock, pace: Pace, limits: Limits) -> None:
        self._clock, self._pace, self._limits = clock, pace, limits

    async def send(self, chat: ChatId, step: Callable[[], Awaitable[SendOutcome]]) -> SendOutcome:
        """The last outcome of `step`: RetryLater only when patience ran out."""
        for attempt in range(TRIES):
            # a minute's quota of a group is spent as people ask; the spacing of alerts is not for them
            await self._pace.turn(chat, limits=self._limits, group=False)
            outcome = await step()
            if not isinstance(outcome, RetryLater):
                return outcome
            wait = float(2**attempt) if outcome.after is None else outcome.after
            if wait > LONGEST or attempt == TRIES - 1:
                return outcome
            await self._clock.sleep(wait)
        raise AssertionError
