"""Where a site's feeds are: named by the page itself, by the forms of well-known sites, or at common paths. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from selectolax.lexbor import LexborHTMLParser

from bot.sources.charset import to_text
from bot.sources.plain import clean
from bot.sources.urls import resolve_link

if TYPE_CHECKING:
    from collections.abc import Iterable

#: characters of a page that are looked at
_LONGEST = 2_000_000
_MOST = 30
_TYPES = frozenset(
    {
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "application/feed+json",
        "application/x.atom+xml",
        "application/x-atom+xml",
        "text/rss+xml",
    }
)
#: types of other things as well: believed only where the address looks like a feed's
_MAYBE = frozenset({"application/xml", "text/xml", "application/json"})
_LIKELY = re.compile(r"(?:^|[/._\-?=&])(?:rss|atom|feeds?|rdf)(?:[/._\-?=&0-9]|$)|\.(?:rss|rdf|atom)$", re.IGNORECASE)
_COMMENTS = re.compile(r"comments?(?:/|-|_|\b)", re.IGNORECASE)
_CHANNEL = re.compile(r"(UC[A-Za-z0-9_\-]{22})")
_PATHS = (
    "/feed", "/rss", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/feeds", "/feeds/posts/default", "/feed.json",
    "/news/rss", "/rss/news", "/?feed=rss2", "/sitemap-news.xml", "/news-sitemap.xml",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """An address that may be a feed."""

    url: str
    #: as the page calls it; ""
    title: str = ""


def discover(body: bytes, url: str) -> list[Candidate]:
    """Feeds that a page names, most promising first: its link tags, then links that look like feeds'.

    Feeds of comments come last. `url` is where the page came from.
    """
    tree = LexborHTMLParser(to_text(body, "text/html")[0][:_LONGEST].replace("\x00", ""))
    base_node = tree.css_first("base[href]")
    base = resolve_link(url, base_node.attributes.get("href") or "") if base_node is not None else ""
    named: list[Candidate] = []
    for node in tree.css("link[rel][href]"):
        values = node.attributes
        href = values.get("href") or ""
        kind = (values.get("type") or "").partition(";")[0].strip().lower()
        rels = (values.get("rel") or "").lower().split()
        if "feed" in rels or ("alternate" in rels and (kind in _TYPES or (kind in _MAYBE and _LIKELY.search(href)))):
            named.append(
                Candidate(resolve_link(base or url, href), clean(values.get("title") or "", lines=False)[:200])
            )
    linked = [
        Candidate(resolve_link(base or url, href), clean(node.text(), lines=False)[:200])
        for node in tree.css("a[href]")
        if _LIKELY.search(href := (node.attributes.get("href") or ""))
    ]
    found = _unique([*named, *linked])
    return sorted(found, key=lambda one: _COMMENTS.search(one.url) is not None)[:_MOST]


def known_forms(url: str) -> list[str]:
    """Feed addresses of well-known sites, worked out from the address of a page there."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.").removeprefix("m.").removeprefix("old.")
    except ValueError:
        return []
    steps = [step for step in parts.path.split("/") if step]
    match host:
        case "youtube.com" | "youtu.be":
            return _youtube(steps, parse_qs(parts.query))
        case "reddit.com" if len(steps) >= 2 and steps[0] in {"r", "u", "user"}:
            return [f"https://www.reddit.com/{steps[0]}/{steps[1]}/.rss"]
        case "github.com" if len(steps) >= 2:
            return [f"https://github.com/{steps[0]}/{steps[1]}/{kind}.atom" for kind in ("releases", "tags", "commits")]
        case "github.com" if steps:
            return [f"https://github.com/{steps[0]}.atom"]
        case "medium.com" if steps:
            return [f"https://medium.com/feed/{steps[0]}"]
        case _ if host.endswith(".substack.com"):
            return [f"https://{host}/feed"]
        case _ if host.endswith((".blogspot.com", ".medium.com", ".wordpress.com", ".tumblr.com")):
            path = {"blogspot": "/feeds/posts/default", "tumblr": "/rss"}.get(host.split(".")[-2], "/feed")
            return [f"https://{host}{path}"]
        case _ if len(steps) == 1 and re.fullmatch(r"@[A-Za-z0-9_.\-]+", steps[0]):
            return [f"https://{parts.netloc}/{steps[0]}.rss"]  # Mastodon and its kin
        case _:
            return []


def common_paths(url: str) -> list[str]:
    """Where feeds usually lie, below the page's own address first, then on its host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return []
    root = f"{parts.scheme}://{parts.netloc}"
    own = parts.path.rstrip("/")
    below = [f"{root}{own}{path}" for path in ("/feed", "/rss", "/rss.xml")] if own else []
    return list(dict.fromkeys([*below, *(f"{root}{path}" for path in _PATHS)]))


def channel_of(body: bytes) -> str:
    """The feed of the YouTube channel whose page this is; ""."""
    match = _CHANNEL.search(body.decode("utf-8", "replace")[:_LONGEST])
    return f"https://www.youtube.com/feeds/videos.xml?channel_id={match[1]}" if match else ""


def _youtube(steps: list[str], query: dict[str, list[str]]) -> list[str]:
    feed = "https://www.youtube.com/feeds/videos.xml"
    if "list" in query:
        return [f"{feed}?playlist_id={query['list'][0]}"]
    if len(steps) >= 2 and steps[0] == "channel" and _CHANNEL.fullmatch(steps[1]):
        return [f"{feed}?channel_id={steps[1]}"]
    if len(steps) >= 2 and steps[0] == "user":
        return [f"{feed}?user={steps[1]}"]
    return []


def _unique(candidates: Iterable[Candidate]) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    for one in candidates:
        if one.url and (one.url not in found or (one.title and not found[one.url].title)):
            found[one.url] = one
    return list(found.values())
