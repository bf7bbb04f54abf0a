"""One story against many subscriptions, beside other ways to do it, in one run; every count is compared.

    python benchmarks/matching.py [--sizes 1000,10000,100000,1000000] [--stories 400]

Subscriptions and stories are drawn from the data folder (70 % one word or name, 20 % phrases, 10 % boolean, with a heavy
tail). Times are processor time of the one thread (PostgreSQL's: the clock on the wall), medians of interleaved rounds: the
engines take turns of 25 stories, since a bot matches story after story, and turns of one would measure whose memory the
others have just pushed out of the processor's caches;
all but the last rows of Tocsin take the story as words already, as the peers do. Words, updates and memory come with it, and
at the end each figure stands beside its aim.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.matching_corpus import Source, Subscription, stories
from benchmarks.matching_engines import ENGINES, Engine, Story, Tocsin, query
from benchmarks.matching_words import words_table
from bot.subscriptions.match import SubscriptionIndex, document
from tests.subscriptions.entries import entry

SEED = 7
#: stories that one engine matches in a row
BLOCK = 25
#: seconds that one peer may take for a size
BUDGET = 6.0


def quantile(values: Sequence[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


def timed(clock: Callable[[], float], function: Callable[[Any], int], argument: Any) -> tuple[float, int]:
    start = clock()
    found = function(argument)
    return clock() - start, found


def compare(
    size: int, subscriptions: list[Subscription], told: list[Story]
) -> tuple[Tocsin, dict[str, float], dict[str, float]]:
    """Prints the table of one size; the index, the median of each engine in seconds, and the figures that have an aim."""
    streams = [" " + " ".join(document(entry(a, "xx", summary=b)).stream) + " " for a, b in told]
    running: list[tuple[Engine, Callable[[], float], int, float]] = []
    for kind in ENGINES:
        if kind.absent or size > kind.largest:
            print(f"  {kind.name}: {kind.absent or f'left out beyond {kind.largest:,} subscriptions'}")
            continue
        start = time.perf_counter()
        engine = kind(subscriptions)
        built = time.perf_counter() - start
        clock = time.perf_counter if kind.outside else time.thread_time
        once, _ = timed(clock, engine.match, engine.prepare(told[0], streams[0]))
        running.append((engine, clock, max(3, min(len(told), int(BUDGET / max(once, 1e-6)))), built))
    gc.collect()
    gc.freeze()
    times: dict[str, list[float]] = {engine.name: [] for engine, *_ in running}
    counts: list[int] = []
    wrong = 0
    for first in range(0, len(told), BLOCK):
        block = range(first, min(first + BLOCK, len(told)))
        found: dict[int, int] = {}
        for engine, clock, limit, _ in running:
            for i in block:
                if i >= limit:
                    break
                prepared = engine.prepare(told[i], streams[i])
                spent, count = timed(clock, engine.match, prepared)
                times[engine.name].append(spent)
                if found.setdefault(i, count) != count:
                    wrong += 1
                    print(f"  DIFFERS {engine.name}: {count} instead of {found[i]} in {told[i][0]!r}")
        counts += found.values()
    gc.unfreeze()
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"  {'':<26}{'p50 µs':>12}{'p99 µs':>12}{'stories/s':>11}{'to tocsin':>11}{'stories':>9}{'build s':>9}")
    for engine, _, _, built in running:
        values = times[engine.name]
        mean = statistics.mean(values)
        print(
            f"  {engine.name:<26}{medians[engine.name] * 1e6:>12,.1f}{quantile(values, 0.99) * 1e6:>12,.1f}{1 / mean:>11,.0f}"
            f"{medians[engine.name] / medians['tocsin']:>10,.1f}x{len(values):>9}{built:>9.1f}"
        )
    print(
        f"  matches per story: mean {statistics.mean(counts):,.0f}, median {statistics.median(counts):,.0f}; "
        f"{wrong} disagreements"
    )
    tocsin = next(engine for engine, *_ in running if isinstance(engine, Tocsin))
    for engine, *_ in running:
        engine.close()
    figures = {
        "stories/s ≥ 6000": 1 / statistics.mean(times["tocsin"]),
        "p99, µs ≤ 500": quantile(times["tocsin"], 0.99) * 1e6,
        "matches per story ≥ 3000": statistics.mean(counts),
    }
    for engine, *_ in running:
        if engine.least:
            figures[f"to {engine.name} ≥ {engine.least}"] = medians[engine.name] / medians["tocsin"]
    return tocsin, medians, figures


def from_text(index: SubscriptionIndex, told: list[Story]) -> None:
    """The whole way: entry, words, forms of the language, matches."""
    entries = [entry(a, "en", summary=b) for a, b in told]
    for each in entries:
        index.match(document(each))
    preparing, matching = [], []
    for each in entries:
        start = time.thread_time()
        doc = document(each)
        middle = time.thread_time()
        index.match(doc)
        preparing.append(middle - start)
        matching.append(time.thread_time() - middle)
    both = [a + b for a, b in zip(preparing, matching, strict=True)]
    for name, values in (("prepare the text", preparing), ("match, inflecting", matching), ("both", both)):
        p50, p99 = statistics.median(values) * 1e6, quantile(values, 0.99) * 1e6
        print(f"  {name:<26}{p50:>12,.1f}{p99:>12,.1f}{1 / statistics.mean(values):>11,.0f}")


def updates(index: SubscriptionIndex, size: int, source: Source) -> dict[str, float]:
    queries = [query(subscription) for subscription in source.subscriptions(20_000)]
    old = source.random.sample(range(size), min(size, 20_000) // 2)
    gc.collect()
    gc.freeze()
    adding, removing = [], []
    for i, each in enumerate(queries):
        start = time.thread_time()
        index.add(size + i, each)
        middle = time.thread_time()
        adding.append(middle - start)
        key = old[i // 2] if i % 2 and i // 2 < len(old) else size + i
        middle = time.thread_time()
        index.remove(key)
        removing.append(time.thread_time() - middle)
    gc.unfreeze()
    for name, values in (("add", adding), ("remove", removing)):
        print(f"  {name:<26}{statistics.median(values) * 1e6:>12,.1f}{quantile(values, 0.99) * 1e6:>12,.1f}")
    return {"add, p99 µs ≤ 50": quantile(adding, 0.99) * 1e6, "remove, p99 µs ≤ 50": quantile(removing, 0.99) * 1e6}


def memory(size: int) -> None:
    """Run in a process of its own: what the index takes, beside the subscriptions it was given."""
    source = Source(SEED)
    subscriptions = source.subscriptions(size)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what drawing them freed is not the index's to use
    before = _resident()
    index = SubscriptionIndex()
    for key, subscription in enumerate(subscriptions):
        index.add(key, query(subscription))
    gc.collect()
    exact = _resident() - before
    index.match(document(entry("A first story in English", "en")))
    print(f"  {exact:,.0f} MB; {_resident() - before:,.0f} MB with the inflections of one language")


def _resident() -> float:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 1e6


def judge(figures: dict[str, float]) -> None:
    """Each figure beside what is aimed at."""
    print(f"\n  {'':<46}{'measured':>12}{'aim':>12}")
    for name, measured in figures.items():
        name_, sign, aim = name.rpartition(" ≥ ") if " ≥ " in name else name.rpartition(" ≤ ")
        met = measured >= float(aim) if sign == " ≥ " else measured <= float(aim)
        print(f"  {name_:<46}{measured:>12,.1f}{sign.strip() + ' ' + aim:>12}{'' if met else '   missed'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--stories", type=int, default=400)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        memory(options.memory)
        return
    print("Words")
    aims: dict[str, float] = {}
    for script, (each, ratio) in words_table().items():
        aims[f"words, {script}, µs ≤ {4 if script == 'ASCII' else 35}"] = each
        aims[f"words, {script}, to the textbook ≥ 7"] = ratio
    told = stories(options.stories)
    print(f"\n{len(told)} stories of {statistics.mean(len(a) + len(b) for a, b in told):.0f} characters")
    medians = {}
    for size in map(int, options.sizes.split(",")):
        source = Source(SEED)
        subscriptions = source.subscriptions(size)
        print(f"\n{size:,} subscriptions, {len(set(subscriptions)):,} different")
        tocsin, found, figures = compare(size, subscriptions, told)
        medians[size] = found["tocsin"]
        from_text(tocsin.index, told)
        figures |= updates(tocsin.index, size, source)
        del tocsin
        gc.collect()
        sys.stdout.flush()
        done = subprocess.run(
            [sys.executable, __file__, "--memory", str(size)], check=True, stdout=subprocess.PIPE, text=True
        )
        print(done.stdout, end="")
        figures["memory, MB ≤ 250"] = float(done.stdout.split()[0])
        if size == 1_000_000:
            aims |= figures
    if len(medians) > 1:
        low, high = min(medians), max(medians)
        aims[f"a story at {high:,} to one at {low:,} ≤ 10"] = medians[high] / medians[low]
    judge(aims)


if __name__ == "__main__":
    main()
