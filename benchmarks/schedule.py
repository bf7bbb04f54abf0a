"""A simulated week of feeds with real rhythms: requests and freshness beside polling all at a fixed interval.

    python -m benchmarks.schedule [--feeds 10000] [--days 8] [--svg docs/polling.svg]

Publication times are those of the data folder's recorded polls, stretched by 1 to 60 and shifted per feed, so that
there are wires, dailies and weeklies. Each feed is polled by `after_poll` alone, in simulated time, after a day to
settle; the delay of an entry is the time from its publication to the poll that brings it. The fixed interval that
reaches the same median delay is found by searching; feeds polled at it need that many requests. `--svg` draws both
ways of polling at several intervals.
"""

from __future__ import annotations

import argparse
import bisect
import math
import random
import re
import statistics
import sys
import tarfile
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

_ITEM = re.compile(rb"<(?:item|entry)[ >].*?</(?:item|entry)>", re.DOTALL)
_LINK = re.compile(rb"<(?:guid|id|link)[^>]*>\s*([^<\s][^<]*)<")
_DATE = re.compile(rb"<(?:pubDate|published|dc:date)>\s*([^<]+)<")
START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = 86_400.0
WINDOW = 30


@dataclass(slots=True)
class Outcome:
    """Of one feed."""

    requests: int = 0
    delays: list[float] = field(default_factory=list)


def rhythms() -> list[list[float]]:
    """Seconds of publication from the first recorded poll, per outlet, with the length of the recording at the end."""
    data = shared_data()
    if data is None:
        raise SystemExit("the data folder is not here")
    times: dict[str, dict[bytes, float]] = defaultdict(dict)
    polls: list[float] = []
    with tarfile.open(data / "replay" / "polls.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file is None:
                continue
            folder, _, outlet = member.name.partition("/")
            polls.append(datetime.strptime(folder, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
            for item in _ITEM.findall(file.read()):
                link, date = _LINK.search(item), _DATE.search(item)
                if link and date:
                    times[outlet].setdefault(link[1], published(date[1].decode()))
    begin, end = min(polls), max(polls)
    return [
        [*sorted(moment - begin for moment in moments.values() if begin <= moment < end), end - begin]
        for moments in times.values()
        if sum(begin <= moment < end for moment in moments.values()) >= 5
    ]


def published(text: str) -> float:
    try:
        return (parsedate_to_datetime if "," in text else datetime.fromisoformat)(text.strip()).timestamp()
    except ValueError:
        return 0.0


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


def main(feeds: int, days: float, interval: float, svg: Path | None) -> None:
    rng = random.Random(11)
    bases = rhythms()
    times = [publications(rng.choice(bases), rng, days) for _ in range(feeds)]
    began = time.process_time()
    requests, median, tail = together([adaptive(one, rng, days, PollPolicy(interval)) for one in times])
    took = time.process_time() - began
    offsets = [rng.random() * DAY for _ in times]

    def at(every: float, among: int = feeds) -> tuple[int, float, float]:
        pairs = zip(times[:among], offsets[:among], strict=True)
        return together([fixed(one, days, every, offset) for one, offset in pairs])

    low, high = 30.0, 20_000.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if at(middle)[1] < median else (low, middle)
    entries = sum(moment > DAY for one in times for moment in one)
    print(
        f"{len(bases)} outlets; {feeds} feeds, {days - 1:g} days, {entries:,} entries; {requests / took:,.0f} polls decided a second\n"
    )
    print(f"{'schedule':34} {'requests':>12} {'median delay s':>15} {'90 % s':>8}")
    print(f"{f'adaptive, interval {interval:g} s':34} {requests:12,} {median:15.0f} {tail:8.0f}")
    for name, every in ((f"fixed {interval:g} s", interval), (f"fixed {low:.0f} s: same median delay", low)):
        asked, half, most = at(every)
        print(f"{name:34} {asked:12,} {half:15.0f} {most:8.0f}   {asked / requests:5.1f} x the requests")
    if svg is not None:
        some = min(feeds, 250)
        steps = (150.0, 300.0, 600.0, 1200.0, 2400.0)
        ours = [together([adaptive(one, rng, days, PollPolicy(step)) for one in times[:some]]) for step in steps]
        theirs = [at(step, some) for step in (120.0, 300.0, 600.0, 1200.0, 2400.0, 4800.0)]
        per_day = 1 / (some * (days - 1))
        svg.write_text(
            drawn(
                [(one[0] * per_day, one[1]) for one in theirs],
                [(one[0] * per_day, one[1]) for one in ours],
                f"{some:,} feeds with real rhythms, {days - 1:g} simulated days",
            ),
            encoding="utf-8",
        )


def drawn(theirs: list[tuple[float, float]], ours: list[tuple[float, float]], title: str) -> str:
    """Median delay against requests a feed and day, both on scales of powers of ten, as SVG."""
    points = [*theirs, *ours]
    left, right = min(x for x, _ in points) / 1.5, max(x for x, _ in points) * 1.5
    bottom, top = min(y for _, y in points) / 1.5, max(y for _, y in points) * 1.5

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x = 70 + 540 * math.log(point[0] / left) / math.log(right / left)
        return round(x, 1), round(330 - 280 * math.log(point[1] / bottom) / math.log(top / bottom), 1)

    def line(series: list[tuple[float, float]], colour: str, name: str) -> str:
        placed = [place(point) for point in series]
        way = " ".join(f"{x},{y}" for x, y in placed)
        dots = "".join(f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in placed)
        x, y = placed[-1]
        label = f'<text x="{x + 8}" y="{y + 4}" fill="{colour}">{name}</text>'
        return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}{label}'

    marks = []
    for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000):
        if left < value < right:
            x, _ = place((value, bottom))
            marks.append(
                f'<line x1="{x}" y1="50" x2="{x}" y2="330" stroke="#ddd"/><text x="{x}" y="348" text-anchor="middle">{value}</text>'
            )
        if bottom < value < top:
            _, y = place((left, value))
            marks.append(
                f'<line x1="70" y1="{y}" x2="610" y2="{y}" stroke="#ddd"/><text x="62" y="{y + 4}" text-anchor="end">{value}</text>'
            )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 380" font-family="sans-serif" font-size="12">\n'
        f'<rect width="720" height="380" fill="#fff"/><text x="70" y="24" font-size="14">{title}</text>\n'
        '<text x="340" y="370" text-anchor="middle">requests a feed and day</text>'
        '<text transform="translate(20 190) rotate(-90)" text-anchor="middle">median delay of an entry, seconds</text>\n'
        + "\n".join([*marks, line(theirs, "#888", "fixed interval"), line(ours, "#06c", "adaptive")])
        + "\n</svg>\n"
    )


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--feeds", type=int, default=10_000)
    options.add_argument("--days", type=float, default=8.0)
    options.add_argument("--interval", type=float, default=600.0)
    options.add_argument("--svg", type=Path)
    given = options.parse_args()
    main(given.feeds, given.days, given.interval, given.svg)
