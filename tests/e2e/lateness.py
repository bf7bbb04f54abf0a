"""I6: while something is broken, others are late by one poll at most.

Others are the chats and outlets that a fault does not touch, and all once it is over. What is late by a fault may be late,
and so may what stands behind it in the same chat, since the order is kept and a chat takes one message a second.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


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
