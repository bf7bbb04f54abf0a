"""`tocsin db copy` killed at every instant: the source is as it was, and a copy is either whole or not there."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import bot.store.files
from bot.errors import StoreError
from bot.store.copy import check_store, copy_store
from tests.soak.mill_journal import Deadly
from tests.store.samples import NOW
from tests.store.stores import Place
from tests.store.test_copy import everything, fill

pytestmark = pytest.mark.slow


def copied(source: str, target: str, disk: Deadly) -> bool:
    """A process of its own copies, and ends when the disk says so; whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            bot.store.files.Disk = lambda: disk  # type: ignore[attr-defined,assignment]
            asyncio.run(copy_store(source, target, NOW))
            code = 0
        os._exit(code)
    status = os.waitpid(pid, 0)[1]
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return not os.WIFSIGNALED(status)


@pytest.mark.parametrize("kind", Deadly.KINDS)
def test_a_copy_to_a_file_killed_at_every_system_call(tmp_path: Path, kind: str) -> None:
    """Row 45: before, in the middle of and after each write, sync, link and rename, of the source too."""
    source = Place(f"tinydb:///{tmp_path}/source.json")
    asyncio.run(fill(source))
    before = asyncio.run(everything(source))
    moments = ("before", "middle", "after") if kind == "write" else ("before", "after")
    killed = count = 0
    ended = False
    while not ended:
        count += 1
        for moment in moments:
            target = Place(f"tinydb:///{tmp_path}/{kind}-{count}-{moment}.json")
            ended = copied(source.url, target.url, Deadly(kind, count, moment))
            killed += not ended
            assert asyncio.run(everything(source)) == before
            with suppress(StoreError):  # whole already, and only not told
                asyncio.run(copy_store(source.url, target.url, NOW))
            assert asyncio.run(check_store(target.url)) == []
            assert asyncio.run(everything(target)) == before
    assert killed or kind in {"link", "truncate", "unlink"}


_KILLED = """
import asyncio, os, signal, sys
from bot.store.copy import copy_store
from tests.store.samples import NOW
left = int(sys.argv[3])
def step(done, total):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(copy_store(sys.argv[1], sys.argv[2], NOW, step))
"""


@pytest.mark.postgres
async def test_a_copy_to_postgresql_killed_between_tables(tmp_path: Path, postgres_place: Place) -> None:
    """Row 45: all rows go in one transaction, so what a killed copy leaves is an empty database; then it is whole."""
    source = Place(f"tinydb:///{tmp_path}/source.json")
    await fill(source)
    before = await everything(source)
    for step in (1, 2, 8, 14):  # the last table is in, and nothing is committed
        command = (sys.executable, "-c", _KILLED, source.url, postgres_place.url, str(step))
        process = await asyncio.create_subprocess_exec(*command, cwd=Path(__file__).parents[2])
        assert await process.wait() == -signal.SIGKILL
        assert await everything(source) == before
        store = await postgres_place.open()
        assert (await store.chats(), await store.feeds()) == ([], [])
        await store.close()
    await copy_store(source.url, postgres_place.url, NOW)
    assert await everything(postgres_place) == before
