import asyncio
from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock
from bot.scheduler import Scheduler


class Shifted(SystemClock):
    """The system's clock, for a watch that looks without delay."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.01))


async def test_jobs_tick_and_a_failing_one_is_counted_and_goes_on() -> None:
    """An exception in one job stops neither it nor the others, and operators can see how often."""
    scheduler = Scheduler(SystemClock())
    good: list[int] = []
    enough = asyncio.Event()

    async def ticks() -> None:
        good.append(1)
        if len(good) >= 3:
            enough.set()

    async def fails() -> None:
        raise ValueError("on purpose")

    scheduler.add("ticks", 0.02, ticks)
    scheduler.add("fails", 0.02, fails, jitter=0.001)
    scheduler.start()
    await asyncio.wait_for(enough.wait(), 5)
    await scheduler.stop()

    assert scheduler.counts["ticks"]["error"] == 0
    assert scheduler.counts["fails"]["error"] >= 2


async def test_a_tick_never_runs_beside_itself() -> None:
    """A slow tick delays its successor, and the skipped ones are counted."""
    scheduler = Scheduler(SystemClock())
    running, most = 0, 0

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1

    scheduler.add("slow", 0.02, slow)
    scheduler.start()
    await asyncio.sleep(0.3)
    await scheduler.stop()

    assert most == 1
    assert scheduler.counts["slow"]["max_instances"] >= 2


async def test_a_late_tick_still_runs() -> None:
    """Row 57: APScheduler alone drops a run that is over a second late, as after a blocked loop: a digest would be lost."""
    scheduler = Scheduler(SystemClock())
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    scheduler.add("job", 3600, job)
    scheduler.start()
    scheduler._scheduler.get_job("job").modify(next_run_time=datetime.now(UTC) - timedelta(seconds=60))

    await asyncio.wait_for(ran.wait(), 2)
    await scheduler.stop()
    assert scheduler.counts["job"]["missed"] == 0


async def test_stop_lets_a_running_job_end_and_starts_none() -> None:
    """SIGTERM in the middle of a tick: what it does is finished, not cancelled halfway."""
    scheduler = Scheduler(SystemClock())
    started, ended = asyncio.Event(), asyncio.Event()

    async def job() -> None:
        started.set()
        await asyncio.sleep(0.2)
        ended.set()

    scheduler.add("job", 0.01, job)
    scheduler.start()
    await asyncio.wait_for(started.wait(), 5)
    await scheduler.stop()

    assert ended.is_set()
    started.clear()
    await asyncio.sleep(0.05)
    assert not started.is_set()


async def test_stop_gives_up_on_a_job_that_hangs() -> None:
    """Exit within the deadline, whatever a job does; and stopping what never started is nothing."""
    await Scheduler(SystemClock()).stop()
    scheduler = Scheduler(SystemClock())
    started = asyncio.Event()

    async def hangs() -> None:
        started.set()
        await asyncio.sleep(3600)

    scheduler.add("hangs", 0.01, hangs)
    scheduler.start()
    await asyncio.wait_for(started.wait(), 5)
    await asyncio.wait_for(scheduler.stop(grace=0.05), 2)


async def test_a_wall_clock_set_back_does_not_silence_jobs() -> None:
    """After the clock was set back by a day, the next run must not be a day away."""
    scheduler = Scheduler(Shifted())
    ran = asyncio.Event()

    async def job() -> None:
        ran.set()

    scheduler.add("job", 3600, job)
    scheduler.start()
    # what APScheduler holds after such a step: a next run that lies a day and an hour ahead
    inner = scheduler._scheduler.get_job("job")
    inner.modify(next_run_time=datetime.now(UTC) + timedelta(days=1, hours=1))

    await asyncio.wait_for(ran.wait(), 5)
    await scheduler.stop()


async def test_a_second_job_of_a_name_replaces_the_first() -> None:
    """A changed setting takes effect and never doubles a tick."""
    scheduler = Scheduler(SystemClock())
    heard: list[str] = []

    async def first() -> None:
        heard.append("first")

    async def second() -> None:
        heard.append("second")

    scheduler.start()
    scheduler.add("job", 0.02, first)
    scheduler.add("job", 0.02, second)
    await asyncio.sleep(0.1)
    await scheduler.stop()

    assert set(heard) == {"second"}
