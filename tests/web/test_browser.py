"""The page as people meet it, in headless Chromium: Debian's, through playwright; skipped with the reason without one."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot import i18n
from bot.clock import SystemClock
from bot.model import (
    DeliveryState,
    Entry,
    EntryId,
    Feed,
    FeedId,
    FeedState,
    Kind,
    PollCommit,
    Story,
    StoryId,
)
from bot.ports import Store
from tests.catalogues import messages, write_po
from tests.web.invented import invent
from tests.web.rig import Rig, page_of

api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (Debian: apt install chromium)"),
    pytest.mark.slow,
    pytest.mark.asyncio(loop_scope="module"),  # one browser for all of them
]

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SECTIONS = ("/", "/stories", "/alerts", "/sources", "/subscriptions", "/outbox", "/stories/story3")


@pytest_asyncio.fixture(scope="module", autouse=True, loop_scope="module")
async def browser() -> AsyncIterator[None]:
    """Started once; every visit has a context of its own."""
    async with api.async_playwright() as playwright:
        _running.append(await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"]))
        yield
        await _running.pop().close()


_running: list[Any] = []


@asynccontextmanager
async def visiting(rig: Rig, **context: Any) -> AsyncIterator[Any]:
    """A page of a browser of its own; whatever it complains of, or opens, fails the test."""
    wrong: list[str] = []
    visitor = await _running[0].new_context(**{"viewport": DESK, **context})
    page = await visitor.new_page()

    async def dismiss(dialog: Any) -> None:
        wrong.append(f"a dialog: {dialog.message}")
        await dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda request: wrong.append(request.url) if not request.url.startswith(rig.url) else None)
    yield page
    await visitor.close()
    assert wrong == []


def filled(**more: int) -> Callable[[Store], Awaitable[None]]:
    return lambda store: invent(store, SystemClock().now(), **more)


async def fresh(store: Store, title: str, name: str = "fresh") -> None:
    now = SystemClock().now()
    entry = Entry(
        EntryId(name), FeedId("f"), "North Wire", title, "https://n.example/1", name, "", now, now, story=StoryId(name)
    )
    story = Story(StoryId(name), title, now, now, (entry.id,))
    await store.commit(PollCommit(FeedState(FeedId("f"), now), None, (entry,), (), (story,)))


async def widths(page: Any) -> tuple[int, int]:
    """How wide the page is, and how wide it may be."""
    found = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return found[0], found[1]


async def test_a_new_story_comes_by_itself_and_disturbs_nobody(tmp_path: Path) -> None:
    """Within seconds, without a reload; what is typed, and where the focus is, stays."""
    async with page_of(tmp_path, clock=SystemClock(), fill=filled()) as rig, visiting(rig) as page:
        await page.goto(rig.url)
        await page.fill("#q", "half a que")
        await page.evaluate("window.before = document.querySelector('.stories a.title')")
        await page.evaluate("window.before.focus()")
        focused = await page.evaluate("document.activeElement.id")
        assert not await page.get_by_text("Lighthouse keeper wins the prize").count()
        await fresh(rig.store, "Lighthouse keeper wins the prize")
        await page.get_by_text("Lighthouse keeper wins the prize").wait_for(timeout=10_000)
        assert await page.locator(".stories a.title").first.inner_text() == "Lighthouse keeper wins the prize"
        assert await page.input_value("#q") == "half a que"
        assert await page.evaluate("document.activeElement.id") == focused
        rig.trouble.append("the last look for due feeds was 90 s ago")
        await page.get_by_text("Not working: the last look for due feeds was 90 s ago").wait_for(timeout=10_000)


async def test_a_query_is_tried_in_place(tmp_path: Path) -> None:
    """The answer stands under the box, without a new page; a mistake shows the place."""
    async with page_of(tmp_path, clock=SystemClock(), fill=filled()) as rig, visiting(rig) as page:
        await page.goto(rig.url)
        await page.fill("#q", "earthquake")
        await page.keyboard.press("Enter")
        await page.get_by_text("would have rung").wait_for(timeout=10_000)
        assert page.url == f"{rig.url}/"
        assert await page.locator("#answer a").first.get_attribute("rel") == "noopener noreferrer"
        await page.fill("#q", "(Idlib OR foo")
        await page.keyboard.press("Enter")
        await page.get_by_text("I can't read this query").wait_for(timeout=10_000)
        assert await page.locator("#answer code").nth(1).inner_text() == "^"


async def test_on_a_phone_nothing_is_cut_off(tmp_path: Path) -> None:
    """No section is wider than the screen, and fingers find what can be pressed."""
    async with page_of(tmp_path, clock=SystemClock(), fill=filled()) as rig:
        await fresh(rig.store, "W" * 400, "wide")
        async with visiting(rig, viewport=PHONE, is_mobile=True, has_touch=True) as page:
            for path in SECTIONS:
                await page.goto(rig.url + path)
                scroll, client = await widths(page)
                assert scroll <= client, path
                here = await page.locator(".top nav [aria-current]").bounding_box()
                assert here["x"] + here["width"] <= client, path
            boxes = [await link.bounding_box() for link in await page.locator(".top nav a").all()]
            assert all(box and box["height"] >= 30 for box in boxes)


async def test_it_is_dark_at_night(tmp_path: Path) -> None:
    """As the system wishes, without a switch."""
    async with page_of(tmp_path, clock=SystemClock(), fill=filled()) as rig:
        shades = []
        for scheme in ("light", "dark"):
            async with visiting(rig, color_scheme=scheme) as page:
                await page.goto(rig.url)
                color = await page.evaluate("getComputedStyle(document.body).backgroundColor")
                shades.append(sum(int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")))
    assert shades[0] > 700
    assert shades[1] < 100


async def test_it_turns_round_for_arabic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Right to left as a whole, in the browser's language; nothing runs out of the screen."""
    monkeypatch.setattr(i18n, "LOCALE", tmp_path / "locale")
    i18n.nearest.cache_clear()
    texts = {
        m: ("قصص {count}" if "{count}" in m.one else "قصص",) * (6 if m.many else 1)
        for m in messages()
        if not i18n.fields(m.one) or m.many
    }
    write_po(tmp_path / "locale", "ar", texts, "nplurals=6; plural=(n%6);")
    try:
        async with page_of(tmp_path, clock=SystemClock(), fill=filled()) as rig:
            for viewport in (DESK, PHONE):
                async with visiting(rig, locale="ar", viewport=viewport) as page:
                    for path in SECTIONS if viewport is PHONE else ("/sources",):
                        await page.goto(rig.url + path)
                        assert await page.evaluate("document.documentElement.dir") == "rtl"
                        assert await page.evaluate("document.documentElement.lang") == "ar"
                        scroll, client = await widths(page)
                        assert scroll <= client, path
                    await page.goto(rig.url)
                    brand = await page.locator(".brand").bounding_box()
                    assert brand["x"] > viewport["width"] / 2
                    assert await page.locator(".top nav a").first.inner_text() == "قصص"
    finally:
        i18n.nearest.cache_clear()


async def test_it_is_used_by_keyboard_alone(tmp_path: Path) -> None:
    """Log in, skip to the news, see the focus, pause a source and log out: all without a mouse."""
    async with page_of(tmp_path, clock=SystemClock(), token="hush", fill=filled()) as rig, visiting(rig) as page:
        await page.goto(rig.url)
        await page.keyboard.type("hush")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#live")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        await page.goto(f"{rig.url}/sources")
        for _ in range(40):
            await page.keyboard.press("Tab")
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", await page.evaluate("document.activeElement.outerHTML")
            if await page.evaluate("document.activeElement.innerText") == "Pause":
                break
        label = await page.evaluate("document.activeElement.getAttribute('aria-label')")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("text=Resume")
        assert [feed.name for feed, _ in await rig.store.feeds() if feed.paused] == [label.removeprefix("Pause: ")]
        await page.get_by_text("Log out").focus()
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#token")


async def test_axe_finds_nothing_serious(tmp_path: Path) -> None:
    """Contrast, names, roles and order, in light and dark, on every section and at the door."""
    from axe_playwright_python.async_playwright import Axe

    async with page_of(tmp_path, clock=SystemClock(), token="hush", fill=filled()) as rig:
        for scheme, paths in (("light", (*SECTIONS, "/try?q=(a")), ("dark", ("/", "/outbox"))):
            async with visiting(rig, color_scheme=scheme) as page:
                await page.goto(f"{rig.url}/login")
                found = [("/login", await Axe().run(page))]
                await page.fill("#token", "hush")
                await page.keyboard.press("Enter")
                await page.wait_for_selector("#live")
                for path in paths:
                    await page.goto(rig.url + path)
                    found.append((path, await Axe().run(page)))
            serious = [
                (path, violation["id"], violation["nodes"][0]["html"])
                for path, results in found
                for violation in results.response["violations"]
                if violation["impact"] in ("serious", "critical")
            ]
            assert serious == [], scheme


async def test_row_43_hostile_news_raises_no_dialog(tmp_path: Path) -> None:
    """Titles, names and reasons with markup are text in a real browser; nothing runs, nothing foreign is fetched."""
    evil = "<img src=x onerror=alert(1)><script>alert(2)</script><svg/onload=alert(3)>\"'><a href=javascript:alert(4)>"

    async def fill(store: Store) -> None:
        now = SystemClock().now()
        await store.sync_feeds([Feed(FeedId("https://e.example/?q=<script>alert(5)</script>"), name=evil)], now)
        entries = tuple(
            Entry(
                EntryId(f"e{n}"), FeedId("f"), evil, evil, link, f"g{n}", evil, now - timedelta(minutes=n), now,
                story=StoryId("s"), kind=Kind.DEVELOPMENT if n else Kind.FIRST, reason=evil, news=evil,
            )
            for n, link in enumerate(("javascript:alert(6)", "data:text/html,<script>alert(7)</script>", 'https://x/"onmouseover="alert(8)'))
        )  # fmt: skip
        story = Story(StoryId("s"), evil, now, now, tuple(entry.id for entry in entries))
        await store.commit(PollCommit(FeedState(FeedId("f"), now), None, entries, (), (story,)))

    async with page_of(tmp_path, clock=SystemClock(), fill=fill) as rig, visiting(rig) as page:
        for path in ("/", "/stories", "/stories/s", "/sources", "/try?q=<script>alert(9)</script>"):
            answer = await page.goto(rig.url + path)
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
            assert await page.locator("main img").count() == 0
            for link in await page.locator("main a").all():
                address = await link.get_attribute("href") or ""
                assert address.startswith(("/", "https://x/", "#")), address
        await page.goto(f"{rig.url}/stories/s")
        await page.locator(".entries a").first.hover()
        await asyncio.sleep(0.2)


async def test_nothing_leaves_its_place(tmp_path: Path) -> None:
    """Overrides that nobody closes do not turn the host beside them round, and marks are not piled up over other lines."""
    turned, piled = "RTL \u2067 \u202e daolnwod", "Pile e" + "\u0301" * 60

    async def fill(store: Store) -> None:
        now = SystemClock().now()
        feeds = [Feed(FeedId(f"https://{n}.example/"), name=name) for n, name in enumerate((turned, piled, "é" * 300))]
        await store.sync_feeds(feeds, now)

    async with page_of(tmp_path, clock=SystemClock(), fill=fill) as rig, visiting(rig, viewport=PHONE) as page:
        await page.goto(f"{rig.url}/sources")
        shown = await page.locator("main").inner_text()
        assert not set(shown) & {"\u2067", "\u202e"}
        assert "0.example" in shown
        assert max(len(found) for found in re.findall("\u0301+", shown)) == 3
        wide, may = await widths(page)
        assert wide <= may


async def test_what_failed_is_tried_again_with_a_button(tmp_path: Path) -> None:
    """The row leaves the failed ones, and is due."""
    async with page_of(tmp_path, clock=SystemClock(), token="hush", fill=filled()) as rig, visiting(rig) as page:
        await page.goto(f"{rig.url}/login")
        await page.fill("#token", "hush")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#live")
        await page.goto(f"{rig.url}/outbox")
        before = len(await rig.store.outbox({DeliveryState.DEAD}, 0, 99))
        await page.get_by_role("button", name="Try again").first.click()
        await page.wait_for_url("**/outbox")
        assert len(await rig.store.outbox({DeliveryState.DEAD}, 0, 99)) == before - 1
        assert rig.woken == [True]
