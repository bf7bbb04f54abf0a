"""Spans to Block Kit, judged by the emulator's reader, which refuses what Slack refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.chats.plain import clean
from bot.chats.slack_blocks import SECTION, TOTAL, blocks, fallback
from bot.chats.slack_events import as_command
from bot.commands import COMMANDS
from bot.model import Button, Message, Span
from tests.emulators.slack_blocks import controls, mentions, problem_of, read, shown, texts_of

LOOKS = {
    "bold": st.booleans(),
    "italic": st.booleans(),
    "strike": st.booleans(),
    "code": st.booleans(),
    "link": st.sampled_from(["", "https://a.example/?x=1&y=|<>", "javascript:1"]),
}
TEXTS = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("<>&@!#|*_~` \n")), max_size=80)
SPANS = st.lists(st.builds(Span, TEXTS, **LOOKS), max_size=6)
ROWS = st.lists(st.lists(st.builds(Button, TEXTS, st.text("ab:|", max_size=64)), max_size=4), max_size=3)
MARKS = str.maketrans("", "", "*_~`'\u200b\u2068\u2069\n ")


def message(*spans: Span) -> Message:
    return Message(spans)


@pytest.mark.parametrize(
    ("span", "wanted"),
    [
        (Span("Idlib", bold=True), "*Idlib*"),
        (Span(" Idlib ", bold=True), "*Idlib*"),
        (Span("a*b", bold=True), "a*b"),
        (Span("old", strike=True), "~old~"),
        (Span("S-300 `x`", code=True), "`S-300 'x'`"),
        (Span("one", link="https://a.example/?a=1&b=2"), "<https://a.example/?a=1&amp;b=2|one>"),
        (Span("a|b>", link="https://a.example/|x>y"), "<https://a.example/%7Cx%3Ey|a|b&gt;>"),
        (Span("bad", link="javascript:alert(1)"), "bad"),
        (Span("<!channel> & <@U1>"), "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
    ],
    ids=str,
)
def test_row_26_looks_and_escapes(span: Span, wanted: str) -> None:
    """Each look has its mark, each control character its escape, and only web links are links."""
    block = blocks(message(Span("("), span, Span(")")))[0]
    assert block["text"]["text"].removeprefix("(").removesuffix(")").strip() == wanted.strip()
    assert block["text"]["verbatim"] is True


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("/trend Idlib", "/tocsin trend Idlib"),
        ("/forget yes", "/tocsin forget yes"),
        ("/help", "/tocsin help"),
        ("/subscribe Idlib", "/subscribe Idlib"),
        ("/frobnicate", "/frobnicate"),
        ("S-300 /help", "S-300 /help"),
    ],
)
def test_commands_are_shown_as_slack_takes_them(command: str, typed: str) -> None:
    """Slack refuses commands that the app has not: what is shown must work when it is typed as shown."""
    shown_to_all = message(Span("Send "), Span(command, code=True), Span("/help in a headline"))
    assert f"Send {typed}/help in a headline" == fallback(shown_to_all)
    assert f"`{typed}`" in blocks(shown_to_all)[0]["text"]["text"]


def test_every_command_is_understood_without_a_slash() -> None:
    """A word that begins a command here must not be taken for news that somebody wants."""
    assert [name for name in COMMANDS if as_command(f"{name} x", always=False) != f"/{name} x"] == ["manage"]


def test_a_look_inside_a_word_is_still_seen() -> None:
    """Slack wants no letter beside a mark: an invisible gap is put there."""
    text = blocks(message(Span("pre"), Span("fix", bold=True), Span("ed")))[0]["text"]["text"]
    assert text == "pre\u200b*fix*\u200bed"


@settings(max_examples=300)
@given(SPANS, ROWS)
def test_whatever_the_spans_slack_takes_them(spans: list[Span], rows: list[list[Button]]) -> None:
    """Blocks are always valid, notify nobody, link only to the web, and show the text."""
    made = Message(tuple(spans), tuple(map(tuple, rows)))
    found = {"text": fallback(made), "blocks": blocks(made)}
    assert problem_of(found["blocks"]) == ""
    assert mentions(found) == []
    assert all(
        control.startswith("https://a.example/") for text in texts_of(found["blocks"]) for control in controls(text)
    )
    wanted = "".join(clean(span.text) for span in spans)
    if found["blocks"]:
        assert read(found).translate(MARKS) == wanted.translate(MARKS)
    assert shown(fallback(made)) == wanted.strip()


@pytest.mark.parametrize(
    "long",
    ["<&>" * 70_000, "👨\u200d👩\u200d👧" * 2_000, "e\u0301" * 100_000, "line <&>\n" * 3_000, "إدلب Idlib " * 2_000],
    ids=["escapes", "families", "accents", "lines", "directions"],
)
def test_row_28_long_texts_fit(long: str) -> None:
    """200 KB titles end within 3000 a section and 12,000 in all, however much has to be escaped."""
    made = Message(
        (Span("lead "), Span(long, bold=True, link="https://a.example/"), Span("never shown")),
        ((Button("x" * 200, "a"),),),
    )
    found = blocks(made)
    sections = [block["text"]["text"] for block in found if block["type"] == "section"]
    assert problem_of(found) == ""
    assert all(len(text.encode("utf-16-le")) // 2 <= SECTION for text in sections)
    assert sum(len(text.encode("utf-16-le")) // 2 for text in sections) <= TOTAL
    assert "never shown" not in read({"blocks": found})
    assert "…" in sections[-1][-4:]
    assert len(fallback(made).encode("utf-16-le")) // 2 <= 3900


def test_the_judge_refuses_what_slack_refuses() -> None:
    """The emulator's reader is strict, or the tests above would prove nothing."""
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    assert problem_of([section] * 51) == "invalid_blocks"
    assert problem_of([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]) == "invalid_blocks"
    assert (
        problem_of([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2900}}] * 5) == "msg_blocks_too_long"
    )
    assert mentions({"text": "<!channel>", "blocks": []}) == ["!channel"]
