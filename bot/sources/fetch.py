"""Bytes from the web over aiohttp: conditional, capped, timed, and never from an address that is not public."""

from __future__ import annotations

import asyncio
import functools
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit, urlunsplit

import aiohttp
from yarl import URL

from bot.errors import SourceError
from bot.model import FeedGone, Fetched, FetchFailed, FetchOutcome, NotModified, Validators
from bot.sources import headers as fields
from bot.sources.body import BodyRefused, body_hash, unpack
from bot.sources.dial import Connector, GuardedResolver, HostSlots, ThreadResolver
from bot.sources.guard import AddressRefused, Guard
from bot.sources.urls import host_of, normalise_url, resolve_link

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp.abc import AbstractResolver

#: seconds for one fetch, over all its hops, however the bytes drip
DEADLINE = 30.0
#: bytes of a body, packed and unpacked
CAP = 10_000_000
REDIRECTS = 5
#: seconds for a name to resolve here before a proxy is asked for it
_LOOKUP = 5.0
PER_HOST = 2
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_PERMANENT = frozenset({301, 308})
_MOVED = frozenset({301, 302, 303, 307, 308})


class HttpFetcher:
    """Implements `bot.ports.Fetcher`. Opened lazily inside the running loop; one per process."""

    def __init__(
        self,
        *,
        allow_private: bool | Sequence[str] = False,
        user_agent: str,
        deadline: float = DEADLINE,
        cap: int = CAP,
        per_host: int = PER_HOST,
        resolver: AbstractResolver | None = None,
        proxy: str = "",
    ) -> None:
        """`allow_private` as in `Guard`. Proxies and netrc of the environment are not used, only the operator's `proxy`.

        With a proxy the guard can't see the address dialled; hosts are checked before instead (`_past_guard`).
        """
        self._guard = Guard(allow_private)
        self._user_agent = user_agent
        self._deadline = deadline
        self._cap = cap
        self._hosts = HostSlots(per_host)
        self._resolver = resolver or ThreadResolver()
        self._proxy = proxy
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        """See `bot.ports.Fetcher.fetch`. Waiting for a slot of a busy host does not count towards the deadline."""
        try:
            return await self._follow(_normalised(url), validators, body_hash)
        except TimeoutError:
            return FetchFailed(f"no complete answer within {self._deadline:g} s")
        except (SourceError, BodyRefused) as error:
            return FetchFailed(str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FetchFailed(_reason(error))

    async def _follow(self, url: str, validators: Validators, known_hash: str) -> FetchOutcome:
        """Redirects by hand: every hop is normalised, guarded and timed like the first."""
        session = self._open()
        headers = fields.conditional(validators)
        loop = asyncio.get_running_loop()
        left = self._deadline
        permanent, only_permanent, status = "", True, 0
        for _ in range(REDIRECTS + 1):
            target, host = _target(url)
            await self._hosts.take(host)
            try:
                start = loop.time()
                if self._proxy:
                    await self._past_guard(host)
                async with (
                    asyncio.timeout(left),
                    session.get(target, headers=headers, allow_redirects=False) as response,
                ):
                    status = response.status
                    if status not in _MOVED:
                        return await self._settle(response, url, permanent, validators, known_hash)
                    location = response.headers.get("Location", "")
                left -= loop.time() - start
            finally:
                self._hosts.leave(host)
            if not location:
                return FetchFailed(f"{_status_text(status)} without a Location", status=status)
            url = _next_hop(url, location)
            only_permanent = only_permanent and status in _PERMANENT
            if only_permanent:
                permanent = url
        return FetchFailed(f"more than {REDIRECTS} redirects", status=status)

    async def _settle(
        self, response: aiohttp.ClientResponse, url: str, permanent: str, sent: Validators, known_hash: str
    ) -> FetchOutcome:
        """Classes an answer that is no redirect."""
        status = response.status
        given = fields.validators(response.headers)
        if status == 304:
            if sent == Validators():
                return FetchFailed("answered 304 Not Modified to an unconditional request", status=304)
            # RFC 9110 section 15.4.5: a 304 repeats the ETag; servers that leave it out mean the one we sent
            kept = Validators(given.etag or sent.etag, given.last_modified or sent.last_modified)
            return NotModified(kept, fields.max_age(response.headers), permanent)
        if status == 410:
            return FeedGone()
        if status not in {200, 203}:
            return FetchFailed(_status_text(status), fields.retry_after(response.headers), status)
        raw = await self._read(response)
        digest = body_hash(raw)
        max_age = fields.max_age(response.headers)
        if digest == known_hash:
            return NotModified(given, max_age, permanent)
        body = unpack(raw, response.headers.get("Content-Encoding", ""), self._cap)
        content_type = response.headers.get("Content-Type", "")[:200].encode("ascii", "ignore").decode()
        links = fields.links(response.headers.getall("Link", ()))
        hub, topic = (resolve_link(url, links.get(rel, "")) for rel in ("hub", "self"))
        return Fetched(body, content_type, given, url, permanent, max_age, digest, hub, topic)

    async def post(self, url: str, form: Mapping[str, str]) -> FetchFailed | None:
        """See `bot.ports.HubClient.post`. Redirects that keep the method are followed (WebSub section 5.1)."""
        try:
            return await self._post(_normalised(url), form)
        except TimeoutError:
            return FetchFailed(f"no complete answer within {self._deadline:g} s")
        except SourceError as error:
            return FetchFailed(str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return FetchFailed(_reason(error))

    async def _post(self, url: str, form: Mapping[str, str]) -> FetchFailed | None:
        status = 0
        async with asyncio.timeout(self._deadline):
            for _ in range(REDIRECTS + 1):
                target, host = _target(url)
                if self._proxy:
                    await self._past_guard(host)
                async with (
                    self._hosts.turn(host),
                    self._open().post(target, data=form, allow_redirects=False) as response,
                ):
                    status = response.status
                    if status not in {307, 308}:
                        accepted = 200 <= status < 300
                        why = _status_text(status)
                        return None if accepted else FetchFailed(why, fields.retry_after(response.headers), status)
                    location = response.headers.get("Location", "")
                url = _next_hop(url, location)
        return FetchFailed(f"more than {REDIRECTS} redirects", status=status)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """The body as sent, not unpacked; BodyRefused above the cap, before more of it is read."""
        if (response.content_length or 0) > self._cap:
            raise BodyRefused(f"the body is larger than {self._cap // 1_000_000} MB")
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            size += len(part)
            if size > self._cap:
                response.close()
                raise BodyRefused(f"the body is larger than {self._cap // 1_000_000} MB")
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = Connector(
                socket_factory=None if self._proxy else self._socket,
                resolver=self._resolver if self._proxy else GuardedResolver(self._resolver, self._guard),
                limit=0,  # the flow bounds how many run, and the slots bound each host
                ttl_dns_cache=60,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                proxy=self._proxy or None,
                timeout=aiohttp.ClientTimeout(total=None),
                headers={"User-Agent": self._user_agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip, deflate"},
            )
        return self._session

    async def _past_guard(self, host: str) -> None:
        """Raises AddressRefused where the proxy would be asked for an address that is known not to be public.

        A name that does not resolve here is left to the proxy: it may be the only one with name servers.
        """
        if "%" in host:  # escapes that a proxy may undo, and zones of local links
            raise AddressRefused
        try:
            async with asyncio.timeout(_LOOKUP):
                found = await self._resolver.resolve(host, 0)
        except (OSError, TimeoutError):
            return
        for result in found:
            self._guard.check(result["host"])

    def _socket(self, info: Any) -> socket.socket:
        """The guard where the socket is made: `info` is the address about to be dialled, as getaddrinfo gives it."""
        family, kind, protocol, _, address = info
        self._guard.check(str(address[0]))
        return socket.socket(family=family, type=kind, proto=protocol)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


@functools.lru_cache(10_000)
def _normalised(url: str) -> str:
    """Feeds are polled again and again: what is known of an address is worked out once."""
    return normalise_url(url)


@functools.lru_cache(10_000)
def _target(url: str) -> tuple[URL, str]:
    """The address as aiohttp takes it, and its host."""
    return URL(url), host_of(url)


def _next_hop(url: str, location: str) -> str:
    """The target of a redirect; credentials of the address go along within one origin only."""
    target = normalise_url(urljoin(url, location))
    old, new = urlsplit(url), urlsplit(target)
    userinfo = old.netloc.rpartition("@")[0]
    if (
        userinfo
        and "@" not in new.netloc
        and (old.scheme, old.hostname, old.port)
        == (
            new.scheme,
            new.hostname,
            new.port,
        )
    ):
        target = urlunsplit(new._replace(netloc=f"{userinfo}@{new.netloc}"))
    return target


def _status_text(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _reason(error: Exception) -> str:
    """Why a connection failed, in words for people; built from the class alone, so that no address leaks."""
    cause = getattr(error, "os_error", error)
    if isinstance(cause, AddressRefused):
        return str(cause)
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return (
                f"the certificate is not valid: {getattr(error.certificate_error, 'verify_message', '') or 'refused'}"
            )
        case aiohttp.ClientSSLError():
            return "no secure connection could be made"
        case aiohttp.ClientConnectorDNSError():
            return "the host name does not resolve"
        case aiohttp.ClientConnectorError():
            return "the server can't be reached"
        case aiohttp.InvalidURL():
            return "not a valid address"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "the server closed the connection"
        case aiohttp.ClientPayloadError():
            return "the body was cut short"
        case _:
            return "the answer is not valid HTTP"
