"""feedparser, driven on text already decoded, with what news needs beyond it: captions, skipped hours and days.

feedparser files the title and description of a picture under those of its entry; here they are captions.
Markup is neither sanitised nor are its links resolved, since only its text is used: that takes two thirds of
feedparser's time, and all of the quadratic cases known of it.
"""

from __future__ import annotations

import io
import re
import xml.sax
import xml.sax.handler
import xml.sax.xmlreader
from typing import TYPE_CHECKING, Any, ClassVar

from feedparser.api import LooseFeedParser, StrictFeedParser
from feedparser.sanitizer import replace_doctype
from feedparser.urls import make_safe_absolute_uri

if TYPE_CHECKING:
    from collections.abc import Callable

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
#: control characters that XML 1.0 forbids (section 2.2): dropped, so that one of them does not spoil a document
_FORBIDDEN = bytes([*range(9), 11, 12, *range(14, 32)])
#: above it a value is not searched for an e-mail address: feedparser's expression is quadratic
LONGEST_AUTHOR = 500


class _News:
    """Mixed into both of feedparser's parsers."""

    #: guids stay as they are: an identity must not change when the feed moves to another address
    can_be_relative_uri: ClassVar = StrictFeedParser.can_be_relative_uri - {"id"}

    inentry: int
    contentparams: dict[str, Any]
    feeddata: dict[str, Any]
    _get_context: Callable[[], dict[str, Any]]
    push_content: Callable[..., None]
    pop_content: Callable[[str], str]
    push: Callable[[str, int], None]
    pop: Callable[[str], str | None]

    def _start_caption(self, attrs_d: dict[str, str]) -> None:
        self.push_content("tocsin_caption", attrs_d, "text/plain", 1)

    _start_media_title = _start_media_description = _start_media_text = _start_caption

    def _end_caption(self, kind: str) -> None:
        value = self.pop_content("tocsin_caption")
        if value and self.inentry:
            self._get_context().setdefault("tocsin_captions", []).append((kind, value))

    def _end_media_title(self) -> None:
        self._end_caption("title")

    def _end_media_description(self) -> None:
        self._end_caption("description")

    def _end_media_text(self) -> None:
        self._end_caption("text")

    def _start_hour(self, _: dict[str, str]) -> None:
        self.push("tocsin_skipped", 1)

    _start_day = _start_hour

    def _end_hour(self) -> None:
        value = self.pop("tocsin_skipped")
        if value and not self.inentry:
            self.feeddata.setdefault("tocsin_skip", []).append(value)

    _end_day = _end_hour

    def _sync_author_detail(self, key: str = "author") -> None:
        author = self._get_context().get(key) or ""
        if len(author) <= LONGEST_AUTHOR:
            super()._sync_author_detail(key)  # type: ignore[misc]


class Strict(_News, StrictFeedParser):  # type: ignore[misc]
    """Over expat."""


class _Loose(_News, LooseFeedParser):  # type: ignore[misc]
    """For what is not well-formed."""


def read(text: str, url: str) -> tuple[dict[str, Any], list[dict[str, Any]], str, str]:
    """The feed's own values, its entries, feedparser's name of the version ("" unknown), and what is not well-formed.

    No address is opened: external entities are off, and a DOCTYPE loses all but plain text entities.
    """
    document = "<?xml version='1.0' encoding='utf-8'?>\n" + _DECLARATION.sub("", text, count=1).lstrip("\ufeff \r\n\t")
    version, data, entities = replace_doctype(document.encode("utf-8", "replace").translate(None, _FORBIDDEN))
    base = make_safe_absolute_uri(url) or ""
    parser: Any = _prepare(Strict(base, None, "utf-8"))
    reader = xml.sax.make_parser()  # noqa: S317  DTDs are stripped, external entities off, and the worker has limits
    reader.setFeature(xml.sax.handler.feature_namespaces, True)
    reader.setFeature(xml.sax.handler.feature_external_ges, False)
    reader.setContentHandler(parser)
    reader.setErrorHandler(parser)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(data))
    flaw = ""
    try:
        reader.parse(source)
    except xml.sax.SAXException as error:
        flaw = str(parser.exc or error).removeprefix("<unknown>:")
        parser = _prepare(_Loose(base, None, "utf-8", entities))
        parser.feed(data.decode("utf-8", "replace"))
    return parser.feeddata, parser.entries, version or parser.version, flaw


def _prepare(parser: Any) -> Any:
    parser.resolve_relative_uris = False
    parser.sanitize_html = False
    return parser
