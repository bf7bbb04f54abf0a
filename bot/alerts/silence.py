"""When silence is news: something that used to come regularly no longer does. Judged by its own rhythm, never by fixed hours.

In: the times at which it came, now. Out: how it used to come, and whether the present silence is out of the ordinary.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

#: a rhythm is known from this many times on
_KNOWN = 8
#: Where news came at random at a steady rate, a gap of nine mean gaps would have a chance of e⁻⁹, one in eight thousand.
#: It comes in bursts, so a silence must also be twice as long as any before it.
_MEAN_GAPS, _LONGEST_GAPS = 9.0, 2.0
#: told again when it has grown to this many times its age
_AGAIN = 2.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How something used to come."""

    last: datetime
    mean_gap: timedelta
    longest_gap: timedelta

    @property
    def per_day(self) -> float:
        """How often on a mean day."""
        return timedelta(days=1) / self.mean_gap

    def is_unusual(self, silence: timedelta) -> bool:
        """Whether this much silence is more than chance and habit account for."""
        return silence >= max(_MEAN_GAPS * self.mean_gap, _LONGEST_GAPS * self.longest_gap)


def rhythm_of(times: Sequence[datetime]) -> Rhythm | None:
    """How something came at these times, in any order; None while too little is known, or all came at once."""
    ordered = sorted(times)
    if len(ordered) < _KNOWN or ordered[0] == ordered[-1]:
        return None
    gaps = [then - before for before, then in pairwise(ordered)]
    return Rhythm(ordered[-1], (ordered[-1] - ordered[0]) / len(gaps), max(gaps))


def to_tell(rhythm: Rhythm, now: datetime, *, away: timedelta, told: datetime | None) -> timedelta | None:
    """How long it has been silent when that is to be told now, else None.

    `away`: time within the silence in which nobody listened. `told`: when it was last told; that of an earlier silence
    does not count. A silence that goes on is told again each time it has doubled.
    """
    silence = now - rhythm.last - away
    if not rhythm.is_unusual(silence):
        return None
    if told is not None and told > rhythm.last and now - rhythm.last < _AGAIN * (told - rhythm.last):
        return None
    return silence
