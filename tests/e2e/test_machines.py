"""Three machines with addresses of their own: one is cut off from everything, and comes back."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.fleet import Fleet, Newspaper, headlines
from tests.e2e.replay import Publisher, document
from tests.emulators.telegram_api import TelegramApi
from tests.store.cluster import NoPostgres, cluster

PEOPLE, STORIES = 6, 6
#: one network per worker of the test run
NET = f"10.{93 + os.getpid() % 100}.77"
TAG = f"tc{os.getpid() % 100000}"
MACHINES = ("a", "b", "c")

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=10, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


@pytest.fixture
def network() -> Iterator[str]:
    """A bridge with the address given, and a namespace a machine; skipped where that is not permitted."""
    if shutil.which("ip") is None:
        pytest.skip("no `ip` command (Debian: iproute2)")
    with ExitStack() as undo:
        try:
            ip("link", "add", TAG, "type", "bridge")
            undo.callback(ip, "link", "del", TAG)
            ip("address", "add", f"{NET}.1/24", "dev", TAG)
            ip("link", "set", TAG, "up")
            for number, machine in enumerate(MACHINES, start=11):
                name = f"{TAG}{machine}"
                ip("netns", "add", name)
                undo.callback(ip, "netns", "del", name)
                ip("link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
                ip("link", "set", name, "master", TAG, "up")
                for command in (("link", "set", "lo", "up"), ("address", "add", f"{NET}.{number}/24", "dev", "eth0"),
                                ("link", "set", "eth0", "up")):  # fmt: skip
                    ip("-n", name, *command)
        except OSError as error:
            pytest.skip(f"no network namespaces here: {error}")
        yield f"{NET}.1"


@pytest.fixture
async def fleet(tmp_path: Path, network: str) -> AsyncIterator[Fleet]:
    try:
        with cluster(address=network) as postgres:
            press = await Publisher({outlet: [document(())] for outlet in ("north", "south")}).start(network)
            api = TelegramApi()
            await api.start(host=network)
            url = postgres.dsn.replace("127.0.0.1", network)
            fleet = Fleet(tmp_path, url, api, press, base_url=f"http://{network}:{api.port}")
            await fleet.subscribe(PEOPLE)
            try:
                yield fleet
            finally:
                await fleet.end()
                await press.stop()
                await api.close()
    except NoPostgres as error:
        pytest.skip(str(error))


async def test_a_machine_that_is_cut_off_and_comes_back_costs_nothing(fleet: Fleet) -> None:
    """Nothing lost, no rate broken, order held: the elected machine loses its network, the others go on; then it is back.

    What comes twice is what the platform took from it and it could not record any more, and nothing else.
    """
    titles = headlines(STORIES)
    paper = Newspaper(fleet.press, titles)
    for machine in MACHINES:
        await fleet.start(machine, "poll,ingest,deliver,chat", ("ip", "netns", "exec", f"{TAG}{machine}"))
    async with asyncio.timeout(60):
        while fleet.press.finished != {"north", "south"}:
            await asyncio.sleep(0.1)
    for _ in range(2):
        paper.publish()
    await fleet.all_arrive(titles[:1], 1, 60)

    lost = await fleet.elected("ingest")
    before = await fleet.epoch("ingest")
    ip("link", "set", f"{TAG}{lost}", "down")
    await asyncio.sleep(2.0)  # what had arrived is taken, and written down where that was on its way
    unrecorded = await fleet.struck(lost)
    paper.publish()
    paper.publish()
    await fleet.all_arrive(titles[:4], PEOPLE, 90)
    assert await fleet.epoch("ingest") > before

    ip("link", "set", f"{TAG}{lost}", "up")
    paper.publish()
    await asyncio.sleep(1.0)
    paper.publish()
    await fleet.all_arrive(titles, PEOPLE, 90)
    assert await fleet.judge(titles, PEOPLE) <= unrecorded, fleet.twice(titles)
    for name, bot in fleet.bots.items():
        assert await bot.stop() == 0, (name, bot.errors.read_text())
