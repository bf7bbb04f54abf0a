"""The peers of the benchmark of matching: the same subscriptions, the same words, the same answer."""

# ruff: noqa: D101, ARG002 - the names say what each is, and each takes of a story what it needs
from __future__ import annotations

import importlib.util
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from benchmarks.matching_corpus import Leaf, Subscription
from bot.subscriptions.match import SubscriptionIndex, document
from bot.subscriptions.nodes import Expr, Phrase, Query, Term, conjunction, disjunction, negation
from tests.subscriptions.entries import entry

Story = tuple[str, str]


def query(subscription: Subscription) -> Query:
    def leaf(found: Leaf) -> Expr:
        return Term(found[0]) if len(found) == 1 else Phrase(" ".join(found))

    kind, *leaves = subscription
    parts = [leaf(found) for found in leaves if isinstance(found, tuple)]
    match kind:
        case "and":
            return Query(conjunction(parts))
        case "or":
            return Query(disjunction(parts))
        case "not":
            return Query(conjunction([parts[0], negation(parts[1])]))
        case "orand":
            return Query(conjunction([disjunction(parts[:2]), parts[2]]))
        case _:
            return Query(parts[0])


def holds(kind: Any, values: Sequence[bool]) -> bool:
    match kind:
        case "and":
            return values[0] and values[1]
        case "or":
            return values[0] or values[1]
        case "not":
            return values[0] and not values[1]
        case _:
            return (values[0] or values[1]) and values[2]


class Engine:
    """`prepare` is not timed: the words of a story, as this engine wants them. `match` is."""

    name: ClassVar[str]
    #: the most subscriptions it is asked to hold
    largest: ClassVar[int] = 1_000_000
    #: why it can't run; ""
    absent = ""
    #: how many times as long as Tocsin it is to take at a million; 0 where nothing is aimed at
    least: ClassVar[int] = 0
    #: whether another process works for it, so that only the clock on the wall tells
    outside = False

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        raise NotImplementedError

    def prepare(self, story: Story, joined: str) -> Any:
        return joined

    def match(self, prepared: Any) -> int:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Tocsin(Engine):
    name = "tocsin"

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.index = SubscriptionIndex()
        for key, subscription in enumerate(subscriptions):
            self.index.add(key, query(subscription))

    def prepare(self, story: Story, joined: str) -> Any:
        # No language, no inflections: what all the others can do.
        return document(entry(story[0], "xx", summary=story[1]))

    def match(self, prepared: Any) -> int:
        return len(self.index.match(prepared))


class InLoop(Engine):
    name = "`in` loop"
    least = 2000

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.needles = [f" {' '.join(s[1])} " for s in subscriptions if s[0] == "leaf"]
        self.several = [(s[0], [f" {' '.join(leaf)} " for leaf in s[1:]]) for s in subscriptions if s[0] != "leaf"]

    def match(self, prepared: str) -> int:
        found = sum([needle in prepared for needle in self.needles])
        return found + sum([holds(kind, [needle in prepared for needle in needles]) for kind, needles in self.several])


class RegexLoop(Engine):
    name = "regex loop"
    largest = 1_000

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.all = [(s[0], [re.compile(rf"\b{' '.join(leaf)}\b") for leaf in s[1:]]) for s in subscriptions]

    def match(self, prepared: str) -> int:
        count = 0
        for kind, patterns in self.all:
            values = [pattern.search(prepared) is not None for pattern in patterns]
            count += values[0] if kind == "leaf" else holds(kind, values)
        return count


class FanOut(Engine):
    """Finds leaves somehow, then verifies and fans out in Python."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.leaves: list[Leaf] = list(dict.fromkeys(leaf for s in subscriptions for leaf in s[1:]))  # type: ignore[misc]
        number = {leaf: i for i, leaf in enumerate(self.leaves)}
        self.single: dict[int, list[int]] = defaultdict(list)
        self.several: dict[int, list[tuple[int, Any, list[int]]]] = defaultdict(list)
        for key, (kind, *leaves) in enumerate(subscriptions):
            numbers = [number[leaf] for leaf in leaves]  # type: ignore[index]
            if kind == "leaf":
                self.single[numbers[0]].append(key)
            else:
                # AND and NOT are asked at one term, OR at each.
                for at in numbers if kind == "or" else numbers[2:] if kind == "orand" else numbers[:1]:
                    self.several[at].append((key, kind, numbers))
        self.build([f" {' '.join(leaf)} " for leaf in self.leaves])

    def build(self, needles: list[str]) -> None:
        raise NotImplementedError

    def find(self, prepared: Any) -> set[int]:
        raise NotImplementedError

    def match(self, prepared: Any) -> int:
        found = self.find(prepared)
        keys: list[int] = []
        checked: set[int] = set()
        for leaf in found:
            if leaf in self.single:
                keys += self.single[leaf]
            if leaf in self.several:
                checked.update(k for k, kind, ls in self.several[leaf] if holds(kind, [x in found for x in ls]))
        keys += checked
        return len(keys)


class BigRegex(FanOut):
    name = "one big regex"

    def build(self, needles: list[str]) -> None:
        number = {needle: i for i, needle in enumerate(needles)}
        ordered = sorted(needles, key=len, reverse=True)
        self.pattern = re.compile(f"(?= ({'|'.join(needle[1:-1] for needle in ordered)}) )")
        #: the longest at a place hides those it begins with
        self.hidden = {
            needle[1:-1]: [
                number[p] for p in (" " + " ".join(ws[:n]) + " " for n in range(1, len(ws) + 1)) if p in number
            ]
            for needle in needles
            for ws in [needle.split()]
        }

    def find(self, prepared: str) -> set[int]:
        return {i for match in self.pattern.finditer(prepared) for i in self.hidden[match[1]]}


class AhoCorasick(FanOut):
    name = "ahocorasick-rs + verify"
    least = 1
    absent = "" if importlib.util.find_spec("ahocorasick_rs") else "not installed: pip install ahocorasick-rs"

    def build(self, needles: list[str]) -> None:
        import ahocorasick_rs

        self.automaton = ahocorasick_rs.AhoCorasick(needles)

    def find(self, prepared: str) -> set[int]:
        return {i for i, _, _ in self.automaton.find_matches_as_indexes(prepared, overlapping=True)}


class Hyperscan(FanOut):
    name = "hyperscan + verify"
    least = 1
    absent = "" if importlib.util.find_spec("hyperscan") else "not installed: pip install hyperscan"

    def build(self, needles: list[str]) -> None:
        import hyperscan

        self.database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self.database.compile(
            expressions=[needle.encode() for needle in needles],
            ids=list(range(len(needles))),
            elements=len(needles),
            flags=[hyperscan.HS_FLAG_SINGLEMATCH] * len(needles),
            literal=True,
        )
        self.scratch = hyperscan.Scratch(self.database)

    def prepare(self, story: Story, joined: str) -> bytes:
        return joined.encode()

    def find(self, prepared: bytes) -> set[int]:
        found: set[int] = set()
        self.database.scan(prepared, match_event_handler=lambda i, *_: found.add(i), scratch=self.scratch)
        return found


class Fts5(Engine):
    name = "SQLite FTS5"
    largest = 10_000

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self.base = sqlite3.connect(":memory:")
        self.base.execute("CREATE VIRTUAL TABLE story USING fts5(words)")
        self.queries = [self.written(s) for s in subscriptions]

    @staticmethod
    def written(subscription: Subscription) -> str:
        kind, *leaves = subscription
        a, *more = [f'"{" ".join(leaf)}"' for leaf in leaves]
        match kind:
            case "and":
                return f"{a} AND {more[0]}"
            case "or":
                return f"{a} OR {more[0]}"
            case "not":
                return f"{a} NOT {more[0]}"
            case "orand":
                return f"({a} OR {more[0]}) AND {more[1]}"
            case _:
                return a

    def match(self, prepared: str) -> int:
        self.base.execute("DELETE FROM story")
        self.base.execute("INSERT INTO story VALUES (?)", (prepared,))
        ask = "SELECT count(*) FROM story WHERE story MATCH ?"
        return sum(self.base.execute(ask, (written,)).fetchone()[0] for written in self.queries)

    def close(self) -> None:
        self.base.close()


def _postgres() -> str:
    if not importlib.util.find_spec("psycopg"):
        return "not installed: pip install 'psycopg[binary]'"
    import psycopg

    try:
        psycopg.connect(DSN, connect_timeout=3).close()
    except psycopg.Error:
        return "no PostgreSQL on 127.0.0.1:5432"
    return ""


DSN = "host=127.0.0.1 port=5432 dbname=test user=postgres"


class Postgres(Engine):
    name = "PostgreSQL @@"
    least = 200
    absent = _postgres()
    outside = True

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        import psycopg

        self.base = psycopg.connect(DSN, autocommit=True)
        self.base.execute("SET max_parallel_workers_per_gather = 0")
        self.base.execute("CREATE TEMP TABLE wish (q tsquery)")
        with self.base.cursor().copy("COPY wish FROM STDIN") as copy:
            for subscription in subscriptions:
                copy.write_row((self.written(subscription),))
        self.base.execute("ANALYZE wish")

    @staticmethod
    def written(subscription: Subscription) -> str:
        kind, *leaves = subscription
        a, *more = ["(" + " <-> ".join(f"'{word}'" for word in leaf) + ")" for leaf in leaves]
        match kind:
            case "and":
                return f"{a} & {more[0]}"
            case "or":
                return f"{a} | {more[0]}"
            case "not":
                return f"{a} & !{more[0]}"
            case "orand":
                return f"({a} | {more[0]}) & {more[1]}"
            case _:
                return a

    def prepare(self, story: Story, joined: str) -> str:
        places: dict[str, list[int]] = defaultdict(list)
        for i, word in enumerate(joined.split(), 1):
            places[word].append(i)
        return " ".join(f"'{word}':{','.join(map(str, at))}" for word, at in places.items())

    def match(self, prepared: str) -> int:
        row = self.base.execute("SELECT count(*) FROM wish WHERE %s::tsvector @@ q", (prepared,)).fetchone()
        return int(row[0]) if row else 0

    def close(self) -> None:
        self.base.close()


ENGINES: Iterable[type[Engine]] = (Tocsin, InLoop, RegexLoop, BigRegex, Fts5, Postgres, AhoCorasick, Hyperscan)
