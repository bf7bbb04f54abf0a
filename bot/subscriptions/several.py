"""Terms of several words: a phrase, words grown together, a designator, words near each other."""

from __future__ import annotations

from itertools import pairwise, repeat
from typing import TYPE_CHECKING

from bot.subscriptions.common import is_common
from bot.subscriptions.inflection import same
from bot.subscriptions.leaf import Leaf
from bot.subscriptions.twins import twins
from bot.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.subscriptions.document import Part, Run, View

_SURELY_NAME = 3  # letters from which a designator's letters are no everyday word


class Exact(Leaf):
    """A quoted text: its words side by side, in these forms."""

    __slots__ = ("joined", "words")

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        self.words = tuple(found)
        self.joined = f" {' '.join(found)} "
        if len(found) == 2:
            super().__init__(f"{found[0]} {found[1]}", title=title)
        elif len(found) == 1:
            super().__init__(f'"{found[0]}', (found[0],), title=title)
        else:
            super().__init__(f'"{" ".join(found)}', (rarest_pair(found),), title=title)

    def test(self, view: View) -> bool:
        return self.words[0] in view.words if len(self.words) == 1 else self.joined in view.joined

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        yield from runs(part.run, self.words)


class Compound(Leaf):
    """Bare words grown together, as Al-Qaeda: side by side; they may be inflected, as in Ростове-на-Дону."""

    __slots__ = ("words",)

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        super().__init__(f"\0side:{' '.join(found)}", (max(found, key=len),), title=title)
        self.words = tuple(found)

    def test(self, view: View) -> bool:
        stream, language, size = view.stream, view.language, len(self.words)
        return any(
            all(map(same, self.words, stream[i : i + size], repeat(language))) for i in range(len(stream) - size + 1)
        )

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        language, size = part.language, len(self.words)
        for i in range(len(part.run) - size + 1):
            run = part.run[i : i + size]
            if run[0][1] == run[-1][1] and all(
                same(w, token.word, language) for w, (token, _) in zip(self.words, run, strict=True)
            ):
                yield run[0][0].start, run[-1][0].end


class Doubled(Leaf):
    """A Spanish abbreviation of a plural: EE.UU., EE. UU. or EEUU."""

    __slots__ = ("pair",)

    def __init__(self, pair: tuple[str, str], *, title: bool) -> None:
        joined, spaced = "".join(pair), " ".join(pair)
        super().__init__(f"\0doubled:{spaced}", (joined, spaced), title=title)
        self.pair = pair

    def test(self, view: View) -> bool:
        return "".join(self.pair) in view.words or f" {' '.join(self.pair)} " in view.joined

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        yield from runs(part.run, ("".join(self.pair),))
        yield from runs(part.run, self.pair)


class Designator(Leaf):
    """Letters and digits: joined, hyphenated or spaced, in Latin letters or their Cyrillic twins."""

    __slots__ = ("spellings",)

    def __init__(self, found: Sequence[str], *, title: bool) -> None:
        self.spellings = twins(tuple(found))
        super().__init__(f"\0designator:{' '.join(found)}", tuple(map(rarest_pair, self.spellings)), title=title)

    def test(self, view: View) -> bool:
        if not any(f" {' '.join(spelling)} " in view.joined for spelling in self.spellings):
            return False
        return any(True for part in view.parts for _ in self.find(part))

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        for spelling in self.spellings:
            for i, (start, end) in _numbered(part.run, spelling):
                if all(_joins(part, k) for k in range(i, i + len(spelling) - 1)):
                    yield start, end


def _joins(part: Part, i: int) -> bool:
    """Whether words i and i + 1 belong to one designator: the plan's 300, a 10 and U.S. 300 do not."""
    text, (left, _), (right, _) = part.text, part.run[i], part.run[i + 1]
    gap = fold(text[left.end : right.start])
    if gap in {"", "-"}:
        return "." not in text[left.start : left.end]
    if gap != " ":
        return False
    letters = right if left.word.isdigit() else left
    surface = text[letters.start : letters.end]
    if letters.word.isdigit() or len(letters.word) >= _SURELY_NAME:
        return True
    return not surface.islower() and "." not in surface and not is_common(letters.word, part.language)


class Near(Leaf):
    """All the words, in any order, with at most so many others between."""

    __slots__ = ("units", "within")

    def __init__(self, units: Sequence[tuple[str, ...]], within: int, *, title: bool) -> None:
        self.units, self.within = tuple(sorted(set(units))), within
        rare = max((word for unit in self.units for word in unit), key=len)
        super().__init__(f"\0near:{within}:{'|'.join(map(' '.join, self.units))}", (rare,), title=title)

    def test(self, view: View) -> bool:
        if not all(word in view.words for unit in self.units for word in unit):
            return False
        return any(True for part in view.parts for _ in self.find(part))

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        places = sorted(
            (i, i + len(unit), n) for n, unit in enumerate(self.units) for i, _ in _numbered(part.run, unit)
        )
        allowed = self.within + sum(map(len, self.units))
        latest: dict[int, tuple[int, int]] = {}
        for start, end, unit in places:
            latest[unit] = (start, end)
            if len(latest) == len(self.units):
                first = min(place[0] for place in latest.values())
                if max(place[1] for place in latest.values()) - first <= allowed:
                    for a, b in latest.values():
                        yield part.run[a][0].start, part.run[b - 1][0].end


def rarest_pair(found: Sequence[str]) -> str:
    """The neighbours with most letters."""
    a, b = max(pairwise(found), key=lambda pair: len(pair[0]) + len(pair[1]))
    return f"{a} {b}"


def runs(run: Run, found: Sequence[str], last: Callable[[str], bool] | None = None) -> Iterator[tuple[int, int]]:
    """Where the words stand side by side within one sentence: start and end in the text."""
    return (span for _, span in _numbered(run, found, last))


def _numbered(
    run: Run, found: Sequence[str], last: Callable[[str], bool] | None = None
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Where the words stand side by side within one sentence: number of the first, start and end in the text."""
    size = len(found)
    head = list(found if last is None else found[:-1])
    for i in range(len(run) - size + 1):
        if [token.word for token, _ in run[i : i + len(head)]] != head or run[i][1] != run[i + size - 1][1]:
            continue
        if last is None or last(run[i + size - 1][0].word):
            yield i, (run[i][0].start, run[i + size - 1][0].end)
