"""The system calls that a store's durability rests on, in one place; and what can go wrong with them."""

from __future__ import annotations

import errno
import os
import socket
import weakref
from typing import TYPE_CHECKING

try:
    import fcntl
except ImportError:  # pragma: no cover  # Windows has no flock
    fcntl = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from pathlib import Path


class JournalError(Exception):
    """The files can't do what was asked."""


class Locked(JournalError):
    """Another process has the files open; the message names it."""


class Damaged(JournalError):
    """The files are no store, or not a whole one; the message says what to do."""


class TooNew(JournalError):
    """A newer version wrote the files."""


class Full(JournalError):
    """The disk refused the write; nothing of it was kept."""


#: what a full disk, a full quota and a file-size limit say
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def refused(error: OSError, path: object) -> JournalError:
    """The error that says what the system call's error means for the store."""
    words = f"cannot write {path}: {error.strerror or error}"
    return Full(words) if error.errno in _FULL else JournalError(words)


class Disk:
    """System calls, by the names of what they promise. Tests put one in their place that fails where they say."""

    def write(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """May write less than asked: at the end of a full disk that is no error yet."""
        return os.pwrite(fd, data, offset)

    def datasync(self, fd: int) -> None:
        """The bytes and the length are on the disk when it returns (fdatasync, POSIX)."""
        getattr(os, "fdatasync", os.fsync)(fd)

    def sync(self, fd: int) -> None:
        os.fsync(fd)

    def replace(self, source: Path, target: Path) -> None:
        """Atomic within a folder (rename, POSIX)."""
        source.replace(target)

    def link(self, source: Path, target: Path) -> None:
        os.link(source, target)

    def unlink(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def truncate(self, fd: int, size: int) -> None:
        os.ftruncate(fd, size)

    def sync_folder(self, folder: Path) -> None:
        """Makes creations and renames in the folder durable."""
        fd = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def write_all(disk: Disk, fd: int, data: bytes, offset: int) -> None:
    """All of it, or an OSError: a short write goes on, and then says why it can't."""
    rest = memoryview(data)
    while rest:
        count = disk.write(fd, rest, offset)
        offset += count
        if count <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        rest = rest[count:]


class Lock:
    """An exclusive lock on a file that names its holder. The kernel frees it when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        if fcntl is None:  # pragma: no cover
            raise JournalError("a journal needs flock, which this system does not have")
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._fd, 200, 0).decode(errors="replace").strip() or "another process"
            os.close(self._fd)
            if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
                raise Locked(f"{path.with_suffix('')} is in use by {holder}; stop it first") from None
            raise JournalError(f"cannot lock {path}: {error.strerror}") from error
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        _held.add(self)

    def release(self) -> None:
        """Lets go; the file stays, because removing it would race with the next holder."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            fcntl.flock(self._fd, fcntl.LOCK_UN)  # also where a child just forked has not let go yet
            os.close(self._fd)
            self._fd = -1
            _held.discard(self)

    def forget(self) -> None:
        """In a forked child: a lock belongs to every process that has the descriptor, and the child must not be one."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
