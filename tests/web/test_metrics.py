"""/metrics: what is told, what is documented, and that the dashboard asks for nothing else."""

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path

import aiohttp

from bot.app.site import make_server
from bot.config import WebConfig
from bot.errors import StoreFull
from bot.meter import Histogram, Meter
from bot.model import FetchFailed, NotModified, Validators
from bot.ports import Store
from bot.sources.schedule import PollPolicy
from bot.web.lag import LoopLag
from bot.web.metrics import Metrics
from tests.fakes import FakeClock
from tests.test_flow import PRIZE, SHELLS, SHELLS_2
from tests.web.invented import invent
from tests.world import World

ROOT = Path(__file__).parents[2]


def samples(text: str) -> dict[str, float]:
    """Name with labels → value."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def full_meter() -> Meter:
    meter = Meter()
    meter.polls["fetched"] += 3
    meter.deliveries["telegram", "sent"] += 2
    meter.lags["telegram", False].observe(42)
    return meter


async def text_of(store: Store, meter: Meter, clock: FakeClock) -> str:
    metrics = Metrics(store=store, clock=clock, meter=meter, lag=lambda: 0.02, ticked=lambda: 0.5)
    return (await metrics.text()).decode()


async def test_what_the_flows_did_is_told(tmp_path: Path) -> None:
    """Entries, stories, matches, sends and the time from publication to delivery, as they happened."""
    world = await World(tmp_path).open()
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", replace(SHELLS, published=world.clock.now()), PRIZE)
    world.clock.advance(45)
    await world.deliver()
    await world.poll("Harbour Post", SHELLS_2)
    world.clock.advance(600)
    await world.deliver()
    told = samples(await text_of(world.store, world.meter, world.clock))
    assert told["tocsin_entries_total"] == 3
    assert told["tocsin_stories_total"] == 2
    assert told["tocsin_matches_total"] == 2
    assert told['tocsin_deliveries_total{outcome="sent",platform="telegram"}'] == 1
    assert told['tocsin_deliveries_total{outcome="edited",platform="telegram"}'] == 1
    lag = 'tocsin_lag_seconds_bucket{held="no",le="%s",platform="telegram"}'
    assert (told[lag % "30.0"], told[lag % "60.0"], told[lag % "+Inf"]) == (0, 1, 1)
    assert told['tocsin_lag_seconds_sum{held="no",platform="telegram"}'] == 45
    assert told['tocsin_outbox_rows{state="sent"}'] == 2
    assert told['tocsin_kept{what="entries"}'] == 3
    assert told['tocsin_sources{health="well"}'] == 5
    await world.store.close()


async def test_how_late_things_are(tmp_path: Path) -> None:
    """The oldest row that should have gone out, and the oldest source that should have been read."""
    world = await World(tmp_path).open()
    await world.baseline()
    await world.say("/subscribe Idlib")
    await world.poll("North Wire", SHELLS)
    world.clock.advance(90)
    told = samples(await text_of(world.store, world.meter, world.clock))
    assert told["tocsin_outbox_overdue_seconds"] == 90
    assert told["tocsin_poll_overdue_seconds"] == 90
    assert told['tocsin_outbox_rows{state="due"}'] == 1
    await world.store.close()


async def test_every_metric_is_documented_and_none_other(tmp_path: Path) -> None:
    """docs/operations.md names what there is, with its labels; labels have few values."""
    clock = FakeClock()
    world = await World(tmp_path, clock).open()
    await invent(world.store, clock.now())
    text = await text_of(world.store, full_meter(), clock)
    await world.store.close()
    there = {re.sub(r"_(bucket|count|sum)(?=$)", "", name.partition("{")[0]) for name in samples(text)}
    there -= {"tocsin_lag_seconds_created"}
    table = (ROOT / "docs" / "operations.md").read_text("utf-8").partition("## Metrics")[2]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    documented = {name: row[2] for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    assert there == documented.keys()
    for name in samples(text):
        for label in re.findall(r"(\w+)=\"", name.partition("{")[2]):
            base = re.sub(r"_(bucket|count|sum)$", "", name.partition("{")[0])
            assert label == "le" or f"`{label}`" in documented[base], name
    assert len(samples(text)) < 100


async def test_the_dashboard_asks_for_metrics_that_exist(tmp_path: Path) -> None:
    """A renamed metric must not leave an empty panel behind."""
    clock = FakeClock()
    world = await World(tmp_path, clock).open()
    there = {name.partition("{")[0] for name in samples(await text_of(world.store, full_meter(), clock))}
    await world.store.close()
    dashboard = json.loads((ROOT / "deploy" / "grafana.json").read_text("utf-8"))
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    queries += [variable["query"] for variable in dashboard["templating"]["list"]]
    asked = {name for query in queries for name in re.findall(r"\b(?:tocsin|process)_\w+", query)}
    assert len(asked) > 12
    assert asked <= there
    for query in queries:
        assert query.count("(") == query.count(")")


async def test_polls_are_counted_by_outcome() -> None:
    """Each poll is one of a few words."""
    from bot.poll import _in_a_word

    assert _in_a_word(NotModified(Validators())) == "unchanged"
    assert _in_a_word(FetchFailed("no", status=404)) == "failed"
    assert _in_a_word(FetchFailed("no feed", status=200)) == "unreadable"


def test_the_histogram() -> None:
    """A value at a bound falls below it, as Prometheus counts (le)."""
    histogram = Histogram((1.0, 5.0))
    for value in (0.5, 1.0, 1.1, 5.0, 9.0):
        histogram.observe(value)
    assert (histogram.counts, histogram.sum) == ([2, 2, 1], 16.6)


async def test_the_loop_lag_is_seen() -> None:
    """A loop that was blocked says for how long; one that was not says next to nothing."""

    class Late(FakeClock):
        late = 0.0

        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds + self.late)

    clock = Late()
    lag = LoopLag(clock)
    watch = asyncio.create_task(lag.run())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert lag.longest() == 0
    clock.late = 0.3
    for _ in range(5):
        await asyncio.sleep(0)
    assert round(lag.longest(), 6) == 0.3
    watch.cancel()


async def test_readiness_and_metrics_at_the_door(tmp_path: Path) -> None:
    """/readyz tries to write; /metrics is for this machine, or for who bears the token."""
    world = await World(tmp_path).open()
    full: list[str] = []
    real = world.store.check_writable

    async def check_writable() -> None:
        if full:
            raise StoreFull("no space left")
        await real()

    world.store.check_writable = check_writable  # type: ignore[method-assign]

    async def trouble() -> str:
        return ""

    for config, token, expected in (
        (WebConfig(port=0), "", 200),
        (WebConfig(port=0, token="hush"), "", 401),
        (WebConfig(port=0, token="hush"), "hush", 200),
        (WebConfig(port=0, public_url="https://t.example"), "", 403),
    ):
        server = make_server(
            config, store=world.store, clock=world.clock, policy=PollPolicy(), trial=world.commands.trial,
            meter=Meter(), lag=lambda: 0.0, ticked=lambda: 0.0, trouble=trouble, wake=lambda: None, webhooks={}, routes=(),
        )  # fmt: skip
        await server.start()
        try:
            base = f"http://127.0.0.1:{server.port}"
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            async with aiohttp.ClientSession(headers=headers) as session:
                async with session.get(f"{base}/metrics") as answer:
                    assert answer.status == expected
                    assert ("tocsin_polls" in await answer.text()) is (expected == 200)
                async with session.get(f"{base}/readyz") as answer:
                    assert (answer.status, await answer.text()) == (200, "ready\n")
                full.append("now")
                world.clock.advance(6)
                async with session.get(f"{base}/readyz") as answer:
                    assert answer.status == 503
                    assert "no space left" in await answer.text()
                full.clear()
                world.clock.advance(6)
        finally:
            await server.close()
    await world.store.close()
