"""The real process where disk, folder, clock or a second process is the trouble: it says so, and nothing is lost."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random

import pytest

from bot.store import open_store
from tests.e2e.backlog import fill
from tests.e2e.crash import CrashLoop
from tests.e2e.judge import judge_chats
from tests.e2e.process import Bot
from tests.emulators.telegram_api import TOKEN, TelegramApi

pytestmark = pytest.mark.slow


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[CrashLoop]:
    """Outlets that go on publishing, four chats, and a bot that is not started yet."""
    async with TelegramApi() as api:
        loop = CrashLoop(folder, f"tinydb:///{folder / 'data' / 'store.json'}", api, Random(48))
        try:
            await loop.open(4)
            yield loop
        finally:
            await loop.close()


async def until(check: Callable[[], object], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not check():
            await asyncio.sleep(0.05)


async def told(loop: CrashLoop, more: int) -> None:
    """Until so many messages more arrived."""
    enough = len(loop.api.log.of("sendMessage", ok=True)) + more
    await until(lambda: len(loop.api.log.of("sendMessage", ok=True)) >= enough)


async def finish(loop: CrashLoop, faults: int) -> None:
    """Everything that was published arrives, the process ends as it should, and no chat has anything to complain of."""
    loop.news.finished.clear()
    loop.news.closed = True
    await until(lambda: len(loop.news.finished) == len(loop.news.published))
    expected = {chat: loop.news.expected(words) for chat, words in loop.subscribed.items()}
    with suppress(TimeoutError):  # what is missing is said below
        await until(lambda: not judge_chats(loop.api, expected, faults).problems)
    assert await loop.bot.stop() == 0, loop.bot.errors.read_text()
    assert judge_chats(loop.api, expected, faults).problems == []


def limit(bot: Bot, size: int) -> None:
    """No file of the process grows beyond so many bytes: what a full disk does to a write, in the log as well."""
    assert bot.process is not None
    resource.prlimit(bot.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def command(bot: Bot, *prefix: str) -> subprocess.CompletedProcess[str]:
    """`tocsin run` to its end, which is soon."""
    line = [*prefix, sys.executable, "-m", "bot", "run", "--config", str(bot.config)]
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=Path(__file__).parents[2], check=False
    )  # fmt: skip


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith(".lock")}


async def test_row_48_a_disk_that_fills_up_and_has_space_again(tmp_path: Path) -> None:
    """Row 48: the running process sends nothing that it could not record, loses nothing, and goes on by itself."""
    async with world(tmp_path) as loop:
        await loop.bot.start(stdin="")
        await told(loop, 6)
        limit(loop.bot, 0)
        await asyncio.sleep(1)
        before = len(loop.api.log.of("sendMessage", ok=True))
        await asyncio.sleep(4)
        assert len(loop.api.log.of("sendMessage", ok=True)) == before
        limit(loop.bot, resource.RLIM_INFINITY)
        await told(loop, 3)
        await finish(loop, faults=0)


async def test_row_48_a_disk_that_is_still_full_at_the_next_start(tmp_path: Path) -> None:
    """Row 48: killed on a full disk it refuses to start in one line, touches nothing, and goes on where there is space."""
    if shutil.which("prlimit") is None:
        pytest.skip("no prlimit here (util-linux)")
    async with world(tmp_path) as loop:
        await loop.bot.start(stdin="")
        await told(loop, 6)
        full = len(loop.api.log.of("sendMessage"))
        limit(loop.bot, 0)
        await asyncio.sleep(2)
        await loop.bot.kill()
        # each chat may see again what was on its way to it, or could not be recorded any more
        faults = len({call["params"]["chat_id"] for call in loop.api.log.of("sendMessage", ok=True)[full - 4 :]})
        kept = files(tmp_path / "data")
        refused = await asyncio.to_thread(command, loop.bot, "prlimit", "--fsize=0")
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
        assert "Free some space" in refused.stderr
        assert {name: content.rstrip(b"\0") for name, content in files(tmp_path / "data").items()} == {
            name: content.rstrip(b"\0") for name, content in kept.items()
        }
        await loop.bot.start(stdin="")
        await told(loop, 3)
        await finish(loop, faults)


async def test_a_store_that_may_only_be_read(tmp_path: Path) -> None:
    """A new store and one that is there: one line that names the folder, exit code 1, no byte changed, nothing lost."""
    prefix = []
    if os.geteuid() == 0:  # root may write everywhere, unless it gives that up
        if shutil.which("setpriv") is None:
            pytest.skip("root without setpriv (util-linux) can write everywhere")
        prefix = [
            "setpriv",
            "--bounding-set=-dac_override,-dac_read_search",
            "--inh-caps=-dac_override,-dac_read_search",
        ]
    folder = tmp_path / "data"
    async with TelegramApi() as api:
        api.person(1)
        chat = f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{api.base_url}"\n'
        bot = Bot(tmp_path, f'[store]\nurl = "tinydb:///{folder / "store.json"}"\n{chat}')
        folder.mkdir(mode=0o555)
        new = await asyncio.to_thread(command, bot, *prefix)
        folder.chmod(0o755)
        assert files(folder) == {}
        store = await open_store(f"tinydb:///{folder / 'store.json'}")
        titles = await fill(store, 1, 3)
        await store.close()
        kept = files(folder)
        for path in (*folder.iterdir(), folder):
            path.chmod(0o555 if path.is_dir() else 0o444)
        old = await asyncio.to_thread(command, bot, *prefix)
        assert files(folder) == kept
        for refused in (new, old):
            assert (refused.returncode, refused.stderr.count("\n")) == (1, 1), refused.stderr
            assert str(folder) in refused.stderr
            assert "ermission denied" in refused.stderr
        folder.chmod(0o755)
        for path in folder.iterdir():
            path.chmod(0o600)
        try:
            await bot.start(stdin="")
            await until(lambda: len(api.log.of("sendMessage", ok=True)) == len(titles))
            assert await bot.stop() == 0
        finally:
            await bot.kill()


async def test_row_50_a_second_process_on_one_store(tmp_path: Path) -> None:
    """Row 50: it says who has the store and ends; the first goes on; when that is killed the second may start."""
    async with world(tmp_path) as loop:
        await loop.bot.start(stdin="")
        await told(loop, 3)
        assert loop.bot.process is not None
        second = await asyncio.to_thread(command, loop.bot)
        assert (second.returncode, second.stderr.count("\n")) == (1, 1), second.stderr
        assert f"in use by process {loop.bot.process.pid} on " in second.stderr
        await told(loop, 3)
        await loop.bot.kill()
        await loop.bot.start(stdin="")
        await finish(loop, faults=1)


async def test_row_45_a_message_of_many_alerts_killed_between_send_and_settle(tmp_path: Path) -> None:
    """Row 45: the one message comes once more, whole; none of its alerts alone, and none is lost."""
    async with TelegramApi() as api:
        api.person(1)
        store = await open_store(f"tinydb:///{tmp_path / 'store.json'}")
        titles = await fill(store, 1, 12)
        await store.close()
        chat = f'[telegram]\ntoken = "{TOKEN}"\nbase_url = "{api.base_url}"\n'
        bot = Bot(tmp_path, f'[store]\nurl = "tinydb:///{tmp_path / "store.json"}"\n{chat}')
        try:
            await bot.start(stdin="", observed=["--point", "sent:1"])
            assert bot.process is not None
            assert await asyncio.wait_for(bot.process.wait(), 120) == -signal.SIGKILL
            await bot.start(stdin="")
            await until(lambda: len(api.log.of("sendMessage", ok=True)) == 2)
            await asyncio.sleep(2)
            assert await bot.stop() == 0
        finally:
            await bot.kill()
        first, second = (call["params"]["text"] for call in api.log.of("sendMessage", ok=True))
        assert all(title in first and title in second for title in titles)
