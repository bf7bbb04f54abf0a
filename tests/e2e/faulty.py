"""`tocsin run` under observation: python -m tests.e2e.faulty CONFIG [--point sent:2] [--lease 3] [--lag FILE] [--role R].

It kills itself with SIGKILL the n-th time it passes a named point, holds claims for as many seconds as it is told (a
PostgreSQL store gives what a dead process had only when its lease is over), and writes down the longest time that
anything held the event loop, in seconds of the thread's own CPU time, which a busy machine does not lengthen.
"""

import argparse
import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import bot.deliver
import bot.deliver.lane
import bot.poll
from bot.app import run
from bot.app.roles import parse_roles
from bot.config import load_config

#: seconds after which a process with one role is surely at work
_STARTED = 15.0


def killer(spec: str) -> Callable[[str], None]:
    point, _, count = spec.partition(":")
    left = [int(count or 1)]

    def fault(passed: str) -> None:
        if passed == point:
            left[0] -= 1
            if not left[0]:
                sys.stdout.flush()
                os.kill(os.getpid(), signal.SIGKILL)

    return fault


async def meter(path: Path) -> None:
    """Writes the most that one turn of the loop took, each time there is a new most."""
    most = 0.0
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    before = time.thread_time()
    while True:
        await asyncio.sleep(0.001)
        now = time.thread_time()
        if now - before > most:
            most = now - before
            os.pwrite(file, b"%.6f" % most, 0)
        before = time.thread_time()


async def observed(config: Path, point: str, lag: Path | None, roles: str = "") -> int:
    metering: list[asyncio.Task[None]] = []
    kill = killer(point)

    def at_work() -> None:
        if lag is not None and not metering:  # what starting takes is over
            metering.append(asyncio.create_task(meter(lag)))

    def fault(passed: str) -> None:
        at_work()
        kill(passed)

    if roles:  # not every role passes a point
        asyncio.get_running_loop().call_later(_STARTED, at_work)
    try:
        return await run(load_config(config, {}), fault=fault, roles=parse_roles(roles))
    finally:
        for task in metering:
            task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--point", default="")
    parser.add_argument("--lease", type=float, default=0.0)
    parser.add_argument("--lag", type=Path, default=None)
    parser.add_argument("--role", default="")
    given = parser.parse_args()
    if given.lease:
        for module in (bot.deliver, bot.deliver.lane, bot.poll):
            module.LEASE = given.lease  # type: ignore[attr-defined]
    sys.exit(asyncio.run(observed(given.config, given.point, given.lag, given.role)))


if __name__ == "__main__":
    main()
