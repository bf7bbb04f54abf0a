import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Iterator
from urllib.parse import quote

import msgspec
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from bot.model import FeedGone, Fetched, FetchFailed, NotModified, Validators
from bot.sources.fetch import HttpFetcher
from tests.hostile import documents
from tests.hostile.server import Answer, HostileServer

NONE = Validators()


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as one:
        yield one


@pytest.fixture(scope="module")
def canary() -> Iterator[HostileServer]:
    """Where nothing must ever connect: another loopback address than the one that tests allow."""
    with HostileServer("127.0.0.2") as one:
        yield one
        assert one.connections == 0


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    one = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="tocsin-tests")
    yield one
    await one.close()


async def get(fetcher: HttpFetcher, url: str, validators: Validators = NONE, known: str = "") -> object:
    return await fetcher.fetch(url, validators, known)


class FakeResolver(AbstractResolver):
    """Answers each lookup with the next address of its list, as a rebinding name server does."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        address = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        kind = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=kind, proto=0, flags=0)]

    async def close(self) -> None: ...


async def test_a_good_answer(fetcher: HttpFetcher, server: HostileServer) -> None:
    """A body comes with what the next poll needs: validators, hash, type, and how long it stays fresh."""
    outcome = await get(fetcher, server.url("/304"))
    assert isinstance(outcome, Fetched)
    assert outcome.body == documents.OK
    assert outcome.validators == Validators('"one"', "Mon, 02 Nov 2026 08:00:00 GMT")
    assert outcome.content_type == "application/rss+xml"
    assert (outcome.url, outcome.permanent_url) == (server.url("/304"), "")
    sent = server.hits[-1].headers
    assert sent["user-agent"] == "tocsin-tests"
    assert "if-none-match" not in sent
    assert "cookie" not in sent


async def test_row_65_conditional_get(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 65: validators are sent back, and a 304 costs no body and keeps them."""
    first = await get(fetcher, server.url("/304"))
    assert isinstance(first, Fetched)
    second = await get(fetcher, server.url("/304"), first.validators, first.body_hash)
    assert second == NotModified(first.validators)
    assert server.hits[-1].headers["if-modified-since"] == "Mon, 02 Nov 2026 08:00:00 GMT"


async def test_row_65_etag_that_always_changes(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 65: the same body under a new ETag is not modified: the packed bytes are compared, nothing is unpacked."""
    first = await get(fetcher, server.url("/newetag"))
    assert isinstance(first, Fetched)
    second = await get(fetcher, server.url("/newetag"), first.validators, first.body_hash)
    assert isinstance(second, NotModified)
    assert second.validators != first.validators


@pytest.mark.parametrize("shape", ["control", "bytes"])
async def test_rows_16_and_65_odd_validators_are_not_kept(
    fetcher: HttpFetcher, server: HostileServer, shape: str
) -> None:
    """Rows 16, 65: what could be neither sent back nor stored would keep the source from ever being read again."""
    first = await get(fetcher, server.url(f"/oddheaders?shape={shape}"))
    assert isinstance(first, Fetched)
    assert first.validators == Validators()
    msgspec.msgpack.encode(first)
    again = await fetcher.fetch(server.url(f"/oddheaders?shape={shape}"), first.validators, "")
    assert isinstance(again, Fetched)


async def test_row_65_304_to_an_unconditional_request(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 65: a 304 that answers no condition would leave the feed empty for ever: it is a failure."""
    outcome = await get(fetcher, server.url("/always304"))
    assert isinstance(outcome, FetchFailed)
    assert outcome.status == 304


@pytest.mark.parametrize("shape", ["/gzipbomb", "/deflatebomb", "/huge", "/saidhuge"])
async def test_rows_1_and_2_bombs_and_endless_bodies(fetcher: HttpFetcher, server: HostileServer, shape: str) -> None:
    """Rows 1, 2: a body is cut off at the cap, packed or not, and memory stays flat."""
    server.pages["/gzipbomb"] = BOMB
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    outcome = await get(fetcher, server.url(shape))
    assert outcome == FetchFailed("the body is larger than 10 MB")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000


BOMB = Answer(documents.gzip_bomb(1 << 28), 200, {"Content-Encoding": "gzip"})


@pytest.mark.parametrize("shape", ["/drip", "/hang", "/slowheaders"])
async def test_row_3_slow_servers(server: HostileServer, shape: str) -> None:
    """Row 3: one total deadline, whatever progress the bytes make."""
    fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=0.5)
    start = time.monotonic()
    outcome = await get(fetcher, server.url(shape))
    assert time.monotonic() - start < 1.5
    assert outcome == FetchFailed("no complete answer within 0.5 s")
    await fetcher.close()


async def test_row_3_interim_answers_without_end(server: HostileServer) -> None:
    """Rows 2, 3: they would hold the event loop until the deadline, as each is answered by waiting for the next."""
    fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="Tocsin-test", deadline=20.0)
    started = time.monotonic()
    assert await get(fetcher, server.url("/interim")) == FetchFailed("the answer is not valid HTTP")
    assert time.monotonic() - started < 5.0
    await fetcher.close()


async def test_row_3_the_deadline_covers_all_hops(server: HostileServer) -> None:
    """Row 3: redirects do not start the clock anew."""
    fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=0.7)
    outcome = await get(fetcher, server.url("/slowhop"))
    assert outcome == FetchFailed("no complete answer within 0.7 s")
    await fetcher.close()


async def test_row_8_redirect_loops_and_chains(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 8: five redirects are followed, the sixth is not."""
    assert isinstance(await get(fetcher, server.url("/chain?n=4")), Fetched)
    server.hits.clear()
    outcome = await get(fetcher, server.url("/loop"))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == "more than 5 redirects"
    assert len(server.hits) == 6
    assert isinstance(await get(fetcher, server.url("/chain?n=30")), FetchFailed)


async def test_row_9_redirect_to_a_private_address(
    fetcher: HttpFetcher, server: HostileServer, canary: HostileServer
) -> None:
    """Row 9: every hop is guarded like the first; the canary is never connected to."""
    for target in (canary.url("/ok"), f"//127.0.0.2:{canary.port}/", f"http://127.2:{canary.port}/"):
        outcome = await get(fetcher, server.url(f"/redir?to={quote(target, safe='')}"))
        assert isinstance(outcome, FetchFailed)
        assert outcome.reason in {"the address is not a public one", "not a valid address"}
    nested = quote(server.url(f"/redir?to={quote(canary.url('/ok'), safe='')}"), safe="")
    assert await get(fetcher, server.url(f"/redir?to={nested}")) == FetchFailed("the address is not a public one")


async def test_row_10_dns_rebinding(canary: HostileServer) -> None:
    """Row 10: a name that first is public and then loopback is checked at the address that is dialled."""
    resolver = FakeResolver("127.0.0.2")
    fetcher = HttpFetcher(user_agent="t", deadline=2.0, resolver=resolver)
    url = f"http://rebind.example.org:{canary.port}/ok"
    assert await get(fetcher, url) == FetchFailed("the address is not a public one")
    await fetcher.close()


async def test_row_10_the_socket_is_guarded_by_itself(canary: HostileServer) -> None:
    """Row 10: even when the check after DNS is passed by, no socket to a private address is made."""
    fetcher = HttpFetcher(user_agent="t", deadline=2.0)
    session = fetcher._open()
    session.connector._resolver = FakeResolver("127.0.0.2")  # type: ignore[union-attr]
    outcome = await get(fetcher, f"http://rebind.example.org:{canary.port}/ok")
    assert outcome == FetchFailed("the address is not a public one")
    await fetcher.close()


SPELLINGS = [
    "127.0.0.2", "127.0.0.2.", "127.2", "2130706434", "0x7f000002", "0x7f.0.0.2", "0x7f.2", "0177.0.0.2", "0177.2",
    "017700000002", "127.000.000.002", "①②⑦.0.0.2", "127。0。0。2", "127.0.0.%32", "%31%32%37.0.0.2",
    "user@127.0.0.2", "example.org@127.0.0.2", "example.org:80@127.0.0.2", "user:pass@127.0.0.2",
    "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "[0:0:0:0:0:ffff:7f00:0002]", "[::127.0.0.2]", "[64:ff9b::7f00:2]",
    "[64:ff9b::127.0.0.2]", "[64:ff9b:1::7f00:2]", "[2002:7f00:2::]", "[2001:0:7f00:2::80ff:fffd]", "[::1]", "[::]",
    "[fe80::1%25lo]", "[fd00::1]", "[ff02::1]", "0.0.0.0", "0", "localhost", "LOCALHOST", "localhost.", "ip6-localhost",
    "10.0.0.1", "100.64.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "192.0.0.8", "198.18.0.1", "224.0.0.1",
    "255.255.255.255", "[2001:db8::1]", "[3fff::1]",
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_row_11_spellings_of_private_addresses(canary: HostileServer, spelling: str) -> None:
    """Row 11: however a private address is written, nothing connects, and no answer tells what listens there."""
    fetcher = HttpFetcher(user_agent="t", deadline=2.0)
    outcome = await get(fetcher, f"http://{spelling}:{canary.port}/ok")
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason in {
        "the address is not a public one",
        "not a valid address",
        "the host name does not resolve",
    }
    await fetcher.close()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "file:/etc/passwd", "feed:file:///etc/passwd", "ftp://example.org/feed",
        "gopher://127.0.0.1:70/_x", "data:text/xml,<rss/>", "javascript:alert(1)", "jar:http://example.org!/",
        "http:///nohost", "http://", "http://:80/", "http://exa mple.org:99999/", "dict://127.0.0.1:11211/stat",
    ],
)  # fmt: skip
async def test_row_12_schemes(fetcher: HttpFetcher, server: HostileServer, url: str) -> None:
    """Row 12: only http and https, as listed and by redirect."""
    server.hits.clear()
    assert isinstance(await get(fetcher, url), FetchFailed)
    assert server.hits == []
    if " " not in url:
        assert isinstance(await get(fetcher, server.url(f"/redir?to={quote(url, safe='')}")), FetchFailed)


async def test_row_12_feed_forms_are_unwrapped(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 12: `feed:` is what browsers once handed to readers; the address behind it counts."""
    assert isinstance(await get(fetcher, "feed:" + server.url("/ok")), Fetched)


async def test_row_13_open_closed_and_silent_ports_look_alike(canary: HostileServer) -> None:
    """Row 13: of a private address people learn nothing: same text, nothing dialled, no time passed."""
    fetcher = HttpFetcher(user_agent="t", deadline=5.0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        port = closed.getsockname()[1]
        start = time.monotonic()
        outcomes = {
            await get(fetcher, url)
            for url in (canary.url("/ok"), canary.url("/hang"), f"http://127.0.0.2:{port}/", "http://169.254.169.254/", "http://10.255.255.1:5432/")
        }  # fmt: skip
    assert len(outcomes) == 1
    assert time.monotonic() - start < 1.0
    await fetcher.close()


async def test_row_14_proxies_of_the_environment_are_not_used(
    server: HostileServer, canary: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 14: HTTP_PROXY of whoever started the process does not route around the guard."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url("/"))
    fetcher = HttpFetcher(allow_private=["127.0.0.1/32"], user_agent="t", deadline=2.0)
    assert isinstance(await get(fetcher, server.url("/ok")), Fetched)
    await fetcher.close()


async def test_row_14_through_the_operators_proxy_hosts_are_checked_before(
    server: HostileServer, canary: HostileServer
) -> None:
    """Row 14: the operator's proxy is used, and is not asked for what is known to be private, in whatever spelling."""
    fetcher = HttpFetcher(user_agent="t", deadline=2.0, proxy=server.url("").replace("//", "//ann:sesame@"))
    server.hits.clear()
    server.pages["/feed"] = Answer(documents.OK)
    assert isinstance(await get(fetcher, "http://nowhere.invalid/feed"), Fetched)
    [hit] = server.hits
    assert hit.path == "http://nowhere.invalid/feed"
    assert hit.headers["proxy-authorization"] == "Basic YW5uOnNlc2FtZQ=="
    for spelling in SPELLINGS:
        if spelling != "ip6-localhost":  # a name that not every machine knows
            outcome = await get(fetcher, f"http://{spelling}:{canary.port}/ok")
            assert isinstance(outcome, FetchFailed), spelling
    refused = await get(fetcher, f"http://127.0.0.2:{canary.port}/ok")
    assert refused == FetchFailed("the address is not a public one")
    disguised = await get(fetcher, f"http://2130706434:{canary.port}/ok")
    assert disguised == FetchFailed("not a valid address")
    server.pages["/hop"] = Answer(b"", 302, {"Location": canary.url("/ok")})
    assert await get(fetcher, "http://nowhere.invalid/hop") == FetchFailed("the address is not a public one")
    await fetcher.close()
    assert not [one.path for one in server.hits if one.path.startswith("http://127") or "localhost" in one.path]


async def test_row_15_credentials_are_used_but_never_said(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 15: user and password of an address are sent to its origin alone, and stand in no text."""
    url = server.url("/status?code=401&token=sesame").replace("http://", "http://ali:baba@")
    outcome = await get(fetcher, url)
    assert server.hits[-1].headers["authorization"] == "Basic YWxpOmJhYmE="
    assert outcome == FetchFailed("401 Unauthorized", status=401)
    with HostileServer() as other:
        await get(fetcher, server.url(f"/redir?to={quote(other.url('/ok'), safe='')}").replace("//", "//ali:baba@", 1))
        assert "authorization" not in other.hits[-1].headers
    await get(fetcher, server.url(f"/redir?to={quote(server.url('/ok'), safe='')}").replace("//", "//ali:baba@", 1))
    assert server.hits[-1].headers["authorization"] == "Basic YWxpOmJhYmE="


async def test_row_64_statuses(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 64: each refusal is what it is, with the wait that the server ordered."""
    assert await get(fetcher, server.url("/status?code=410")) == FeedGone()
    assert await get(fetcher, server.url("/status?code=429&after=3600")) == FetchFailed(
        "429 Too Many Requests", 3600.0, 429
    )
    date, then = quote("Mon, 02 Nov 2026 08:00:00 GMT"), quote("Mon, 02 Nov 2026 08:02:00 GMT")
    assert await get(fetcher, server.url(f"/status?code=503&after={then}&date={date}")) == FetchFailed(
        "503 Service Unavailable", 120.0, 503
    )
    for code in (201, 204, 206, 300, 400, 401, 403, 404, 418, 500, 502, 599):
        outcome = await get(fetcher, server.url(f"/status?code={code}&after=soon"))
        assert isinstance(outcome, FetchFailed)
        assert (outcome.status, outcome.retry_after) == (code, None)


async def test_row_64_permanent_moves(fetcher: HttpFetcher, server: HostileServer) -> None:
    """Row 64: 301 and 308 alone tell the new address; after a temporary hop nothing is permanent any more."""
    moved = await get(fetcher, server.url("/chain?n=2&code=301"))
    assert isinstance(moved, Fetched)
    assert moved.permanent_url == server.url("/ok")
    temporary = await get(fetcher, server.url("/chain?n=2&code=307"))
    assert isinstance(temporary, Fetched)
    assert (temporary.permanent_url, temporary.url) == ("", server.url("/ok"))
    mixed = await get(fetcher, server.url(f"/redir?code=308&to={quote('/redir?to=/ok', safe='')}"))
    assert isinstance(mixed, Fetched)
    assert mixed.permanent_url == server.url("/redir?to=/ok")


async def test_row_66_two_requests_at_a_time_per_host(fetcher: HttpFetcher) -> None:
    """Row 66: however many feeds of a host are polled, it sees two of us at once."""
    with HostileServer() as one:
        await asyncio.gather(*(get(fetcher, one.url("/slowok?s=0.02")) for _ in range(20)))
        assert len(one.hits) == 20
        assert one.peak == 2
    assert (fetcher._hosts._busy, fetcher._hosts._waiting) == ({}, {})


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ("/brotli", "the body is packed in a way that was not asked for"),
        ("/doublegzip", "the body is packed more than once"),
        ("/gzipcut", "the body was cut short"),
        ("/cut", "the body was cut short"),
        ("/garbage", "the answer is not valid HTTP"),
        ("/manyheaders", "the answer is not valid HTTP"),
        ("/redir", "302 Found without a Location"),
    ],
)
async def test_broken_answers_have_words(fetcher: HttpFetcher, server: HostileServer, shape: str, reason: str) -> None:
    """What a server does wrong is said in words for a person, without the address."""
    outcome = await get(fetcher, server.url(shape))
    assert isinstance(outcome, FetchFailed)
    assert outcome.reason == reason


async def test_servers_that_cannot_be_reached(fetcher: HttpFetcher) -> None:
    """A closed port of an allowed address and a name that does not exist are told apart for the operator."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        outcome = await get(fetcher, f"http://127.0.0.1:{closed.getsockname()[1]}/")
    assert outcome == FetchFailed("the server can't be reached")
    assert await get(fetcher, "http://nowhere.invalid/") == FetchFailed("the host name does not resolve")


async def test_plain_body_labelled_gzip(fetcher: HttpFetcher, server: HostileServer) -> None:
    """A label that lies in a harmless way costs nobody a feed."""
    outcome = await get(fetcher, server.url("/gziplie"))
    assert isinstance(outcome, Fetched)
    assert outcome.body == documents.OK


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("control=max-age%3D600", 600.0),
        ("control=public,%20max-age%3D600&age=100", 500.0),
        ("control=no-cache,%20max-age%3D600", 0.0),
        ("control=max-age%3Dsoon", 0.0),
        (f"expires={quote('Mon, 02 Nov 2026 08:10:00 GMT')}&date={quote('Mon, 02 Nov 2026 08:00:00 GMT')}", 600.0),
        (f"expires=0&date={quote('Mon, 02 Nov 2026 08:00:00 GMT')}", 0.0),
        (f"control=max-age%3D60&expires={quote('Mon, 02 Nov 2026 08:10:00 GMT')}", 60.0),
    ],
)
async def test_freshness(fetcher: HttpFetcher, server: HostileServer, query: str, seconds: float) -> None:
    """How long the publisher says its answer stays fresh (RFC 9111), by the server's own clock."""
    outcome = await get(fetcher, server.url(f"/fresh?{query}"))
    assert isinstance(outcome, Fetched)
    assert outcome.max_age == seconds
