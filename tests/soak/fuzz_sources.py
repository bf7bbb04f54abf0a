"""Mutated documents through everything that reads what strangers wrote: parse, page, discover, opml and websub.

    python -m tests.soak.fuzz_sources [--target parse] [--seconds 600] [--seed 1]

Each reader runs that long in a process of its own, under the parser's memory limit and a limit of processor time for each
document; a crash, a hang, a broken promise or too much memory ends it with the number of the document, which

    python -m tests.soak.fuzz_sources --target parse --seed 1 --only 4711

makes again. `tests/sources/test_fuzz.py` runs a short version with every suite.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import hmac
import random
import re
import resource
import signal
import sys
import tarfile
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bot.errors import SourceError
from bot.model import FeedId, HubLease, HubState, ParsedFeed, ParseFailed, Selectors
from bot.sources import websub
from bot.sources.discover import common_paths, discover, known_forms
from bot.sources.entries import MAX_CAPTION, MAX_CONTENT, MAX_PARTS, MAX_SUMMARY, MAX_TITLE
from bot.sources.headers import links
from bot.sources.memory import Memory
from bot.sources.opml import MAX_FEEDS, read_opml, write_opml
from bot.sources.page import parse_page
from bot.sources.parse import parse
from bot.sources.quick import Quick
from bot.sources.slices import MAX_ENTRIES
from bot.sources.urls import mask_url, resolve_link
from bot.sources.worker import MEMORY
from tests.data_dir import shared_data
from tests.hostile import documents
from tests.soak.compare_feeds import remembered

#: seconds of processor time that one document may take
LIMITS = {"websub": 2, "parse": 5, "page": 5, "discover": 2, "opml": 2}
#: seconds between words of how far it is
PROGRESS = 10.0
#: bytes of a mutated document, and of a real one that is a seed
LARGEST, SEED = 300_000, 15_000
URL = "https://example.org/news/feed?a=1"
_NO_TEXT = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en" xml:base="https://example.org/">
<title type="html">Harbour &amp;amp; Sea</title><link rel="self" href="/atom"/><link rel="hub" href="https://hub.example/"/>
<entry><id>urn:1</id><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>ship</b></div></title>
<link href="1"/><updated>2026-11-02T08:00:00Z</updated><content type="html">&lt;p&gt;Long&lt;img alt="S-300"&gt;</content></entry>
<entry><id>urn:2</id><title>Two</title><link href="2"/><published>2026-11-01T08:00:00+03:00</published></entry></feed>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="x"><title>R</title></channel>
<item rdf:about="a"><title>One</title><link>http://a.example/1</link><dc:date>2026-11-02</dc:date></item></rdf:RDF>"""
MEDIA = documents.rss(
    documents.item(
        1, date="Mon, 02 Nov 2026 08:00:00 GMT",
        more='<media:content xmlns:media="http://search.yahoo.com/mrss/" url="x"><media:title>T</media:title>'
        "</media:content><content:encoded><![CDATA[<p>Text <script>x</script></p>]]></content:encoded>"
        "<dc:creator>Anna</dc:creator><category>war</category>",
    )
    + documents.item(2, date="yesterday"),
    "<title>M</title><ttl>60</ttl><skipHours><hour>3</hour></skipHours><language>ar-SY</language>",
)  # fmt: skip
JSON = b"""{"version":"https://jsonfeed.org/version/1.1","title":"J","language":"en","items":[{"id":"1","url":"https://a.example/1",
"title":"One","content_html":"<p>x</p>","date_published":"2026-11-02T08:00:00Z","tags":["a"],"authors":[{"name":"B"}]},{"id":2}]}"""
SITEMAP = b"""<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"><url><loc>https://a.example/1</loc><news:news>
<news:publication><news:name>N</news:name><news:language>en</news:language></news:publication>
<news:publication_date>2026-11-02</news:publication_date><news:title>One</news:title></news:news></url></urlset>"""
PAGE = b"""<!doctype html><html lang="en-GB"><head><base href="/x/"><title>Harbour News</title><meta charset="utf-8">
<link rel="alternate" type="application/rss+xml" title="All" href="/feed"><link rel=feed href=//cdn.example/atom.xml></head>
<body><ul><li class="item"><h2>Launcher seen</h2><a href="1.html">more</a><p class="lead">First <b>lines</b>.</p>
<img src="x" alt="An S-300 launcher"><time datetime="2026-11-02T08:00:00+03:00">today</time></li>
<li class="item"><h2><a href="/rss/2">Harbour closed</a></h2></li></ul><a href="/comments/feed">rss</a></body></html>"""
OPML = b"""<?xml version="1.0"?><opml version="2.0"><head><title>L</title></head><body><outline text="World &amp; war">
<outline type="rss" text="A" title="A" xmlUrl="https://a.example/feed?token=x" category="/a/b,c" language="en"/>
<outline text='B' xmlUrl='feed:b.example/rss'></outline></outline><!-- <outline xmlUrl="c"/> --></body></opml>"""
SEEDS = {
    "parse": (documents.OK, MEDIA, ATOM, RDF, JSON, SITEMAP, documents.laughs(), documents.deep_markup(50)),
    "page": (PAGE, PAGE * 3, documents.OK),
    "discover": (PAGE, PAGE * 3, ATOM),
    "websub": (
        b'<https://hub.example/>; rel="hub", <https://a.example/feed>; rel="self"',
        b'sha256=0f; <a>; title="b, <c>; rel=d"; rel = self hub,, <e>;rel*=UTF-8\'\'hub; rel="next',
        documents.OK,
    ),
    "opml": (OPML, OPML.replace(b"</body>", OPML), b"<opml>" + b'<outline text="x">' * 30),
}
TOKENS = [
    b"<", b">", b"</", b"/>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE x [", b'<!ENTITY a "b">', b"&a;", b"&#0;",
    b"&#x202e;", b"&#xD800;", b"&#1114112;", b"&amp;", b"&amp;lt;p&amp;gt;", b"&nbsp;", b'"', b"'", b"\x00", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf",
    b"\xed\xa0\x80", b"\xf0\x9f\x9a\x80", b"\xd8\xa5\xd8\xaf\xd9\x84\xd8\xa8", b"\r", b"\n\n", b"\x0b", b"\x85", b"\xc2\x85", b"\xe2\x80\xae",
    b"<item>", b"</item>", b"<entry>", b"</entry>", b"<rss>", b"<channel>", b"<title>", b"</title>", b"<description>", b"<guid>",
    b"<link>javascript:alert(1)</link>", b'<link href="//"/>', b'<a href="http://[::1">', b'<a href="https://x.example:99999/rss">', b"<base href='data:,'>",
    b"<pubDate>0000-00-00</pubDate>", b"<pubDate>Fri, 31 Feb 99999 25:61:61 +9999</pubDate>", b"<updated>9999-12-31T23:59:59-14:00</updated>",
    b"<pubDate>0001-01-01T00:00:00+14:00</pubDate>", b"<ttl>99999999999999999999</ttl>", b"<ttl>\xd9\xa3</ttl>", b"<hour>\xc2\xb2</hour>", b"<day>Monday</day>",
    b"<sy:updatePeriod>yearly</sy:updatePeriod>", b"<sy:updateFrequency>0</sy:updateFrequency>", b"xml:base='http://['", b'xml:lang="x"', b"encoding='utf-7'",
    b"encoding='idna'", b"encoding='zlib'", b'<?xml version="1.0" encoding="utf-16"?>', b"<content type='base64'>", b"<content type='application/octet-stream'>QQ==",
    b"<geo:lat>1</geo:lat>", b"<georss:box>1 2 3</georss:box>", b"<gml:pos>1", b"<media:group>", b'<media:content duration="x" width="y"/>', b"<enclosure/>", b"<img alt='", b"<svg><script>",
    b"<template>", b"<table><tr>", b"<frameset>", b"<plaintext>", b"<select><option>", b"<math>", b"<textarea>", b"<div hidden>", b"<time datetime=", b"<opml>",
    b"<outline", b"</outline>", b'<outline text="x">', b" xmlUrl=", b"category='/,/,'", b'{"', b"[", b"]}", b"null", b"1e999", b"\\ud800", b'"items":', b"<urlset>", b"<news:title>",
]  # fmt: skip
SELECTORS = (
    "li", "div", "*", "a", ".item", "li.item > h2", "body *", "ul li:nth-child(2n+1)", ":not(a)", "li:has(a)", "[href]",
    "html", "img[alt]", "h2, p", "time", "li ~ li", "x" * 500, "div[[", ":has(", "", "\x00", "é", "a b c d e f g",
)  # fmt: skip
#: of them, those that catch most of a page, as items
GREEDY = frozenset(["li", "div", "*", "a", "body *", ":not(a)", "[href]", "h2, p", "li ~ li", "time"])
CONTENT_TYPES = (
    "", "text/xml", "application/rss+xml; charset=utf-8", "text/html; charset=windows-1251", "text/html; charset=utf-16",
    "text/plain; charset=idna", "x; charset=zlib_codec", "x; charset=undefined", 'a/b; charset="', "text/xml; charset=utf-7",
)  # fmt: skip
CODECS = (
    "utf-16",
    "utf-16-le",
    "utf-32",
    "windows-1251",
    "latin-1",
    "shift_jis",
    "gb18030",
    "koi8-r",
    "utf-7",
    "cp037",
)


@functools.cache
def seeds(target: str) -> list[bytes]:
    """Small documents that any run has, and real ones where the data folder is there."""
    found = list(SEEDS[target]) * 20  # often: they are small, so that many are tried
    data = shared_data()
    if data is None:
        return found
    if target == "parse" and (data / "feeds" / "feeds.tar.xz").is_file():
        with tarfile.open(data / "feeds" / "feeds.tar.xz") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and member.size <= SEED else None
                if file is not None and len(found) < 250:
                    found.append(file.read())
    if target == "opml" and (data / "opml").is_dir():
        files = sorted(path for path in (data / "opml").rglob("*.opml") if path.stat().st_size <= SEED)
        found += [path.read_bytes() for path in files[:100]]
    return found


def mutated(chance: random.Random, given: list[bytes]) -> bytes:
    """One of the given documents with a few things or many done to it."""
    body = bytearray(chance.choice(given))
    for _ in range(chance.choice((1, 1, 2, 4, 16, 64))):
        at = chance.randint(0, len(body))
        span = chance.choice((1, 3, 20, 200, 3000))
        match chance.randrange(9):
            case 0 if body:
                body[at % len(body)] = chance.randrange(256)
            case 1:
                del body[at : at + span]
            case 2:
                body[at:at] = body[at : at + span]
            case 3 | 4:
                body[at:at] = chance.choice(TOKENS)
            case 5:
                body[at:at] = chance.choice(TOKENS) * chance.choice((2, 10, 100, 2000))
            case 6:
                other = chance.choice(given)
                start = chance.randint(0, len(other))
                body[at:at] = other[start : start + span]
            case 7 if chance.random() < 0.2:
                body = body[:at]
            case 8 if chance.random() < 0.2:
                text = body.decode("utf-8", "replace")
                body = bytearray(text.encode(chance.choice(CODECS), "replace"))
            case _:
                pass
        del body[LARGEST:]
    return bytes(body)


# ---------------------------------------------------------------- what is promised of each reader


def check_parse(chance: random.Random, given: list[bytes]) -> str:
    body, kind = mutated(chance, given), chance.choice(CONTENT_TYPES)
    parsed = parse(body, kind, URL)
    assert parse(body, kind, URL, Quick()) == parsed, "quick"
    if chance.random() < 0.3:  # with what is remembered of an earlier document it gives the same
        memory, quick = Memory(), Quick()
        remembered(memory, quick, mutated(chance, [body]) if chance.random() < 0.7 else chance.choice(given), URL, kind)
        assert remembered(memory, quick, body, URL, kind)[0] == parsed, "memory"
        assert remembered(memory, quick, body, URL, kind)[0] == parsed, "memory"
    return check_feed(parsed)


def check_page(chance: random.Random, given: list[bytes]) -> str:
    picks = [chance.choice(SELECTORS) for _ in range(6)]
    if chance.random() < 0.2:
        picks[chance.randrange(6)] = "".join(chance.choices("ab.#:[]()>+~*=^$'\" ,-_1n\\é", k=chance.randrange(20)))
    item = chance.choice(SELECTORS[:5]) if chance.random() < 0.6 else picks[0]
    selectors = Selectors(item, *[pick if chance.random() < 0.4 else "" for pick in picks[1:]])
    # everything within everything costs the cube of the page; such a document the worker process ends, which is tested there
    body = mutated(chance, given)[: 5_000 if item in GREEDY else LARGEST]
    return check_feed(parse_page(body, chance.choice(CONTENT_TYPES), URL, selectors))


def check_feed(parsed: ParsedFeed | ParseFailed) -> str:
    if isinstance(parsed, ParseFailed):
        assert plain(parsed.reason)
        return "refused"
    assert len(parsed.entries) <= MAX_ENTRIES
    assert plain(parsed.title)
    assert 0 <= parsed.ttl <= 31_536_000
    for entry in parsed.entries:
        parts = (*entry.captions, *entry.categories, *entry.authors)
        assert all(map(plain, (entry.title, entry.guid, entry.summary, entry.content, *parts))), entry
        assert all(map(link, (entry.link,))), entry
        assert len(entry.title) <= MAX_TITLE or entry.title == entry.link
        assert len(entry.summary) <= MAX_SUMMARY
        assert len(entry.content) <= MAX_CONTENT
        assert max(map(len, (entry.captions, entry.categories, entry.authors))) <= MAX_PARTS
        assert all(len(part) <= MAX_CAPTION for part in parts)
        assert re.fullmatch(r"([a-z]{2})?", entry.language), entry.language
        for date in (entry.published, entry.updated):
            assert date is None or date.utcoffset() is not None
    assert all(map(link, (parsed.link, parsed.hub, parsed.topic)))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(parsed), type=ParsedFeed) == parsed
    return "read" if parsed.entries else "empty"


def check_discover(chance: random.Random, given: list[bytes]) -> str:
    found = discover(mutated(chance, given), URL)
    assert len(found) <= 30
    for one in found:
        assert one.url
        assert link(one.url), one
        assert plain(one.title), one
        assert all(link(url) for url in (*known_forms(one.url), *common_paths(one.url)))
    return "found" if found else "none"


def check_opml(chance: random.Random, given: list[bytes]) -> str:
    try:
        feeds = read_opml(mutated(chance, given))
    except SourceError:
        return "refused"
    assert len(feeds) <= MAX_FEEDS
    for feed in feeds:
        assert feed.id
        assert link(feed.id), feed
        assert plain(feed.name), feed
        assert all(tag and plain(tag) for tag in feed.tags), feed
    # what is written is read again, but for what is masked and the order, which follows the folders
    masked = {mask_url(feed.id) for feed in feeds}
    again = {feed.id for feed in read_opml(write_opml(feeds).encode())}
    assert again == masked or any("*" in url for url in masked), [url[:500] for url in again ^ masked]
    return "read" if feeds else "empty"


def check_websub(chance: random.Random, given: list[bytes]) -> str:
    """What hubs and those who play one send: queries, Link headers, signatures; a lease goes from state to state."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    noise = mutated(chance, given).decode("latin-1")
    lease = HubLease("key", FeedId(URL), "https://hub.example/", URL, "secret", now)
    outcome = "nothing"
    for _ in range(chance.randint(1, 8)):
        now += timedelta(seconds=chance.choice((0, 1, 600, 86_400, 10**7)))
        query = {
            "hub.mode": chance.choice(("subscribe", "unsubscribe", "denied", noise[:20])),
            "hub.topic": chance.choice((URL, URL, URL, noise[:50])),
            "hub.challenge": chance.choice(("c", noise, "")),
            "hub.lease_seconds": chance.choice(("60", "0", "-1", "9" * 50, noise[:10], "\u0663")),
            "hub.reason": noise,
        }
        for name in chance.sample(sorted(query), chance.choice((0, 0, 1))):
            del query[name]
        answer = websub.intent(lease, query, now)
        if answer is not None:
            after, challenge = answer
            assert query["hub.topic"] == URL
            assert challenge in {"", query.get("hub.challenge")}
            if after is None:
                assert lease.state is HubState.LEAVING
                return "ended"
            assert plain(after.reason)
            assert len(after.reason) <= 200
            assert after.due >= now
            assert after.until is None or now < after.until <= now + timedelta(days=30)
            assert (after.key, after.secret, after.feed) == (lease.key, lease.secret, lease.feed)
            lease, outcome = after, str(after.state)
        if chance.random() < 0.3:
            lease = replace(lease, state=chance.choice(list(HubState)))
        asked = websub.asking(lease, now, chance)
        assert asked is not None or lease.state is HubState.LEAVING
        assert set(websub.request(lease, "https://us.example")) >= {"hub.callback", "hub.topic", "hub.mode"}
        lease = asked or lease
        websub.pushes(lease, now, 7200.0)
    body = noise.encode("latin-1")
    assert not websub.is_signed(noise, "secret", body)
    method = chance.choice(("sha1", "sha256", "sha384", "sha512"))
    right = f"{method}={hmac.new(b'secret', body, method).hexdigest()}"
    assert websub.is_signed(right, "secret", body)
    assert not websub.is_signed(right[:-1] + chance.choice("ghijk"), "secret", body)
    for rel, target in links([noise, f'<x>; rel="hub {noise[:10]}"']).items():
        assert rel
        assert link(resolve_link(URL, target)), target
    return outcome


def plain(text: str) -> bool:
    return _NO_TEXT.search(text) is None


def link(url: str) -> bool:
    """Nothing, or an http address with a host that the usual tools can take apart."""
    return not url or (plain(url) and urlsplit(url).scheme in {"http", "https"} and bool(urlsplit(url).hostname))


CHECKS: dict[str, Callable[[random.Random, list[bytes]], str]] = {
    "parse": check_parse,
    "page": check_page,
    "discover": check_discover,
    "opml": check_opml,
    "websub": check_websub,
}


def one(target: str, seed: int, number: int) -> str:
    """What became of one document, made from these alone. Raises AssertionError where a promise breaks."""
    return CHECKS[target](random.Random(f"{seed}/{number}"), seeds(target))


# ---------------------------------------------------------------- processes


def work(target: str, seed: int, seconds: float, note: Path) -> int:
    """One reader under limits; the number under way is in the file, for when the process dies of it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    one(target, seed, 0)
    outcomes: Counter[str] = Counter()
    slowest = (0.0, 0)
    begin = told = time.monotonic()
    end = begin + seconds
    number = 0
    with note.open("wb", buffering=0) as file:
        while time.monotonic() < end:
            number += 1
            file.seek(0)
            file.write(b"%d\n" % number)
            signal.setitimer(signal.ITIMER_PROF, 5 * LIMITS[target])  # kills, in C code too; up to five runs a number
            start = time.process_time()
            try:
                outcomes[one(target, seed, number)] += 1
            except Exception:  # noqa: BLE001  whatever it is, it is the finding
                print(f"{target}: document {number} of seed {seed}:\n{traceback.format_exc(limit=-4)[:5000]}")
                return 1
            slowest = max(slowest, (time.process_time() - start, number))
            if time.monotonic() - told >= PROGRESS:
                told = time.monotonic()
                print(f"{target}: {number:,} documents in {told - begin:.0f} s ...", flush=True)
    signal.setitimer(signal.ITIMER_PROF, 0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{target}: {number:,} documents in {seconds:.0f} s: {dict(outcomes)}; slowest {slowest[0]:.2f} s "
        f"(number {slowest[1]}); at most {peak} MB"
    )
    return 0


async def run_all(seconds: float, seed: int, targets: Iterable[str] = ()) -> int:
    """These readers (none named: all), two at a time; how many of them broke."""
    places = asyncio.Semaphore(2)

    async def run(target: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "number"
            arguments = ["--target", target, "--seed", str(seed), "--seconds", str(seconds), "--note", str(note)]
            async with places:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "tests.soak.fuzz_sources", *arguments
                )
                code = await process.wait()
            if code < 0:
                number = note.read_text(encoding="ascii").strip()
                why = "took too long" if -code == signal.SIGPROF else f"ended by signal {-code}"
                print(f"{target}: document {number} of seed {seed}: {why}")
        return code != 0

    return sum(await asyncio.gather(*map(run, targets or CHECKS)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--target", choices=CHECKS)
    parser.add_argument("--only", type=int, help="this document alone")
    parser.add_argument("--note", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.target and given.only is not None:
        print(one(given.target, given.seed, given.only))
        return 0
    if given.target and given.note:
        return work(given.target, given.seed, given.seconds, given.note)
    targets = (given.target,) if given.target else ()
    return int(asyncio.run(run_all(given.seconds, given.seed, targets)) > 0)


if __name__ == "__main__":
    sys.exit(main())
