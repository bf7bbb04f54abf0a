"""The page over real sockets: what it shows, what it hides, and what hostile visitors and feeds get."""

import asyncio
import base64
import contextlib
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from bot.alerts.account import account, monday
from bot.commands import Commands
from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Entry,
    EntryId,
    Feed,
    FeedId,
    FeedState,
    HubLease,
    HubState,
    Incoming,
    PollCommit,
    Story,
    StoryId,
    SubscriptionId,
    delivery_id,
)
from bot.ports import Store
from bot.web.pages import CSP
from bot.web.show import key_of
from tests.fakes import FakeClock
from tests.web.invented import HERE, invent
from tests.web.rig import page_of

PATHS = ("/", "/stories", "/alerts", "/sources", "/subscriptions", "/outbox", "/try?q=Idlib", "/stories/story1")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{ 7*7 }}\u202e"


async def get(url: str, **more: object) -> tuple[int, str, "aiohttp.typedefs.CIMultiDictProxy[str]"]:  # type: ignore[name-defined]
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False, **more) as answer:  # type: ignore[arg-type]
        return answer.status, await answer.text(), answer.headers


async def test_every_section_is_there_and_well_dressed(tmp_path: Path) -> None:
    """Each answers as HTML with the policy that lets nothing foreign in, and holds no inline script or style."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        for path in PATHS:
            status, html, headers = await get(rig.url + path)
            assert status == 200, path
            assert headers["Content-Security-Policy"] == CSP
            assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
            assert not re.search(r"<script>|<style|\sstyle=|\son\w+=|javascript:", html), path
            assert html.count("<h1") == (0 if path in ("/", "/try?q=Idlib") else 1)
        overview = (await get(rig.url))[1]
        for shown in ("Earthquake of 5.8 shakes", "North Wire", "flood*", "quiet hours", "gave up", "1 development"):
            assert shown in overview, shown
        assert (await get(f"{rig.url}/stories/none"))[0] == 404
        assert "9 of its 11" in (await get(f"{rig.url}/stories"))[1]
        assert 'rel="next"' not in overview


async def test_an_alert_that_grew_by_one_grew_once(tmp_path: Path) -> None:
    """Nobody says "1 time"."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        html = (await get(f"{rig.url}/alerts"))[1]
    assert ">grew once<" in html
    assert re.search(r">grew [2-9] times<", html)
    assert "1 time<" not in html


async def test_reasons_are_told_in_the_readers_language(tmp_path: Path) -> None:
    """Rows keep English; a page in German shows no half-English line."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        english = (await get(f"{rig.url}/stories"))[1]
        german = (await get(f"{rig.url}/stories", headers={"Accept-Language": "de-AT,en;q=0.5"}))[1]
    assert "rare words" in english
    assert "rare words" not in german
    assert "Seit Montag" in german
    assert ".." not in re.sub(r"<[^>]*>", "", german)  # a month's abbreviation ends a sentence
    assert "seltenen Wörter und 2 von 2 Zahlen stimmen überein" in german


async def test_a_tried_query_is_drawn_as_in_the_chat(tmp_path: Path) -> None:
    """The same picture as /trend's, in the page itself, with its numbers for who can't see it; none where nothing matches."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        drawn = (await get(f"{rig.url}/try?q=earthquake"))[1]
        nothing = (await get(f"{rig.url}/try?q=unheardof"))[1]
    picture = re.search(r'<img class="chart" src="data:image/png;base64,([^"]+)" alt="Mentions a day: [^"]+"', drawn)
    assert picture is not None
    assert base64.b64decode(picture[1])[:4] == b"\x89PNG"
    assert "mentions in" in drawn
    assert 'class="chart"' not in nothing


async def test_row_43_everything_from_outside_is_escaped(tmp_path: Path) -> None:
    """Titles, names, links, errors, queries and reasons with markup are text, in the page and in its parts."""
    clock = FakeClock()
    now = clock.now()

    async def fill(store: Store) -> None:
        await store.sync_feeds([Feed(FeedId("https://u:hunter2@evil.example/?token=hunter2"), name=EVIL)], now)
        [leased] = await store.claim_feeds(now, 60, 1)
        await store.save_feed(
            replace(leased.state, failures=2, error=EVIL, failing_since=now, title=EVIL), leased.epoch
        )
        await store.put_chat(Chat(HERE, title=EVIL))
        commands = Commands(store=store, clock=clock)
        await commands.answer(Incoming(HERE, "u", '/subscribe "<script>alert(1)</script>"'))
        entry = Entry(
            EntryId("e"), FeedId("f"), EVIL, EVIL, "javascript:alert(1)", "g", EVIL, now, now, story=StoryId("s"),
            reason=EVIL, news=EVIL,
        )  # fmt: skip
        second = replace(entry, id=EntryId("e2"), link="data:text/html,x")
        row = Delivery(
            delivery_id(HERE, StoryId("s"), DeliveryKind.RING, EntryId("e")), HERE, StoryId("s"), EntryId("e"),
            DeliveryKind.RING, (SubscriptionId(1),), now, now, DeliveryState.DEAD, reason=EVIL, settled=now,
        )  # fmt: skip
        story = Story(StoryId("s"), EVIL, now, now, (EntryId("e"), EntryId("e2")))
        await store.commit(PollCommit(FeedState(FeedId("f"), now), None, (entry, second), (), (story,), (row,)))

    async with page_of(tmp_path, clock=clock, token="hush", fill=fill) as rig:
        bearer = {"Authorization": "Bearer hush"}
        for path in (*PATHS[:-2], "/stories/s", f"/try?q={EVIL}", "/try?q=(a", "/?part=1"):
            status, html, _ = await get(rig.url + path, headers=bearer)
            assert status == 200, path
            assert "<script>" not in html
            assert "<img src=x" not in html
            assert "javascript:" not in html
            assert "data:text" not in html
            assert "hunter2" not in html, "a secret of an address"
            assert "100200300" not in html, "a chat's id"
            assert "49" not in re.sub(r"[0-9a-f]{8,}|\d\d:\d\d", "", html), "a template in a text"
        assert "&lt;script&gt;" in (await get(rig.url, headers=bearer))[1]


async def test_a_visitor_gets_nothing_twice(tmp_path: Path) -> None:
    """An unchanged section is 304; a new story changes it, and the part alone is a part."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        for path in ("/?part=1", "/stories?part=1", "/"):
            status, html, headers = await get(rig.url + path)
            assert ("<html" in html) is ("part" not in path)
            assert headers["Cache-Control"] == "private, no-cache"
            again = await get(rig.url + path, headers={"If-None-Match": headers["ETag"]})
            assert (again[0], again[1], again[2]["ETag"]) == (304, "", headers["ETag"])
            clock.advance(0.5)
            story = Story(StoryId(f"new{path}"), f"Fresh {path}", clock.now(), clock.now(), ())
            await rig.store.commit(PollCommit(FeedState(FeedId("f"), clock.now()), None, stories=(story,)))
            clock.advance(1)
            status, html, _ = await get(rig.url + path, headers={"If-None-Match": headers["ETag"]})
            assert status == 200
            assert f"Fresh {path}" in html


async def test_a_query_is_tried_and_refused_as_in_a_chat(tmp_path: Path) -> None:
    """The same answer with the same caret, nothing is subscribed, and what is too much is refused."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now())) as rig:
        before = await rig.store.sizes()
        assert "would have rung" in (await get(f"{rig.url}/try", params={"q": "earthquake"}))[1]
        html = (await get(f"{rig.url}/try", params={"q": "(Idlib OR"}, headers={"HX-Request": "true"}))[1]
        assert "<html" not in html
        reply = await Commands(store=rig.store, clock=clock).answer(
            Incoming(ChatId("x", "1"), "u", "/subscribe (Idlib OR")
        )
        assert reply is not None
        text = re.sub(r"<[^>]+>", "", html).replace("&#39;", "'")
        assert reply.message.text.split("\n")[:3] == text.strip().split("\n")[:3]
        assert "too long" in (await get(f"{rig.url}/try", params={"q": "x" * 1001}))[1]
        assert "What would it have sent" in (await get(f"{rig.url}/try"))[1]
        assert await rig.store.sizes() == before


async def test_the_page_is_off_without_a_token_where_others_could_look(tmp_path: Path) -> None:
    """Row 44: no token and not this machine alone means no page, whatever a request says of itself."""
    async with page_of(tmp_path, host="0.0.0.0") as rig:
        for path in (*PATHS, "/login"):
            status, text, _ = await get(
                rig.url + path, headers={"X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
            )
            assert (status, text) == (403, "forbidden\n"), path
        assert (await get(f"{rig.url}/healthz"))[0] == 200
    async with page_of(tmp_path) as rig:
        assert (await get(rig.url))[0] == 200
        assert (await get(rig.url, headers={"Host": "rebound.example"}))[0] == 403


async def test_a_token_is_asked_for_once(tmp_path: Path) -> None:
    """A form, a cookie that scripts and other sites never see, and out again; a bearer for scripts."""
    async with page_of(tmp_path, token="hush", host="0.0.0.0") as rig:
        status, _, headers = await get(rig.url)
        assert (status, headers["Location"]) == (303, "/login")
        assert (await get(f"{rig.url}/?part=1"))[0] == 401
        assert (await get(rig.url, headers={"Authorization": "Bearer hush"}))[0] == 200
        assert (await get(rig.url, headers={"Authorization": "Bearer wrong"}))[0] == 303
        assert (await get(rig.url, cookies={"tocsin": "hush"}))[0] == 303
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            async with session.post(f"{rig.url}/login", data={"token": "wrong"}) as answer:
                assert answer.status == 401
                assert "not the token" in await answer.text()
            async with session.post(f"{rig.url}/login", data={"token": "hush"}, allow_redirects=False) as answer:
                assert answer.status == 303
                cookie = answer.headers["Set-Cookie"]
                assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
                assert "hush" not in cookie
            async with session.get(rig.url) as answer:
                assert answer.status == 200
                word = re.search(r'name="word" value="(\w+)"', await answer.text())
            assert word
            async with session.post(f"{rig.url}/logout", data={"word": word[1]}) as answer:
                assert answer.url.path == "/login"
            async with session.get(rig.url, allow_redirects=False) as answer:
                assert answer.status == 303


async def test_what_may_be_done_with_the_token(tmp_path: Path) -> None:
    """A source and a chat are paused and resumed, what was given up is tried again; the bot is told at once."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, token="hush", fill=lambda s: invent(s, clock.now())) as rig:
        bearer = {"Authorization": "Bearer hush"}
        feed = (await rig.store.feeds())[0][0].id
        dead = (await rig.store.dead(None, 9))[0]
        assert dead.state is DeliveryState.DEAD

        async def post(path: str, **form: str) -> int:
            async with (
                aiohttp.ClientSession(headers=bearer) as session,
                session.post(rig.url + path, data=form, allow_redirects=False) as answer,
            ):
                return answer.status

        assert await post("/sources/pause", source=key_of(feed), paused="yes") == 303
        assert [f.id for f, _ in await rig.store.feeds() if f.paused] == [feed]
        assert "paused" in (await get(f"{rig.url}/sources?only=failing", headers=bearer))[1]
        assert await post("/sources/pause", source=key_of(feed), paused="no") == 303
        assert not any(f.paused for f, _ in await rig.store.feeds())
        assert await post("/chats/pause", chat=key_of(HERE), paused="yes") == 303
        chat = await rig.store.chat(HERE)
        assert chat is not None
        assert chat.paused_until is not None
        assert chat.paused_until - clock.now() > timedelta(days=9999)
        assert await post("/chats/pause", chat=key_of(HERE), paused="no") == 303
        assert await post("/outbox/retry", row=key_of(dead.id)) == 303
        assert rig.woken == [True]
        rows = await rig.store.deliveries(dead.chat, [dead.story])
        assert [row.state for row in rows if row.id == dead.id] == [DeliveryState.DUE]
        for path, form in (
            ("/sources/pause", {"source": feed}),
            ("/chats/pause", {}),
            ("/outbox/retry", {"row": dead.id}),
        ):
            assert await post(path, **form) == 404


async def test_nobody_acts_without_the_token_or_from_another_site(tmp_path: Path) -> None:
    """Without [web] token the page only shows; with it, a form on another site changes nothing (CSRF)."""
    clock = FakeClock()
    for token in ("", "hush"):
        async with page_of(
            tmp_path / (token or "none"), clock=clock, token=token, fill=lambda s: invent(s, clock.now())
        ) as rig:
            form = {"source": key_of((await rig.store.feeds())[0][0].id), "paused": "yes", "word": ""}
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as session:
                if token:
                    async with session.post(f"{rig.url}/login", data={"token": token}) as answer:
                        assert answer.status == 200
                async with session.get(f"{rig.url}/sources") as answer:
                    assert ("Pause" in await answer.text()) is bool(token)
                for headers in (
                    {},
                    {"Origin": "https://evil.example"},
                    {"Sec-Fetch-Site": "cross-site"},
                    {"Authorization": "Bearer x"},
                ):
                    async with session.post(f"{rig.url}/sources/pause", data=form, headers=headers) as answer:
                        assert answer.status == 403
            assert not any(feed.paused for feed, _ in await rig.store.feeds())


@pytest.mark.parametrize(
    "path", ["/static/../pages.py", "/static/%2e%2e/pages.py", "/static//etc/passwd", "/static/", "/static/page.css/x"]
)
async def test_row_44_no_path_reaches_the_disk(tmp_path: Path, path: str) -> None:
    """Three files are served by name, and nothing else."""
    async with page_of(tmp_path) as rig:
        port = int(rig.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 404")
        assert (await get(f"{rig.url}/static/page.css"))[0] == 200


async def test_row_42_a_huge_form_is_refused_and_the_page_stays(tmp_path: Path) -> None:
    """Bodies are bounded before anything is read of them."""
    async with page_of(tmp_path, token="hush") as rig:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.suppress(aiohttp.ClientConnectionError):  # it may close before all is sent
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{rig.url}/login", data=io.BytesIO(b"x" * 2_000_000), headers=headers) as answer,
            ):
                assert answer.status == 413
        assert (await get(f"{rig.url}/login"))[0] == 200


async def test_the_page_agrees_with_the_store_and_the_chat_to_the_unit(tmp_path: Path) -> None:
    """The same account above every section, for each chat, and in `/status`."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now(), stories=40)) as rig:
        whole = account(await rig.store.counts(None, monday(clock.now())))
        html = (await get(f"{rig.url}/subscriptions"))[1]
        shown = {name: int(n) for n, name in re.findall(r"<dd>(\d+)</dd><dt>(\w+)</dt>", html)}
        assert shown == {"matched": whole.matched, **{k: getattr(whole, k) for k in shown if k != "matched"}}
        assert shown["matched"] == sum(n for name, n in shown.items() if name != "matched") > 0
        lines = re.findall(r"(\d+) matched = ([^<]*)<", html)
        assert sum(int(n) for n, _ in lines) == whole.matched
        assert all(int(n) == sum(map(int, re.findall(r"\d+", parts))) for n, parts in lines)
        reply = await Commands(store=rig.store, clock=clock).answer(Incoming(HERE, "u", "/status"))
        assert reply is not None
        mine = account(await rig.store.counts(HERE, monday(clock.now())))
        assert f"{mine.matched} entries for your keywords" in reply.message.text
        assert str(mine.matched) in [n for n, _ in lines]


async def test_a_source_with_a_hub_tells_what_the_hub_is_worth(tmp_path: Path) -> None:
    """Lease and last post, or why the source is polled instead; neither the key nor the secret of the lease."""
    clock = FakeClock()
    now = clock.now()
    hour = timedelta(hours=1)

    async def fill(store: Store) -> None:
        await invent(store, now, sources=4)
        ids = [feed.id for feed, _ in await store.feeds()]
        lease = HubLease(
            "hush-key", ids[0], "https://hub.example/x", "t", "hush-secret", now, HubState.ACTIVE, now + hour
        )
        await store.put_hub_lease(replace(lease, last_push=now))
        await store.put_hub_lease(replace(lease, key="k2", feed=ids[1]))
        await store.put_hub_lease(replace(lease, key="k3", feed=ids[2], state=HubState.DENIED, reason="<b>no</b>"))

    async with page_of(tmp_path, clock=clock, fill=fill) as rig:
        html = (await get(f"{rig.url}/sources"))[1]
    assert "WebSub: hub.example posts what is new; last" in html
    assert "WebSub: hub.example has posted nothing lately, so this source is polled as before; lease until" in html
    assert "refused, so this source is polled as before (<bdi>&lt;b&gt;no&lt;/b&gt;</bdi>)" in html
    assert "hush" not in html


async def test_long_lists_come_in_pages(tmp_path: Path) -> None:
    """The newest first; every page names its neighbours, and odd numbers are no error."""
    clock = FakeClock()
    async with page_of(tmp_path, clock=clock, fill=lambda s: invent(s, clock.now(), stories=70, sources=60)) as rig:
        first, second, third = [(await get(f"{rig.url}/stories?page={n}"))[1] for n in (1, 2, 3)]
        seen = [re.findall(r'id="s-(story\d+)"', html) for html in (first, second, third)]
        assert [len(set(names)) for names in seen] == [30, 30, 10]
        assert len({name for names in seen for name in names}) == 70
        assert 'rel="next"' in first
        assert 'rel="prev"' in second
        assert 'rel="next"' not in third
        for odd in ("0", "-1", "x", "9" * 50, "٣"):
            assert (await get(f"{rig.url}/stories?page={odd}"))[0] == 200
        assert (await get(f"{rig.url}/sources?page=2"))[1].count('id="f-') == 10
