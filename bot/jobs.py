"""Delivery lanes as jobs of procrastinate, for more than one process (docs/decisions/0010-more-than-one-machine.md).

A lane is drained by one job at a time (its lock), wherever it runs. Jobs are queued in the transaction that owes a lane
something, and picked up by LISTEN/NOTIFY; a look every second finds what fell due, and what a dead worker left behind.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from procrastinate.jobs import Job

    from bot.ports import Clock

log = structlog.get_logger(__name__)

_QUEUE, _TASK = "tocsin", "drain"
#: lanes that one process drains at the same time
CONCURRENCY = 16
#: seconds between heartbeats of a worker; without one for so long its jobs are another's
_HEARTBEAT, STALLED = 1.0, 20.0
#: the same where the server has no connection of the worker's process any more, as it is the moment a process dies
DEAD = 3.0
#: seconds after which procrastinate forgets a worker without one; `STALLED` comes long before
_FORGET = 120.0
#: seconds between looks at what was left behind, and at most and at least between looks at what fell due
_SWEEP, _LOOK, _SOON = 2.0, 1.0, 0.1
#: seconds to wait before a worker that broke off (the server went away) is started again
_AGAIN = 1.0
#: by any clock
_AT_ONCE = datetime.fromtimestamp(0, UTC)
_SCHEMA = """
    select pg_advisory_xact_lock(hashtext('tocsin jobs ' || current_schema()));
    create table if not exists tocsin_jobs (migration text not null);
"""
#: by which name the server knows the connections of a worker's process
_WORKERS = """
    create table if not exists tocsin_workers (
        worker bigint primary key references procrastinate_workers (id) on delete cascade, session text not null
    )
"""
_REGISTER = "insert into tocsin_workers values (%(worker)s, %(session)s) on conflict do nothing"
#: whose heart stopped: seconds ago, and as long as we are connected, since an outage of the server stops all hearts
_SILENT = """
    select id as worker from procrastinate_workers
    where greatest(last_heartbeat, {since}) < now() - make_interval(secs => %(silent)s)
"""
#: who has no connection any more, where it was not the server that cut all of them: ours outlasted its last heartbeat, or
#: we came after it died, have been here for a while, and the server was not restarted in between
_DEAD = """
    select w.worker from tocsin_workers w
    join procrastinate_workers p on p.id = w.worker and p.last_heartbeat < now() - make_interval(secs => %(dead)s)
    where not exists (select from pg_stat_activity a where a.application_name = w.session)
        and (
            p.last_heartbeat > {since}
            or (
                {since} = %(came)s and {since} < now() - make_interval(secs => %(dead)s)
                and p.last_heartbeat > pg_postmaster_start_time()
            )
        )
"""
_SINCE = "(select min(backend_start) from pg_stat_activity where application_name = %(session)s)"
_GONE = f"{_SILENT} union {_DEAD}".format(since=_SINCE)
_CAME = f"select {_SINCE} as came"


async def prepare(url: str) -> None:
    """Makes procrastinate's tables, or brings them up to the installed version; by one process at a time."""
    migrations = await asyncio.to_thread(_migrations)
    async with await psycopg.AsyncConnection.connect(url, connect_timeout=10) as connection:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            await connection.execute(statement.encode())
        known = await (await connection.execute("select migration from tocsin_jobs")).fetchone()
        if known is None:
            known = (migrations[-1].name,)
            await connection.execute(SchemaManager.get_schema().encode())
            await connection.execute("insert into tocsin_jobs values (%s)", [migrations[-1].name])
        for migration in migrations:
            if migration.name > known[0]:
                await connection.execute(migration.read_bytes())
        await connection.execute("update tocsin_jobs set migration = %s", [migrations[-1].name])
        await connection.execute(_WORKERS)


def _migrations() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


class LaneJobs:
    """Queues jobs for lanes, and with `run` works on them."""

    def __init__(
        self,
        url: str,
        *,
        clock: Clock,
        drain: Callable[[int], Awaitable[None]],
        session: str,
        set_up: Callable[[Any], Awaitable[None]] | None = None,
    ) -> None:
        """`session`: by which the server is to know this process's connections, and no other's. `set_up`: done to each."""
        self._clock = clock
        self._drain = drain
        self._session = session
        self._url, self._set_up = url, set_up
        self._app = App(connector=PsycopgConnector())
        self._task = self._app.task(name=_TASK, queue=_QUEUE)(self._work)
        self._worker: Worker | None = None
        #: of the worker whose connections are known by name
        self._registered: int | None = None
        self._stopping = False
        #: lanes being drained here
        self._lanes: set[int] = set()
        #: when this process connected for the first time, by the server's clock
        self._came: datetime | None = None

    def _pool(self) -> AsyncConnectionPool:
        named = {"application_name": self._session}
        return AsyncConnectionPool(
            self._url, kwargs=named, min_size=1, max_size=3, timeout=10.0, configure=self._set_up, open=False,
            check=AsyncConnectionPool.check_connection,
        )  # fmt: skip

    async def wake(self, connection: Any, lanes: Sequence[int]) -> None:
        """A job for each lane, in the connection's transaction."""
        jobs = [self._task.configure(lock=f"lane {n}").make_new_job(lane=n) for n in lanes]
        await self._app.job_manager.batch_defer_jobs_async(jobs, connection=connection)

    async def _work(self, lane: int) -> None:
        self._lanes.add(lane)
        try:
            await self._register()
            await self._drain(lane)
        finally:
            self._lanes.discard(lane)

    async def _register(self) -> None:
        """Once for each worker, before it has anything in hand."""
        worker = self._worker.worker_id if self._worker is not None else None
        if worker is not None and worker != self._registered:
            await self._app.connector.execute_query_async(_REGISTER, worker=worker, session=self._session)
            self._registered = worker

    async def run(self, look: Callable[[], Awaitable[float]]) -> None:
        """Works until `stop`. Calls `look`, which wakes lanes, each second, and when as many seconds are over as it gave: a
        group may be told something each three seconds, and must not wait for a fourth.
        """

        async def look_again() -> float:
            return min(max(await look(), _SOON), _LOOK)

        # not opened by procrastinate, which gives up when the server is away for the first half minute
        async with self._pool() as pool, self._app.open_async(pool):
            side = [
                asyncio.create_task(self._again_and_again(look_again)),
                asyncio.create_task(self._again_and_again(self._sweep)),
            ]
            try:
                while not self._stopping:
                    await self._work_on_jobs()
                    if not self._stopping:
                        await self._clock.sleep(_AGAIN)
            finally:
                for task in side:
                    task.cancel()
                await asyncio.gather(*side, return_exceptions=True)

    async def _work_on_jobs(self) -> None:
        """Until `stop`, or until something goes wrong with the worker."""
        try:
            self._worker = Worker(
                self._app, [_QUEUE], concurrency=CONCURRENCY, fetch_job_polling_interval=2.0,
                abort_job_polling_interval=60.0, delete_jobs="always", install_signal_handlers=False,
                update_heartbeat_interval=_HEARTBEAT, stalled_worker_timeout=_FORGET,
            )  # fmt: skip
            await self._worker.run()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  whatever it was, this process must not end, nor stop delivering
            log.warning("the worker of the lanes broke off", reason=" ".join(str(error).split())[:200] or repr(error))

    def stop(self) -> None:
        """Takes no further job; `run` returns when those in hand have ended."""
        self._stopping = True
        if self._worker is not None:
            self._worker.stop()  # type: ignore[no-untyped-call]

    async def _again_and_again(self, work: Callable[[], Awaitable[float]]) -> None:
        """Until cancelled; `work` gives the seconds until it is done again."""
        while True:
            try:
                pause = await work()
            except Exception as error:  # noqa: BLE001  whatever it was, the next look may go well
                pause = _LOOK
                log.warning("lanes not looked at", reason=" ".join(str(error).split())[:200])
            await self._clock.sleep(pause)

    async def _sweep(self) -> float:
        """Jobs whose worker died, was stopped or lost its connection before it could say that they ended."""
        await self._retry(await self._left_by_others())
        mine = self._worker.worker_id if self._worker is not None else None
        if mine is None:
            return _SWEEP
        # one that broke off lets what it has in hand end, and its own heart does not beat meanwhile
        await self._app.job_manager.update_heartbeat(mine)
        before = {*self._lanes}
        held = await self._app.job_manager.list_jobs_async(queue=_QUEUE, status="doing", worker_id=mine)
        await self._clock.sleep(1.0)
        await self._retry([job for job in held if job.task_kwargs["lane"] not in before | self._lanes])
        return _SWEEP

    async def _left_by_others(self) -> list[Job]:
        ask = self._app.connector.execute_query_all_async
        if self._came is None:
            self._came = (await ask(_CAME, session=self._session))[0]["came"]
        values = {"silent": STALLED, "dead": DEAD, "session": self._session, "came": self._came}
        gone = {row["worker"] for row in await ask(_GONE, **values)}
        doing = await self._app.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=DEAD)
        return [job for job in doing if job.worker_id is None or job.worker_id in gone]

    async def _retry(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            log.info("lane taken up again", lane=job.task_kwargs["lane"])
            try:
                await self._app.job_manager.retry_job(job, retry_at=_AT_ONCE)
            except ProcrastinateException:
                log.debug("another process was faster")
