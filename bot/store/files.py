"""A snapshot and the journal beside it: tables in, tables out, and nothing lost in between.

    db.json                        the snapshot: one JSON object, as stock TinyDB reads it, with a checksum of itself
    db.json.bak                    the snapshot before it
    db.json.journal-000000000042   the records after number 42, one a line
    db.json.lock                   held while a process has the files open for writing

A record is "checksum number durable payload": CRC-32 of the rest, its number, the number of the last record known to be
on disk when it was written, and a JSON object {table: {doc id: document, or null where it was removed}}. A journal's
first line is a record that repeats the number it starts after.

Reading goes: the snapshot, then every later record in order. Where the last journal ends in something that is no
record, that is a write that nobody was told of, and it is cut off; but not where a whole record comes after it that
was written when the broken one was already known to be on disk: that is damage, and it is refused. When the snapshot
is unreadable or missing, the one before it and the journals since give the same state, and are taken.
"""

from __future__ import annotations

import gc
import os
import re
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from bot.store.disk import Damaged, Disk, JournalError, Lock, TooNew, refused, write_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: documents as JSON, by table and id
Tables = dict[str, dict[int, bytes]]

FORMAT = 1
#: the table that carries the snapshot's own numbers; stock TinyDB shows it like any other
META = "_journal"

#: how a snapshot begins; TinyDB itself would put a space after the colon
_OURS = b'{"%s":{"1":{' % META.encode()


class _Header(msgspec.Struct):
    format: int
    sequence: int
    checksum: str


_header = msgspec.json.Decoder(dict[str, dict[str, _Header]])
_body = msgspec.json.Decoder(dict[str, dict[int, msgspec.Raw]])
_record_start = re.compile(rb"(?=([0-9a-f]{8} \d+ \d+ [^\n]*))")
_CHUNK = 1 << 17

#: zeros written ahead in the journal: a commit that does not move the end of the file syncs a third faster (ext4)
ROOM = 256 << 10

#: below this many bytes closing a store may write a snapshot without anyone noticing
COMPACT_AT_CLOSE = 64 << 20


def record(number: int, durable: int, payload: bytes) -> bytes:
    """One line of a journal."""
    rest = b"%d %d %s" % (number, durable, payload)
    return b"%08x %s\n" % (zlib.crc32(rest), rest)


def parse_record(line: bytes) -> tuple[int, int, bytes] | None:
    """Number, durable number and payload; None when the line is not a whole record."""
    if len(line) < 13 or line[8:9] != b" ":
        return None
    try:
        if int(line[:8], 16) != zlib.crc32(line[9:]):
            return None
        number, durable, payload = line[9:].split(b" ", 2)
        return int(number), int(durable), payload
    except ValueError:
        return None


def scan(data: bytes, number: int, name: str) -> tuple[list[bytes], int]:
    """The payloads after record `number` (header included), and how many bytes of `data` they take.

    Raises Damaged when a record is broken that was known to be on disk.
    """
    payloads: list[bytes] = []
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        found = parse_record(data[position:end])
        if found is None or found[0] != number + 1:
            break
        payloads.append(found[2])
        number += 1
        position = end + 1
    for match in _record_start.finditer(data, position):
        later = parse_record(match[1])
        if later is not None and later[0] > number + 1 and later[1] > number:
            raise Damaged(
                f"{name} is damaged at byte {position}: record {number + 1} is unreadable, and later ones are not. "
                f"Restore the folder from a backup, or cut the file there to lose what came after"
            )
    return payloads, position


def apply(tables: Tables, payload: bytes) -> None:
    """Makes the changes of one record."""
    for table, changes in _body.decode(payload).items():
        rows = tables.setdefault(table, {})
        for doc_id, raw in changes.items():
            document = bytes(raw)
            if document == b"null":
                rows.pop(doc_id, None)
            else:
                rows[doc_id] = document


def read_snapshot(path: Path) -> tuple[Tables, int]:
    """Tables and the number of the last record in them. Raises FileNotFoundError, Damaged, TooNew."""
    data = path.read_bytes()
    line, _, body = data.partition(b"\n")
    if not data.strip(b"\0 \r\n"):
        raise Damaged(f"{path.name} is empty")
    if data.startswith(_OURS):
        try:
            meta = _header.decode(line.rstrip(b",") + b"}")[META]["1"]
            checksum = int(meta.checksum, 16)
        except (msgspec.MsgspecError, KeyError, ValueError):
            raise Damaged(f"{path.name} has a damaged first line") from None
        if meta.format > FORMAT:
            raise TooNew(f"{path.name} has format {meta.format}, this version reads up to {FORMAT}")
        if checksum != zlib.crc32(body, meta.sequence & 0xFFFFFFFF):
            raise Damaged(f"{path.name} does not match its checksum")
        return _load(b"{" + body, path.name), meta.sequence
    # written by stock TinyDB: taken over as it is
    return {name: rows for name, rows in _load(data, path.name, compact=True).items() if name != META}, 0


def _load(data: bytes, name: str, *, compact: bool = False) -> Tables:
    gc_was_on = gc.isenabled()
    gc.disable()  # a million new objects, no garbage: collecting would double the time
    try:
        tables = _body.decode(data)
        if compact:
            return {
                table: {i: msgspec.json.encode(msgspec.json.decode(raw)) for i, raw in rows.items()}
                for table, rows in tables.items()
            }
        return {table: {i: bytes(raw) for i, raw in rows.items()} for table, rows in tables.items()}
    except msgspec.MsgspecError as error:
        raise Damaged(f"{name} is not a whole store ({error})") from error
    finally:
        if gc_was_on:
            gc.enable()


def snapshot_chunks(tables: Mapping[str, Mapping[int, bytes]]) -> Iterator[bytes]:
    """The snapshot's body, some hundred kilobytes at a time."""
    parts: list[bytes] = []
    size = 0
    first_table = True
    for name, rows in tables.items():
        parts.append((b"" if first_table else b",\n") + msgspec.json.encode(name) + b":{")
        first_table = False
        first = True
        for doc_id, raw in rows.items():
            parts.append(b'%s"%d":%s' % (b"\n" if first else b",\n", doc_id, raw))
            first = False
            size += len(raw)
            if size > _CHUNK:
                yield b"".join(parts)
                parts.clear()
                size = 0
        parts.append(b"}")
    parts.append(b"}\n")
    yield b"".join(parts)


def _snapshot_header(number: int, checksum: int, *, empty: bool) -> bytes:
    comma = b"" if empty else b","
    meta = b'%s"format":%d,"sequence":%15d,"checksum":"%08x"}}%s\n'
    return meta % (_OURS, FORMAT, number, checksum, comma)


class Files:
    """The files of one store, open for appending. Only one thread at a time may write to the journal; a snapshot may be
    written by another meanwhile.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False, disk: Disk | None = None) -> None:
        self.path = Path(os.path.realpath(path))  # a symbolic link stays one: the file behind it is replaced
        self.disk = disk or Disk()
        self.read_only = read_only
        #: number of the last record on disk
        self.number = 0
        #: bytes in the journals since the snapshot, and in the snapshot
        self.journal_size = 0
        self.snapshot_size = 0
        #: what was found and repaired, in words
        self.findings: list[str] = []
        self._fd = -1
        #: good bytes in the journal, and its length with the zeros ahead
        self._size = 0
        self._room = 0
        self._dirty = False
        self._rotated = 0
        self._lock = None if read_only else self._acquire()

    def _acquire(self) -> Lock:
        try:
            return Lock(self._beside("lock"))
        except OSError as error:
            raise refused(error, self._beside("lock")) from error

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(f"{self.path.name}.{suffix}")

    def _journal(self, base: int) -> Path:
        return self._beside(f"journal-{base:012d}")

    def bases(self) -> list[int]:
        """After which records the journals start."""
        prefix = f"{self.path.name}.journal-"
        names = [p.name[len(prefix) :] for p in self.path.parent.iterdir() if p.name.startswith(prefix)]
        return sorted(int(name) for name in names if name.isdigit())

    # ------------------------------------------------------------ reading

    def load(self) -> Tables:
        """Everything acknowledged. Opens the journal for appending, or, read-only, leaves all files as they are."""
        if self.read_only:
            return self._load_racing()
        bases = self.bases()
        if not bases and not self.path.exists() and not self._beside("bak").exists():
            self.write_snapshot({}, 0)
            tables: Tables = {}
        else:
            tables = self._recover(bases)
        self._open_journal(self.bases())
        if not self.path.exists():  # restored: make it whole again before anything is added
            base = self.rotate()
            self.write_snapshot(tables, base)
        return tables

    def _load_racing(self) -> Tables:
        """Again while the process that writes puts a snapshot in place: the names have changed in between."""
        tries = 8
        while True:
            tries -= 1
            self.findings.clear()
            bases = self.bases()
            if not bases and not self.path.exists():
                raise JournalError(f"there is no store at {self.path}")
            try:
                tables = self._recover(bases)
            except (Damaged, FileNotFoundError):
                if not tries or bases == self.bases():
                    raise
            else:
                if not tries or bases == self.bases():
                    return tables

    def _recover(self, bases: list[int]) -> Tables:
        problems: list[str] = []
        for source in (self.path, self._beside("bak"), None):
            try:
                if source is not None:
                    tables, number = read_snapshot(source)
                elif 0 in bases:
                    tables, number = {}, 0
                else:
                    break
                if bases and number not in bases:
                    problems.append(f"the journal after record {number} is missing")
                    continue
                if source != self.path and not bases:
                    continue  # older, and nothing tells what came since
                self._replay(tables, number, bases)
            except FileNotFoundError:
                problems.append(f"{source.name if source else ''} is missing")
            except Damaged as error:
                problems.append(str(error))
            else:
                if problems:
                    self.findings.append(f"{problems[0]}; restored from the last good copy, nothing was lost")
                    if not self.read_only and self.path.exists():
                        self.disk.replace(self.path, self._beside("damaged"))
                return tables
        raise Damaged(
            f"cannot open {self.path}: {'; '.join(problems)}. Nothing was changed. Restore the folder from a backup, or "
            f"move {self.path.name} and all files beginning with its name away to start with an empty store"
        )

    def _replay(self, tables: Tables, number: int, bases: list[int]) -> None:
        size = 0
        later = [base for base in bases if base >= number]
        for base in later:
            name = self._journal(base)
            if base != number:
                raise Damaged(f"{name.name} starts after record {base}, the journal before it ends at {number}")
            data = name.read_bytes()
            payloads, good = scan(data, base - 1, name.name)
            if not payloads and base != later[-1]:
                raise Damaged(f"{name.name} has lost its beginning")
            rest = data[good:].rstrip(b"\0")  # zeros were written ahead
            if rest:
                self.findings.append(f"{name.name}: {len(rest)} bytes of an unfinished write were left out")
            for payload in payloads[1:]:
                apply(tables, payload)
            number += max(len(payloads) - 1, 0)
            size += good
            self._size = good
        self.number = number
        self.journal_size = size
        with suppress(FileNotFoundError):
            self.snapshot_size = self.path.stat().st_size

    # ------------------------------------------------------------ writing

    def _open_journal(self, bases: list[int]) -> None:
        try:
            if not bases:
                self._create_journal(self.number)
                return
            self._fd = os.open(self._journal(bases[-1]), os.O_WRONLY | os.O_CLOEXEC)
            self._cut_back()
            if not self._size:  # created, and killed before its first line was written
                self._begin(bases[-1])
        except OSError as error:
            raise refused(error, self._journal(self.number)) from error

    def _create_journal(self, base: int) -> None:
        path = self._journal(base)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        old, self._fd = self._fd, fd
        before = (self._size, self._room)
        self._size = self._room = 0
        try:
            self._begin(base)
            self.disk.sync_folder(path.parent)
        except OSError:
            self._fd, (self._size, self._room) = old, before
            os.close(fd)
            self.disk.unlink(path)
            raise
        if old >= 0:
            with suppress(OSError):
                os.ftruncate(old, before[0])
            os.close(old)

    def _begin(self, base: int) -> None:
        header = record(base, base, b'{"format":%d}' % FORMAT)
        write_all(self.disk, self._fd, header, 0)
        self.disk.datasync(self._fd)
        self._size = self._room = len(header)

    def records(self, payloads: list[bytes]) -> bytes:
        """The next records, to be handed to `append`."""
        durable = self.number
        return b"".join([record(durable + 1 + i, durable, payload) for i, payload in enumerate(payloads)])

    def append(self, data: bytes, count: int) -> None:
        """`count` records, on disk when it returns. Raises Full or JournalError, and then nothing of them is kept."""
        if self._fd < 0:
            raise JournalError(f"{self.path.name} is not open for writing")
        try:
            if self._dirty:
                self._cut_back()
            if self._size + len(data) > self._room:
                self._make_room(len(data))
            write_all(self.disk, self._fd, data, self._size)
            self.disk.datasync(self._fd)
        except OSError as error:
            self._dirty = True
            with suppress(OSError):  # tried again before the next write
                self._cut_back()
            raise refused(error, self._journal(self.number)) from error
        self.number += count
        self._size += len(data)
        self._room = max(self._room, self._size)
        self.journal_size += len(data)

    def _make_room(self, needed: int) -> None:
        """Zeros for this write and some to come; where there is no space for them, the write itself may still fit."""
        zeros = bytes(needed + ROOM)
        try:
            write_all(self.disk, self._fd, zeros, self._room)
            self.disk.datasync(self._fd)
            self._room += len(zeros)
        except OSError:
            self._cut_back()

    def _cut_back(self) -> None:
        self.disk.truncate(self._fd, self._size)
        self.disk.datasync(self._fd)
        self._room = self._size
        self._dirty = False

    def rotate(self) -> int:
        """Begins the next journal; what came before is in the snapshot to be written under the number returned."""
        try:
            if self._dirty:
                self._cut_back()
            if self.number not in self.bases():
                self._create_journal(self.number)
        except OSError as error:
            raise refused(error, self._journal(self.number)) from error
        self._rotated = self.journal_size
        return self.number

    def write_snapshot(self, tables: Mapping[str, Mapping[int, bytes]], number: int) -> None:
        """Puts the state at record `number` in place of the snapshot, and drops journals that neither it nor the copy
        before it needs. On an error the old snapshot stands.
        """
        temporary = self._beside("new")
        try:
            size = self._write_temporary(temporary, tables, number)
            previous = 0
            if self.path.exists():
                previous = _number_of(self.path)
                spare = self._beside("bak-new")
                self.disk.unlink(spare)
                self.disk.link(self.path, spare)
                self.disk.replace(spare, self._beside("bak"))
            elif self._beside("bak").exists():
                previous = _number_of(self._beside("bak"))
            self.disk.replace(temporary, self.path)
            self.disk.sync_folder(self.path.parent)
            for base in self.bases():
                if base < previous:
                    self.disk.unlink(self._journal(base))
        except OSError as error:
            with suppress(OSError):
                self.disk.unlink(temporary)
            raise refused(error, temporary) from error
        self.snapshot_size = size
        self.journal_size -= self._rotated
        self._rotated = 0

    def _write_temporary(self, path: Path, tables: Mapping[str, Mapping[int, bytes]], number: int) -> int:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            empty = not tables
            size = len(header := _snapshot_header(number, 0, empty=empty))
            write_all(self.disk, fd, header, 0)
            checksum = number & 0xFFFFFFFF
            for chunk in snapshot_chunks(tables):
                checksum = zlib.crc32(chunk, checksum)
                write_all(self.disk, fd, chunk, size)
                size += len(chunk)
            os.pwrite(fd, _snapshot_header(number, checksum, empty=empty), 0)
            self.disk.sync(fd)
        finally:
            os.close(fd)
        return size

    def close(self) -> None:
        """Lets go of journal and lock."""
        if self._fd >= 0:
            with suppress(OSError):
                os.ftruncate(self._fd, self._size)
            os.close(self._fd)
            self._fd = -1
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _number_of(path: Path) -> int:
    """The number in a snapshot's first line; 0 for one that stock TinyDB wrote."""
    with path.open("rb") as file:
        line = file.readline(200)
    found = re.search(rb'"sequence":\s*(\d+)', line)
    return int(found[1]) if found and META.encode() in line else 0
