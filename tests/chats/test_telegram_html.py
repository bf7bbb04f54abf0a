"""Spans to Telegram's HTML, judged by the emulator's parser, which refuses what Telegram refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chats.plain import clean
from bot.chats.telegram_html import plain, render
from bot.model import Span
from tests.emulators.telegram_markup import MarkupError, parse_html, utf16

LOOKS = {
    "bold": st.booleans(),
    "italic": st.booleans(),
    "strike": st.booleans(),
    "code": st.booleans(),
    "link": st.sampled_from(["", "https://a.example/?x=1&y=\"'<>", "javascript:1", "tg://user?id=1"]),
}
SPANS = st.lists(st.builds(Span, st.text(alphabet=st.characters(), max_size=60), **LOOKS), max_size=6)


@pytest.mark.parametrize(
    "nasty",
    [
        '<a href="tg://user?id=1">you</a>',
        "</b></a>",
        "&lt;b&gt; &amp; &#60;",
        "1 < 2 > 0 & co",
        "\"quoted\" 'text'",
    ],
)
def test_row_24_markup_of_a_feed_is_shown_as_text(nasty: str) -> None:
    """Exactly the characters of the feed arrive; no entity comes from them."""
    text, entities = parse_html(render([Span(nasty)]))
    assert (text, entities) == (nasty, [])


def test_rows_24_27_links_are_only_those_of_spans() -> None:
    """A web link is a link; any other scheme is text."""
    html = render([Span("good", link="https://a.example/?a=1&b=2"), Span(" bad", link="tg://user?id=1")])
    assert parse_html(html) == (
        "good bad",
        [{"type": "text_link", "offset": 0, "length": 4, "url": "https://a.example/?a=1&b=2"}],
    )


def test_looks_become_entities() -> None:
    """Bold, italic and strike nest; code stands alone as Telegram wants it."""
    html = render([Span("all", bold=True, italic=True, strike=True), Span(" "), Span("S-300", code=True, bold=True)])
    kinds = [entity["type"] for entity in parse_html(html)[1]]
    assert sorted(kinds) == ["bold", "code", "italic", "strikethrough"]


def without_marks(text: str) -> str:
    return text.translate(dict.fromkeys((0x2068, 0x2069, 0x200F)))


@settings(max_examples=300)
@given(SPANS)
def test_whatever_the_spans_telegram_can_read_them(spans: list[Span]) -> None:
    """The markup always parses, and shows the cleaned text and isolates, nothing else."""
    text, entities = parse_html(render(spans))
    assert text == plain(spans)
    assert all(entity["type"] != "text_mention" for entity in entities)
    assert all(entity.get("url", "https://").startswith("https://") for entity in entities)
    assert without_marks(text) == without_marks("".join(clean(span.text) for span in spans))


@pytest.mark.parametrize(
    "long",
    ["<&>" * 70_000, "👨\u200d👩\u200d👧" * 2_000, "e\u0301" * 100_000, "إدلب Idlib " * 2_000, "\n" * 9_000 + "x"],
    ids=["escapes", "families", "accents", "directions", "blank"],
)
def test_row_28_long_texts_fit_after_parsing(long: str) -> None:
    """200 KB titles end within 4096 UTF-16 units, outside tags, escapes and graphemes."""
    html = render([Span("lead "), Span(long, bold=True, link="https://a.example/"), Span(" never shown")])
    text, _ = parse_html(html)
    assert utf16(text) <= 4096
    assert "never shown" not in text
    assert text.endswith(("…", "…\u2069"))


def test_the_judge_refuses_broken_markup() -> None:
    """The emulator's parser is strict, or the tests above would prove nothing."""
    for broken in ("<b>", "</b>", "<b><i></b></i>", "<script>", "a < b"):
        with pytest.raises(MarkupError):
            parse_html(broken)
