"""Every real feed read three ways: by feedparser alone, by Tocsin's reference reading, and by its fast path.

    python -m tests.soak.compare_feeds [--replay] [--seconds 600]

The fast path must give what the reference gives, in every field of every entry: as a first poll, as a second poll with
nothing new, and as polls between which items come in. The reference must give what `feedparser.parse` gives, after the
same making of plain text; what differs is counted by field and shown, and docs/numbers.md says why it does.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields

import feedparser

from bot.model import ParsedEntry, ParsedFeed, ParseFailed
from bot.sources import slices
from bot.sources.charset import certain
from bot.sources.language import with_languages
from bot.sources.memory import Memory
from bot.sources.parse import entry, parse, read_cut
from bot.sources.quick import Quick
from tests.data_dir import shared_data

URL = "https://example.org/feed"
#: seconds between words of how far it is
PROGRESS = 10.0


def documents(*, replay: bool) -> Iterator[tuple[str, str, bytes]]:
    """Name, feed and bytes of each document that differs from those before."""
    data = shared_data()
    if data is None:
        raise SystemExit("the data folder is not here")
    seen = set()
    for path in [data / "feeds" / "feeds.tar.xz", *([data / "replay" / "polls.tar.xz"] if replay else [])]:
        with tarfile.open(path) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() else None
                body = file.read() if file is not None else b""
                if body and hash(body) not in seen:
                    seen.add(hash(body))
                    yield member.name, member.name.rpartition("/")[2] if "replay" in str(path) else member.name, body


def remembered(
    memory: Memory, quick: Quick, body: bytes, url: str, kind: str = ""
) -> tuple[ParsedFeed | ParseFailed, int | None]:
    """As a poll reads it, and of how many unseen items; None when all of it was parsed."""
    plan = memory.plan(body, kind, url)
    if plan is not None:
        part = None
        if plan.part is not None:
            part = read_cut(plan.part, url, quick) or parse(plan.part.join(), "", url)
        found = memory.complete(plan, part)
        if found is not None:
            return found, len(plan.unseen)
    return parse(body, kind, url, quick), None


def alone(body: bytes, url: str) -> ParsedFeed:
    """By `feedparser.parse`, made plain as ours is."""
    found = feedparser.parse(io.BytesIO(body), response_headers={"content-location": url})
    language = (found.feed.get("language") or "")[:2].lower()
    return with_languages(ParsedFeed("", tuple(entry(item, url, language) for item in found.entries)))


def differing(one: ParsedEntry, other: ParsedEntry) -> list[str]:
    return [f.name for f in fields(ParsedEntry) if getattr(one, f.name) != getattr(other, f.name)]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--replay", action="store_true", help="the recorded polls too, one after the other")
    options.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so many and say how far it came"
    )
    options.add_argument("--show", type=int, default=0, help="so many differences from feedparser of each field")
    given = options.parse_args()
    memory, quick = Memory(1 << 40), Quick(1 << 20)
    count: Counter[str] = Counter()
    by_field: Counter[str] = Counter()
    broken: list[str] = []
    begin = told = time.monotonic()
    for name, feed, body in documents(replay=given.replay):
        if time.monotonic() - begin > given.seconds:
            print(f"stopped after {given.seconds:.0f} s, before {name}")
            break
        if time.monotonic() - told > PROGRESS:
            told = time.monotonic()
            print(f"{told - begin:.0f} s: {count['documents']} documents, {len(broken)} differ ...", flush=True)
        count["documents"] += 1
        url = f"{URL}/{feed}"
        reference = parse(body, "", url)
        polled, unseen = remembered(memory, quick, body, url)
        again, _ = remembered(memory, quick, body, url)
        if not reference == parse(body, "", url, Quick()) == polled == again:
            broken.append(name)
        if isinstance(reference, ParseFailed):
            count["no feeds"] += 1
            continue
        text = certain(body, "")
        document = slices.cut(text) if text is not None else None
        count["entries"] += len(reference.entries)
        count["entries by items alone"] += unseen is not None and len(reference.entries)
        if document is not None and document.whole() and read_cut(document, url, Quick()) is not None:
            count["entries without feedparser"] += len(reference.entries)
        compare(name, reference, alone(body, url), count, by_field, given.show)
    print(dict(count))
    print("differs from feedparser alone, by field:", dict(by_field))
    print(f"fast path differs from the reference in {len(broken)} documents: {broken[:10]}")
    return len(broken)


def compare(
    name: str, ours: ParsedFeed, theirs: ParsedFeed, count: Counter[str], by_field: Counter[str], show: int
) -> None:
    if len(ours.entries) != len(theirs.entries):
        count["documents with other entries"] += 1
        print(f"{name}: {len(ours.entries)} entries, feedparser {len(theirs.entries)}")
        return
    for one, other in zip(ours.entries, theirs.entries, strict=True):
        found = differing(one, other)
        count["entries as by feedparser"] += not found
        for field in found:
            by_field[field] += 1
            if by_field[field] <= show:
                print(f"{name} {field}:\n  {getattr(one, field)!r:.300}\n  {getattr(other, field)!r:.300}")


if __name__ == "__main__":
    sys.exit(main())
