import asyncio
import contextlib
import io
import os
import pty
import re
import select
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TextIO

import pytest

from bot.chats.console import LOCAL, ConsoleMessenger, printable
from bot.clock import SystemClock
from bot.model import Button, Chat, ChatId, Incoming, Message, Reply, RetryLater, Sent, Span, Subscription

NOW = datetime(2026, 5, 12, 14, 2, tzinfo=UTC)


class StillClock:
    """A clock that stands; nothing here waits."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Echo:
    """A handler that says what it heard."""

    def __init__(self) -> None:
        self.heard: list[Incoming] = []

    def changes(self, incoming: Incoming) -> bool:
        return False

    async def answer(self, incoming: Incoming) -> Reply | None:
        self.heard.append(incoming)
        return Reply(Message((Span(f"heard {incoming.text or incoming.action}"),)))

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        return None

    async def listed(self, chat: ChatId) -> tuple[Chat | None, Sequence[Subscription]]:
        return None, []


class Terminal(io.StringIO):
    """Text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def alert(also: str = "", title: str = "Monitors enter Idlib") -> Message:
    """A ring as the renderer makes it."""
    return Message(
        (
            Span(title, bold=True, link="https://north.example/1"),
            Span("\nObservers crossed into "),
            Span("Idlib", bold=True),
            Span(f" on Tuesday.\nNorth Wire · 14:02{also} · for "),
            Span("Idlib", code=True),
        ),
        ((Button("Why", "w1"), Button("Mute story", "m1")), (Button("Snooze Idlib 24 h", "s1"),)),
    )


def printing() -> tuple[ConsoleMessenger, io.StringIO]:
    """A console that nobody types into, and its output."""
    out = io.StringIO()
    return ConsoleMessenger(StillClock(), io.StringIO(), out), out


async def said(*chunks: bytes, before: Message | None = None) -> tuple[list[Incoming], str]:
    """What a handler heard of these bytes, and what was printed."""
    reading, writing = os.pipe()
    out, echo = io.StringIO(), Echo()

    def feed() -> None:
        for chunk in chunks:
            os.write(writing, chunk)
        os.close(writing)

    with os.fdopen(reading) as stdin:
        console = ConsoleMessenger(StillClock(), stdin, out)
        if before:
            await console.send(LOCAL, before)
        await asyncio.wait_for(asyncio.gather(console.run(echo), asyncio.to_thread(feed)), 10)
    return echo.heard, out.getvalue()


async def test_an_alert_is_plain_lines_when_piped() -> None:
    """Scripts read the alert as text: headline, link, excerpt, foot, and which words press its buttons."""
    console, out = printing()

    outcome = await console.send(LOCAL, alert())

    assert isinstance(outcome, Sent)
    assert out.getvalue() == textwrap.dedent(
        """\
        Monitors enter Idlib
          https://north.example/1
        Observers crossed into Idlib on Tuesday.
        North Wire · 14:02 · for `Idlib`
        [why 1] [mute 1] [snooze 1]
        """
    )


async def test_an_edit_names_what_changed_and_nothing_else() -> None:
    """A grown story is one line, not the whole alert again; an edit that changes nothing prints nothing."""
    console, out = printing()
    sent = await console.send(LOCAL, alert())
    assert isinstance(sent, Sent)
    out.truncate(out.seek(0))

    again = await console.edit(LOCAL, sent.message, alert())
    assert out.getvalue() == ""
    await console.edit(LOCAL, sent.message, alert(", also Harbour Post"))
    grown = out.getvalue()
    out.truncate(out.seek(0))
    await console.edit(LOCAL, sent.message, alert(", also Harbour Post", "Monitors reach the outskirts of Idlib"))

    assert again == sent
    assert grown == "(updated) Monitors enter Idlib — North Wire · 14:02, also Harbour Post · for Idlib\n"
    assert out.getvalue() == "(updated) Monitors reach the outskirts of Idlib\n"


async def test_an_old_headline_shows_as_old() -> None:
    """In the line that tells of an edit there are no looks: a corrected headline is not read as one long one."""
    console, out = printing()
    sent = await console.send(LOCAL, Message((Span("Monitors enter", bold=True), Span("\nNorth Wire"))))
    assert isinstance(sent, Sent)
    out.truncate(out.seek(0))
    corrected = (
        Span("Monitors enter", strike=True),
        Span(" "),
        Span("Monitors reach", bold=True),
        Span("\nNorth Wire"),
    )
    await console.edit(LOCAL, sent.message, Message(corrected))
    assert "(updated) ~~Monitors enter~~ Monitors reach\n" in out.getvalue()


async def test_a_message_of_an_earlier_run_can_still_be_edited() -> None:
    """After a restart the store names messages this process never printed: they get a line, never another's place."""
    console, out = printing()

    outcome = await console.edit(LOCAL, "5f0-1", alert())

    assert outcome == Sent("5f0-1")
    assert out.getvalue() == "(updated) Monitors enter Idlib — North Wire · 14:02 · for Idlib\n"


async def test_a_development_stands_under_an_arrow() -> None:
    """A reply is told apart from a new alert."""
    console, out = printing()

    await console.send(LOCAL, Message((Span("Update: toll rises 9 → 14", bold=True), Span("\nHospital"))), "x-1")

    assert out.getvalue() == "↳ Update: toll rises 9 → 14\nHospital\n"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("why 1", "w1"),
        ("/why 1", "w1"),
        ("/MUTE 1", "m1"),
        ("snooze 1", "s1"),
        ("/pause 1", "/pause 1"),
        ("/why 2", "/why 2"),
        ("why 99", "why 99"),
        ("Idlib", "Idlib"),
    ],
)
async def test_buttons_are_pressed_by_word_and_number(typed: str, heard: str) -> None:
    """The hints under an alert work as typed, and commands with a number of their own stay commands."""
    incoming, _ = await said(f"{typed}\n".encode(), before=alert())

    assert [i.action or i.text for i in incoming] == [heard]
    assert all(i.chat == LOCAL and i.admin and i.private for i in incoming)


async def test_two_buttons_with_one_first_word_have_two_words() -> None:
    """Snoozing one keyword of two must not be a guess."""
    message = Message((Span("x"),), ((Button("Snooze A", "a"), Button("Snooze B", "b")),))

    incoming, printed = await said(b"snooze 1\nsnooze2 1\n", before=message)

    assert [i.action for i in incoming] == ["a", "b"]
    assert "[snooze 1] [snooze2 1]" in printed


async def test_input_of_any_kind_is_answered_or_dropped() -> None:
    """Empty lines, bytes that are no UTF-8, control characters, endless lines and a last line without an end."""
    heard, printed = await said(b"\n  \n\xff\xfe/help\n\x1b[2J/start\r\n", b"x" * 200_000 + b"\n/end")

    texts = [i.text for i in heard]
    assert [t for t in texts if len(t) < 100] == ["\ufffd\ufffd/help", "[2J/start", "/end"]
    assert max(map(len, texts)) <= 16_384 + 65_536
    assert printed.endswith("heard /end\n")


async def test_the_end_of_input_ends_only_the_listening() -> None:
    """With no standard input at all, alerts still come."""
    out = io.StringIO()
    console = ConsoleMessenger(StillClock(), io.StringIO(""), out)

    await asyncio.wait_for(console.run(Echo()), 5)
    await console.send(LOCAL, Message((Span("rings"),)))

    assert out.getvalue() == "rings\n"


@pytest.mark.parametrize("terminal", [False, True])
async def test_nothing_from_a_feed_steers_the_terminal(*, terminal: bool) -> None:
    """Escape sequences, carriage returns, bidi overrides and hostile links in titles are inert."""
    evil = "\x1b]0;owned\x07\x1b[2J\rfake\x9b31m\u202e[bold]\x00"
    out: TextIO = Terminal() if terminal else io.StringIO()
    console = ConsoleMessenger(StillClock(), Terminal() if terminal else io.StringIO(), out)

    await console.send(LOCAL, Message((Span(evil, link="https://x.example/\x1b\\\x1b]0;y\x07"), Span("\n" + evil))))
    sent = await console.send(LOCAL, Message((Span(evil, link="javascript:alert(1)"),)))
    assert isinstance(sent, Sent)
    await console.edit(LOCAL, sent.message, Message((Span(evil + "2"),)))

    printed = out.getvalue()  # type: ignore[attr-defined]
    ours = re.sub(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\", "", printed)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", ours)
    assert "owned" in ours
    assert "[bold]" in ours
    assert "https://x.example" not in printed
    assert "javascript" not in printed
    assert printable("a\u200cb\n") == "a\u200cb\n"


async def test_a_terminal_gets_bold_words_and_a_link_that_can_be_clicked() -> None:
    """Matched words are bold, the headline is a link (OSC 8), and its address stands below."""
    out = Terminal()
    console = ConsoleMessenger(StillClock(), Terminal(), out)

    await console.send(LOCAL, alert())

    printed = out.getvalue()
    assert "\x1b[1mIdlib\x1b[0m" in printed
    assert re.search(r"\x1b\]8;id=\d+;https://north\.example/1\x1b\\", printed)
    assert "  https://north.example/1" in re.sub(r"\x1b\[[0-9;]*m", "", printed)


async def test_a_pipe_that_nobody_reads_does_not_stop_the_bot() -> None:
    """A blocking write into a full pipe would hold every other chat and the signal handlers: the outbox waits instead."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    out = os.fdopen(writing, "w")
    console = ConsoleMessenger(StillClock(), io.StringIO(), out)

    full = await console.send(LOCAL, alert())
    os.read(reading, 1 << 20)
    empty = await console.send(LOCAL, alert())
    os.close(reading)
    closed = await console.send(LOCAL, alert())
    with contextlib.suppress(BrokenPipeError):
        out.close()

    assert isinstance(full, RetryLater)
    assert isinstance(empty, Sent)
    assert isinstance(closed, RetryLater)


async def test_memory_of_messages_is_bounded() -> None:
    """A bot that runs for a year does not keep every alert it printed."""
    console, _ = printing()

    for _ in range(1100):
        await console.send(LOCAL, alert())

    assert len(console._shown) == 1000


SCRIPT = """
import asyncio, fcntl, signal, sys, termios
from bot.chats.console import LOCAL, ConsoleMessenger
from bot.clock import SystemClock
from bot.model import Message, Reply, Span
class Echo:
    def changes(self, incoming): return False
    async def answer(self, incoming): return Reply(Message((Span("heard " + incoming.text),)))
if sys.stdin.isatty():  # its controlling terminal, so that Ctrl-C between two prompts is a signal, as in real life
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
async def main():
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    console = ConsoleMessenger(SystemClock())
    chat = asyncio.create_task(console.run(Echo()))
    await asyncio.sleep(0.3)
    await console.send(LOCAL, Message((Span("rings while typing", bold=True),)))
    await stopped.wait()
    chat.cancel()
    await asyncio.gather(chat, return_exceptions=True)
    print("stopped in order")
if "uvloop" in sys.argv:
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("end", ["\x03", "/quit\r"])
def test_a_person_at_a_terminal(loop: str, end: str) -> None:
    """Over a real pseudo-terminal: typed lines are answered, alerts appear above the prompt, Ctrl-C stops in order."""
    main, side = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, loop],
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    os.close(side)
    seen = ""

    def until(text: str) -> None:
        nonlocal seen
        deadline = time.monotonic() + 15
        while text not in seen:
            assert time.monotonic() < deadline, seen
            if select.select([main], [], [], 0.2)[0]:
                try:
                    chunk = os.read(main, 65536).decode("utf-8", "replace")
                except OSError:
                    chunk = ""
                seen += chunk
                if "\x1b[6n" in chunk:  # the terminal is asked where its cursor is
                    os.write(main, b"\x1b[1;1R")

    try:
        until("tocsin>")
        until("rings while typing")
        os.write(main, b"/help\r")
        until("heard /help")
        os.write(main, end.encode())
        until("stopped in order")
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)


async def test_a_reader_thread_never_delays_the_end() -> None:
    """A process whose standard input stays open and silent still ends at once and quietly."""
    script = SCRIPT.replace("await stopped.wait()", "await asyncio.sleep(0.1)")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdin=asyncio.subprocess.PIPE, stdout=-1, stderr=-1
    )
    assert process.stdin is not None
    clock = SystemClock()
    started = clock.monotonic()

    reading: list[Any] = [process.stdout, process.stderr]
    out, err = await asyncio.wait_for(asyncio.gather(*(stream.read() for stream in reading)), 15)

    assert await process.wait() == 0
    assert out.decode() == "rings while typing\nstopped in order\n"
    assert err == b""
    assert clock.monotonic() - started < 10
    process.stdin.close()
