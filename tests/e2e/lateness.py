"""I6: while something is broken, others are late by one poll at most.

Others are the chats and outlets that a fault does not touch, and all once it is over. What is late by a fault may be late,
and so may what stands behind it in the same chat, since the order is kept and a chat takes one message a second.

A fleet goes on while a fault touches some (`Lateness`). Where the only process is killed over and over, all are touched,
until it is at work again: from then on everything is due anew (`between_polls`, `waits`).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from bot.alerts.pace import Pacer
from bot.chats.telegram_answer import LIMITS
from bot.model import ChatId


@dataclass(frozen=True)
class Strike:
    """A fault from one moment to another, and whom it touches: all of a kind when None."""

    begin: float
    end: float
    chats: Collection[int] | None = None
    outlets: Collection[str] | None = None

    def touches(self, chat: int, outlet: str, published: float, arrived: float) -> bool:
        return (
            self.begin <= arrived
            and published <= self.end
            and (self.chats is None or chat in self.chats)
            and (self.outlets is None or outlet in self.outlets)
        )


@dataclass
class Lateness:
    """When headlines were published and by whom, and what was broken meanwhile."""

    #: headline → (seconds, outlet), in order
    published: dict[str, tuple[float, str]] = field(default_factory=dict)
    strikes: list[Strike] = field(default_factory=list)

    def of_others(self, arrived: Mapping[int, Mapping[str, float]]) -> list[tuple[float, int, str]]:
        """(seconds late, chat, headline) of each alert that no fault touches. `arrived`: by chat and headline."""
        found = []
        for chat, times in arrived.items():
            behind = 0.0
            for title, (at, outlet) in self.published.items():
                if title not in times:
                    continue
                if at < behind or any(strike.touches(chat, outlet, at, times[title]) for strike in self.strikes):
                    behind = max(behind, times[title] + 1.0)
                else:
                    found.append((times[title] - at, chat, title))
        return found


def too_late(others: Sequence[tuple[float, int, str]], quiet: float, interval: float) -> list[str]:
    """Those later than the slowest when nothing was broken, by more than one poll."""
    return [
        f"I6: {chat} was told {title!r} after {seconds:.1f} s, {quiet:.1f} s when all is well"
        for seconds, chat, title in others
        if seconds > quiet + interval
    ]


@dataclass(frozen=True)
class Life:
    """From when a process was at work to its end, by time.monotonic()."""

    begin: float
    end: float


def between_polls(asked: Mapping[str, Sequence[float]], lives: Sequence[Life]) -> list[tuple[float, str]]:
    """(seconds, outlet) for which an outlet was not asked while a process was at work."""
    found = []
    for outlet, moments in asked.items():
        for life in lives:
            inside = (at for at in moments if life.begin < at < life.end)
            found += [(after - before, outlet) for before, after in pairwise([life.begin, *inside, life.end])]
    return found


def waits(
    told: Mapping[int, Sequence[tuple[float, Sequence[str]]]],
    sent: Mapping[str, Sequence[float]],
    lives: Sequence[Life],
) -> Iterator[tuple[float, int, str]]:
    """(seconds, chat, headline) of each message: for how long it was owed while the pace of its chat let it go.

    `told`: by chat, (seconds, headlines) of its messages; `sent`: when outlets sent each headline. It is owed from when
    this life was first sent it, or from the life's beginning when a life before had taken it in.
    """
    for chat, messages in told.items():
        pacer, heard, last = Pacer(), set[str](), None
        address = ChatId("telegram", str(chat))
        for at, titles in messages:
            life = next((life for life in lives if life.begin <= at <= life.end), None)
            if life is not None and life is not last:  # what the one before had counted and not sent died with it
                pacer.take(address, limits=LIMITS, group=chat < 0, now=life.begin)
            last = life
            new = [title for title in titles if title not in heard]
            heard.update(new)
            if life is not None and new:
                owed, title = min((_owed(sent[title], life), title) for title in new)
                yield at - owed - pacer.chat_wait(address, limits=LIMITS, group=chat < 0, now=owed), chat, title
            pacer.take(address, limits=LIMITS, group=chat < 0, now=at)


def _owed(sent: Sequence[float], life: Life) -> float:
    return min((at for at in sent if life.begin <= at), default=life.begin)


def too_seldom(polls: Sequence[tuple[float, str]], quiet: float) -> list[str]:
    """Those later than the slowest when nothing was broken, by more than one poll."""
    return [
        f"I6: {outlet} was not asked for {seconds:.1f} s, {quiet:.1f} s when all is well"
        for seconds, outlet in polls
        if seconds > 2 * quiet
    ]
