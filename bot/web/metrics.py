"""/metrics, in the text format of Prometheus. Labels have few values: no source, chat or address is one."""

from __future__ import annotations

import platform
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)

from bot import __version__
from bot.model import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bot.meter import Histogram, Meter
    from bot.model import Sizes, Tally
    from bot.ports import Clock, Store

#: a day boundary, so that the store has the counts at hand
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
#: seconds for which the store's answers are good enough: whoever asks more often costs it nothing
_FRESH = 5.0


class Metrics:
    """Collects from the flows, the store and the event loop when asked."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        meter: Meter,
        lag: Callable[[], float],
        ticked: Callable[[], float],
    ) -> None:
        """`lag` gives the event loop's longest delay of late, `ticked` the age of the last look for due feeds."""
        self._store, self._clock, self._meter, self._lag, self._ticked = store, clock, meter, lag, ticked
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        self._asked = float("-inf")
        self._sizes: Sizes | None = None
        self._counts: Mapping[Tally, int] = {}
        self._due: datetime | None = None
        self._poll: datetime | None = None

    async def text(self) -> bytes:
        """Everything, as /metrics answers. Raises StoreError."""
        if self._clock.monotonic() - self._asked >= _FRESH:
            now = self._clock.now()
            self._sizes = await self._store.sizes()
            self._counts = await self._store.counts(None, _BEGINNING)
            self._due = await self._store.next_due(now)
            self._poll = await self._store.next_poll(now)
            self._asked = self._clock.monotonic()
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        yield InfoMetricFamily(
            "tocsin_build", "Version.", {"version": __version__, "python": platform.python_version()}
        )
        yield from self._flows()
        yield from self._kept()
        yield _gauge("tocsin_loop_lag_seconds", "Longest delay of the event loop in the last minute.", self._lag())
        yield _gauge("tocsin_last_tick_age_seconds", "Since the last look for due feeds.", self._ticked())

    def describe(self) -> list[Metric]:
        """Nothing: what there is is known when asked."""
        return []

    def _flows(self) -> Iterator[Metric]:
        meter = self._meter
        polls = CounterMetricFamily("tocsin_polls", "Polls of sources.", labels=["outcome"])
        for outcome, count in meter.polls.items():
            polls.add_metric([outcome], count)
        yield polls
        yield CounterMetricFamily("tocsin_entries", "Entries never seen before.", meter.entries)
        yield CounterMetricFamily("tocsin_stories", "Stories begun.", meter.stories)
        yield CounterMetricFamily("tocsin_matches", "Entries that a chat asked for, by chat.", meter.matches)
        sends = CounterMetricFamily("tocsin_deliveries", "Sends and edits.", labels=["platform", "outcome"])
        for labels, count in meter.deliveries.items():
            sends.add_metric(labels, count)
        yield sends
        lags = HistogramMetricFamily(
            "tocsin_lag_seconds", "From publication to delivery of rings and updates.", labels=["platform", "held"]
        )
        for (name, held), histogram in meter.lags.items():
            lags.add_metric([name, "yes" if held else "no"], _buckets(histogram), histogram.sum)
        yield lags

    def _kept(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily("tocsin_outbox_rows", "Rows of the outbox.", labels=["state"])
        states: Counter[str] = Counter()
        for tally, count in self._counts.items():
            states["held" if tally.held and tally.state is DeliveryState.DUE else tally.state.value] += count
        for state in (*(state.value for state in DeliveryState), "held"):
            rows.add_metric([state], states[state])
        yield rows
        yield _gauge("tocsin_outbox_overdue_seconds", "By how much the oldest due row is late.", self._late(self._due))
        yield _gauge(
            "tocsin_poll_overdue_seconds", "By how much the oldest due source is late.", self._late(self._poll)
        )
        if self._sizes is None:
            return
        sizes = self._sizes
        sources = GaugeMetricFamily("tocsin_sources", "Sources listed.", labels=["health"])
        well = sizes.feeds - sizes.failing - sizes.paused
        for health, count in (("well", well), ("failing", sizes.failing), ("paused", sizes.paused)):
            sources.add_metric([health], count)
        yield sources
        kept = GaugeMetricFamily("tocsin_kept", "What the store holds.", labels=["what"])
        for what in ("entries", "stories", "chats", "subscriptions"):
            kept.add_metric([what], getattr(sizes, what))
        yield kept

    def _late(self, due: datetime | None) -> float:
        return max(0.0, (self._clock.now() - due).total_seconds()) if due else 0.0


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative, as the format wants them."""
    total = 0
    buckets = []
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        total += count
        buckets.append(("+Inf" if bound == float("inf") else str(bound), float(total)))
    return buckets
