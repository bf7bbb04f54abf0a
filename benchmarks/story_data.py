"""The labelled entries of the data folder as the bot's own types, and STORY.md's measures over them."""

from __future__ import annotations

import csv
import io
import json
import lzma
import tarfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser

from bot.model import Entry, EntryId, FeedId, Kind
from bot.sources.plain import clean, from_html
from tests.data_dir import shared_data

SETS = ("a", "b", "c")
_KINDS = {"F": Kind.FIRST, "U": Kind.DEVELOPMENT, "R": Kind.REPEAT}


@dataclass(frozen=True)
class Labelled:
    """An entry, its story ("" where it stands alone) and its kind there."""

    entry: Entry
    story: str
    kind: Kind


def folder() -> Path:
    """The data folder; ends the benchmark with a word where it is absent."""
    found = shared_data()
    if found is None:
        raise SystemExit("skipped: the data folder is not here (set TOCSIN_DATA)")
    return found


def _published(text: str, seen: datetime) -> datetime:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (TypeError, ValueError):
            continue
        return min(seen, moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return seen


def load(name: str) -> list[Labelled]:
    """One labelled set, in order of first sight."""
    stories = folder() / "stories"
    labels: dict[str, tuple[str, Kind]] = {}
    for line in (stories / f"{name}.labels.tsv").read_text("utf-8").splitlines():
        item, story, kind = line.split("\t")
        labels[item] = (story, _KINDS[kind])
    found = []
    for line in (stories / f"{name}.items.jsonl").read_text("utf-8").splitlines():
        raw = json.loads(line)
        seen = datetime.fromtimestamp(raw["seen"], UTC)
        entry = Entry(
            id=EntryId(raw["id"]),
            feed=FeedId(raw["feed"]),
            source=raw["feed"],
            title=raw["title"],
            link=raw["link"],
            guid=raw["guid"],
            summary=raw["summary"],
            seen=seen,
            published=_published(raw["pub"], seen),
        )
        story, kind = labels.get(raw["id"], ("", Kind.FIRST))
        found.append(Labelled(entry, story, kind))
    return found


def by_publication(items: list[Labelled]) -> list[Labelled]:
    """The same as a dry run takes them: all seen now, in order of publication."""
    now = max(item.entry.seen for item in items)
    order = sorted(items, key=lambda item: item.entry.published)
    return [replace(item, entry=replace(item.entry, seen=now)) for item in order]


def feed_entries() -> Iterator[tuple[Mapping[str, str], Entry]]:
    """Entries of all feed files with the file's row of the index; those of the labelled outlets' archive left out."""
    with (folder() / "feeds" / "index.tsv").open(encoding="utf-8") as lines:
        rows = {row["file"]: row for row in csv.DictReader(lines, delimiter="\t")}
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with tarfile.open(folder() / "feeds" / "feeds.tar.xz") as archive:
        for member in archive:
            row = rows.get(Path(member.name).name)
            file = archive.extractfile(member) if member.isfile() else None
            if row is None or file is None:
                continue
            parsed: Any = feedparser.parse(io.BytesIO(file.read()))
            for i, item in enumerate(parsed.entries):
                content = item.get("content") or [{}]
                yield (
                    row,
                    Entry(
                        id=EntryId(f"{row['file']}#{i}"),
                        feed=FeedId(row["file"]),
                        source=parsed.feed.get("title", ""),
                        title=clean(from_html(item.get("title", ""))[0], lines=False),
                        link=item.get("link", ""),
                        guid=item.get("id", ""),
                        summary=from_html(item.get("summary", ""))[0],
                        content=from_html(content[0].get("value", ""))[0],
                        seen=now,
                        published=now,
                        language=row["lang_detected"] or row["lang_declared"][:2],
                    ),
                )


def russian_pairs() -> list[tuple[str, str, str, bool]]:
    """Split, two headlines, whether they tell one event (strict and loose paraphrases do)."""
    path = folder() / "pairs" / "headlines_ru.tsv.xz"
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return [(split, one, two, int(kind) >= 0) for split, _, kind, one, two in rows]


def graded_pairs() -> list[dict[str, Any]]:
    """Rows with "score" 0 to 5, "split", and two headlines by language."""
    with lzma.open(folder() / "pairs" / "headlines_sts.jsonl.xz", "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Quality:
    """B-cubed precision over all entries, recall over the entries of labelled stories, F1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def b_cubed(items: list[Labelled], placed: Mapping[EntryId, str]) -> Quality:
    """STORY.md's first measure."""
    truth: dict[str, set[EntryId]] = defaultdict(set)
    found: dict[str, set[EntryId]] = defaultdict(set)
    gold = {item.entry.id: item.story or f"alone {item.entry.id}" for item in items}
    for entry, story in gold.items():
        truth[story].add(entry)
        found[placed[entry]].add(entry)
    precision = [len(truth[gold[e]] & found[placed[e]]) / len(found[placed[e]]) for e in gold]
    labelled = [item.entry.id for item in items if item.story]
    recall = [len(truth[gold[e]] & found[placed[e]]) / len(truth[gold[e]]) for e in labelled]
    return Quality(sum(precision) / len(precision), sum(recall) / len(recall))


def f1(hits: int, said: int, true: int) -> float:
    """Harmonic mean of precision and recall from counts."""
    return 2 * hits / (said + true) if said + true else 0.0


def development_f1(items: list[Labelled], kinds: Mapping[EntryId, Kind]) -> float:
    """F1 of calling an entry a development, over all entries."""
    said = {e for e, kind in kinds.items() if kind is Kind.DEVELOPMENT}
    true = {item.entry.id for item in items if item.kind is Kind.DEVELOPMENT}
    return f1(len(said & true), len(said), len(true))


@dataclass(frozen=True)
class Felt:
    """What subscribers of names feel, per 100 stories: a second ring, and a story that was never shown."""

    extra: float
    swallowed: float


def felt(items: list[Labelled], placed: Mapping[EntryId, str], kinds: Mapping[EntryId, Kind]) -> Felt:
    """Over a subscription to each name that stands in at least five entries.

    A story rings when an entry with the name arrives in a cluster that has not rung for this subscription; a
    development is shown. A story with neither was swallowed; each ring beyond its first is an extra one.
    """
    words: dict[str, list[Labelled]] = defaultdict(list)
    for item in items:
        for name in names_in(item.entry):
            words[name].append(item)
    extra = swallowed = stories = 0
    for found in words.values():
        if len(found) < 5:
            continue
        rung: set[str] = set()
        rings: Counter[str] = Counter()
        shown: set[str] = set()
        for item in found:
            story = item.story or f"alone {item.entry.id}"
            cluster = placed[item.entry.id]
            rings[story] += cluster not in rung
            if cluster not in rung or kinds[item.entry.id] is Kind.DEVELOPMENT:
                shown.add(story)
            rung.add(cluster)
        stories += len(rings)
        swallowed += sum(story not in shown for story in rings)
        extra += sum(max(0, n - 1) for n in rings.values())
    return Felt(100 * extra / stories, 100 * swallowed / stories)


def names_in(entry: Entry) -> set[str]:
    """Words written with a capital within running text."""
    found = set()
    for text in (entry.title, entry.summary):
        for before, word in zip([".", *text.split()], text.split(), strict=False):
            bare = word.strip(".,:;!?()[]\"'“”‘’").removesuffix("'s").removesuffix("’s")
            if len(bare) > 2 and bare[0].isupper() and before[-1] not in '.!?:|"“':
                found.add(bare)
    return found
