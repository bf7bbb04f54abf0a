"""What the flows did since the process started, as plain numbers: they know no metrics library, and /metrics reads them."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict

#: upper bounds in seconds for the time from publication to delivery; what a poll interval makes of it lies in the middle
LAGS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 10_800.0, 43_200.0, 86_400.0)


class Histogram:
    """How many values fell up to each bound."""

    def __init__(self, bounds: tuple[float, ...] = LAGS) -> None:
        self.bounds = bounds
        #: one more than bounds: what is above all of them
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Meter:
    """One for the whole process; flows add to it."""

    def __init__(self) -> None:
        #: by outcome: "fetched", "unchanged", "failed", "unreadable", "gone", "not stored", "broken"
        self.polls: Counter[str] = Counter()
        #: entries never seen before, and stories that they began
        self.entries = 0
        self.stories = 0
        #: entries that a chat's subscriptions asked for, once for each chat
        self.matches = 0
        #: by platform and outcome: "sent", "edited", "refused", "retried", "gone", "moved"
        self.deliveries: Counter[tuple[str, str]] = Counter()
        #: seconds from publication to delivery, by platform and whether the row was held on purpose
        self.lags: dict[tuple[str, bool], Histogram] = defaultdict(Histogram)
