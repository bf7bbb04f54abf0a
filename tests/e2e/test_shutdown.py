"""Row 47 of the fault list: SIGTERM ends the process in time, whatever it is at, and loses nothing."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bot.store import open_store
from tests.e2e.backlog import fill
from tests.e2e.process import Bot
from tests.emulators.telegram_api import TOKEN, TelegramApi
from tests.store.cluster import Cluster, NoPostgres, cluster

CHATS, ALERTS = 125, 500


@pytest.mark.slow
async def test_sigterm_with_500_queued(tmp_path: Path) -> None:
    """Stopped twice on the way, exit code 0 within ten seconds each, every alert once, no rate broken."""
    async with TelegramApi() as api:
        for number in range(1, CHATS + 1):
            api.person(number)
        store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
        titles = await fill(store, CHATS, ALERTS)
        await store.close()
        bot = Bot(
            tmp_path,
            f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n'
            f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{api.base_url}"\n',
        )
        try:
            for enough in (60, 200):
                await bot.start(stdin="")
                async with asyncio.timeout(30):
                    while len(api.log.of("sendMessage", ok=True)) < enough:
                        await asyncio.sleep(0.05)
                began = time.monotonic()
                assert await bot.stop(within=10) == 0, bot.errors.read_text()
                assert time.monotonic() - began < 10
            await bot.start(stdin="")
            async with asyncio.timeout(60):
                while len(api.log.of("sendMessage", ok=True)) < ALERTS:
                    await asyncio.sleep(0.1)
            await asyncio.sleep(1)
            assert await bot.stop() == 0
        finally:
            await bot.kill()
        for number in range(1, CHATS + 1):
            seen = Counter(t for t in titles for m in api.shown(number) if m["text"].startswith(t))
            assert seen == dict.fromkeys(titles, 1), number
        peaks = api.peaks()
        assert peaks["all_per_second"] <= 30
        assert peaks["refused_for_rate"] == 0


@pytest.fixture
def postgres() -> Iterator[Cluster]:
    try:
        with cluster() as running:
            yield running
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.mark.slow
@pytest.mark.postgres
async def test_sigterm_while_it_starts(tmp_path: Path, postgres: Cluster) -> None:
    """A start may take long, behind another that brings the tables up to date: it ends when it is told to."""
    bot = Bot(tmp_path, f'[store]\nurl = "{postgres.dsn}"\n')
    waits = "select from pg_locks where locktype = 'advisory' and not granted"
    async with await psycopg.AsyncConnection.connect(postgres.dsn) as other:
        await other.execute("select pg_advisory_xact_lock(hashtext('tocsin store ' || current_schema()))")
        try:
            await bot.start("--role", "poll", stdin="")
            async with asyncio.timeout(60):
                while not await (await other.execute(waits)).fetchall():
                    await asyncio.sleep(0.05)
            assert await bot.stop(within=10) == 0, bot.errors.read_text()
        finally:
            await bot.kill()


@pytest.mark.slow
@pytest.mark.postgres
async def test_sigterm_while_the_server_stands_still(tmp_path: Path, postgres: Cluster) -> None:
    """A database that answers nothing must not hold up the end; what was still open is named."""
    bot = Bot(tmp_path, f'[store]\nurl = "{postgres.dsn}"\n')
    await bot.start(stdin="")
    async with await psycopg.AsyncConnection.connect(postgres.dsn, autocommit=True) as other:
        async with asyncio.timeout(60):
            while not (await (await other.execute("select to_regclass('leases')")).fetchall())[0][0]:
                await asyncio.sleep(0.1)
            while not await (await other.execute("select from leases where name = 'ingest'")).fetchall():
                await asyncio.sleep(0.1)
    stopped = postgres.processes()
    try:
        for process in stopped:
            os.kill(process, signal.SIGSTOP)
        await asyncio.sleep(3)
        await bot.stop(within=10)
    finally:
        for process in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)
        await bot.kill()
    assert "not ended in order in time" in bot.errors.read_text()
