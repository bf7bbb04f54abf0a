"""The pace of one process (rows 58 and I5 of the fault list): what was sent is counted over freezes and restarts."""

import asyncio
import heapq
from datetime import timedelta
from pathlib import Path

import pytest

from bot.chats.telegram_answer import LIMITS
from bot.errors import StoreError
from bot.model import ChatId, Wait
from bot.pace import LocalPace
from bot.store.tiny import TinyStore, open_tiny
from tests.fakes import FakeClock

GROUP = ChatId("telegram", "-5")
ANNA = ChatId("telegram", "1")


class SteppedClock(FakeClock):
    """Sleepers wake when the test has moved the time to their moment or beyond, as after SIGCONT."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._asleep, (self.elapsed + seconds, self._count, woken))
        await woken

    async def step(self, seconds: float) -> None:
        self.advance(seconds)
        for _ in range(12):
            while self._asleep and self._asleep[0][0] <= self.elapsed:
                heapq.heappop(self._asleep)[2].set_result(None)
            await asyncio.sleep(0)


def most(times: list[float], window: float) -> int:
    return max(sum(start <= t < start + window for t in times) for start in times)


async def crash(store: TinyStore) -> None:
    """Lets go of the files as a kill does: nothing is written any more."""
    store.db.storage.files.close()


async def test_a_thaw_does_not_send_all_at_once_what_a_freeze_kept_waiting() -> None:
    """Row 58: after SIGSTOP or a laptop's sleep, the moments that were waited for are all over at once."""
    clock = SteppedClock()
    pace = LocalPace(clock)
    times: list[float] = []

    async def send(number: int) -> None:
        await pace.turn(ChatId("telegram", str(number)), limits=LIMITS, group=False)
        times.append(clock.elapsed)

    sends = [asyncio.create_task(send(number)) for number in range(100)]
    for _ in range(50):
        await clock.step(0.01)
    assert 10 <= len(times) <= 20
    await clock.step(60)
    for _ in range(600):
        await clock.step(0.01)
    await asyncio.gather(*sends)
    assert most(times, 1.0) <= 30


async def test_a_group_gets_its_twenty_a_minute_over_a_jump_of_the_clock() -> None:
    """Row 58: two minutes that nobody saw fill the bucket once, not twice."""
    clock = FakeClock()
    pace = LocalPace(clock)
    times: list[float] = []
    for number in range(80):
        if number == 30:
            clock.advance(120)
        await pace.turn(GROUP, limits=LIMITS, group=True)
        times.append(clock.elapsed)
    assert most(times, 60.0) <= 20


async def test_a_group_gets_its_twenty_a_minute_over_restarts(tmp_path: Path) -> None:
    """I5: each process that begins with full buckets adds a burst, and the group's minute is over the limit."""
    clock = FakeClock()
    times: list[float] = []
    for _life in range(20):
        store = await open_tiny(tmp_path / "tocsin.json")
        pace = LocalPace(clock, store)
        await pace.load()
        for _ in range(3):
            await pace.turn(GROUP, limits=LIMITS, group=True)
            times.append(clock.elapsed)
        await crash(store)
        clock.advance(1.0)
    assert most(times, 60.0) <= 20
    assert times[-1] < 60 * 3.6


async def test_a_platform_that_asked_to_be_left_alone_is_after_a_restart(tmp_path: Path) -> None:
    """A 429 for the whole bot names a time: asking again at each start makes it longer."""
    clock = FakeClock()
    store = await open_tiny(tmp_path / "tocsin.json")
    await LocalPace(clock, store).block("telegram", 600)
    await crash(store)

    clock = FakeClock(clock.now() + timedelta(seconds=100))  # another process: its monotonic clock begins anew
    store = await open_tiny(tmp_path / "tocsin.json")
    pace = LocalPace(clock, store)
    await pace.load()
    assert await pace.turn(ANNA, limits=LIMITS, group=False, patience=5) == pytest.approx(500)
    await pace.turn(ANNA, limits=LIMITS, group=False)
    assert clock.elapsed == pytest.approx(500)
    await store.close()


async def test_a_clock_that_was_set_back_makes_no_wait_longer(tmp_path: Path) -> None:
    """Ten minutes' silence that a platform asked for must not become a day's."""
    clock = FakeClock()
    store = await open_tiny(tmp_path / "tocsin.json")
    await LocalPace(clock, store).block("telegram", 600)
    await crash(store)

    clock = FakeClock(clock.now() - timedelta(days=1))
    store = await open_tiny(tmp_path / "tocsin.json")
    pace = LocalPace(clock, store)
    await pace.load()
    await pace.turn(ANNA, limits=LIMITS, group=False)
    assert clock.elapsed == pytest.approx(600)
    await store.close()


async def test_a_single_message_to_a_person_writes_nothing(tmp_path: Path) -> None:
    """The disk's work must not double: who is free again within a second needs no row."""
    clock = FakeClock()
    store = await open_tiny(tmp_path / "tocsin.json")
    pace = LocalPace(clock, store)
    for number in range(10):
        await pace.turn(ChatId("telegram", str(number)), limits=LIMITS, group=False)
    assert await store.waits() == []
    await store.close()


async def test_a_disk_that_refuses_holds_up_no_message() -> None:
    """A full disk costs at worst one 429 after a restart."""

    class Full:
        async def waits(self) -> list[Wait]:
            return []

        async def put_waits(self, _waits: object) -> None:
            raise StoreError("no space left")

    pace = LocalPace(FakeClock(), Full())
    assert await pace.turn(GROUP, limits=LIMITS, group=True) == 0
