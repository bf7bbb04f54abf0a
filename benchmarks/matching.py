"""One story against many subscriptions, beside other ways to do it, in one run; every count is compared.

    python benchmarks/matching.py [--sizes 1000,10000,100000,1000000] [--stories 400]

Subscriptions and stories are drawn from the data folder (70 % one word or name, 20 % phrases, 10 % boolean, with a heavy
tail). Times are processor time of the one thread (PostgreSQL's: the clock on the wall), medians of interleaved rounds;
all but the last two rows of Tocsin take the story as words already, as the peers do. Then updates, memory, and words.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import re
import statistics
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.matching_corpus import Source, Subscription, rows, stories
from benchmarks.matching_engines import ENGINES, Engine, Story, Tocsin, query
from bot.subscriptions.match import SubscriptionIndex, document
from bot.text import cutting, words
from tests.subscriptions.entries import entry

SEED = 7
#: seconds that one peer may take for a size
BUDGET = 6.0


def quantile(values: Sequence[float], q: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * q))]


def timed(clock: Callable[[], float], function: Callable[[Any], int], argument: Any) -> tuple[float, int]:
    start = clock()
    found = function(argument)
    return clock() - start, found


def compare(size: int, subscriptions: list[Subscription], told: list[Story]) -> tuple[Tocsin, dict[str, float]]:
    """Prints the table of one size; the index, and the median of each engine in seconds."""
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
    counts, wrong = [], 0
    for i, story in enumerate(told):
        expected = None
        for engine, clock, limit, _ in running:
            if i >= limit:
                continue
            prepared = engine.prepare(story, streams[i])
            spent, found = timed(clock, engine.match, prepared)
            times[engine.name].append(spent)
            if expected is None:
                expected = found
                counts.append(found)
            elif found != expected:
                wrong += 1
                print(f"  DIFFERS {engine.name}: {found} instead of {expected} in {story[0]!r}")
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
    return tocsin, medians


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


def updates(index: SubscriptionIndex, size: int, source: Source) -> None:
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


def textbook(told: str) -> list[str]:
    """NFKC, case folding, marks stripped, words: as one would write it."""
    folded = unicodedata.normalize("NFKC", told).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return re.findall(r"\w+", bare)


def words_table() -> None:
    """Folding and cutting into words, for stories of 415 characters."""
    ascii_stories = [(a + ". " + b + " ") * 3 for a, b in stories() if (a + b).isascii()][:300]
    samples = {"ASCII": [told[:415] for told in ascii_stories]}
    source = Source(SEED)
    for name, languages in {
        "Latin": ("fr", "de", "tr", "pl"),
        "Cyrillic": ("ru", "uk"),
        "Arabic": ("ar",),
        "Han": ("zh",),
    }.items():
        table = [(row[0], float(row[1])) for language in languages for row in rows(f"wordfreq/{language}.tsv.xz")]
        found = source.random.choices([word for word, _ in table], [freq for _, freq in table], k=40_000)
        running = ("" if name == "Han" else " ").join(found)
        samples[name] = [running[i * 415 : (i + 1) * 415] for i in range(300) if (i + 1) * 415 <= len(running)]
    print(f"  {'µs per story, p50':<26}{'words':>10}{'cold':>10}{'textbook':>10}{'ratio':>8}")
    for name, told in samples.items():
        cold, warm, book = [], [], []
        cutting._chunks.clear()  # noqa: SLF001 - cold means without it
        for each in told:
            cold.append(timed(time.thread_time, lambda t: len(words(t)), each)[0])
        for _ in range(5):
            for each in told:
                warm.append(timed(time.thread_time, lambda t: len(words(t)), each)[0])
                book.append(timed(time.thread_time, lambda t: len(textbook(t)), each)[0])
        a, b, c = (statistics.median(values) * 1e6 for values in (warm, cold, book))
        print(f"  {name:<26}{a:>10.1f}{b:>10.1f}{c:>10.1f}{c / a:>7.1f}x")


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
    words_table()
    told = stories(options.stories)
    print(f"\n{len(told)} stories of {statistics.mean(len(a) + len(b) for a, b in told):.0f} characters")
    medians = {}
    for size in map(int, options.sizes.split(",")):
        source = Source(SEED)
        subscriptions = source.subscriptions(size)
        print(f"\n{size:,} subscriptions, {len(set(subscriptions)):,} different")
        tocsin, found = compare(size, subscriptions, told)
        medians[size] = found["tocsin"]
        from_text(tocsin.index, told)
        updates(tocsin.index, size, source)
        del tocsin
        gc.collect()
        sys.stdout.flush()
        subprocess.run([sys.executable, __file__, "--memory", str(size)], check=True)
    if len(medians) > 1:
        low, high = min(medians), max(medians)
        print(f"\n{low:,} → {high:,} subscriptions: {medians[high] / medians[low]:.1f}x per story")


if __name__ == "__main__":
    main()
