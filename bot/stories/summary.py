"""One or two sentences of an entry around what matched: chosen, never written.

In: an entry, the hits of its query and what is known of the outlet's habits. Out: an excerpt with the places of the
hits. Only whole sentences of the entry are shown, boilerplate and the headline itself left out; where there is nothing
but the headline the excerpt is empty.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.model import Field
from bot.stories.boilerplate import Habits, blanked, is_prompt
from bot.stories.sentences import CUT, WHOLE, sentences
from bot.stories.titles import tidy_title
from bot.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Entry, Hit

__all__ = ["Excerpt", "Habits", "sentences", "summarise", "tidy_title"]

LIMIT = 280  #: characters, about: a whole sentence may exceed it by a quarter where there is no shorter one
_MOST = 3  #: sentences
_MARKUP = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>|&(?:[a-zA-Z]{2,8}|#\d{1,6}|#x[0-9a-fA-F]{1,5});", re.DOTALL)
_CLAUSE = re.compile(r"[,;:–—]\s|[，；：、]|\s[-–—]\s")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Plain text from an entry."""

    text: str
    #: where matched words stand in `text`: characters, end exclusive, in order, apart from one another
    marks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence that may be shown: a span of a field's text, and which hits lie in it."""

    order: int
    field: Field
    text: str
    start: int
    marks: tuple[tuple[int, int], ...]
    terms: frozenset[str]


def summarise(entry: Entry, hits: Sequence[Hit], habits: Habits | None = None, limit: int = LIMIT) -> Excerpt:
    """Whole sentences around the hits, then the lead, at most about `limit` characters.

    A caption is used only where nothing but captions carries the match.
    """
    texts = dict(entry.texts())
    only_caption = any(h.field is Field.CAPTION for h in hits) and not any(
        h.field in (Field.TITLE, Field.SUMMARY, Field.CONTENT) for h in hits
    )
    body = _shown(entry, (Field.SUMMARY, Field.CONTENT), texts, hits, habits)
    if only_caption:
        body = _carrying(_shown(entry, (Field.CAPTION,), texts, hits, habits)) + body
    return _render(_choose(body, limit), limit)


def _carrying(captions: list[_Sentence]) -> list[_Sentence]:
    """The first caption that matches, before all else."""
    return [replace(caption, order=-1) for caption in captions if caption.terms][:1]


def _shown(
    entry: Entry, fields: Sequence[Field], texts: dict[Field, str], hits: Sequence[Hit], habits: Habits | None
) -> list[_Sentence]:
    """The sentences that may be shown, in reading order."""
    title = set(words(entry.title))
    headline = tuple(words(entry.title))
    known: set[tuple[str, ...]] = {headline}
    found: list[_Sentence] = []
    for field in fields:
        text = _cleaned(texts[field], entry.title)
        for start, end in sentences(text, entry.language):
            said = _visible(text[start:end])
            whole = WHOLE.search(said) is not None or field is Field.CAPTION or _is_line(text, start, end)
            key = tuple(words(said))
            if (
                not whole
                or CUT.search(said)
                or _is_title(key, title)
                or key in known
                or len(key) < 3 - (not said.isascii())
            ):
                continue
            if (
                _holds(key, headline)
                or is_prompt(said)
                or (habits and habits.repeats(entry.feed, texts[field][start:end]))
            ):
                continue
            known.add(key)
            inside = [h for h in hits if h.field is field and start <= h.start and h.end <= end]
            marks = tuple(sorted({(h.start - start, h.end - start) for h in inside}))
            found.append(_Sentence(len(found), field, text[start:end], start, marks, frozenset(h.term for h in inside)))
    return found


def _is_line(text: str, start: int, end: int) -> bool:
    """Whether a sentence is all that stands in its line: outlets leave the stop out there."""
    before, after = text[:start].rstrip(" \t\x00"), text[end:].lstrip(" \t\x00")
    return (not before or before[-1] == "\n") and (not after or after[0] == "\n")


def _cleaned(text: str, title: str) -> str:
    """Markup, boilerplate and a headline glued before the text blanked; the length stays."""
    if "<" in text or "&" in text:
        text = _MARKUP.sub(_unmarked, text)
    text = blanked(text)
    if title and len(title) > 12 and text.lstrip().casefold().startswith(title.casefold()):
        lead = len(text) - len(text.lstrip())
        text = " " * lead + "\x00" * (len(title) - 1) + "\n" + text[lead + len(title) :]
    return text


def _unmarked(match: re.Match[str]) -> str:
    found = match.group()
    if found[0] == "&":
        char = html.unescape(found)
        return found if char == found or len(char) != 1 else char + "\x00" * (len(found) - 1)
    block = re.match(r"</?(?:p|div|br|li|ul|ol|h\d|tr|td|table|blockquote|figure|figcaption)\b", found, re.IGNORECASE)
    return ("\n" if block else "\x00") + "\x00" * (len(found) - 1)


def _is_title(said: tuple[str, ...], title: set[str]) -> bool:
    """Whether a sentence says nothing beyond the headline."""
    new = [word for word in said if word not in title]
    return bool(said) and (
        not new or (len(title) > 3 and len(new) <= len(said) * 0.15 and len(said) <= len(title) * 1.4)
    )


def _holds(said: tuple[str, ...], headline: tuple[str, ...]) -> bool:
    """Whether the whole headline stands in a sentence that adds little to it."""
    size = len(headline)
    if size < 2 or len(said) > size * 4:
        return False
    return any(said[i : i + size] == headline for i in range(len(said) - size + 1))


def _visible(text: str) -> str:
    return " ".join(text.replace("\x00", "").split())


def _choose(body: list[_Sentence], limit: int) -> list[_Sentence]:
    """The sentence with most of the query, then more of the query, then the lead, as far as they fit."""
    ranked: list[_Sentence] = []
    missing = {term for sentence in body for term in sentence.terms}
    while missing:
        best = max(body, key=lambda s: (len(s.terms & missing), len(_visible(s.text)) <= limit, -s.order))
        ranked.append(best)
        missing -= best.terms
    ranked += [sentence for sentence in body if sentence not in ranked]
    chosen: list[_Sentence] = []
    room = limit
    for sentence in ranked:
        size = len(_visible(sentence.text))
        if len(chosen) < _MOST and size <= room:
            chosen.append(sentence)
            room -= size + 1
        elif not chosen and sentence.terms and size <= limit * 1.25:
            chosen.append(sentence)
            room = 0
    if not chosen and ranked:
        chosen = [min(ranked, key=lambda s: (not s.terms, len(_visible(s.text)) > limit * 1.25, s.order))]
    return sorted(chosen, key=lambda s: s.order)


def _render(chosen: list[_Sentence], limit: int) -> Excerpt:
    """Joins the sentences with single spaces and carries the marks over."""
    out: list[str] = []
    marks: list[tuple[int, int]] = []
    size = 0
    for sentence in chosen:
        if out:
            joint = _joint("".join(out[-3:]))
            out += joint
            size += len(joint)
        places: list[int] = []
        space = True
        for char in sentence.text:
            places.append(size)
            if char == "\x00" or (char.isspace() and space):
                continue
            space = char.isspace()
            out.append(" " if space else char)
            size += 1
        places.append(size)
        marks += [(places[start], places[end]) for start, end in sentence.marks]
    text = "".join(out).rstrip()
    if len(text) > limit * 1.25:
        text = _cut(text, limit, marks)
    kept: list[tuple[int, int]] = []
    for start, end in sorted(marks):
        if start < end <= len(text) and (not kept or start >= kept[-1][1]):
            kept.append((start, end))
    return Excerpt(text, tuple(kept))


def _joint(before: str) -> str:
    """What stands between two sentences; a line without a stop is set apart by a dot that claims nothing."""
    if before[-1:] in "。！？｡":
        return ""
    return " " if WHOLE.search(before) else " · "


def _cut(text: str, limit: int, marks: list[tuple[int, int]]) -> str:
    """One sentence longer than a summary may be: its first clauses, shown as cut, with the first mark if it is near."""
    least = min((end for _, end in marks), default=0)
    least = least if least <= limit else 0
    clauses = [m.start() for m in _CLAUSE.finditer(text) if max(least, limit // 2) <= m.start() < limit]
    spaces = [i for i, c in enumerate(text[:limit]) if c == " " and i >= least]
    at = clauses[-1] if clauses else spaces[-1] if spaces else limit - 1
    return text[:at].rstrip(" ,;:–—-") + " …"
