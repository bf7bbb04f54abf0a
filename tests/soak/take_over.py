"""How long a kill is felt: seconds from SIGKILL until what the process had in hand goes on elsewhere, by role.

    python -m tests.soak.take_over [--kills 8] [--people 24] [--seed 1]

Two processes a role on one PostgreSQL; each time all are at work before one is killed in the middle of something: a
deliverer with messages under way, a poller with a source, the elected ingest, the elected Telegram poller before somebody
types a command. Prints each kill, and a table of medians and longest.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web

from tests.e2e.fleet import Fleet, Newspaper, headlines
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TelegramApi
from tests.store.cluster import Cluster, NoPostgres, cluster

FLEET = {f"{role}{n}": role for role in ("poll", "ingest", "deliver", "chat") for n in (1, 2)}
#: seconds for which an answer is kept back, so that its reader is killed meanwhile; in which everything must have happened
KEPT_BACK, WITHIN = 2.0, 120.0


class SlowPress(Publisher):
    """Keeps its answers back when it is told to, and remembers when it was asked for what."""

    def __init__(self, bodies: dict[str, list[bytes]]) -> None:
        super().__init__(bodies)
        self.slow = False
        self.asked: dict[str, list[float]] = defaultdict(list)

    async def _serve(self, request: web.Request) -> web.Response:
        self.asked[request.match_info["outlet"]].append(time.monotonic())
        if self.slow:
            await asyncio.sleep(KEPT_BACK)
        return await super()._serve(request)


class Kills:
    """One kill of each kind, timed."""

    def __init__(self, fleet: Fleet, press: SlowPress, paper: Newspaper, titles: list[str], people: int) -> None:
        self._fleet, self._press, self._paper = fleet, press, paper
        self._titles, self._people = titles, people
        self._told = 0

    async def all_ready(self) -> None:
        await self._until(lambda: all(map(self._fleet.is_ready, FLEET)))
        await asyncio.sleep(3.0)  # who stands by has looked

    async def deliverer(self) -> list[float]:
        """Until each chat that it had in hand gets its message."""
        api = self._fleet.api
        api.faults.add(method="sendMessage", times=0, delay=KEPT_BACK)
        title = self._publish()
        await self._until(
            lambda: [c for c in api.log.of("sendMessage") if c["ok"] is None and title in c["params"]["text"]]
        )
        under_way = [c["via"] for c in api.log.of("sendMessage") if c["ok"] is None]
        victim = max(set(under_way), key=under_way.count)
        chats = await self._fleet.in_hand(victim)
        killed = await self._kill(victim)
        api.faults.rules.clear()
        missing = {chat for chat, told in self._fleet.missing([title], self._people)} & chats
        await self._fleet.all_arrive([title], self._people, WITHIN)
        arrived = self._fleet.arrived([title])
        return [arrived[chat][title] - killed for chat in missing]

    async def poller(self) -> list[float]:
        """Until somebody asks the sources that it had in hand."""
        self._press.slow = True
        victim, had = "", set[str]()
        while not had:
            for victim in ("poll1", "poll2"):
                if had := await self._fleet.claimed(victim):
                    break
        killed = await self._kill(victim)
        self._press.slow = False
        asked = self._press.asked
        await self._until(lambda: all(asked[outlet][-1] > killed for outlet in had))
        return [next(at for at in asked[outlet] if at > killed) - killed for outlet in had]

    async def ingest(self) -> list[float]:
        """Until the other one is elected."""
        before = await self._fleet.epoch("ingest")
        killed = await self._kill(await self._fleet.elected("ingest"))
        async with asyncio.timeout(WITHIN):
            while await self._fleet.epoch("ingest") <= before:
                await asyncio.sleep(0.02)
        return [time.monotonic() - killed]

    async def ears(self) -> list[float]:
        """Until a command that is typed at the moment of the kill is answered."""
        killed = await self._kill(await self._fleet.elected("telegram"))
        answers = len(self._answers())
        self._fleet.api.say(1, "/sources")
        await self._until(lambda: len(self._answers()) > answers)
        return [self._answers()[answers] - killed]

    def _answers(self) -> list[float]:
        log = self._fleet.api.log
        return [c["at"] + log.started for c in log.of("sendMessage", ok=True) if c["via"].startswith("chat")]

    async def _kill(self, name: str) -> float:
        await self._fleet.end_at_once(name)
        killed = time.monotonic()
        await self._fleet.start(name, FLEET[name])
        return killed

    def _publish(self) -> str:
        self._paper.publish()
        self._told += 1
        return self._titles[self._told - 1]

    async def _until(self, check: Callable[[], object]) -> None:
        async with asyncio.timeout(WITHIN):
            while not check():
                await asyncio.sleep(0.02)


async def run(asked: argparse.Namespace, postgres: Cluster, folder: Path) -> None:
    titles = headlines(asked.kills, asked.seed)
    press = SlowPress({outlet: [document(())] for outlet in ("north", "south", "east")})
    await press.start()
    took: dict[str, list[float]] = defaultdict(list)
    async with TelegramApi() as api:
        fleet = Fleet(folder, postgres.dsn, api, press)
        fleet.observed = True
        await fleet.subscribe(asked.people)
        kills = Kills(fleet, press, Newspaper(press, titles), titles, asked.people)
        kinds: list[Callable[[], Awaitable[list[float]]]] = [kills.deliverer, kills.poller, kills.ingest, kills.ears]
        try:
            await fleet.start_all(FLEET)
            for number in range(asked.kills):
                for kind in kinds:
                    await kills.all_ready()
                    seconds = await kind()
                    took[kind.__name__] += seconds
                    print(f"{number + 1:3} {kind.__name__:10}", *(f"{s:5.1f}" for s in sorted(seconds)), flush=True)
        finally:
            await fleet.end()
            await press.stop()
    print(f"\n{'killed':10} {'timed':>6} {'median':>8} {'longest':>8}")
    for name, seconds in took.items():
        print(f"{name:10} {len(seconds):6} {statistics.median(seconds):6.1f} s {max(seconds):6.1f} s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--people", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the server and the processes are ended too
    try:
        with cluster() as postgres, tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(asked, postgres, Path(folder)))
    except NoPostgres as error:
        print(f"not run: {error}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
