"""What a term is to matching: a test of a document, and the places where it hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.model import Field
    from bot.subscriptions.document import Document, Part, View

    Span = tuple[Field, int, int]


class Leaf:
    """A term, or the same in the title alone (then its plain leaf is its trigger)."""

    __slots__ = ("key", "title", "triggers")

    def __init__(self, key: str, triggers: tuple[str, ...] = (), *, title: bool = False) -> None:
        #: what it is; terms of the same meaning have the same
        self.key = "\0title:" + key if title else key
        self.triggers = (triggers or (key,)) if title else triggers
        self.title = title

    def view(self, doc: Document) -> View:
        return doc.title if self.title else doc

    def holds(self, doc: Document) -> bool:
        """Whether the document has it."""
        return self.test(self.view(doc))

    def test(self, view: View) -> bool:
        raise NotImplementedError

    def spans(self, doc: Document) -> Iterator[Span]:
        """Where the document has it, field by field."""
        for part in self.view(doc).parts:
            for start, end in self.find(part):
                yield part.field, start, end

    def find(self, part: Part) -> Iterator[tuple[int, int]]:
        raise NotImplementedError
