"""Takes transactions to disk together, off the event loop, and compacts the files meanwhile."""

from __future__ import annotations

import asyncio
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

from bot.store.disk import JournalError
from bot.store.storage import COMPACT_AT

if TYPE_CHECKING:
    from bot.store.records import Tables
    from bot.store.storage import JournalStorage, Transaction


class Committer:
    """Group commit: while one batch is on its way to the disk, the next gathers, and one fdatasync serves all of it.

    What a transaction did is seen by this process at once and acknowledged when it is on disk. When the disk refuses a
    batch, it and everything that was queued on top of it are undone, and each of their callers is told.
    """

    def __init__(self, storage: JournalStorage) -> None:
        storage.deferred = True
        self._storage = storage
        self._pool = ThreadPoolExecutor(1, "store-journal")
        self._waiting: list[asyncio.Future[None]] = []
        self._writing: asyncio.Task[None] | None = None
        self._compacting: asyncio.Task[None] | None = None
        #: who waits for the next compaction
        self._requests: list[asyncio.Future[None]] = []
        #: journal bytes at which a compaction that the disk refused is tried again
        self._not_before = 0

    async def durable(self) -> None:
        """Returns when everything queued so far is on disk. Raises Full or JournalError when the disk refuses."""
        if self._writing is None and not self._storage.queued:
            return
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        self._start()
        await done

    def _start(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_queue())

    async def _write_queue(self) -> None:
        try:
            while self._waiting or self._storage.queued or (self._requests and self._compacting is None):
                await self._write_batch()
                if self._compacting is None and (self._requests or self._is_due()):
                    self._begin_compacting()
        finally:
            self._writing = None

    async def _write_batch(self) -> None:
        storage = self._storage
        waiting, self._waiting = self._waiting, []
        batch = storage.take()
        error: BaseException | None = None
        if batch:
            written = self._pool.submit(self._append, batch)
            try:
                await asyncio.wrap_future(written)
            except asyncio.CancelledError:  # the loop is ending: the batch still is on disk, or undone
                error = CancelledError() if written.cancelled() else written.exception()
            except Exception as failed:  # noqa: BLE001  # every caller is told, whatever it is
                error = failed
            if error is not None:
                storage.revert(batch)
                waiting += self._waiting
                self._waiting = []
        for future in waiting:
            if not future.done():
                _settle(future, error)

    def _append(self, batch: list[Transaction]) -> None:
        # encoded here too: thirty thousand alerts of one story are some megabytes
        self._storage.files.append(self._storage.encode(batch), len(batch))

    def _is_due(self) -> bool:
        return self._storage.wants_compacting and self._storage.files.journal_size >= self._not_before

    def _begin_compacting(self) -> None:
        """Between two batches: what is on disk now goes into the snapshot, what comes next into the next journal."""
        requests, self._requests = self._requests, []
        tables = self._storage.frozen()
        rotated = self._pool.submit(self._storage.files.rotate)  # before the next batch, in the same thread
        self._compacting = asyncio.create_task(self._write_snapshot(tables, rotated, requests))

    async def _write_snapshot(self, tables: Tables, rotated: Future[int], requests: list[asyncio.Future[None]]) -> None:
        files = self._storage.files
        error: BaseException | None = None
        try:
            base = await asyncio.wrap_future(rotated)
            await asyncio.to_thread(files.write_snapshot, tables, base)
            self._not_before = 0
        except (Exception, asyncio.CancelledError) as failed:  # noqa: BLE001  # everything is in the journals still
            error = failed
            self._not_before = files.journal_size + COMPACT_AT
        finally:
            self._compacting = None
        for future in requests:
            if not future.done():
                _settle(future, error)
        if self._requests:
            self._start()

    async def compact(self) -> None:
        """A snapshot of now, on disk when it returns; commits go on meanwhile. Raises Full or JournalError."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests.append(done)
        self._start()
        await done

    async def close(self) -> None:
        """Everything queued is on disk, or its callers were told; nothing is under way any more."""
        with suppress(JournalError):
            await self.durable()
        if self._compacting is not None:
            await asyncio.wait([self._compacting])
        await asyncio.to_thread(self._pool.shutdown)


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if error is None:
        future.set_result(None)
    elif isinstance(error, (asyncio.CancelledError, CancelledError)):
        future.cancel()
    else:
        future.set_exception(type(error)(*error.args) if isinstance(error, JournalError) else error)
