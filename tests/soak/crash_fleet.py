"""The crash loop over PostgreSQL: 2 pollers, 2 ingesters, 3 deliverers and 2 chat processes, while everything breaks.

    python -m tests.soak.crash_fleet [--faults 12] [--people 12] [--seed 1]

Prints one line a fault and ends with I1-I5 and I8 of the fault list, read from the platform's log: every alert came,
duplicates are at most the faults, order held, no rate was broken, nobody else was written to.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from tests.e2e.fleet import FLEET, Fleet, Newspaper, headlines
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TelegramApi
from tests.store.cluster import Cluster, NoPostgres, cluster

#: seconds of a freeze; longer than every lease
FREEZE = 60.0


class Faults:
    """What is done to the fleet."""

    def __init__(self, fleet: Fleet, postgres: Cluster, rng: Random) -> None:
        self._fleet, self._postgres, self._rng = fleet, postgres, rng
        self._thaws: set[asyncio.Task[None]] = set()
        self.kinds: list[Callable[[], Awaitable[str]]] = [
            self.kill_any, self.kill_ingest, self.kill_poller, self.freeze_deliverer, self.freeze_ingest,
            self.freeze_poller, self.restart_server, self.cut,
        ]  # fmt: skip

    async def kill_any(self) -> str:
        return await self._kill(self._rng.choice([*FLEET]))

    async def kill_ingest(self) -> str:
        return await self._take_over("ingest", self._kill)

    async def kill_poller(self) -> str:
        return await self._take_over("telegram", self._kill)

    async def freeze_deliverer(self) -> str:
        return await self._freeze(self._rng.choice(["deliver1", "deliver2", "deliver3"]))

    async def freeze_ingest(self) -> str:
        return await self._take_over("ingest", self._freeze)

    async def freeze_poller(self) -> str:
        return await self._take_over("telegram", self._freeze)

    async def restart_server(self) -> str:
        self._fleet.faults += 1
        await asyncio.to_thread(self._postgres.stop, "immediate")
        await asyncio.to_thread(self._postgres.start)
        return "PostgreSQL restarted with -m immediate"

    async def cut(self) -> str:
        await self._fleet.cut_connections()
        return "all connections cut"

    async def _kill(self, name: str) -> str:
        await self._fleet.kill(name)
        await self._fleet.start(name, FLEET[name])
        return f"{name} killed"

    async def _freeze(self, name: str) -> str:
        self._fleet.freeze(name)

        async def thaw() -> None:
            await asyncio.sleep(FREEZE)
            self._fleet.thaw(name)

        task = asyncio.create_task(thaw())
        self._thaws.add(task)
        task.add_done_callback(self._thaws.discard)
        return f"{name} frozen for {FREEZE:.0f} s"

    async def _take_over(self, lease: str, strike: Callable[[str], Awaitable[str]]) -> str:
        elected, before = await self._elected(lease), await self._fleet.epoch(lease)
        done = await strike(elected)
        began = time.monotonic()
        while await self._fleet.epoch(lease) <= before:
            await asyncio.sleep(0.1)
            if time.monotonic() - began > 2 * FREEZE:
                raise AssertionError(f"nobody took {lease} over from {elected}")
        took = time.monotonic() - began
        return f"{done}; {await self._elected(lease)} holds {lease} after {took:.1f} s"

    async def _elected(self, lease: str) -> str:
        while not (name := await self._fleet.holder(lease)):
            await asyncio.sleep(0.2)
        return name

    async def settle(self) -> None:
        """All are awake again."""
        await asyncio.gather(*self._thaws)


async def run(asked: argparse.Namespace, postgres: Cluster, folder: Path) -> None:
    rng = Random(asked.seed)
    titles = headlines(asked.faults * 2 + 2, asked.seed)
    press = await Publisher({outlet: [document(())] for outlet in ("north", "south", "east")}).start()
    async with TelegramApi() as api:
        fleet = Fleet(folder, postgres.dsn, api, press)
        await fleet.subscribe(asked.people)
        paper, faults = Newspaper(press, titles), Faults(fleet, postgres, rng)
        try:
            await fleet.start_all()
            while len(press.finished) < 3:
                await asyncio.sleep(0.2)
            began = time.monotonic()
            kinds: list[Callable[[], Awaitable[str]]] = []
            for number in range(asked.faults):
                paper.publish()
                await asyncio.sleep(rng.uniform(0, 3))
                kinds = kinds or rng.sample(faults.kinds, len(faults.kinds))
                print(f"{time.monotonic() - began:6.1f} s  {number + 1}: {await kinds.pop()()}", flush=True)
                paper.publish()
                await asyncio.sleep(rng.uniform(0, asked.pause))
            paper.publish()
            await faults.settle()
            paper.publish()
            await fleet.all_arrive(titles, asked.people, 300)
            duplicates = await fleet.judge(titles, asked.people)
            print(
                f"{len(titles)} stories to {asked.people} chats: all came; {duplicates} duplicates of {fleet.faults} faults; "
                f"at most {api.peaks()['all_per_second']} in a second"
            )
            print("exit codes", await fleet.stop_all())
        finally:
            await fleet.end()
            await press.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=16)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--pause", type=float, default=10.0, help="longest pause between faults, seconds")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    try:
        with cluster() as postgres, tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(asked, postgres, Path(folder)))
    except NoPostgres as error:
        print(f"not run: {error}")


if __name__ == "__main__":
    main()
