"""WebSub over real sockets: a hub, the web server, the fetcher with its guard, the parser process, and each store."""

import itertools
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from random import Random

import aiohttp
import pytest

from bot.model import Feed, FeedId, HubLease, HubState
from bot.poll.feed import poll_feed
from bot.push import Push
from bot.sources.fetch import HttpFetcher
from bot.sources.schedule import PollPolicy
from bot.sources.worker import ParserProcess
from bot.web import websub
from bot.web.server import WebServer
from tests.hostile.documents import item, rss
from tests.hostile.hub import Hub
from tests.hostile.server import Answer, HostileServer
from tests.store.stores import Place
from tests.world import World

CAP = 200_000


async def never() -> str:
    return ""


class Scene:
    """A world with a public address, a publisher who names a hub, and the hub."""

    def __init__(self, world: World, press: HostileServer, hub: Hub) -> None:
        self.world, self.press, self.hub = world, press, hub
        self.feed = Feed(FeedId(press.url("/feed")), "North Wire")
        self.fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=3.0)
        self.parser = ParserProcess(workers=1)
        self.numbers = itertools.count()
        self.push: Push
        self.server: WebServer

    async def open(self) -> None:
        self.server = WebServer("127.0.0.1", 0, ready=never, routes=websub.routes(self, CAP))
        await self.server.start()
        self.join()
        await self.world.store.sync_feeds([self.feed], self.world.clock.now())

    def join(self) -> None:
        """As after each start: all that is known comes from the store."""
        self.push = Push(
            store=self.world.store, hubs=self.fetcher, parser=self.parser, ingest=self.world.ingest,
            clock=self.world.clock, rng=Random(1), token=lambda: f"unguessable-{next(self.numbers)}",
            callback=f"http://127.0.0.1:{self.server.port}/websub",
        )  # fmt: skip

    # what the routes call
    async def confirm(self, *given: object) -> tuple[int, str]:
        return await self.push.confirm(*given)  # type: ignore[arg-type]

    async def receive(self, *given: object) -> int:
        return await self.push.receive(*given)  # type: ignore[arg-type]

    def publishes(self, *titles: str, links: str | None = None, headers: dict[str, str] | None = None) -> bytes:
        if links is None:
            links = f'<atom:link rel="hub" href="{self.hub.url}"/><atom:link rel="self" href="{self.feed.id}"/>'
        links = links.replace("<atom:link", "<atom:link xmlns:atom='http://www.w3.org/2005/Atom'")
        head = f"<title>North Wire</title>{links}"
        body = rss("".join(item(n, title) for n, title in enumerate(titles)), head)
        self.press.pages["/feed"] = Answer(body, headers=headers or {})
        return body

    async def poll(self, policy: PollPolicy | None = None) -> float:
        """One poll; seconds until the next."""
        store, clock = self.world.store, self.world.clock
        [leased] = await store.claim_feeds(clock.now(), 300, 9, force=True)
        await poll_feed(
            leased, fetcher=self.fetcher, parser=self.parser, ingest=self.world.ingest, store=store, clock=clock,
            rng=Random(1), policy=policy or PollPolicy(), hubs=self.push,
        )  # fmt: skip
        found = await store.feed(leased.feed.id)
        assert found is not None
        return (found[1].next_poll - clock.now()).total_seconds()

    async def subscribe(self) -> HubLease:
        """Polled once, asked, confirmed."""
        self.publishes("An old report")
        await self.poll()
        await self.push.tick()
        await self.hub.settled()
        return await self.lease()

    async def lease(self) -> HubLease:
        [lease] = await self.world.store.hub_leases()
        return lease


@pytest.fixture
async def scene(tmp_path: Path, place: Place) -> AsyncIterator[Scene]:
    world = await World(tmp_path, url=place.url).open()
    with HostileServer() as press:
        async with Hub() as hub:
            one = Scene(world, press, hub)
            await one.open()
            yield one
            await one.server.close()
            await one.fetcher.close()
            await one.parser.close()
            await world.store.close()


async def test_an_update_rings_at_once(scene: Scene) -> None:
    """From the feed's link to the alert: found, asked, confirmed, posted, and sent within a second of the post."""
    await scene.world.say("/subscribe launcher")
    lease = await scene.subscribe()
    assert (lease.state, lease.hub, lease.topic) == (HubState.ACTIVE, scene.hub.url, scene.feed.id)
    [asked] = scene.hub.asked
    assert asked["hub.callback"].endswith(f"/websub/{lease.key}")
    assert {"hub.mode", "hub.topic", "hub.secret", "hub.lease_seconds"} <= asked.keys()

    body = rss(item(77, "A launcher was seen"))
    began = time.monotonic()
    assert (await scene.hub.publish(scene.feed.id, body))[0] == 202
    await scene.world.deliver()
    assert time.monotonic() - began < 1.0
    assert len(scene.world.sends()) == 1
    assert "launcher" in scene.world.sends()[0]

    # the same again, and the poll that has it too, ring nobody
    await scene.hub.publish(scene.feed.id, body)
    scene.publishes("An old report")
    scene.press.pages["/feed"] = Answer(rss(item(77, "A launcher was seen") + item(0, "An old report")))
    await scene.poll()
    await scene.world.deliver()
    assert len(scene.world.sends()) == 1


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_signatures_of_every_method_are_taken(scene: Scene, method: str) -> None:
    """The four methods of the Recommendation, section 7.1."""
    await scene.subscribe()
    status, _ = await scene.hub.publish(scene.feed.id, rss(item(5, "New")), method=method)
    assert status == 202
    assert len(await scene.world.store.entries_since(scene.world.clock.now() - timedelta(days=1))) == 2


async def test_what_is_not_signed_by_the_hub_is_dropped_without_a_word(scene: Scene) -> None:
    """A forger learns nothing: 2xx, an empty body, and nothing taken in (section 7.1)."""
    lease = await scene.subscribe()
    for signature in ("", "sha256=", "sha256=" + "0" * 64, "md5=00", "sha256", "sha1=é", "none=", lease.secret):
        status, text = await scene.hub.publish(scene.feed.id, rss(item(5, "Forged")), signature=signature)
        assert (status, text) == (202, "")
    assert len(await scene.world.store.entries_since(scene.world.clock.now() - timedelta(days=1))) == 1
    assert (await scene.lease()).last_push is None


async def test_only_what_was_asked_for_is_confirmed(scene: Scene) -> None:
    """A question with another topic, path or mode is answered 404 and changes nothing (section 5.3)."""
    lease = await scene.subscribe()
    form = scene.hub.asked[0]
    wrong = [
        {"hub.topic": "https://other.example/feed"},
        {"hub.mode": "unsubscribe"},
        {"hub.mode": "publish"},
        {"hub.challenge": ""},
        {"hub.challenge": "x" * 5000},
    ]
    for query in wrong:
        assert (await scene.hub.ask_back(form, **query))[0] == 404
    other = form | {"hub.callback": form["hub.callback"] + "x"}
    assert (await scene.hub.ask_back(other))[0] == 404
    assert await scene.lease() == lease


async def test_a_challenge_is_never_a_page(scene: Scene) -> None:
    """It is repeated as plain text, so that a link to it can run nothing in a browser."""
    lease = await scene.subscribe()
    query = {"hub.mode": "subscribe", "hub.topic": lease.topic, "hub.challenge": "<script>alert(1)</script>"}
    async with aiohttp.ClientSession() as session, session.get(scene.hub.asked[0]["hub.callback"], params=query) as got:
        assert await got.text() == "<script>alert(1)</script>"
        assert got.content_type == "text/plain"
        assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_leases_are_renewed_before_they_end(scene: Scene) -> None:
    """Same address, same secret, in time; kept over a restart, because all of it is in the store."""
    scene.hub.lease_seconds = 1000
    lease = await scene.subscribe()
    assert lease.until == scene.world.clock.now() + timedelta(seconds=1000)
    scene.join()
    scene.world.clock.advance(700)
    await scene.push.tick()
    assert len(scene.hub.asked) == 1
    scene.world.clock.advance(60)
    await scene.push.tick()
    await scene.hub.settled()
    assert len(scene.hub.asked) == 2
    assert scene.hub.asked[0] == scene.hub.asked[1]
    assert (await scene.lease()).until == scene.world.clock.now() + timedelta(seconds=1000)


async def test_a_hub_may_confirm_before_it_answers(scene: Scene) -> None:
    """PubSubHubbub's synchronous hubs ask back while our request still waits."""
    scene.hub.synchronous = True
    assert (await scene.subscribe()).state is HubState.ACTIVE
    scene.hub.lease_seconds = None
    scene.world.clock.advance(8 * 86_400)
    await scene.push.tick()
    lease = await scene.lease()
    assert (lease.state, lease.until) == (HubState.ACTIVE, scene.world.clock.now() + timedelta(days=10))


async def test_a_hub_that_refuses_is_asked_again_later(scene: Scene) -> None:
    """Denied, silent or broken: the reason is kept, the feed is polled as ever, and the hub is left alone for longer and longer."""
    scene.hub.mood = "deny"
    lease = await scene.subscribe()
    assert (lease.state, lease.reason) == (HubState.DENIED, "we <b>do not</b> like you")
    await scene.push.tick()
    assert len(scene.hub.asked) == 1
    scene.hub.mood, scene.hub.status = "ignore", 500
    for _ in range(6 * 24 * 14):
        scene.world.clock.advance(600)
        await scene.push.tick()
    assert 10 <= len(scene.hub.asked) <= 25
    assert (await scene.lease()).reason == "500 Internal Server Error"
    scene.hub.mood, scene.hub.status = "confirm", 202
    scene.world.clock.advance(2 * 86_400)
    await scene.push.tick()
    await scene.hub.settled()
    lease = await scene.lease()
    assert (lease.state, lease.failures, lease.reason) == (HubState.ACTIVE, 0, "")


async def test_a_feed_that_names_another_hub_changes_over(scene: Scene) -> None:
    """The old lease is given back, with the old key alone confirming that; then it is forgotten."""
    await scene.subscribe()
    async with Hub() as second:
        links = f'<atom:link rel="hub" href="{second.url}"/><atom:link rel="self" href="https://n.example/topic"/>'
        scene.publishes("Another report", links=links)
        await scene.poll()
        await scene.push.tick()
        await scene.hub.settled()
        await second.settled()
        assert scene.hub.asked[-1]["hub.mode"] == "unsubscribe"
        assert scene.hub.subscribed == {}
        lease = await scene.lease()
        assert (lease.hub, lease.topic, lease.state) == (second.url, "https://n.example/topic", HubState.ACTIVE)
        scene.publishes("And another", links="")
        await scene.poll()
        await scene.push.tick()
        await second.settled()
        assert second.subscribed == {}
        assert await scene.world.store.hub_leases() == []
        status, _ = await second.publish_to(second.asked[0], rss(item(9, "Late")))
        assert status == 410


async def test_the_link_header_comes_first(scene: Scene) -> None:
    """Section 4: Link headers beat the document; relative ones count from the feed."""
    header = f'<{scene.hub.url}>; rel="hub", <topic?a=1,2>; rel=self; title="a, b"'
    scene.publishes("A report", links='<atom:link rel="hub" href="https://no.example/"/>', headers={"Link": header})
    await scene.poll()
    lease = await scene.lease()
    assert (lease.hub, lease.topic) == (scene.hub.url, scene.press.url("/topic?a=1,2"))


async def test_hubs_are_guarded_like_sources(scene: Scene) -> None:
    """Row 13: a feed can't make the bot post to private addresses; a hub can't redirect it there."""
    with HostileServer("127.0.0.2") as canary:
        links = f'<atom:link rel="hub" href="{canary.url("/hub")}"/>'
        scene.publishes("A report", links=links)
        await scene.poll()
        await scene.push.tick()
        assert (await scene.lease()).reason == "the address is not a public one"
        scene.press.pages["/away"] = Answer(b"", 307, {"Location": canary.url("/hub")})
        scene.publishes("Another", links=f'<atom:link rel="hub" href="{scene.press.url("/away")}"/>')
        await scene.poll()
        await scene.push.tick()
        assert {lease.reason for lease in await scene.world.store.hub_leases()} == {"the address is not a public one"}
        assert canary.connections == 0


async def test_bodies_have_a_cap_and_nonsense_costs_nothing(scene: Scene) -> None:
    """What a hub posts is under the limits of feeds; what can't be read is not the hub's to send again."""
    lease = await scene.subscribe()
    status, _ = await scene.hub.publish(scene.feed.id, b"x" * (CAP + 1))
    assert status == 413
    for body in (b"", b"no feed", b"\x00" * 1000, rss("")):
        assert (await scene.hub.publish(scene.feed.id, body))[0] == 202
    async with aiohttp.ClientSession() as session:
        bomb = b"\x1f\x8b" + b"x" * 100
        async with session.post(
            scene.hub.asked[0]["hub.callback"], data=bomb, headers={"Content-Encoding": "gzip"}
        ) as got:
            assert got.status in {202, 400}
    assert (await scene.lease()).key == lease.key


async def test_a_post_before_the_first_poll_is_no_baseline(scene: Scene) -> None:
    """What a hub posts is the news alone: the whole document is still to be polled, and its old entries must not ring."""
    lease = await scene.subscribe()
    store, now = scene.world.store, scene.world.clock.now()
    await store.remove_feed(scene.feed.id)
    await store.sync_feeds([scene.feed], now)
    assert (await scene.hub.publish(scene.feed.id, rss(item(5, "New"))))[0] == 202
    found = await store.feed(scene.feed.id)
    assert found is not None
    assert found[1].last_parsed is None
    assert lease.state is HubState.ACTIVE


async def test_a_removed_feed_ends_its_lease(scene: Scene) -> None:
    """What is posted meanwhile is answered 410, and at its next turn the hub is told."""
    await scene.subscribe()
    await scene.world.store.remove_feed(scene.feed.id)
    assert (await scene.hub.publish(scene.feed.id, rss(item(5, "New"))))[0] == 410
    scene.world.clock.advance(8 * 86_400)
    await scene.push.tick()
    await scene.hub.settled()
    assert scene.hub.asked[-1]["hub.mode"] == "unsubscribe"
    assert await scene.world.store.hub_leases() == []


async def test_a_feed_that_is_pushed_is_polled_seldom_and_at_its_own_pace_when_the_hub_falls_silent(
    scene: Scene,
) -> None:
    """Polling goes on beside the hub: seldom while the hub posts, as before when it does not, so that nothing is lost."""
    await scene.subscribe()
    policy = PollPolicy(600)
    usual = await scene.poll(policy)
    assert usual < 1000
    await scene.hub.publish(scene.feed.id, rss(item(5, "New")))
    assert await scene.poll(policy) > 6000
    assert await scene.poll(PollPolicy(30)) < 60, "what the operator named exactly stays exact"
    scene.world.clock.advance(7201)
    assert await scene.poll(policy) < 1000
    # a poll that finds what the hub should have posted does not rely on it any more
    await scene.hub.publish(scene.feed.id, rss(item(6, "Newer")))
    scene.publishes("An old report", "Not posted")
    await scene.poll(policy)
    assert (await scene.lease()).last_push is None
    assert await scene.poll(policy) < 1000
