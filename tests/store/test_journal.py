"""The journal: TinyDB's API unchanged, everything on disk, and files that can be hurt without losing anything."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tinydb import TinyDB, where
from tinydb.operations import increment
from tinydb.storages import MemoryStorage
from tinydb.table import Document

from bot.store.disk import Damaged, Disk, Full, JournalError, Locked, TooNew
from bot.store.journal import JournalDB, JournalStorage, JournalTable
from bot.store.records import parse_record, record, scan


def journals(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.journal-*"))


def table_of(db: JournalDB, name: str = "t") -> JournalTable:
    table = db.table(name)
    assert isinstance(table, JournalTable)
    return table


def contents(path: Path) -> dict[str, dict[int, dict[str, object]]]:
    with JournalDB(path, read_only=True) as db:
        return {name: {doc.doc_id: dict(doc) for doc in db.table(name)} for name in sorted(db.tables())}


# ---------------------------------------------------------------- still TinyDB

VALUES = st.one_of(
    st.integers(0, 3), st.sampled_from(["a", "b", ""]), st.none(), st.booleans(), st.lists(st.integers(0, 1))
)
DOCS = st.dictionaries(st.sampled_from(["k", "g", "x"]), VALUES, max_size=3)
CONDS = st.builds(
    lambda a, b, how: {
        "one": where("k") == a,
        "both": (where("k") == a) & (where("g") == b),
        "either": (where("k") == a) | (where("g") == b),
        "not": ~(where("k") == a),
        "deep": (where("k") == a) & ((where("g") == b) & where("x").exists()),
    }[how],
    VALUES,
    VALUES,
    st.sampled_from(["one", "both", "either", "not", "deep"]),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), DOCS),
        st.tuples(st.just("insert_multiple"), st.lists(DOCS, max_size=3)),
        st.tuples(st.just("insert_at"), DOCS, st.integers(1, 9)),
        st.tuples(st.just("update"), DOCS, CONDS),
        st.tuples(st.just("update_all"), DOCS),
        st.tuples(st.just("update_ids"), DOCS, st.lists(st.integers(1, 9), max_size=3)),
        st.tuples(st.just("upsert"), DOCS, CONDS),
        st.tuples(st.just("remove"), CONDS),
        st.tuples(st.just("remove_ids"), st.lists(st.integers(1, 9), max_size=3, unique=True)),
        st.tuples(st.just("search"), CONDS),
        st.tuples(st.just("get"), CONDS),
        st.tuples(st.just("truncate")),
        st.tuples(st.just("reopen")),
        st.tuples(st.just("compact")),
    ),
    max_size=20,
)


def do(db: TinyDB, step: tuple[Any, ...]) -> object:
    table: Any = db.table("t")
    name, *args = step
    try:
        match name:
            case "insert_at":
                return table.insert(Document(args[0], args[1]))
            case "update_all":
                return table.update(args[0])
            case "update_ids":
                return table.update(args[0], doc_ids=args[1])
            case "remove_ids":
                return table.remove(doc_ids=args[0])
            case "get":
                found = table.get(args[0])
                return found and (found.doc_id, dict(found))
            case "search":
                return sorted((doc.doc_id, str(dict(doc))) for doc in table.search(args[0]))
            case "reopen" | "compact":
                return None
            case _:
                done = getattr(table, str(name))(*args)
                return sorted(done) if isinstance(done, list) else done
    except ValueError as error:
        return str(error)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_it_does_what_tinydb_does(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Any, ...]]) -> None:
    """Any sequence of TinyDB calls gives what stock TinyDB gives, with indexes, over restarts and snapshots."""
    path = tmp_path_factory.mktemp("db") / "db.json"
    stock = TinyDB(storage=MemoryStorage)
    db = JournalDB(path)
    table_of(db).index("k")
    table_of(db).index("g")
    try:
        for step in steps:
            # stock TinyDB gives ids of removed documents again in some cases, and this one never does
            stock_table: Any = stock.table("t")
            stock_table._next_id = db.storage._next.get("t")
            expected, actual = do(stock, step), do(db, step)
            if step[0] == "reopen":
                db.close()
                db = JournalDB(path)
                table_of(db).index("k")
                table_of(db).index("g")
            elif step[0] == "compact":
                db.storage.compact()
            assert actual == expected, step
            documents = {doc.doc_id: dict(doc) for doc in db.table("t")}
            assert documents == {doc.doc_id: dict(doc) for doc in stock.table("t")}
            assert len(db.table("t")) == len(stock.table("t"))
    finally:
        db.close()


def test_stock_tinydb_opens_the_snapshot(tmp_path: Path) -> None:
    """Nobody is locked in: the file is TinyDB's own format."""
    path = tmp_path / "db.json"
    with JournalDB(path) as db:
        db.table("news").insert({"title": "é “ ” \u2028", "n": [1, {"a": None}]})
        db.insert({"default": True})
        db.storage.compact()
    with TinyDB(path) as stock:
        assert stock.table("news").all() == [{"title": "é “ ” \u2028", "n": [1, {"a": None}]}]
        assert stock.all() == [{"default": True}]


def test_a_file_of_stock_tinydb_is_taken_over(tmp_path: Path) -> None:
    """Moving from JSONStorage needs nothing but the other class."""
    path = tmp_path / "db.json"
    with TinyDB(path, indent=2) as stock:
        stock.table("a").insert_multiple([{"n": 1}, {"n": 2}])
    with JournalDB(path) as db:
        assert [doc["n"] for doc in db.table("a")] == [1, 2]
        db.table("a").insert({"n": 3})
    with JournalDB(path) as db:
        db.storage.compact()
        assert [doc["n"] for doc in db.table("a")] == [1, 2, 3]


def test_the_storage_works_under_tinydbs_own_tables(tmp_path: Path) -> None:
    """`TinyDB(path, storage=JournalStorage)` needs no other class; only changes are written."""
    path = tmp_path / "db.json"
    with TinyDB(path, storage=JournalStorage) as db:
        db.insert_multiple([{"n": n} for n in range(50)])
        assert isinstance(db.storage, JournalStorage)
        size = db.storage.files.journal_size
        db.update(increment("n"), where("n") == 7)
        db.table("b").insert({"x": 1})
        assert db.storage.files.journal_size - size < 200
        db.drop_table("b")
    with TinyDB(path, storage=JournalStorage) as db:
        assert db.tables() == {"_default"}
        assert db.count(where("n") == 8) == 2
        db.drop_tables()
        assert db.tables() == set()


def test_what_a_reader_does_to_a_document_stays_with_the_reader(tmp_path: Path) -> None:
    """No accidental write through a shared dict."""
    with JournalDB(tmp_path / "db.json") as db:
        db.insert({"k": {"deep": [1]}})
        db.all()[0]["k"]["deep"].append(2)
        db.search(where("k").exists())[0]["k"] = 0
        assert db.all() == [{"k": {"deep": [1]}}]


def test_a_transaction_is_one_record_over_tables(tmp_path: Path) -> None:
    """All of it or nothing, also across tables, and nested ones belong to the outer."""
    path = tmp_path / "db.json"
    with JournalDB(path) as db:
        with db.storage.transaction():
            db.table("a").insert({"n": 1})
            with db.storage.transaction():
                db.table("b").insert({"n": 2})
        assert journals(path)[0].read_bytes().count(b"\n") == 2  # the header and the record

        def fails() -> None:
            with db.storage.transaction():
                db.table("a").update({"n": 9})
                db.table("b").remove(where("n") == 2)
                db.table("c").insert({"n": 3})
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fails()
        assert db.table("a").all() == [{"n": 1}]
        assert db.table("b").all() == [{"n": 2}]
    assert contents(path) == {"a": {1: {"n": 1}}, "b": {1: {"n": 2}}}


def test_an_updater_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    """Indexes too are as before."""
    with JournalDB(tmp_path / "db.json") as db:
        table = table_of(db)
        table.index("k")
        table.insert_multiple([{"k": 1}, {"k": 1, "n": "text"}])
        with pytest.raises(TypeError):
            table.update(lambda doc: doc.update(k=2, n=doc.get("n", 0) + 1))
        assert [doc["k"] for doc in table] == [1, 1]
        assert table.find(k=1) == [1, 2]
        assert table.find(k=2) == []


def test_lookups_and_updates_by_index_do_not_read_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flat in the size of the store: with 2,000 documents an equality look-up decodes one."""
    with JournalDB(tmp_path / "db.json") as db:
        table = table_of(db)
        table.index("k")
        table.insert_multiple([{"k": f"v{n}", "n": n} for n in range(2000)])
        looked: list[int] = []

        def looks(value: object) -> bool:
            looked.append(1)
            return value is not None

        cond = (where("k") == "v77") & where("n").test(looks)
        assert [doc["n"] for doc in table.search(cond)] == [77]
        assert table.update({"n": 0}, cond) == [78]
        assert table.upsert({"n": 1}, cond) == [78]
        assert table.get(cond) == {"k": "v77", "n": 1}
        assert table.remove(cond) == [78]
        assert len(looked) == 5


# ---------------------------------------------------------------- records and damage


@given(
    number=st.integers(0, 10**12), durable=st.integers(0, 10**12), payload=st.binary().filter(lambda b: b"\n" not in b)
)
def test_a_record_is_read_as_written(number: int, durable: int, payload: bytes) -> None:
    """And a record with any byte cut off is none."""
    line = record(number, durable, payload)
    assert parse_record(line[:-1]) == (number, durable, payload)
    assert parse_record(line[:-2]) is None


def filled(path: Path, count: int = 12) -> list[dict[int, dict[str, object]]]:
    """A store whose journal holds `count` commits; the states after each."""
    states: list[dict[int, dict[str, object]]] = [{}]
    with JournalDB(path) as db:
        for n in range(count):
            if n % 4 == 3:
                db.table("t").update({"again": n}, where("n") == n - 2)
            else:
                db.table("t").insert({"n": n, "text": "x" * 5})
            states.append({doc.doc_id: dict(doc) for doc in db.table("t")})
    return states


def test_truncated_at_every_offset_it_opens_with_every_whole_record(tmp_path: Path) -> None:
    """A power cut in the middle of a write loses that write at most, wherever it was (faults row 49)."""
    path = tmp_path / "db.json"
    states = filled(path)
    [journal] = journals(path)
    whole = journal.read_bytes()
    for offset in range(len(whole) + 1):
        journal.write_bytes(whole[:offset])
        commits = max(whole[:offset].count(b"\n") - 1, 0)
        assert contents(path).get("t", {}) == states[commits], offset
    for offset in range(0, len(whole), 7):
        journal.write_bytes(whole[:offset])
        commits = max(whole[:offset].count(b"\n") - 1, 0)
        with JournalDB(path) as db:  # and goes on from there
            db.table("t").insert({"after": offset})
        assert [*contents(path)["t"].values()][-1] == {"after": offset}
        assert len(contents(path)["t"]) == len(states[commits]) + 1


@pytest.mark.parametrize("tail", [b"\0" * 5000, b"\0" * 3 + b"garbage\n\n", b"0123abcd 99 98 {}\n", b"\n", b"{}\n{}\n"])
def test_a_tail_that_is_no_record_is_left_out(tmp_path: Path, tail: bytes) -> None:
    """NULs and rubbish after a crash cost nothing that was acknowledged (TinyDB issue 461)."""
    path = tmp_path / "db.json"
    states = filled(path)
    [journal] = journals(path)
    journal.write_bytes(journal.read_bytes() + tail)
    assert contents(path)["t"] == states[-1]
    with JournalDB(path) as db:
        assert bool(db.storage.files.findings) == bool(tail.strip(b"\0"))  # zeros are written ahead
        db.table("t").insert({"on": 1})
    assert len(contents(path)["t"]) == len(states[-1]) + 1


def test_a_damaged_middle_is_refused_at_every_byte(tmp_path: Path) -> None:
    """A journal that rotted before its end is never read as if it ended there."""
    path = tmp_path / "db.json"
    states = filled(path)
    [journal] = journals(path)
    whole = journal.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for offset in range(last - 1):
        journal.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x01]) + whole[offset + 1 :])
        with pytest.raises(Damaged):
            JournalDB(path)
    assert journal.read_bytes() != whole
    journal.write_bytes(whole)
    assert contents(path)["t"] == states[-1]


def test_a_torn_batch_is_a_tail_though_a_later_record_of_it_is_whole() -> None:
    """Sectors of one write may reach the disk in any order before anyone was told of it."""
    head = record(0, 0, b"{}") + record(1, 0, b"{}")
    torn = record(2, 1, b"{}")[:-9] + b"\0" * 9 + record(3, 1, b"{}") + record(4, 1, b"{}")
    assert scan(head + torn, -1, "j") == ([b"{}", b"{}"], len(head))
    with pytest.raises(Damaged):  # written when number 2 was known to be on disk
        scan(head + torn + record(5, 4, b"{}"), -1, "j")


def test_a_snapshot_damaged_at_any_byte_is_restored_or_refused(tmp_path: Path) -> None:
    """The copy before it and the journals since hold the same; nothing is lost, and never is it empty."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
        db.table("t").insert({"n": "between"})
        db.storage.compact()
        db.table("t").insert({"n": "last"})
    expected = contents(path)
    whole = path.read_bytes()
    for offset in range(len(whole)):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x02]) + whole[offset + 1 :])
        if offset == whole.index(b'"format":1') + 9:
            with pytest.raises(TooNew):
                contents(path)
        else:
            assert contents(path) == expected, offset
        path.write_bytes(whole[:offset])
        assert contents(path) == expected, offset
    path.write_bytes(b"\0" * len(whole))
    with JournalDB(path) as db:
        assert "restored" in db.storage.files.findings[0]
    assert (tmp_path / "db.json.damaged").read_bytes() == b"\0" * len(whole)
    assert contents(path) == expected
    path.unlink()
    assert contents(path) == expected


def test_a_store_that_cannot_be_restored_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Never silently started empty, which would send everything again (faults row 49)."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
        db.storage.compact()
    for name in (path, tmp_path / "db.json.bak"):
        name.write_bytes(b"{}"[:1])
    for journal in journals(path)[:1]:
        journal.unlink()
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("lock")}
    with pytest.raises(Damaged, match=r"Restore the folder from a backup"):
        JournalDB(path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if not file.name.endswith("lock")} == before


def test_the_copy_before_alone_is_not_taken(tmp_path: Path) -> None:
    """Without the journals since, nobody knows what would be missing."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
    for name in (path, *journals(path)):
        name.unlink()
    with pytest.raises(Damaged):
        JournalDB(path)


@pytest.mark.parametrize("content", [b"", b"\0\0\0\0", b"not json", b"[1, 2]", b'{"t": {"x": {}}}', b'{"t":'])
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    """A wrong path in the configuration destroys nothing."""
    path = tmp_path / "db.json"
    path.write_bytes(content)
    with pytest.raises(Damaged):
        JournalDB(path)
    assert path.read_bytes() == content


def test_a_snapshot_alone_is_a_backup(tmp_path: Path) -> None:
    """Copying one file away is enough to come back to its state."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
    expected = contents(path)
    elsewhere = tmp_path / "other" / "copy.json"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path.read_bytes())
    with JournalDB(elsewhere) as db:
        db.table("t").insert({"n": "new"})
    assert len(contents(elsewhere)["t"]) == len(expected["t"]) + 1


def test_a_journal_that_is_missing_is_noticed(tmp_path: Path) -> None:
    """A gap between two files is damage."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
        db.table("t").insert({"n": 1})
        db.storage.files.rotate()
        db.table("t").insert({"n": 2})
    journals(path)[1].unlink()
    with pytest.raises(Damaged, match="missing"):
        JournalDB(path)


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    """An old program does not guess at what a newer one wrote."""
    path = tmp_path / "db.json"
    filled(path)
    with JournalDB(path) as db:
        db.storage.compact()
    path.write_bytes(path.read_bytes().replace(b'"format":1', b'"format":2', 1))
    with pytest.raises(TooNew):
        JournalDB(path)


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    """A store that is linked from elsewhere is not split in two by its first snapshot."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "db.json"
    link.symlink_to(tmp_path / "real" / "db.json")
    with JournalDB(link) as db:
        db.insert({"n": 1})
        db.storage.compact()
    assert link.is_symlink()
    assert journals(link) == []
    assert len(contents(link)["_default"]) == 1


# ---------------------------------------------------------------- full disks


class FullDisk(Disk):
    """Files can't grow beyond `limit` bytes: the last write below it is short, the next is refused."""

    limit = 1 << 40

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        if offset >= self.limit:
            raise OSError(28, "No space left on device")
        return super().write(fd, memoryview(data)[: self.limit - offset], offset)


def test_a_full_disk_at_every_byte_of_a_commit_keeps_all_of_it_or_nothing(tmp_path: Path) -> None:
    """Short writes are noticed and cut back; memory and disk agree; with space again it goes on (faults row 48)."""
    path = tmp_path / "db.json"
    disk = FullDisk()
    with JournalDB(path, disk=disk) as db:
        table = table_of(db)
        table.index("n")
        table.insert({"n": "first"})
        for room in range(80):
            disk.limit = db.storage.files._size + room
            with pytest.raises(Full):
                table.insert({"n": "refused", "text": "x" * 60})
            if room % 3:  # with and without zeros written ahead
                disk.limit = 1 << 40
            else:
                disk.limit = db.storage.files._size + 100
            assert table.find(n="refused") == []
            assert len(table) == room + 1
            table.insert({"n": f"after {room}"})
    assert len(contents(path)["t"]) == 81


def test_a_full_disk_during_a_snapshot_costs_only_the_snapshot(tmp_path: Path) -> None:
    """The journals go on and hold everything."""
    path = tmp_path / "db.json"
    disk = FullDisk()
    with JournalDB(path, disk=disk) as db:
        db.table("t").insert_multiple([{"n": n} for n in range(100)])
        for limit in range(0, 1500, 100):
            disk.limit = limit
            with pytest.raises(Full):
                db.storage.compact()
            disk.limit = 1 << 40
            db.table("t").insert({"limit": limit})
        db.storage.compact()
    assert len(contents(path)["t"]) == 115
    assert not (tmp_path / "db.json.new").exists()


class BrokenDisk(Disk):
    """fdatasync fails when told to."""

    broken = False

    def datasync(self, fd: int) -> None:
        if self.broken:
            raise OSError(5, "Input/output error")
        super().datasync(fd)


def test_a_disk_that_cannot_sync_acknowledges_nothing(tmp_path: Path) -> None:
    """What the kernel may have dropped is not called stored."""
    path = tmp_path / "db.json"
    disk = BrokenDisk()
    with JournalDB(path, disk=disk) as db:
        db.insert({"n": 1})
        disk.broken = True
        for _ in range(2):
            with pytest.raises(JournalError, match="Input/output"):
                db.insert({"n": 2})
            assert [doc["n"] for doc in contents(path)["_default"].values()] == [1]  # as after a kill right now
        disk.broken = False
        db.insert({"n": 3})
    assert [doc["n"] for doc in contents(path)["_default"].values()] == [1, 3]


# ---------------------------------------------------------------- processes


def child(code: str, *args: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, args)], stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )


HOLD = """
import sys
from bot.store.journal import JournalDB
db = JournalDB(sys.argv[1])
db.insert({"n": 1})
print("open", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_and_told_who_has_it_until_the_first_is_killed(tmp_path: Path) -> None:
    """Two bots on one file would ring everybody twice (faults row 50)."""
    path = tmp_path / "db.json"
    first = child(HOLD, path)
    assert first.stdout
    assert first.stdout.readline() == "open\n"
    try:
        with pytest.raises(Locked, match=rf"db\.json is in use by process {first.pid} on "):
            JournalDB(path)
        assert len(contents(path)["_default"]) == 1  # reading is allowed
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
        first.stdout.close()
        assert first.stdin
        first.stdin.close()
    with JournalDB(path) as db:
        assert db.all() == [{"n": 1}]


def test_the_same_process_is_refused_too(tmp_path: Path) -> None:
    """Two TinyDB objects on one path overwrite each other (TinyDB issue 529)."""
    with JournalDB(tmp_path / "db.json"), pytest.raises(Locked, match=f"process {os.getpid()}"):
        JournalDB(tmp_path / "db.json")


FORK = """
import os, sys
from bot.store.journal import JournalDB
db = JournalDB(sys.argv[1])
if os.fork() == 0:
    print("forked", flush=True)
    sys.stdin.read()
    os._exit(0)
os.wait()
"""


def test_a_forked_child_does_not_hold_the_lock(tmp_path: Path) -> None:
    """A worker process that outlives a killed bot does not keep the next one from starting."""
    path = tmp_path / "db.json"
    first = child(FORK, path)
    assert first.stdout
    assert first.stdin
    assert first.stdout.readline() == "forked\n"
    first.kill()
    first.wait()
    try:
        JournalDB(path).close()
    finally:
        first.stdin.close()
        first.stdout.close()


WRITE = """
import sys
from bot.store.journal import JournalDB
db = JournalDB(sys.argv[1])
for n in range(400):
    db.insert({"n": n})
    if n % 40 == 0:
        db.storage.compact()
print("done", flush=True)
db.close()
"""


def test_readers_see_a_whole_state_while_another_process_writes_and_compacts(tmp_path: Path) -> None:
    """`status` beside a busy bot: always some moment's state, and never an older one than before."""
    path = tmp_path / "db.json"
    JournalDB(path).close()
    writer = child(WRITE, path)
    seen = [0]
    while writer.poll() is None:
        state = contents(path).get("_default", {})
        assert [*state] == [*range(1, len(state) + 1)]
        seen.append(len(state))
    assert writer.wait() == 0
    assert writer.stdout
    assert writer.stdin
    writer.stdout.close()
    writer.stdin.close()
    assert seen == sorted(seen)
    assert len(contents(path)["_default"]) == 400


def test_reading_only_needs_a_store(tmp_path: Path) -> None:
    """A typo in the path is said, not made into a new store."""
    with pytest.raises(JournalError, match="there is no store"):
        JournalDB(tmp_path / "no.json", read_only=True)
    assert list(tmp_path.iterdir()) == []
    JournalDB(tmp_path / "db.json").close()
    with JournalDB(tmp_path / "db.json", read_only=True) as db, pytest.raises(JournalError, match="reading only"):
        db.insert({})
