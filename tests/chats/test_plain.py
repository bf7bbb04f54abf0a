"""Cleaning, cutting and isolating text, as every adapter does it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chats.plain import FSI, PDI, RLM, clean, cut, cut_spans, isolate, safe_link, utf16
from bot.model import Span

FAMILY = "👨\u200d👩\u200d👧"


def shown(*spans: Span, right_to_left: bool = False) -> str:
    return "".join(f"{before}{span.text}{after}" for span, before, after in isolate(spans, right_to_left=right_to_left))


@pytest.mark.parametrize(
    ("dirty", "wanted"),
    [
        ("a\u202eb\u2067c\u2069", "abc"),
        ("ba\u200bnk", "bank"),
        ("a\x00b\x07c\x9bd", "abcd"),
        ("one\r\ntwo\u2028three\tfour", "one\ntwo\nthree four"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        (FAMILY, FAMILY),
        ("lone \ud83d", "lone "),
    ],
)
def test_row_29_hidden_and_reordering_characters_are_gone(dirty: str, wanted: str) -> None:
    """Overrides, zero-width and control characters leave; joiners that letters and emoji need stay."""
    assert clean(dirty) == wanted


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://a.example/x?y=1&z=2", True),
        ("HTTP://a.example/", True),
        ("javascript:alert(1)", False),
        ("tg://user?id=1", False),
        ("data:text/html,x", False),
        ("https://", False),
        ("//a.example/x", False),
        ("http://a.example/ b", False),
        ("http://[::1", False),
        ("http://a.example/\u202e", False),
        ("http://a.example/" + "x" * 3000, False),
        ("", False),
    ],
)
def test_row_27_only_web_links_stay(link: str, kept: bool) -> None:
    """A story's link is http or https, or it is no link."""
    assert safe_link(link) == (link if kept else "")


@pytest.mark.parametrize(
    ("text", "units", "wanted"),
    [
        ("abc", 3, "abc"),
        ("abc", 2, "ab"),
        ("ab" + FAMILY, 6, "ab"),
        ("e\u0301e\u0301", 3, "e\u0301"),
        ("👍🏽👍🏽", 7, "👍🏽"),
        ("🇹🇷🇮🇹", 6, "🇹🇷"),
        ("🇹🇷🇮🇹", 4, "🇹🇷"),
        ("😀😀", 3, "😀"),
        ("a\u0327" * 2, 3, "a\u0327"),
    ],
)
def test_row_28_cuts_fall_between_graphemes(text: str, units: int, wanted: str) -> None:
    """Never inside an emoji family, a flag, a skin tone or an accented letter."""
    assert cut(text, units) == wanted


def test_row_28_an_endless_grapheme_is_cut_all_the_same() -> None:
    """Ten thousand accents on one letter are an attack; the cut stays near the limit."""
    text = "a" + "\u0301" * 10_000
    assert 4000 <= utf16(cut(text, 4096)) <= 4096


@given(st.text(max_size=200), st.integers(0, 200))
def test_a_cut_is_a_beginning_within_the_limit(text: str, units: int) -> None:
    """Whatever the text: a prefix, short enough, and not much shorter than allowed."""
    found = cut(text, units)
    assert text.startswith(found)
    assert utf16(found) <= units
    rest = text[len(found) :]
    assert not rest or unicodedata.category(rest[0])[0] != "M" or len(found) in {0, len(found)}


@given(st.lists(st.text(max_size=30), max_size=8), st.integers(1, 60))
def test_spans_are_cut_to_the_limit_in_all(texts: list[str], units: int) -> None:
    """Spans together stay within the limit; nothing is lost when they fit."""
    spans = [Span(text) for text in texts]
    found = cut_spans(spans, units)
    total = sum(utf16(span.text) for span in found)
    assert total <= units
    if sum(utf16(text) for text in texts) <= units:
        assert found == tuple(spans)


def test_an_arabic_headline_in_an_english_frame_is_isolated() -> None:
    """The frame keeps its order; the headline is one part although its matched word is bold."""
    line = shown(Span("Update: "), Span("مراقبون في "), Span("إدلب", bold=True), Span(" اليوم"), Span(" · 14:02\n"))
    assert line == f"{FSI}Update: {PDI}{FSI}مراقبون في إدلب اليوم{PDI} · 14:02\n"


def test_an_arabic_line_about_a_latin_command_reads_from_the_right() -> None:
    """Isolated letters tell a client nothing of the line's direction (UAX #9, P2), so that a mark says it."""
    line = (Span("/why [URL]", code=True), Span(": لماذا"))
    assert shown(*line, right_to_left=True) == f"{RLM}{FSI}/why [URL]{PDI}{FSI}: لماذا{PDI}"
    assert not shown(*line).startswith(RLM)
    assert shown(Span("لماذا"), Span("؟"), right_to_left=True) == "لماذا؟"


def test_lines_of_one_direction_stay_as_they_are() -> None:
    """No marks where nothing can be reordered."""
    assert shown(Span("مراقبون"), Span(" · 14:02\n"), Span("English")) == "مراقبون · 14:02\nEnglish"


@given(
    st.lists(
        st.builds(Span, st.text(alphabet="aبא1 ·\n", max_size=12), bold=st.booleans(), code=st.booleans()), max_size=6
    )
)
def test_isolates_are_balanced_on_every_line(spans: list[Span]) -> None:
    """Every isolate ends on its own line, whatever the spans."""
    for line in shown(*spans).split("\n"):
        depth = 0
        for ch in line:
            depth += (ch == FSI) - (ch == PDI)
            assert 0 <= depth <= 1
        assert depth == 0
