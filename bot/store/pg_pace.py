"""The Pace port for many processes: the buckets of `bot.alerts.pace` in rows, by the server's clock.

Whoever wants to send asks for the next moment; those who ask at the same time get theirs in one transaction. Moments are
hardly ahead, so that a process that dies takes little with it, and little is sent that can't be recorded any more. A process that misses its moment, because it
was stopped or busy, asks for another: two that catch up at once would break the limit together.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.alerts.pace import Pacer
from bot.errors import StoreError
from bot.store.pg_base import PgBase, do, rows
from bot.store.pg_lease import SQL

if TYPE_CHECKING:
    from bot.model import ChatId, Limits
    from bot.ports import Clock
    from bot.store.pg_base import Connection, Pool

#: of the platform's rate: sends that are late by `_LATE` still keep to it
_SHARE = 0.9
#: seconds after its moment at which a send may still go
_LATE = 0.1
#: seconds for which moments are given out ahead
_AHEAD = 0.3
#: a chat's own wait that is shorter is waited for with the moment booked
_SHORT = 0.05
#: seconds ahead that no bucket can be: the server's clock was set back
_ABSURD = 600.0


@dataclass(slots=True, eq=False)
class _Asked:
    chat: ChatId
    limits: Limits
    group: bool
    patience: float | None
    #: (whether a moment is booked, seconds until then; else seconds to wait before asking again)
    answer: asyncio.Future[tuple[bool, float]] = field(default_factory=asyncio.Future)


class SharedPace(PgBase):
    """All processes on one store."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        super().__init__(pool)
        self._clock = clock
        self._asked: dict[str, deque[_Asked]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def turn(self, chat: ChatId, *, limits: Limits, group: bool, patience: float | None = None) -> float:
        shared = replace(limits, platform_rate=limits.platform_rate * _SHARE)
        while True:
            asked = _Asked(chat, shared, group, patience)
            self._ask(asked)
            booked, wait = await asked.answer
            if not booked and patience is not None and wait > patience:
                return wait
            moment = self._clock.monotonic() + wait
            await self._clock.sleep(wait)
            if booked and self._clock.monotonic() - moment <= _LATE:
                return 0.0

    async def block(self, platform: str, seconds: float) -> None:
        await self._at_once(SQL["block"], key=_text(("blocked", platform)), seconds=seconds)

    def _ask(self, asked: _Asked) -> None:
        platform = asked.chat.platform
        queue = self._asked.setdefault(platform, deque())
        if asked.patience is None:
            queue.appendleft(asked)  # a person waits for an answer
        else:
            queue.append(asked)
        if platform not in self._tasks:
            self._tasks[platform] = asyncio.create_task(self._serve(platform, queue), name=f"pace {platform}")

    async def _serve(self, platform: str, queue: deque[_Asked]) -> None:
        """While anybody asks: one transaction for all that may be told now."""
        try:
            while queue:
                pause = await self._book(platform, queue)
                if queue:
                    await self._clock.sleep(pause)
        except StoreError as error:
            while queue:
                _answer(queue.popleft(), error)
        finally:
            del self._tasks[platform]

    async def _book(self, platform: str, queue: deque[_Asked]) -> float:
        """Answers those for whom there are moments within `_AHEAD`; returns how soon to look again."""
        answers: list[tuple[_Asked, tuple[bool, float]]] = []

        async def work(connection: Connection) -> float:
            answers.clear()
            common = [("platform", platform), ("blocked", platform)]
            state = await _lock(connection, common)
            [(now,)] = await rows(connection, SQL["now"])
            pacer = Pacer({key: at for key, at in state.items() if at < now + _ABSURD or key[0] == "blocked"})
            ahead: float = max(0.0, state.get(common[0], 0.0) - now)
            rate = queue[0].limits.platform_rate
            room = max(1, round((_AHEAD - ahead) * rate)) if rate else len(queue)
            chosen = [a for n, a in enumerate(queue) if (n < room and ahead < _AHEAD) or a.patience is None]
            if not chosen:
                return ahead - _AHEAD / 2
            own = sorted({key for a in chosen for key in pacer.keys(a.chat, a.limits, group=a.group)} - {*common})
            known = {key: at for key, at in (await _lock(connection, own)).items() if at < now + _ABSURD}
            pacer.state.update(known)
            answers.extend((asked, _decide(pacer, asked, now)) for asked in chosen)
            keys = [common[0], *own]
            times = [pacer.state.get(key, 0.0) for key in keys]
            await do(connection, SQL["put_pace"], keys=[_text(key) for key in keys], times=times)
            return 0.0

        pause = await self.run(work)
        for asked, answer in answers:
            queue.remove(asked)
            _answer(asked, answer)
        return max(pause, 0.02)


def _decide(pacer: Pacer, asked: _Asked, now: float) -> tuple[bool, float]:
    own = pacer.chat_wait(asked.chat, limits=asked.limits, group=asked.group, now=now)
    wait = max(own, pacer.blocked(asked.chat.platform, now))
    if asked.answer.done() or wait > _SHORT:
        return False, wait
    return True, pacer.reserve(asked.chat, limits=asked.limits, group=asked.group, now=now)


def _answer(asked: _Asked, answer: tuple[bool, float] | StoreError) -> None:
    if asked.answer.done():
        return  # whoever asked was cancelled
    if isinstance(answer, StoreError):
        asked.answer.set_exception(answer)
    else:
        asked.answer.set_result(answer)


async def _lock(connection: Connection, keys: list[tuple[str, str]]) -> dict[tuple[str, str], float]:
    """The rows, made where they are missing, for this transaction alone."""
    texts = {_text(key): key for key in keys}
    found = await rows(connection, SQL["lock_pace"], keys=[*texts])
    if len(found) < len(texts):
        await do(connection, SQL["add_pace"], keys=sorted(texts.keys() - {key for key, _ in found}))
        found = await rows(connection, SQL["lock_pace"], keys=[*texts])
    return {texts[key]: at for key, at in found if at}


def _text(key: tuple[str, str]) -> str:
    return " ".join(key)
