"""A news page of the kind this bot is for, turned into a feed: six stories, captions, and boilerplate between them."""

import json
import re
import subprocess
import sys
from html import escape
from pathlib import Path

import pytest

from tests.data_dir import shared_data

ROOT = Path(__file__).parents[2]
BOILERPLATE = re.compile(r"full story|unlimited access|premium content|Log In|Register", re.IGNORECASE)


def stories(page: str) -> list[tuple[str, str]]:
    """(caption, text) of each story: a line without a full stop at its end that is followed by long paragraphs."""
    found: list[tuple[str, list[str]]] = []
    for line in (line.strip() for line in page.splitlines()):
        if not line:
            continue
        is_caption = (
            len(line) < 130
            and not re.search(r"[.”\"]$", line)
            and not line.startswith("*")
            and line != "Log In Register"
        )
        if is_caption:
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return [(caption, "\n".join(text)) for caption, text in found]


@pytest.fixture(params=["image", "media"])
def feed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    data = shared_data()
    if data is None:
        pytest.skip("the data folder with the seed page is not here")
    items = []
    for number, (caption, text) in enumerate(stories((data / "seed" / "news-page.txt").read_text())):
        title = " ".join(text.split()[:9])
        paragraphs = "".join(f"<p>{escape(part)}</p>" for part in text.split("\n"))
        image = (
            f'<img src="http://n.example/{number}.jpg" alt="{escape(caption)}"/>' if request.param == "image" else ""
        )
        media = (
            f"<media:content url='http://n.example/{number}.jpg'><media:description>{escape(caption)}</media:description></media:content>"
            if request.param == "media"
            else ""
        )
        items.append(
            f"<item><title>{escape(title)}</title><link>http://n.example/{number}</link><guid>story-{number}</guid>"
            f"<description>{escape(image + paragraphs)}</description>{media}</item>"
        )
    path = tmp_path / "page.xml"
    path.write_text(
        f'<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Page</title>{"".join(items)}</channel></rss>'
    )
    return path


def tocsin(*arguments: str) -> list[dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments, "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_idlib_is_in_five_of_the_six_stories(feed: Path) -> None:
    """The keyword in the text, whatever stands around it; no summary carries boilerplate or is cut short."""
    found = tocsin("try", "Idlib", str(feed))
    assert [line["id"] for line in found] == ["story-0", "story-2", "story-3", "story-4", "story-5"]
    for line in found:
        summary = str(line["summary"])
        assert summary
        assert not BOILERPLATE.search(summary)
        assert summary[-1] in '.!?…”"', summary


def test_s_300_is_found_in_the_caption(feed: Path) -> None:
    """Only the caption of one story carries the designator."""
    assert [line["id"] for line in tocsin("try", "S-300", str(feed))] == ["story-1"]


def test_six_stories_stay_apart(feed: Path) -> None:
    """They share place, people and subject, and are six events."""
    found = tocsin("stories", str(feed))
    assert len(found) == 6
    assert sorted(e["id"] for line in found for e in line["entries"]) == [f"story-{n}" for n in range(6)]  # type: ignore[attr-defined]
