"""The pace of one process (rows 58 and I5 of the fault list): what was sent is counted over freezes and restarts."""

import asyncio
import heapq
from datetime import datetime, timedelta
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


async def life(folder: Path, clock: FakeClock) -> tuple[TinyStore, LocalPace]:
    """What a process begins with."""
    store = await open_tiny(folder / "tocsin.json")
    pace = LocalPace(clock, store)
    await pace.load()
    return store, pace


async def blocked(folder: Path, seconds: float) -> datetime:
    """A process that a platform asked to wait, and that dies; returns the time."""
    clock = FakeClock()
    store, pace = await life(folder, clock)
    await pace.block("telegram", seconds)
    await crash(store)
    return clock.now()


class Sends:
    """Messages that all want to go, and when each went."""

    def __init__(self) -> None:
        self.clock = SteppedClock()
        self.pace = LocalPace(self.clock)
        self.times: list[float] = []
        #: when an answer went for which somebody waits
        self.answered = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def want(self, *chats: ChatId) -> None:
        self._tasks += [asyncio.create_task(self._send(chat)) for chat in chats]

    def answer(self, chat: ChatId) -> None:
        self._tasks.append(asyncio.create_task(self._answer(chat)))

    async def _answer(self, chat: ChatId) -> None:
        await self.pace.turn(chat, limits=LIMITS, group=False)
        self.answered = self.clock.elapsed

    async def _send(self, chat: ChatId) -> None:
        while await self.pace.turn(chat, limits=LIMITS, group=False, patience=60):
            pass
        self.times.append(self.clock.elapsed)

    async def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 100)):
            await self.clock.step(0.01)

    async def all_go(self) -> None:
        while not all(task.done() for task in self._tasks):
            await self.clock.step(0.01)


def people(count: int) -> list[ChatId]:
    return [ChatId("telegram", str(number)) for number in range(1, count + 1)]


async def test_a_thaw_does_not_send_all_at_once_what_a_freeze_kept_waiting() -> None:
    """Row 58: after SIGSTOP or a laptop's sleep, the moments that were waited for are all over at once."""
    sends = Sends()
    sends.want(*people(100))
    await sends.wait(0.5)
    assert 10 <= len(sends.times) <= 20
    await sends.clock.step(60)
    await sends.all_go()
    assert most(sends.times, 1.0) <= 30


async def test_a_wait_that_a_platform_asks_for_holds_for_those_who_stand_in_line() -> None:
    """Row 58: a 429 for the whole bot comes while others are about to be sent: not one of them goes before its time."""
    sends = Sends()
    sends.want(*people(40))
    await sends.wait(0.5)
    before, began = len(sends.times), sends.clock.elapsed
    await sends.pace.block("telegram", 5)
    await sends.all_go()
    assert before < 20
    assert min(sends.times[before:]) >= began + 5


async def test_what_wants_to_go_to_one_chat_at_once_goes_at_its_pace() -> None:
    """I5: each saw the chat free, and then stood in line for the platform: whoever comes to the front looks again."""
    sends = Sends()
    sends.want(*people(20), *[ANNA] * 10)
    await sends.all_go()
    assert most(sends.times, 1.0) <= 30
    assert sends.times[-1] >= 8


async def test_a_person_who_waits_for_an_answer_stands_behind_one_alert_at_most() -> None:
    """A thousand alerts take half a minute; nobody who presses a button waits for that."""
    sends = Sends()
    sends.want(*people(100))
    await sends.wait(0.5)
    began = sends.clock.elapsed
    sends.answer(ChatId("telegram", "500"))
    await sends.all_go()
    assert sends.answered - began < 3 / LIMITS.platform_rate


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
        store, pace = await life(tmp_path, clock)
        for _ in range(3):
            await pace.turn(GROUP, limits=LIMITS, group=True)
            times.append(clock.elapsed)
        await crash(store)
        clock.advance(1.0)
    assert most(times, 60.0) <= 20
    assert times[-1] < 60 * 3.6


async def test_a_platform_that_asked_to_be_left_alone_is_after_a_restart(tmp_path: Path) -> None:
    """A 429 for the whole bot names a time: asking again at each start makes it longer."""
    asked = await blocked(tmp_path, 600)
    clock = FakeClock(asked + timedelta(seconds=100))  # another process: its monotonic clock begins anew
    store, pace = await life(tmp_path, clock)
    assert await pace.turn(ANNA, limits=LIMITS, group=False, patience=5) == pytest.approx(500)
    await pace.turn(ANNA, limits=LIMITS, group=False)
    assert clock.elapsed == pytest.approx(500)
    await store.close()


async def test_a_clock_that_was_set_back_makes_no_wait_longer(tmp_path: Path) -> None:
    """Ten minutes' silence that a platform asked for must not become a day's."""
    clock = FakeClock(await blocked(tmp_path, 600) - timedelta(days=1))
    store, pace = await life(tmp_path, clock)
    await pace.turn(ANNA, limits=LIMITS, group=False)
    assert clock.elapsed == pytest.approx(600)
    await store.close()


async def test_a_single_message_to_a_person_writes_nothing(tmp_path: Path) -> None:
    """The disk's work must not double: who is free again within a second needs no row."""
    store, pace = await life(tmp_path, FakeClock())
    for person in people(10):
        await pace.turn(person, limits=LIMITS, group=False)
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
