from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import ParsedEntry, ParsedFeed, ParseFailed, Selectors
from bot.sources.page import is_selector, parse_page

URL = "https://example.org/news/"
PAGE = b"""<html lang="en-GB"><head><title>Harbour News</title></head><body>
<div class="item"><h2>Launcher seen</h2><a href="1.html">more</a><p class="lead">First <b>lines</b>.</p>
<img src="x" alt="An S-300 launcher"><time datetime="2026-11-02T08:00:00+03:00">today</time></div>
<div class="item"><h2><a href="/2.html">Harbour closed</a></h2><span>no summary</span></div>
<div class="item"><p>an advertisement without a link</p></div></body></html>"""


def test_items_of_a_page() -> None:
    """Selectors name the parts; what is not an item with a title and a link is none."""
    parsed = parse_page(PAGE, "text/html", URL, Selectors("div.item", title="h2", summary=".lead"))
    assert isinstance(parsed, ParsedFeed)
    assert (parsed.title, parsed.language) == ("Harbour News", "en")
    one = "https://example.org/news/1.html"
    assert parsed.entries[0] == ParsedEntry(
        "Launcher seen",
        one,
        one,
        "First lines.",
        captions=("An S-300 launcher",),
        published=datetime(2026, 11, 2, 5, tzinfo=UTC),
        language="en",
    )
    assert [entry.link for entry in parsed.entries] == [one, "https://example.org/2.html"]


def test_links_alone() -> None:
    """A bare list of links is enough of a page."""
    parsed = parse_page(b"<ul><li><a href=/a>A</a><li><a href=/b>B</a></ul>", "", URL, Selectors("li a"))
    assert isinstance(parsed, ParsedFeed)
    assert [entry.title for entry in parsed.entries] == ["A", "B"]


@pytest.mark.parametrize("selectors", [Selectors("div.gone"), Selectors("div[["), Selectors("div.item", title=":::")])
def test_selectors_that_catch_nothing(selectors: Selectors) -> None:
    """A page that used to give items and gives none is told as a failure, not as silence."""
    assert isinstance(parse_page(PAGE, "text/html", URL, selectors), ParseFailed)


def test_why_nothing_is_caught_is_said() -> None:
    """The reason names the selector that the new layout broke."""
    gone = parse_page(PAGE, "text/html", URL, Selectors("div.gone"))
    assert gone == ParseFailed("nothing on the page matches 'div.gone': it may have a new layout")
    half = parse_page(PAGE, "text/html", URL, Selectors("div.item", title="h6"))
    assert isinstance(half, ParseFailed)
    assert "3 places on the page match 'div.item', but none has a title and a link" in half.reason


def test_links_count_from_the_base_of_the_page() -> None:
    """HTML 4.2.3: a base element moves every relative link."""
    parsed = parse_page(b"<base href=//cdn.example/x/><p><a href=a>A</a>", "", URL, Selectors("p"))
    assert isinstance(parsed, ParsedFeed)
    assert parsed.entries[0].link == "https://cdn.example/x/a"


@pytest.mark.parametrize(
    ("text", "good"),
    [("li > a[href^='/news']", True), ("h2, h3", True), ("", False), ("a::before", False), ("[", False)],
)
def test_selectors_are_told_from_other_text(text: str, good: bool) -> None:
    """Configuration asks before anything is polled."""
    assert is_selector(text) is good


@given(st.binary(max_size=300), st.text(max_size=20))
def test_noise(body: bytes, selector: str) -> None:
    """Whatever page and selector are, there is an answer."""
    assert isinstance(parse_page(body, "", URL, Selectors(selector)), ParsedFeed | ParseFailed)
    assert isinstance(parse_page(PAGE + body, "", URL, Selectors("div", title=selector)), ParsedFeed | ParseFailed)
