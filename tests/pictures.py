"""The pictures of the README, drawn from the real thing: the real flows on a clock moved by hand, printed by the real console.

    python -m tests.pictures

writes docs/pictures/; tests/test_docs.py fails while they are not what the code prints.
"""

import asyncio
import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from bot.chats.console import ConsoleMessenger
from bot.model import Message, ParsedEntry, Sent
from tests.world import HERE, World, item

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
COLUMNS = 92
#: calm, and readable on a light page and a dark one
THEME = TerminalTheme(
    (27, 31, 36),
    (222, 226, 230),
    [
        (27, 31, 36),
        (229, 115, 115),
        (129, 199, 132),
        (255, 213, 79),
        (100, 181, 246),
        (186, 104, 200),
        (77, 208, 225),
        (222, 226, 230),
    ],
)

MONITORS = item(
    "Monitors enter Idlib after night of shelling",
    "Observers from two countries crossed into Idlib on Tuesday, hours after shells killed 9 people in Ariha. "
    "The mission will stay for ten days.",
    link="https://north.example/monitors",
)
HARBOUR = item(
    "Shelling kills 9 in Ariha as monitors reach Idlib",
    "Nine people died in Ariha in a night of shelling, rescuers said, before observers crossed into Idlib.",
    link="https://harbour.example/ariha",
)
LEVANT = item(
    "Monitors in Idlib after shells kill 9 in Ariha",
    "Observers of two countries entered Idlib on Tuesday; shells had killed nine people in Ariha overnight.",
    link="https://levant.example/ariha",
)
TOLL = item(
    "Toll of Ariha shelling in Idlib rises to 14",
    "Five of the wounded have died, doctors in Idlib said, which brings the toll of the shelling of Ariha from 9 to 14.",
    link="https://coast.example/toll",
)
BACKLOG = (
    item("Road to Ariha reopens", "Buses run again between Idlib and the coast.", link="https://levant.example/road"),
    item(
        "Aid convoy reaches Idlib", "Twenty-six lorries brought flour and medicine.", link="https://coast.example/aid"
    ),
    item("Air defence of the port is tested", "The exercise ended at noon.", link="https://plain.example/test"),
)


class _Terminal(io.StringIO):
    """An output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


async def conversation(folder: Path) -> str:
    """What a person on a terminal types and reads, with its escape sequences."""
    world = await World(folder).open()
    out = _Terminal()
    console = ConsoleMessenger(world.clock, _Terminal(), out)
    sent: dict[str, str] = {}

    async def typed(line: str) -> None:
        out.write(f"\x1b[1mtocsin>\x1b[0m {line}\n")
        await console.send(HERE, (await world.say(line)).message)

    async def news(outlet: str, *items: ParsedEntry, minutes: float) -> None:
        world.clock.advance(minutes * 60)
        await world.poll(outlet, *items)
        await world.deliver()
        for _, what, _, message, under, _ in world.chat.log:
            await _show(console, sent, what, message, under, world.chat.shown[message][1])
        world.chat.log.clear()

    try:
        await world.baseline()
        for outlet, entry in zip(("Levant Daily", "Coast Radio", "Plain Facts"), BACKLOG, strict=True):
            await world.poll(outlet, entry)
        world.clock.advance(2 * 3600)
        await typed('/subscribe Idlib, "air defence" -exercise')
        await news("North Wire", MONITORS, minutes=2)
        await news("Harbour Post", HARBOUR, minutes=4)
        await news("Levant Daily", LEVANT, BACKLOG[0], minutes=6)
        await news("Coast Radio", TOLL, BACKLOG[1], minutes=95)
        await news("North Wire", replace(MONITORS, title="Monitors reach the outskirts of Idlib"), minutes=8)
        await typed("/why")
        await typed("/status")
    finally:
        await world.store.close()
    return out.getvalue()


async def _show(
    console: ConsoleMessenger, sent: dict[str, str], what: str, message: str, under: str, shown: Message
) -> None:
    """Once more on the console what the flows sent to the chat that remembers."""
    if what == "edit":
        await console.edit(HERE, sent[message], shown)
        return
    outcome = await console.send(HERE, shown, reply_to=sent.get(under, ""))
    assert isinstance(outcome, Sent)
    sent[message] = outcome.message


def drawn(output: str) -> str:
    """A terminal's output as SVG, with no font or address from elsewhere."""
    recorder = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    recorder.print(Text.from_ansi(output.rstrip()))
    svg = recorder.export_svg(title="tocsin run", theme=THEME, unique_id="tocsin")
    svg = svg.replace("Fira Code", "ui-monospace, Menlo, DejaVu Sans Mono, Consolas")
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


@contextmanager
def _columns() -> Iterator[None]:
    """The console asks how wide the terminal is; a picture has its own width."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(COLUMNS)
    try:
        yield
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before


async def pictures() -> dict[str, str]:
    """Name → SVG of every picture."""
    with tempfile.TemporaryDirectory() as folder, _columns():
        return {"console.svg": drawn(await conversation(Path(folder)))}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, svg in asyncio.run(pictures()).items():
        (FOLDER / name).write_text(svg, "utf-8")
        print(FOLDER / name)
