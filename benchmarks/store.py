"""The durable journal under TinyDB, beside stock TinyDB, SQLite and PostgreSQL.

    python benchmarks/store.py [--sizes 1000,10000,100000] [--rounds 60] [--folder DIR]

Every contestant holds documents of about 400 bytes, with a unique key and an index on it where it can have one. One
round does each operation once on every contestant in turn, so that a busy machine hurts all alike; the table gives
medians in microseconds. "durable" means: on disk when the call returns. PostgreSQL is found by TOCSIN_TEST_POSTGRES, or
started on a temporary folder; without it the column says so.
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tinydb import TinyDB, where
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import JSONStorage

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.store.journal import JournalDB, JournalTable

TEXT = "Rebel forces said on Sunday that they had taken the town after two days of fighting. " * 4


Doc = dict[str, Any]


def document(n: int) -> Doc:
    return {
        "guid": f"urn:story:{n:08d}",
        "n": n,
        "title": f"Story number {n}",
        "text": TEXT,
        "seen": "2026-03-01T12:00",
    }


class Journal:
    """This project's store."""

    name = "journal TinyDB"
    slow = False

    def __init__(self, folder: Path, size: int) -> None:
        self.db = JournalDB(folder / "journal.json")
        table = self.db.table("t")
        assert isinstance(table, JournalTable)
        self.table = table
        self.table.index("guid")
        self.table.insert_multiple(document(n) for n in range(size))
        self.db.storage.compact()

    def insert(self, doc: Doc) -> None:
        self.table.insert(doc)

    def search(self, n: int) -> int:
        return len(self.table.search(where("guid") == f"urn:story:{n:08d}"))

    def update(self, n: int) -> None:
        self.table.update({"seen": str(time.perf_counter())}, where("guid") == f"urn:story:{n:08d}")

    def group(self, docs: list[Doc]) -> None:
        with self.db.storage.transaction():
            for doc in docs:
                self.table.insert(doc)

    def close(self) -> None:
        self.db.close()


class Stock:
    """TinyDB as it comes."""

    slow = True

    def __init__(self, folder: Path, size: int, *, caching: bool = False) -> None:
        path = folder / f"stock{caching}.json"
        self.name = "TinyDB, caching" if caching else "TinyDB"
        self.db = TinyDB(path, storage=CachingMiddleware(JSONStorage) if caching else JSONStorage)  # type: ignore[no-untyped-call]
        self.db.insert_multiple(document(n) for n in range(size))

    def insert(self, doc: Doc) -> None:
        self.db.insert(doc)

    def search(self, n: int) -> int:
        self.db.clear_cache()  # the same question twice is not the question
        return len(self.db.search(where("guid") == f"urn:story:{n:08d}"))

    def update(self, n: int) -> None:
        self.db.update({"seen": str(time.perf_counter())}, where("guid") == f"urn:story:{n:08d}")

    def group(self, docs: list[Doc]) -> None:
        self.db.insert_multiple(docs)

    def close(self) -> None:
        self.db.close()


class Sqlite:
    """SQLite with a write-ahead log, every commit synced."""

    name = "SQLite WAL"
    slow = False

    def __init__(self, folder: Path, size: int) -> None:
        self.db = sqlite3.connect(folder / "sqlite.db", isolation_level=None)
        self.db.execute("pragma journal_mode=wal")
        self.db.execute("pragma synchronous=full")
        self.db.execute("create table t (guid text primary key, n int, title text, text text, seen text)")
        self.group([document(n) for n in range(size)])

    def insert(self, doc: Doc) -> None:
        self.db.execute("insert into t values (:guid, :n, :title, :text, :seen)", doc)

    def search(self, n: int) -> int:
        return len(self.db.execute("select * from t where guid = ?", (f"urn:story:{n:08d}",)).fetchall())

    def update(self, n: int) -> None:
        self.db.execute("update t set seen = ? where guid = ?", (str(time.perf_counter()), f"urn:story:{n:08d}"))

    def group(self, docs: list[Doc]) -> None:
        self.db.execute("begin")
        self.db.executemany("insert into t values (:guid, :n, :title, :text, :seen)", docs)
        self.db.execute("commit")

    def close(self) -> None:
        self.db.close()


class Postgres:
    """PostgreSQL over loopback, synchronous commit."""

    name = "PostgreSQL"
    slow = False

    def __init__(self, dsn: str, size: int) -> None:
        import psycopg

        self.db = psycopg.connect(dsn, autocommit=True)
        self.db.execute("drop table if exists bench_store")
        self.db.execute("create table bench_store (guid text primary key, n int, title text, text text, seen text)")
        with self.db.transaction(), self.db.cursor().copy("copy bench_store from stdin") as copy:
            for n in range(size):
                copy.write_row(tuple(document(n).values()))
        self.db.execute("analyze bench_store")

    def insert(self, doc: Doc) -> None:
        row = tuple(doc.values())
        self.db.execute("insert into bench_store values (%s, %s, %s, %s, %s)", row, prepare=True)

    def search(self, n: int) -> int:
        found = self.db.execute("select * from bench_store where guid = %s", (f"urn:story:{n:08d}",), prepare=True)
        return len(found.fetchall())

    def update(self, n: int) -> None:
        values = (str(time.perf_counter()), f"urn:story:{n:08d}")
        self.db.execute("update bench_store set seen = %s where guid = %s", values, prepare=True)

    def group(self, docs: list[Doc]) -> None:
        rows = [tuple(doc.values()) for doc in docs]
        with self.db.transaction():
            self.db.cursor().executemany("insert into bench_store values (%s, %s, %s, %s, %s)", rows)

    def close(self) -> None:
        self.db.execute("drop table bench_store")
        self.db.close()


class Raw:
    """The floor: append the same bytes to a file, and fdatasync."""

    name = "raw append + fdatasync"
    slow = False

    def __init__(self, folder: Path) -> None:
        import msgspec

        self.encode = msgspec.json.encode
        self.fd = os.open(folder / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def insert(self, doc: Doc) -> None:
        os.write(self.fd, self.encode(doc))
        os.fdatasync(self.fd)

    def group(self, docs: list[Doc]) -> None:
        os.write(self.fd, b"".join([self.encode(doc) for doc in docs]))
        os.fdatasync(self.fd)

    def close(self) -> None:
        os.close(self.fd)


def contestants(folder: Path, size: int, dsn: str | None) -> Iterator[Any]:
    yield Raw(folder)
    yield Journal(folder, size)
    yield Stock(folder, size)
    yield Stock(folder, size, caching=True)
    yield Sqlite(folder, size)
    if dsn:
        yield Postgres(dsn, size)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return (time.perf_counter() - start) * 1e6


def measure(subjects: list[Any], size: int, rounds: int) -> dict[str, dict[str, float]]:
    """Medians in microseconds by contestant and operation."""
    times: dict[str, dict[str, list[float]]] = {subject.name: {} for subject in subjects}
    slow_rounds = max(3, min(rounds, 30_000 // size))
    following = size
    for number in range(rounds):
        key = (number * 7919) % size
        for subject in subjects:
            if subject.slow and number >= slow_rounds:
                continue
            done = times[subject.name]
            for turn in range(1 if subject.slow else 4):  # the first after another's turn finds cold caches
                done.setdefault("insert", []).append(timed(partial(subject.insert, document(following + turn))))
            for turn in range(1 if subject.slow else 2):
                first = following + 4 + turn * 100
                docs = [document(n) for n in range(first, first + 100)]
                done.setdefault("group", []).append(timed(partial(subject.group, docs)) / 100)
            if hasattr(subject, "search"):
                for turn in range(1 if subject.slow else 4):
                    done.setdefault("search", []).append(timed(partial(subject.search, (key + turn) % size)))
                for turn in range(1 if subject.slow else 4):
                    done.setdefault("update", []).append(timed(partial(subject.update, (key + turn) % size)))
        following += 204
    return {name: {op: statistics.median(took) for op, took in done.items()} for name, done in times.items()}


def show(size: int, medians: dict[str, dict[str, float]]) -> None:
    print(f"\n{size:,} documents; microseconds, median")
    operations = ("insert", "group", "search", "update")
    titles = ("insert", "in a group of 100, each", "search ==", "update ==")
    print(f"{'':26}" + "".join(f"{title:>26}" for title in titles))
    for name, done in medians.items():
        print(f"{name:26}" + "".join(f"{done[op]:26,.1f}" if op in done else f"{'':26}" for op in operations))
    journal, raw, stock = medians["journal TinyDB"], medians["raw append + fdatasync"], medians["TinyDB"]
    print(f"journal insert / raw append + fdatasync: {journal['insert'] / raw['insert']:.2f}")
    for op in operations:
        print(f"stock TinyDB / journal, {op}: {stock[op] / journal[op]:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--folder", default=None, help="on the disk to be measured")
    given = parser.parse_args()
    with ExitStack() as stack:
        dsn = os.environ.get("TOCSIN_TEST_POSTGRES")
        if not dsn:
            from tests.store.cluster import NoPostgres, cluster

            try:
                import psycopg  # noqa: F401  # only whether it is there

                dsn = stack.enter_context(cluster(durable=True)).dsn
            except ImportError:
                print("PostgreSQL: not installed: pip install 'psycopg[binary]'")
            except NoPostgres as error:
                print(f"PostgreSQL: {error}")
        print("CachingMiddleware keeps up to 1,000 writes in memory: it is here for speed, it is not durable.")
        for size in map(int, given.sizes.split(",")):
            folder = Path(tempfile.mkdtemp(prefix="bench-store-", dir=given.folder))
            subjects = []
            try:
                subjects = list(contestants(folder, size, dsn))
                show(size, measure(subjects, size, given.rounds))
            finally:
                for subject in subjects:
                    subject.close()
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
