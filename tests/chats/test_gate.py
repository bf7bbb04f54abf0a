"""The last look at the clock before a message goes out."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from random import Random

from bot.chats.gate import Gate, Quota
from bot.clock import SystemClock
from tests.emulators.common import most_within


class FakeClock:
    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += seconds
        await asyncio.sleep(0)


async def test_a_jam_is_let_go_at_the_permitted_rate() -> None:
    """A hundred sends that were held up together start at 30 a second, in order."""
    clock, starts = FakeClock(), []
    gate = Gate(clock, 30, 1.0)

    async def send(number: int) -> None:
        async with gate.passing():
            starts.append((clock.at, number))

    await asyncio.gather(*(send(number) for number in range(100)))
    assert [number for _, number in starts] == list(range(100))
    assert most_within([at for at, _ in starts], 1.0) == 30
    assert clock.at < 3.5


async def test_arrivals_stay_within_the_limit_although_calls_stutter() -> None:
    """Calls arrive up to 0.2 s after their start and are answered later still: no second sees more than ten."""
    gate, arrivals, rng = Gate(SystemClock(), 10, 0.3), [], Random(7)

    async def send() -> None:
        async with gate.passing():
            await asyncio.sleep(rng.random() * 0.2)
            arrivals.append(time.monotonic())
            await asyncio.sleep(rng.random() * 0.04)

    await asyncio.gather(*(send() for _ in range(60)))
    assert most_within(arrivals, 0.3) <= 10


async def test_calls_without_answers_do_not_stop_the_sending() -> None:
    """A call that hangs counts as arrived after a second at the latest."""
    clock = FakeClock()
    gate = Gate(clock, 1, 1.0)
    async with gate.passing(), gate.passing():
        assert 1.0 <= clock.at <= 2.0


async def test_keys_do_not_wait_for_one_another_and_are_forgotten() -> None:
    """A channel that must wait delays no other; the memory of rested channels does not grow."""
    clock = FakeClock()
    gate = Gate(clock, 1, 1.0)
    for number in range(1000):
        async with gate.passing(f"C{number}"):
            pass
    assert clock.at == 0.0
    async with gate.passing("C0"):
        assert clock.at == 1.0
    async with gate.passing("new"):
        assert len(gate._keys) < 10


async def test_a_quota_says_how_long_instead_of_waiting() -> None:
    """Twenty a minute: the twenty-first learns when the first is a minute old."""
    clock = FakeClock()
    quota = Quota(clock, 20, 60.0)
    assert [quota.take("g") for _ in range(20)] == [0.0] * 20
    clock.at = 10.0
    assert quota.take("g") == 50.0
    assert quota.take("other") == 0.0
    clock.at = 60.0
    assert quota.take("g") == 0.0
