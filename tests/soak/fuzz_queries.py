"""A million generated strings through the query language; none may crash it, slow it, or be understood two ways.

    python tests/soak/fuzz_queries.py [COUNT] [SEED]

Prints the slowest parses and exits 1 at the first string that breaks a rule. `tests/subscriptions/test_fuzz.py` runs a
short version with every suite.
"""

from __future__ import annotations

import random
import sys
import time
import unicodedata
from collections import Counter
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.errors import QueryError
from bot.subscriptions.match import document, hits, matches
from bot.subscriptions.query import caret, explain, notices, parse_query, print_query, split_subscriptions
from tests.subscriptions.entries import entry

#: seconds of processor time that any parse within the limits may take
SLOWEST = 0.005
PIECES = (
    *'()"|,:*~-+#&%.\'`“”«»„’–—（）「」：＊\n\t\0\u200b\u200f\u202e\ud800\ufeff🚀é漢กחع한й',
    "AND", "OR", "NOT", "and", "Or", " ", " ", " ", " ", "title:", "source:", "lang:", "tag:", "min:", "min:2", "lang:en", "foo:", "~4", "Idlib",
    "S-300", "С-300", "C++", "AT&T", "50%", ".NET", "U.S.", "WHO", "missil*", '"air defence"', '"a b"~3', "(a OR b)", "ракета", "إدلب", 'צה"ל', "北京", "x",
)  # fmt: skip
TEXT = document(
    entry(
        "S-300 missiles over Idlib: ракета С-300, إدلب 北京 C++ AT&T 50% .NET U.S. WHO",
        "en",
        summary="air defence x a b",
    )
)


def one_of_each_category() -> list[str]:
    """Up to twenty characters of every Unicode category."""
    found: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        kind = found.setdefault(unicodedata.category(chr(code)), [])
        if len(kind) < 20 or code % 997 == 0:
            kind.append(chr(code))
    return [char for chars in found.values() for char in chars]


def generated(chance: random.Random, characters: list[str]) -> str:
    """A string: of pieces of the language, of any characters, or a mixture; now and then near or over the limits."""
    kind = chance.random()
    size = chance.choice((1, 3, 6, 12, 30)) if kind < 0.97 else chance.choice((120, 400, 700))
    if kind < 0.6:
        return "".join(chance.choices(PIECES, k=size))
    if kind < 0.8:
        return "".join(chance.choices(characters, k=size))
    return "".join(chance.choice((chance.choice(PIECES), chance.choice(characters))) for _ in range(size))


def check(typed: str) -> tuple[str, float]:
    """What became of one string, and the seconds its parse took. Raises AssertionError where a rule breaks."""
    start = time.thread_time()
    try:
        query = parse_query(typed)
    except QueryError as error:
        spent = time.thread_time() - start
        refused(typed, error)
        return "refused", spent
    spent = time.thread_time() - start
    printed = print_query(query)
    assert parse_query(printed) == query, typed
    assert explain(query), typed
    notices(typed, query)
    assert (hits(query, TEXT) is not None) == matches(query, TEXT), typed
    return "understood", spent


def refused(typed: str, error: QueryError) -> None:
    assert 0 <= error.position <= len(typed), typed
    assert "\n" not in error.message, typed
    assert caret(error), typed
    if error.suggestion:
        parse_query(error.suggestion)


def run(count: int, seed: int) -> tuple[Counter[str], list[tuple[float, str]]]:
    """Checks so many strings; outcomes, and the slowest parses."""
    chance, characters = random.Random(seed), one_of_each_category()
    parse_query("warm up")
    outcomes: Counter[str] = Counter()
    slow: list[tuple[float, str]] = []
    for _ in range(count):
        typed = generated(chance, characters)
        outcome, spent = check(typed)
        outcomes[outcome] += 1
        try:
            split_subscriptions(typed)
        except QueryError:
            outcomes["not split"] += 1
        if spent > SLOWEST / 5:
            # Another process may have had the cache: the best of three counts.
            spent = min(spent, *(check(typed)[1] for _ in range(3)))
            slow = sorted([*slow, (spent, typed)], reverse=True)[:10]
            assert spent <= SLOWEST, (spent, typed)
    return outcomes, slow


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    start = time.monotonic()
    outcomes, slow = run(count, seed)
    print(f"{count:,} strings in {time.monotonic() - start:.0f} s: {dict(outcomes)}")
    for spent, typed in slow:
        print(f"  {spent * 1e3:.2f} ms {typed[:100]!r}")


if __name__ == "__main__":
    main()
