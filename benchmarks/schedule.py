"""A simulated week of feeds with real rhythms: requests and freshness beside polling all at a fixed interval.

    python benchmarks/schedule.py [--feeds 2000] [--days 8]

Publication times are those of the data folder's set `a`, stretched by 1 to 60 and shifted per feed, so that there are
wires, dailies and weeklies. Each feed is polled by `after_poll` alone, in simulated time, after a day to settle; the
delay of an entry is the time from its publication to the poll that brings it. The fixed interval that reaches the same
median delay is found by searching; feeds polled at it need that many requests.
"""

from __future__ import annotations

import argparse
import bisect
import json
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bot.model import Feed, FeedId, FeedState, Fetched, NotModified, ParsedEntry, ParsedFeed, Validators
from bot.sources.schedule import PollPolicy, after_poll
from tests.data_dir import shared_data

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 86_400.0
WINDOW = 30


@dataclass(slots=True)
class Outcome:
    """Of one feed."""

    requests: int = 0
    delays: list[float] = field(default_factory=list)


def rhythms() -> list[list[float]]:
    """Seconds of publication from the set's start, per outlet, with the length of the set at the end."""
    data = shared_data()
    if data is None:
        raise SystemExit("the data folder is not here")
    times: dict[str, list[float]] = defaultdict(list)
    seen: list[float] = []
    for line in (data / "stories" / "a.items.jsonl").read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        seen.append(item["seen"])
        if item["pub"]:
            read = parsedate_to_datetime if "," in item["pub"] else datetime.fromisoformat
            times[item["feed"]].append(read(item["pub"]).timestamp())
    begin, end = min(seen), max(seen)
    return [
        [*sorted(moment - begin for moment in moments if begin <= moment < end), end - begin]
        for moments in times.values()
        if sum(begin <= moment < end for moment in moments) >= 5
    ]


def publications(base: list[float], rng: random.Random, days: float) -> list[float]:
    """A feed's publications from a week before the start to the end, in seconds from the start."""
    *moments, length = base
    stretch = 60 ** rng.random()
    period, shift = length * stretch, rng.random() * length * stretch
    found = []
    first = -8 * DAY
    for turn in range(int((days * DAY - first) / period) + 2):
        offset = first + (turn - 1) * period + shift
        found += [offset + moment * stretch for moment in moments]
    return sorted(moment for moment in found if first <= moment < days * DAY)


def adaptive(times: list[float], rng: random.Random, days: float, policy: PollPolicy) -> Outcome:
    feed = Feed(FeedId("f"))
    state = FeedState(feed.id, START)
    outcome, known, now = Outcome(), 0, 0.0
    fetched = Fetched(b"", "", Validators("e"), "f")
    while now < days * DAY:
        moment = START + timedelta(seconds=now)
        there = bisect.bisect_right(times, now)
        if there > known or state.last_parsed is None:
            if now > DAY:
                outcome.delays += [now - published for published in times[known:there]]
            window = times[max(0, there - WINDOW) : there]
            parsed = ParsedFeed("", tuple(ParsedEntry("", published=START + timedelta(seconds=one)) for one in window))
            state = after_poll(state, fetched, parsed, now=moment, rng=rng, policy=policy, feed=feed)
            state = replace(state, last_entry=moment)
            known = there
        else:
            state = after_poll(state, NotModified(Validators()), None, now=moment, rng=rng, policy=policy, feed=feed)
        outcome.requests += now > DAY
        now = (state.next_poll - START).total_seconds()
    return outcome


def fixed(times: list[float], days: float, interval: float, offset: float) -> Outcome:
    outcome = Outcome(int((days - 1) * DAY / interval))
    for published in times:
        if DAY < published < days * DAY - interval:
            outcome.delays.append((offset - published) % interval)
    return outcome


def together(outcomes: list[Outcome]) -> tuple[int, float, float]:
    """Requests, median and 90th percentile of the delays."""
    delays = sorted(delay for one in outcomes for delay in one.delays)
    return sum(one.requests for one in outcomes), statistics.median(delays), delays[int(len(delays) * 0.9)]


def main(feeds: int, days: float, interval: float) -> None:
    rng = random.Random(11)
    bases = rhythms()
    times = [publications(rng.choice(bases), rng, days) for _ in range(feeds)]
    began = time.perf_counter()
    requests, median, tail = together([adaptive(one, rng, days, PollPolicy(interval)) for one in times])
    took = time.perf_counter() - began
    offsets = [rng.random() * DAY for _ in times]

    def at(every: float) -> tuple[int, float, float]:
        return together([fixed(one, days, every, offset) for one, offset in zip(times, offsets, strict=True)])

    low, high = 30.0, 20_000.0
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] < median else (low, middle)
    entries = sum(moment > DAY for one in times for moment in one)
    print(f"{feeds} feeds, {days - 1:g} days, {entries:,} entries; {requests / took:,.0f} polls decided a second\n")
    print(f"{'schedule':34} {'requests':>12} {'median delay s':>15} {'90 % s':>8}")
    print(f"{f'adaptive, interval {interval:g} s':34} {requests:12,} {median:15.0f} {tail:8.0f}")
    for name, every in ((f"fixed {interval:g} s", interval), (f"fixed {low:.0f} s: same median delay", low)):
        asked, half, most = at(every)
        print(f"{name:34} {asked:12,} {half:15.0f} {most:8.0f}   {asked / requests:5.1f} x the requests")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--feeds", type=int, default=2000)
    options.add_argument("--days", type=float, default=8.0)
    options.add_argument("--interval", type=float, default=600.0)
    given = options.parse_args()
    main(given.feeds, given.days, given.interval)
