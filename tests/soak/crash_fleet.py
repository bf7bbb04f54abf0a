"""The crash loop over PostgreSQL: 2 pollers, 2 ingesters, 3 deliverers and 2 chat processes, while everything breaks.

    python -m tests.soak.crash_fleet [--faults 12] [--people 12] [--seed 1]

Prints one line a fault and ends with I1-I8 of the fault list, read from the platform's log: every alert came, duplicates
are at most the faults and lost answers, order held, no rate was broken, nobody else was written to, others were late by
one poll at most, memory and the event loops' time are bounded. Whoever is elected and killed is followed within 10 s when
another stands by, no process ends by itself unless the server is away while it starts, and all end in order when they are
told to. Exit code 1 when one of these does not hold.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from tests.e2e.fleet import FLEET, Fleet, Newspaper, headlines
from tests.e2e.judge import Verdict, judge_process
from tests.e2e.lateness import Lateness, Strike, too_late
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TelegramApi
from tests.store.cluster import Cluster, NoPostgres, cluster

#: seconds of a freeze; longer than every lease
FREEZE = 60.0
#: stories before the first fault, and seconds between polls
QUIET, INTERVAL = 4, 1.0
#: seconds in which a fault of everything, of a deliverer that died, of one that stands still and of a poller that died is
#: over, and for which a poller that stands still keeps its feeds
OVER, DIED, STILL, POLLED, KEPT = 10.0, 10.0, 25.0, 3.0, 300.0
#: seconds in which another follows whoever was elected and killed, or stands still
FOLLOWED, FOLLOWED_STILL = 10.0, 20.0


class Faults:
    """What is done to the fleet."""

    def __init__(self, fleet: Fleet, postgres: Cluster, rng: Random) -> None:
        self._fleet, self._postgres, self._rng = fleet, postgres, rng
        self._thaws: set[asyncio.Task[None]] = set()
        self.strikes: list[Strike] = []
        self.kinds: list[Callable[[], Awaitable[str]]] = [
            self.kill_any, self.kill_ingest, self.kill_ears, self.freeze_deliverer, self.freeze_ingest, self.freeze_ears,
            self.freeze_poller, self.restart_server, self.cut,
        ]  # fmt: skip
        self.problems: list[str] = []

    async def kill_any(self) -> str:
        return await self._kill(self._rng.choice([*FLEET]))

    async def kill_ingest(self) -> str:
        return await self._take_over("ingest", self._kill)

    async def kill_ears(self) -> str:
        return await self._take_over("telegram", self._kill)

    async def freeze_deliverer(self) -> str:
        return await self._freeze(self._rng.choice(["deliver1", "deliver2", "deliver3"]))

    async def freeze_ingest(self) -> str:
        return await self._take_over("ingest", self._freeze)

    async def freeze_ears(self) -> str:
        return await self._take_over("telegram", self._freeze)

    async def freeze_poller(self) -> str:
        return await self._freeze(self._rng.choice(["poll1", "poll2"]))

    async def restart_server(self) -> str:
        self._fleet.faults += 1
        began = time.monotonic()
        await asyncio.to_thread(self._postgres.stop, "immediate")
        await asyncio.to_thread(self._postgres.start)
        self.strikes.append(Strike(began, time.monotonic() + OVER))
        return "PostgreSQL restarted with -m immediate"

    async def cut(self) -> str:
        began = time.monotonic()
        await self._fleet.cut_connections()
        self.strikes.append(Strike(began, time.monotonic() + OVER))
        return "all connections cut"

    async def _kill(self, name: str) -> str:
        self.strikes += await self._strikes(name, DIED, POLLED)
        lost = await self._fleet.kill(name)
        await self._fleet.start(name, FLEET[name])
        return f"{name} killed{f', {lost} answers lost' if lost else ''}"

    async def _freeze(self, name: str) -> str:
        self.strikes += await self._strikes(name, STILL, KEPT)
        lost = await self._fleet.freeze(name)

        async def thaw() -> None:
            await asyncio.sleep(FREEZE)
            self._fleet.thaw(name)

        task = asyncio.create_task(thaw())
        self._thaws.add(task)
        task.add_done_callback(self._thaws.discard)
        return f"{name} frozen for {FREEZE:.0f} s{f', {lost} answers lost' if lost else ''}"

    async def _strikes(self, name: str, deliverer: float, poller: float) -> list[Strike]:
        """Whom it touches when this process stops now, and for how many seconds."""
        now = time.monotonic()
        if name.startswith("deliver"):
            return [Strike(now, now + deliverer, chats=await self._fleet.in_hand(name))]
        if name.startswith("poll"):
            return [Strike(now, now + poller, outlets=await self._fleet.claimed(name))]
        return []

    async def _take_over(self, lease: str, strike: Callable[[str], Awaitable[str]]) -> str:
        elected, before = await self._fleet.elected(lease), await self._fleet.epoch(lease)
        stands_by = self._stand_by(elected)
        began = time.monotonic()
        striking = asyncio.ensure_future(strike(elected))  # the clock runs from here, not from when all is written down
        while await self._fleet.epoch(lease) <= before:
            await asyncio.sleep(0.1)
            if time.monotonic() - began > 2 * FREEZE:
                raise AssertionError(f"nobody took {lease} over from {elected}")
        took = time.monotonic() - began
        done = await striking
        if lease == "ingest":
            self.strikes.append(Strike(began, time.monotonic() + OVER))
        if stands_by and took > (FOLLOWED if strike == self._kill else FOLLOWED_STILL):
            self.problems.append(f"{lease}: nobody followed {elected} for {took:.1f} s")
        alone = "" if stands_by else ", nobody stood by"
        return f"{done}; {await self._fleet.elected(lease)} holds {lease} after {took:.1f} s{alone}"

    def _stand_by(self, elected: str) -> bool:
        """Whether another of its kind is at work, neither starting nor frozen."""
        others = [name for name, roles in FLEET.items() if roles == FLEET[elected] and name != elected]
        return any(self._fleet.is_ready(name) and not self._fleet.is_frozen(name) for name in others)

    async def settle(self) -> None:
        """All are awake again."""
        await asyncio.gather(*self._thaws)


async def run(asked: argparse.Namespace, postgres: Cluster, folder: Path) -> bool:
    rng = Random(asked.seed)
    titles = headlines(asked.faults * 2 + 2 + QUIET, asked.seed)
    press = await Publisher({outlet: [document(())] for outlet in ("north", "south", "east")}).start()
    async with TelegramApi() as api:
        fleet = Fleet(folder, postgres.dsn, api, press)
        await fleet.subscribe(asked.people)
        paper, faults = Newspaper(press, titles), Faults(fleet, postgres, rng)
        fleet.observed = True
        weighing = asyncio.create_task(fleet.weigh())
        try:
            await fleet.start_all()
            while len(press.finished) < 3 or not all(map(fleet.is_ready, FLEET)):
                await asyncio.sleep(0.2)
            for number in range(QUIET):
                paper.publish()
                await fleet.all_arrive(titles[: number + 1], asked.people, 60)
                await asyncio.sleep(rng.uniform(0, 2))
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
                f"{len(titles)} stories to {asked.people} chats: all came; {duplicates} duplicates of {fleet.faults} faults "
                f"and lost answers; at most {api.peaks()['all_per_second']} in a second"
            )
            codes = await fleet.stop_all()
            lateness = Lateness(paper.published, faults.strikes)
            others = lateness.of_others(fleet.arrived(titles))
            quiet = max(seconds for seconds, _, title in others if title in titles[:QUIET])
            latest = max(seconds for seconds, *_ in others)
            lags = fleet.lag()
            slowest = max(lags, key=lambda name: lags[name])
            verdict = Verdict()
            judge_process(verdict, fleet.memory, lags[slowest])
            problems = [*faults.problems, *too_late(others, quiet, INTERVAL), *verdict.problems]
            problems += [f"{name} was told to end, and did with {code}" for name, code in codes.items() if code != 0]
            problems += [str(end) for end in fleet.exits if not (end.code == 1 and "PostgreSQL can't be" in end.said)]
            print(
                f"I6: {len(others)} alerts that no fault touched came within {latest:.1f} s, {quiet:.1f} s when all is well\n"
                f"I7: {fleet.memory >> 20} MB, {slowest}'s event loop held for {lags[slowest] * 1000:.0f} ms",
                *fleet.twice(titles, began),
                *(fleet.held(name) for name in fleet.bots if fleet.held(name)),
                *fleet.exits,
                "\n".join(problems) or "all invariants hold",
                sep="\n",
            )
            return bool(problems)
        finally:
            weighing.cancel()
            await fleet.end()
            await press.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=16)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--pause", type=float, default=10.0, help="longest pause between faults, seconds")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server and the processes are ended too
    try:
        with cluster() as postgres, tempfile.TemporaryDirectory() as folder:
            return asyncio.run(run(asked, postgres, Path(folder)))
    except NoPostgres as error:
        print(f"not run: {error}")
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
