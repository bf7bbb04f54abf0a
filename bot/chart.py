"""A drawn chart of mentions a day: bars by outlet, a line for the stories. Numbers in, SVG out.

It holds no font and no text: what is drawn with letters looks different, or is missing, on every machine. Digits are
strokes; outlets are numbered, and whoever shows the picture names them beside it, in any script.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from resvg_py import svg_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

WIDTH, HEIGHT = 800, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 76, 24, 24, 44
#: told apart by people who see colours differently (Okabe and Ito 2008, "Color Universal Design"); the last is "others"
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#9A9A9A")
#: what is readable on each of them
_MARKS = ("#FFFFFF", "#333333", "#FFFFFF", "#333333", "#333333", "#333333")
_INK, _GRID, _LINE = "#333333", "#E3E3E3", "#D55E00"
#: strokes on a grid of 4 by 6, as points of polylines
_STROKES = {
    "0": ("00 40 46 06 00",),
    "1": ("11 20 26", "16 36"),
    "2": ("01 00 40 43 03 06 46",),
    "3": ("00 40 46 06", "03 43"),
    "4": ("00 03 43", "40 46"),
    "5": ("40 00 03 43 46 06",),
    "6": ("40 00 06 46 43 03",),
    "7": ("00 40 26",),
    "8": ("00 40 46 06 00", "03 43"),
    "9": ("43 03 00 40 46 06",),
    "-": ("13 33",),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One outlet's entries, day by day."""

    name: str
    counts: tuple[int, ...]


def chart(days: Sequence[date], series: Sequence[Series], stories: Sequence[int]) -> str:
    """SVG of `WIDTH` by `HEIGHT`. At most as many series as there are COLOURS; all of the length of `days`, which is not 0."""
    totals = [sum(one.counts[n] for one in series) for n in range(len(days))]
    top = _round_up(max([*totals, *stories, 1]))
    slot = (WIDTH - _LEFT - _RIGHT) / len(days)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#FFFFFF"/>',
        *_axes(days, top, slot),
        *_bars(series, len(days), top, slot),
        *_stories(stories, top, slot),
        "</svg>",
    ]
    return "\n".join(parts)


def png(svg: str) -> bytes:
    """The same as a PNG of twice the size, for screens of phones; takes some 50 ms of processor time."""
    return bytes(svg_to_bytes(svg_string=svg, zoom=2, skip_system_fonts=True))


def _axes(days: Sequence[date], top: int, slot: float) -> Iterator[str]:
    """Four lines across with their numbers, and the day and month under as many bars as there is room for."""
    for quarter in range(5):
        y = _height(top * quarter / 4, top)
        yield f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>'
        value = str(top * quarter // 4)
        yield _digits(value, _LEFT - 10 - _wide(value), y - 6)
    step = max(1, -(-len(days) * 52 // (WIDTH - _LEFT - _RIGHT)))
    for n in range(len(days) - 1, -1, -step):  # the newest day always has its date
        label = days[n].strftime("%m-%d")
        yield _digits(label, _LEFT + slot * (n + 0.5) - _wide(label) / 2, HEIGHT - _BOTTOM + 14)


def _bars(series: Sequence[Series], days: int, top: int, slot: float) -> Iterator[str]:
    """Stacked, each outlet with its number inside where that is readable."""
    wide = max(2.0, min(slot * 0.7, 48.0))
    for n in range(days):
        below = 0
        x = _LEFT + slot * (n + 0.5) - wide / 2
        for number, one in enumerate(series):
            if not one.counts[n]:
                continue
            y, foot = _height(below + one.counts[n], top), _height(below, top)
            yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{foot - y:.1f}" fill="{COLOURS[number]}"/>'
            if foot - y >= 18 and wide >= 14:
                mark = str(number + 1)
                yield _digits(mark, x + wide / 2 - _wide(mark) / 2, (y + foot) / 2 - 6, _MARKS[number])
            below += one.counts[n]


def _stories(stories: Sequence[int], top: int, slot: float) -> Iterator[str]:
    points = [(_LEFT + slot * (n + 0.5), _height(count, top)) for n, count in enumerate(stories)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    yield f'<polyline points="{path}" fill="none" stroke="{_LINE}" stroke-width="2.5" stroke-linejoin="round"/>'
    for x, y in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#FFFFFF" stroke="{_LINE}" stroke-width="2"/>'


def _height(value: float, top: int) -> float:
    return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * value / top


def _round_up(value: int) -> int:
    """Find the next number that four equal steps lead to: 4, 8, 12, 20, 40, 80, 120, 200 and so on."""
    scale = 1
    while True:
        for steps in (4, 8, 12, 20):
            if steps * scale >= value:
                return steps * scale
        scale *= 10


def _wide(text: str) -> float:
    return len(text) * 11 - 3


def _digits(text: str, x: float, y: float, colour: str = _INK) -> str:
    """Digits of 8 by 12, with their top left corner there."""
    lines = []
    for n, char in enumerate(text):
        for stroke in _STROKES[char]:
            points = (f"{x + n * 11 + int(p[0]) * 2:.1f},{y + int(p[1]) * 2:.1f}" for p in stroke.split())
            lines.append(f"M{' L'.join(points)}")
    return f'<path d="{" ".join(lines)}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>'
