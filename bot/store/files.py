"""A snapshot and the journal beside it: tables in, tables out, and nothing lost in between.

    db.json                        the snapshot: one JSON object, as stock TinyDB reads it, with a checksum of itself
    db.json.bak                    the snapshot before it
    db.json.journal-000000000042   the records after number 42, one a line
    db.json.lock                   held while a process has the files open for writing

Reading goes: the snapshot, then every later record in order. Where the last journal ends in something that is no
record, that is a write that nobody was told of, and it is cut off; but not where a whole record comes after it that
was written when the broken one was already known to be on disk: that is damage, and it is refused. When the snapshot
is unreadable or missing, the one before it and the journals since give the same state, and are taken.
"""

from __future__ import annotations

import glob
import os
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.store.disk import Damaged, Disk, JournalError, Lock, refused, write_all
from bot.store.records import Tables, apply, record, scan
from bot.store.snapshot import FORMAT, number_of, read_snapshot, snapshot_chunks, snapshot_header

if TYPE_CHECKING:
    from collections.abc import Mapping

#: zeros written ahead in the journal: a commit that does not move the end of the file syncs a third faster (ext4)
ROOM = 256 << 10

#: below this many bytes closing a store may write a snapshot without anyone noticing
COMPACT_AT_CLOSE = 64 << 20


def is_there(path: str | os.PathLike[str]) -> bool:
    """Whether any file of a store at this path exists."""
    place = Path(os.path.realpath(path))
    return place.exists() or any(place.parent.glob(f"{glob.escape(place.name)}.[bj]*"))


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
        if self.path.is_dir():
            raise JournalError(f"{self.path} is a folder: name a file in it, as {self.path / 'tocsin.json'}")
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
                previous = number_of(self.path)
                spare = self._beside("bak-new")
                self.disk.unlink(spare)
                self.disk.link(self.path, spare)
                self.disk.replace(spare, self._beside("bak"))
            elif self._beside("bak").exists():
                previous = number_of(self._beside("bak"))
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
            size = len(header := snapshot_header(number, 0, empty=empty))
            write_all(self.disk, fd, header, 0)
            checksum = number & 0xFFFFFFFF
            for chunk in snapshot_chunks(tables):
                checksum = zlib.crc32(chunk, checksum)
                write_all(self.disk, fd, chunk, size)
                size += len(chunk)
            os.pwrite(fd, snapshot_header(number, checksum, empty=empty), 0)
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
