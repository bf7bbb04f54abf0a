"""The mill: the journal storage, and stock TinyDB beside it, killed and starved of disk space until something breaks.

    python -m tests.soak.mill_journal [--kills 1000] [--seed 1] [--stock]

Each round forks a child that goes on writing to the same store and tells its parent over a pipe of every commit that
returned. It is killed with SIGKILL: aimed, by a disk that ends the process before, in the middle of or after its n-th
system call of one kind; or by the parent, after a random while. Then the parent opens the store and judges:

damaged   it can't be opened, or holds something other than an unbroken run of commits
lost      a commit that had been acknowledged is not there

Every commit writes two documents in two tables, so that half a transaction would be seen.
"""

import argparse
import asyncio
import os
import random
import resource
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from tinydb import TinyDB

from bot.errors import StoreError
from bot.model import ChatId, Subscription, SubscriptionId
from bot.store.disk import Disk, Full, JournalError
from bot.store.journal import JournalDB
from bot.store.tiny import TinyStore, open_tiny

TEXT = "x" * 300
CHAT = ChatId("console", "me")
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Tally:
    """What came of it."""

    rounds: int = 0
    killed: int = 0
    acknowledged: int = 0
    damaged: int = 0
    lost: int = 0

    def __str__(self) -> str:
        return (
            f"{self.rounds:6} rounds, {self.killed:5} killed, {self.acknowledged:7} commits acknowledged, {self.damaged:4} times damaged, "
            f"{self.lost:5} acknowledged commits lost"
        )


class Deadly(Disk):
    """Ends the process at the n-th call of one kind."""

    KINDS = ("write", "datasync", "sync", "replace", "link", "unlink", "truncate", "sync_folder")

    def __init__(self, kind: str, count: int, moment: str) -> None:
        self._kind = kind
        self._count = count
        self._moment = moment

    def _reached(self, kind: str, moment: str) -> None:
        if kind == self._kind and moment == self._moment:
            self._count -= 1
            if self._count == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def _at(self, kind: str) -> Iterator[None]:
        self._reached(kind, "before")
        yield
        self._reached(kind, "after")

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        if self._kind == "write" and self._moment == "middle" and self._count == 1:
            super().write(fd, memoryview(data)[: len(data) * 2 // 3], offset)
        self._reached("write", "middle")
        with self._at("write"):
            return super().write(fd, data, offset)

    def datasync(self, fd: int) -> None:
        with self._at("datasync"):
            super().datasync(fd)

    def sync(self, fd: int) -> None:
        with self._at("sync"):
            super().sync(fd)

    def replace(self, source: Path, target: Path) -> None:
        with self._at("replace"):
            super().replace(source, target)

    def link(self, source: Path, target: Path) -> None:
        with self._at("link"):
            super().link(source, target)

    def unlink(self, path: Path) -> None:
        with self._at("unlink"):
            super().unlink(path)

    def truncate(self, fd: int, size: int) -> None:
        with self._at("truncate"):
            super().truncate(fd, size)

    def sync_folder(self, folder: Path) -> None:
        with self._at("sync_folder"):
            super().sync_folder(folder)


# ---------------------------------------------------------------- what the children do


def work_journal(path: Path, tell: Callable[[int], None], disk: Disk | None) -> None:
    """Commits and snapshots until killed, or for a good while."""
    db = JournalDB(path, disk=disk)
    for n in range(len(db.table("a")), len(db.table("a")) + 120):
        commit_journal(db, n)
        tell(n)
        if n % 7 == 6:
            db.storage.compact()
    db.close()


def commit_journal(db: JournalDB, n: int) -> None:
    """Two inserts and sometimes an update, in one transaction."""
    with db.storage.transaction():
        db.table("a").insert({"n": n, "text": TEXT})
        db.table("b").insert({"n": n})
        if n % 3 == 0:
            db.table("a").update({"again": n}, doc_ids=[n // 2 + 1])


def work_stock(path: Path, tell: Callable[[int], None], _: Disk | None) -> None:
    """The same with TinyDB's own storage, which knows no transactions: one document a commit."""
    db = TinyDB(path)
    a = db.table("a")
    for n in range(len(a), len(a) + 120):
        a.insert({"n": n, "text": TEXT})
        if n % 3 == 0:
            a.update({"again": n}, doc_ids=[n // 2 + 1])
        tell(n)
    db.close()


def read_journal(path: Path) -> list[int]:
    """The numbers of the commits that are there. Raises when the store is not what commits can have left."""
    with JournalDB(path) as db:
        numbers = [doc["n"] for doc in db.table("a")]
        if numbers != [doc["n"] for doc in db.table("b")]:
            raise JournalError("half a transaction")
        for doc in db.table("a"):
            if doc["text"] != TEXT:
                raise JournalError("wrong text")
    return numbers


def read_stock(path: Path) -> list[int]:
    """Likewise."""
    with TinyDB(path) as db:
        numbers = [doc["n"] for doc in db.table("a")]
        if any(doc["text"] != TEXT for doc in db.table("a")):
            raise JournalError("wrong text")
    return numbers


def work_store(path: Path, tell: Callable[[int], None], disk: Disk | None) -> None:
    """The whole TinyDB store: many tasks at once, group commit in a thread, snapshots meanwhile."""

    async def add(store: TinyStore) -> None:
        added = await store.add_subscription(Subscription(SubscriptionId(0), CHAT, TEXT, SINCE))
        tell(added.id - 1)

    async def work() -> None:
        store = await open_tiny(path, disk=disk)
        for n in range(60):  # whichever call is aimed at, it comes in this while
            tasks = [add(store) for _ in range(6)]
            await asyncio.gather(*tasks, *([store.compact()] if n % 3 == 2 else []))
        await store.close()

    try:
        asyncio.run(work())
    except StoreError as error:
        raise Full(str(error)) from error


def read_store(path: Path) -> list[int]:
    """Likewise."""

    async def read() -> list[int]:
        store = await open_tiny(path)
        kept = await store.subscriptions(CHAT)
        await store.close()
        if any(row.query != TEXT for row in kept):
            raise JournalError("wrong text")
        return [row.id - 1 for row in kept]

    try:
        return asyncio.run(read())
    except StoreError as error:
        raise JournalError(str(error)) from error


@dataclass
class Subject:
    """What goes through the mill."""

    work: Callable[[Path, Callable[[int], None], Disk | None], None]
    read: Callable[[Path], list[int]]


JOURNAL = Subject(work_journal, read_journal)
STORE = Subject(work_store, read_store)
STOCK = Subject(work_stock, read_stock)


# ---------------------------------------------------------------- rounds


def _child(subject: Subject, path: Path, pipe: int, disk: Disk | None, limit: int | None) -> NoReturn:
    code = 1
    try:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        subject.work(path, lambda n: (os.write(pipe, b"%d\n" % n), None)[1], disk)
        code = 0
    except (Full, OSError):
        code = 2  # refused, as it should be on a full disk
    finally:
        os._exit(code)


def one_round(
    subject: Subject, path: Path, disk: Disk | None = None, after: float | None = None, limit: int | None = None
) -> tuple[int, int, bool]:
    """Runs a child to its end: how many commits it acknowledged, the number of the last (-1: none), and whether it was
    killed.
    """
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        _child(subject, path, into, disk, limit)
    os.close(into)
    heard = b""
    deadline = None if after is None else time.monotonic() + after
    while True:
        wait = None if deadline is None else max(deadline - time.monotonic(), 0)
        ready, _, _ = select.select([out], [], [], wait)
        if not ready:
            os.kill(pid, signal.SIGKILL)
            deadline = None
            continue
        piece = os.read(out, 1 << 16)
        if not piece:
            break
        heard += piece
    os.close(out)
    killed = os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    lines = heard.split(b"\n")[:-1]
    return len(lines), int(lines[-1]) if lines else -1, killed


def judge(subject: Subject, path: Path, acknowledged: int, tally: Tally) -> None:
    """Opens the store after a round. A damaged one is thrown away, so that the next round has something to kill."""
    try:
        numbers = subject.read(path)
        if numbers != [*range(len(numbers))]:
            raise JournalError("a gap")  # noqa: TRY301  # one judgement for all kinds of damage
    except (JournalError, ValueError, KeyError, TypeError, AttributeError, OSError):
        tally.damaged += 1
        shutil.rmtree(path.parent)
        path.parent.mkdir()
    else:
        tally.lost += max(acknowledged + 1 - len(numbers), 0)


def kill(subject: Subject, folder: Path, rounds: int, rng: random.Random) -> Tally:
    """SIGKILL, aimed (where the subject has a disk to aim at) and at random, over and over into the same store."""
    tally = Tally()
    path = folder / "kill" / "db.json"
    path.parent.mkdir()
    for number in range(rounds):
        if number % 40 == 39:  # not too long a file, or stock TinyDB takes all day
            shutil.rmtree(path.parent)
            path.parent.mkdir()
        disk, after = None, None
        if subject is not STOCK and number % 4:
            # a new store has nothing to cut off
            kind = rng.choice(Deadly.KINDS) if number % 3 and path.exists() else "write"
            moment = rng.choice(("before", "middle", "after")) if kind == "write" else rng.choice(("before", "after"))
            most = {"write": 60, "datasync": 60, "truncate": 1}.get(kind, 12)
            disk = Deadly(kind, rng.randint(1, most), moment)
        else:
            after = rng.uniform(0.001, 0.08)
        commits, acknowledged, killed = one_round(subject, path, disk, after)
        tally.rounds += 1
        tally.killed += killed
        tally.acknowledged += commits
        judge(subject, path, acknowledged, tally)
    return tally


def fill(subject: Subject, folder: Path, steps: int, step: int) -> Tally:
    """A disk that is full at every `step`-th byte (a limit on the size of a file), again and again from a fresh store."""
    tally = Tally()
    for number in range(steps):
        path = folder / f"full-{number}" / "db.json"
        path.parent.mkdir()
        commits, acknowledged, _ = one_round(subject, path, limit=2500 + number * step)
        tally.rounds += 1
        tally.acknowledged += commits
        judge(subject, path, acknowledged, tally)
        shutil.rmtree(path.parent)
    return tally


def cut(subject: Subject, folder: Path, steps: int) -> Tally:
    """The file that is written to, cut short at `steps` places or ending in NULs: what came before must be there."""
    tally = Tally()
    path = folder / "cut" / "db.json"
    path.parent.mkdir()
    if subject is JOURNAL:
        with JournalDB(path) as db:
            for n in range(60):
                commit_journal(db, n)
        [target] = path.parent.glob("db.json.journal-*")
    else:
        one_round(subject, path)
        target = path
    keep = {file: file.read_bytes() for file in path.parent.iterdir()}
    whole = keep[target]
    for number in range(steps):
        at = len(whole) * number // steps
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        for file, content in keep.items():
            file.write_bytes(content)
        target.write_bytes(whole[:at] + b"\0" * (number % 3 * 500))
        commits = max(whole[:at].count(b"\n") - 1, 0) if subject is JOURNAL else 0
        tally.rounds += 1
        tally.acknowledged += commits
        judge(subject, path, commits - 1, tally)
    return tally


def mill(kills: int, seed: int, *, stock: bool) -> dict[str, Tally]:
    """All of it."""
    rng = random.Random(seed)
    results = {}
    step = 1 if kills >= 500 else 37
    with tempfile.TemporaryDirectory(prefix="mill-") as name:
        folder = Path(name)
        for label, subject in {"journal": JOURNAL, "store": STORE, "stock TinyDB": STOCK}.items():
            if subject is STOCK and not stock:
                continue
            here = folder / label
            here.mkdir()
            results[f"{label}: kill -9"] = kill(subject, here, kills, rng)
            results[f"{label}: disk full"] = fill(subject, here, max(kills // 2, 20), step)
            if subject is not STORE:
                results[f"{label}: cut short, NULs"] = cut(subject, here, max(kills // 2, 20))
    return results


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kills", type=int, default=1000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--stock", action="store_true", help="stock TinyDB through the same mill")
    given = arguments.parse_args()
    outcome = mill(given.kills, given.seed, stock=given.stock)
    for label, tally in outcome.items():
        print(f"{label:32} {tally}")
    ours = [tally for label, tally in outcome.items() if not label.startswith("stock")]
    raise SystemExit(any(tally.damaged or tally.lost for tally in ours))
