"""The console as a chat: lines typed here are commands, alerts are printed as text.

On a terminal rich colours and prompt_toolkit keeps the typed line below what is printed; piped, both directions are
plain lines. Feeds are hostile: no control character of theirs ever reaches the terminal.
"""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import sys
import threading
import unicodedata
from collections import OrderedDict
from typing import TYPE_CHECKING, TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from rich.console import Console
from rich.style import Style
from rich.text import Text

from bot.chats.plain import spelt_out
from bot.i18n import _, fill
from bot.model import ChatId, Incoming, Limits, RetryLater, Sent, Span

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.model import Button, Message, SendOutcome
    from bot.ports import Clock, CommandHandler

#: the one chat of this platform
LOCAL = ChatId("console", "local")
#: messages whose text and buttons are remembered, for edits and shortcuts
REMEMBERED = 1000
#: bytes of one typed line; the rest is dropped
LONGEST_LINE = 16_384
#: seconds until a pipe that nobody reads is tried again
_STUCK = 5.0
#: commands that take a number of their own, so that "/pause 3" is never taken for a button
_NUMBERED = {"subscribe", "unsubscribe", "subscriptions", "pause", "resume", "digest"}
_BIDI = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C))


def printable(text: str) -> str:
    """The text without anything that steers a terminal: control characters but line feeds, and bidi overrides."""
    text = text.translate(_BIDI)
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in {"Cc", "Cs", "Zl", "Zp"})


def _safe_link(link: str) -> str:
    return link if re.fullmatch(r"https?://[^\s\x00-\x20\x7f-\x9f]+", link) and printable(link) == link else ""


class _Shown:
    """A printed message: its plain lines, and the words that press its buttons."""

    def __init__(self, number: int, message: Message) -> None:
        # edits are told in dim lines without looks: what is struck must show as such
        written = "".join(f"~~{span.text}~~" if span.strike else span.text for span in message.spans)
        self.lines = printable(written).strip().split("\n")
        self.buttons: dict[str, Button] = {}
        for button in (button for row in message.buttons for button in row):
            first = re.match(r"\w+", button.label.casefold())
            verb = word = first[0] if first else "press"
            while word in self.buttons:
                word = f"{verb}{len(self.buttons) + 1}"
            self.buttons[word] = button
        self.hint = " ".join(f"[{word} {number}]" for word in self.buttons)


class ConsoleMessenger:
    """The `Messenger` of this terminal, or of a pair of pipes."""

    platform = "console"
    limits = Limits(length=8000)

    def __init__(self, clock: Clock, stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
        self._clock = clock
        self._stdin = stdin
        self._stdout = stdout
        #: message ids are a counter with the time of start before it, since a store may know ids of earlier runs
        self._run = f"{int(clock.now().timestamp()):x}"
        self._count = 0
        self._shown: OrderedDict[str, _Shown] = OrderedDict()

    @property
    def interactive(self) -> bool:
        """Whether a person sits at a terminal, on both ends."""
        streams = (self._stdin or sys.stdin, self._stdout or sys.stdout)
        try:
            return all(stream is not None and stream.isatty() for stream in streams)
        except ValueError:  # closed
            return False

    def is_group(self, chat: ChatId) -> bool:  # noqa: ARG002  the port asks about any chat
        return False

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:  # noqa: ARG002  one chat
        if not self._writable():
            return RetryLater("nobody reads the standard output", after=_STUCK, platform_wide=True)
        return self._print(spelt_out(message), prefix="↳ " if reply_to else "")

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:  # noqa: ARG002  one chat
        if not self._writable():
            return RetryLater("nobody reads the standard output", after=_STUCK, platform_wide=True)
        old = self._shown.get(message_id)
        number = int(message_id.rpartition("-")[2]) if re.fullmatch(r"[0-9a-f]+-\d+", message_id) else 0
        new = _Shown(number, message)
        if old is not None and old.lines == new.lines:
            return Sent(message_id)
        if old is not None:
            self._remember(message_id, new)
            changed = [line for line in new.lines if line and line not in old.lines]
        else:
            changed = [line for line in (new.lines[0], new.lines[-1]) if line]
        headline = new.lines[0]
        rest = [line for line in dict.fromkeys(changed) if line != headline]
        parts = [headline, *rest] if headline in changed else [_shortened(headline), *rest]
        return self._write_lines(
            [Text(fill(_("(updated) {changes}"), changes=" — ".join(parts)), style="dim")], Sent(message_id)
        )

    async def direct(self, user: str) -> ChatId:  # noqa: ARG002  one person sits here
        return LOCAL

    async def managed(self, user: str, name: str) -> None:
        """Nothing but this console can be managed from it."""

    async def run(self, handler: CommandHandler) -> None:
        """Answers what is typed; returns when the input ends, and the bot goes on without it."""
        lines = self._typed() if self.interactive else self._piped()
        async for line in lines:
            incoming = self._incoming(line)
            if incoming is None:
                continue
            reply = await handler.answer(incoming)
            if reply is not None:
                while not self._writable():
                    await self._clock.sleep(0.2)
                self._print(spelt_out(reply.message))

    async def close(self) -> None:
        """Nothing is held open."""

    # ---- in

    async def _typed(self) -> AsyncIterator[str]:
        """Lines from a person; Ctrl-C, /quit and /exit end the program as a signal would, so that it stops in order."""
        session: PromptSession[str] = PromptSession()
        with patch_stdout(raw=True):
            while True:
                try:
                    line = await session.prompt_async("tocsin> ", handle_sigint=False, set_exception_handler=False)
                except KeyboardInterrupt:
                    signal.raise_signal(signal.SIGINT)
                    return
                except EOFError:
                    self._write_lines([Text(_("No more input; alerts go on. Ctrl-C ends."), style="dim")], Sent(""))
                    return
                if line.strip().casefold() in {"/quit", "/exit"}:
                    signal.raise_signal(signal.SIGINT)
                    return
                yield line

    async def _piped(self) -> AsyncIterator[str]:
        """Lines from a pipe or file, read by a thread of its own, since files can't be awaited.

        The thread is a daemon in a raw read: in a buffered one it would hold a lock that the interpreter wants at exit.
        """
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        room = threading.Semaphore(4)  # chunks read ahead of their answers
        try:
            descriptor = (self._stdin or sys.stdin).fileno()
        except (AttributeError, ValueError, OSError):  # no standard input, or a closed one
            return

        def read() -> None:
            while True:
                room.acquire()
                try:
                    chunk = os.read(descriptor, 65536)
                except OSError:
                    chunk = b""
                try:
                    loop.call_soon_threadsafe(queue.put_nowait, chunk)
                except RuntimeError:  # the loop is closed: the program is ending
                    return
                if not chunk:
                    return

        threading.Thread(target=read, name="console input", daemon=True).start()
        rest = b""
        while chunk := await queue.get():
            room.release()
            *whole, rest = (rest + chunk).split(b"\n")
            rest = rest[:LONGEST_LINE]
            for line in whole:
                yield line[:LONGEST_LINE].decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def _incoming(self, line: str) -> Incoming | None:
        text = printable(line).strip()
        if not text:
            return None
        if press := re.fullmatch(r"(/?)(\w+) (\d+)", text.casefold()):
            message = f"{self._run}-{press[3]}"
            shown = self._shown.get(message)
            button = shown.buttons.get(press[2]) if shown else None
            if button is not None and not (press[1] and press[2] in _NUMBERED):
                return Incoming(LOCAL, user="local", action=button.action, message=message)
        return Incoming(LOCAL, user="local", text=text)

    # ---- out

    def _print(self, message: Message, prefix: str = "") -> SendOutcome:
        self._count += 1
        message_id = f"{self._run}-{self._count}"
        shown = _Shown(self._count, message)
        lines = self._lines(message)
        lines[0] = Text(prefix) + lines[0]
        if shown.hint:
            lines.append(Text(shown.hint, style="dim"))
        if self.interactive:
            lines.append(Text(""))
        self._remember(message_id, shown)
        return self._write_lines(lines, Sent(message_id))

    def _remember(self, message_id: str, shown: _Shown) -> None:
        self._shown[message_id] = shown
        if len(self._shown) > REMEMBERED:
            self._shown.popitem(last=False)

    def _lines(self, message: Message) -> list[Text]:
        """The message's lines, each with the links it carries below it."""
        lines: list[Text] = []
        for spans in _split(message.spans):
            line = Text()
            links: dict[str, None] = {}
            for span in spans:
                link = _safe_link(span.link)
                if link:
                    links[link] = None
                style = Style(
                    bold=span.bold or None,
                    italic=span.italic or None,
                    strike=span.strike or None,
                    color="cyan" if span.code else None,
                    link=link or None,
                )
                line.append(_marked(span, plain=not self.interactive), style)
            lines.append(line)
            # a terminal makes words themselves links, which is enough for a line of many
            if len(links) == 1 or not self.interactive:
                lines += [Text(f"  {link}", style="blue") for link in links]
        while lines and not lines[-1].plain.strip():
            lines.pop()
        return lines or [Text("")]

    def _write_lines(self, lines: list[Text], outcome: Sent) -> SendOutcome:
        """Prints whole lines and says `outcome`, or RetryLater when the output is closed."""
        try:
            if self.interactive:
                console = Console(file=self._stdout, force_terminal=True, highlight=False)
                for line in lines:
                    # text wraps between words; an address stays whole, so that the terminal can open it
                    console.print(line, soft_wrap=" " not in line.plain.strip())
            else:
                out = self._stdout or sys.stdout
                data = "".join(f"{line.plain}\n" for line in lines)
                encoding = getattr(out, "encoding", None) or "utf-8"
                out.write(data.encode(encoding, "replace").decode(encoding))
                out.flush()
        except (OSError, ValueError, AttributeError) as broken:  # closed, broken pipe, or none at all
            return RetryLater(f"the standard output can't be written to ({broken})", after=60.0, platform_wide=True)
        return outcome

    def _writable(self) -> bool:
        """False while a pipe is full: a blocking write would stop the whole bot until somebody reads."""
        if self.interactive:
            return True
        try:
            descriptor = (self._stdout or sys.stdout).fileno()
            return bool(select.select([], [descriptor], [], 0)[1])
        except (AttributeError, ValueError, OSError):  # not a real file: it can't block
            return True


def _split(spans: tuple[Span, ...]) -> list[list[Span]]:
    """The spans by line, printable."""
    lines: list[list[Span]] = [[]]
    for span in spans:
        for number, part in enumerate(printable(span.text).split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append(Span(part, span.bold, span.italic, span.strike, span.code, span.link))
    return lines


def _marked(span: Span, *, plain: bool) -> str:
    """Looks that carry meaning are written out where there are no looks."""
    if plain and span.strike:
        return f"~~{span.text}~~"
    return f"`{span.text}`" if span.code and plain else span.text


def _shortened(text: str, length: int = 70) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
