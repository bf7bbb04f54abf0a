"""A chart says with its shapes what its numbers say, on every machine alike."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from bot.chart import COLOURS, HEIGHT, WIDTH, Series, chart, png

SVG = "{http://www.w3.org/2000/svg}"
FIRST = date(2026, 11, 20)


def days(count: int) -> list[date]:
    return [FIRST + timedelta(days=n) for n in range(count)]


def bars(svg: str) -> list[tuple[str, float]]:
    """(colour, height) of each bar, in order."""
    drawn = ET.fromstring(svg).iter(f"{SVG}rect")
    return [(r.attrib["fill"], float(r.attrib["height"])) for r in drawn if r.attrib["fill"] in COLOURS]


def test_bars_are_as_high_as_their_numbers() -> None:
    """Twice as many mentions, twice the height; an outlet keeps its colour; nothing is drawn for nothing."""
    drawn = bars(chart(days(3), [Series("a", (2, 0, 4)), Series("b", (1, 0, 0))], [1, 0, 2]))
    assert [colour for colour, _ in drawn] == [COLOURS[0], COLOURS[1], COLOURS[0]]
    assert abs(drawn[2][1] - 2 * drawn[0][1]) < 0.3
    assert abs(drawn[0][1] - 2 * drawn[1][1]) < 0.3


@given(
    st.integers(1, 90).flatmap(
        lambda n: st.tuples(
            st.lists(st.lists(st.integers(0, 10_000), min_size=n, max_size=n), max_size=len(COLOURS)),
            st.lists(st.integers(0, 10_000), min_size=n, max_size=n),
        )
    )
)
def test_everything_is_inside_and_without_text(numbers: tuple[list[list[int]], list[int]]) -> None:
    """Whatever the numbers: well-formed, within the picture, no font needed, and nothing of a feed in it."""
    counts, stories = numbers
    svg = chart(days(len(stories)), [Series("<script>", tuple(c)) for c in counts], stories)
    root = ET.fromstring(svg)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg",
        "rect",
        "line",
        "path",
        "polyline",
        "circle",
    }
    assert "script" not in svg
    for x, y in re.findall(r"(-?[\d.]+),(-?[\d.]+)", svg):
        assert -1 <= float(x) <= WIDTH + 1
        assert -1 <= float(y) <= HEIGHT + 1


def test_it_is_a_picture() -> None:
    """PNG of twice the size (png specification, section 5.2 and 11.2.2)."""
    picture = png(chart(days(1), [Series("a", (1,))], [1]))
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (2 * WIDTH, 2 * HEIGHT)
