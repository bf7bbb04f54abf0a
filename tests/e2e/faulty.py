"""`tocsin run` under observation: python -m tests.e2e.faulty CONFIG [--point sent:2] [--lease 3] [--lag FILE] [--role R].

It writes down when it is at work, and the stacks of its threads when it gets SIGUSR1. It kills itself with SIGKILL the n-th time it passes a named point, holds claims for as many seconds as it is told (a
PostgreSQL store gives what a dead process had only when its lease is over), and writes down the longest time that
anything held the event loop, in seconds of the thread's own CPU time, which a busy machine does not lengthen, and what did.
"""

import argparse
import asyncio
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import bot.deliver
import bot.deliver.lane
import bot.poll
from bot.__main__ import end
from bot.app import run
from bot.app.roles import parse_roles
from bot.config import load_config

#: seconds of the loop's time that are too much
MOST_LAG = 0.25


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


class Turns:
    """How long each turn of the event loop takes, by the processor time of its thread."""

    def __init__(self) -> None:
        self.number = 0
        self.began = time.thread_time()

    async def meter(self, path: Path) -> None:
        """Writes the most that one turn took, each time there is a new most."""
        most = 0.0
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self.began = time.thread_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.thread_time()
            if now - self.began > most:
                most = now - self.began
                os.pwrite(file, b"%.6f" % most, 0)
            self.number, self.began = self.number + 1, time.thread_time()

    def watch(self, path: Path) -> None:
        """In a thread of its own: writes down where the loop's thread is when a turn takes too long, once each turn."""
        loop = threading.main_thread().ident
        assert loop is not None
        clock, told = time.pthread_getcpuclockid(loop), 0
        while True:
            time.sleep(0.01)
            number, spent = self.number, time.clock_gettime(clock) - self.began
            if number and number != told and spent > MOST_LAG:
                told = number
                frame = sys._current_frames()[loop]
                with path.open("a") as file:
                    print(f"after {spent * 1000:.0f} ms:", *traceback.format_stack(frame), sep="\n", file=file)


async def observed(
    config: Path, point: str, lag: Path | None, roles: str, held: Path | None, ready: Path | None
) -> int:
    metering: list[asyncio.Task[None]] = []
    kill = killer(point)
    turns = Turns()

    def at_work() -> None:
        if lag is not None and not metering:  # what starting takes is over
            metering.append(asyncio.create_task(turns.meter(lag)))
            if held is not None:
                threading.Thread(target=turns.watch, args=(held,), daemon=True).start()

    def fault(passed: str) -> None:
        at_work()
        kill(passed)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0tocsin-{os.getpid()}")

        def told() -> None:
            if manager.recv(100) == b"READY=1":
                at_work()
                if ready is not None:
                    ready.touch()

        asyncio.get_running_loop().add_reader(manager, told)
        environment = {"NOTIFY_SOCKET": f"@tocsin-{os.getpid()}"}
        try:
            return await run(load_config(config, environment), fault=fault, roles=parse_roles(roles))
        finally:
            asyncio.get_running_loop().remove_reader(manager)
            for task in metering:
                task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("--point", default="")
    parser.add_argument("--lease", type=float, default=0.0)
    parser.add_argument("--lag", type=Path, default=None)
    parser.add_argument("--held", type=Path, default=None)
    parser.add_argument("--ready", type=Path, default=None)
    parser.add_argument("--role", default="")
    given = parser.parse_args()
    if given.lease:
        for module in (bot.deliver, bot.deliver.lane, bot.poll):
            module.LEASE = given.lease  # type: ignore[attr-defined]
    faulthandler.register(signal.SIGUSR1)
    end(asyncio.run(observed(given.config, given.point, given.lag, given.role, given.held, given.ready)))


if __name__ == "__main__":
    main()
