"""Who may look at the page, and who may act there. Nothing that a request says of where it comes from is believed.

Without a token the page is for this machine only: on a loopback address, asked for under a loopback name (which ends DNS
rebinding), and not while `[web] public_url` says that the internet reaches this server. With a token, everybody must
show it: in a cookie that one login gives, or as `Authorization: Bearer`. Acting needs a token, and from a browser the
same origin and a word that only our own forms know.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.ports import Clock

COOKIE = "tocsin"
#: seconds for which a login lasts
STAYS = 30 * 86_400
#: seconds between two wrong tokens, whoever tries them
_PENALTY = 1.0


def is_loopback(host: str) -> bool:
    """Whether this names, or listens at, nothing but this machine."""
    host = host.strip("[]").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Door:
    """Checks requests. Holds the token, and that wrong ones come one at a time."""

    def __init__(self, token: str, *, host: str, public: bool, clock: Clock) -> None:
        """`host` is listened at; `public` whether the internet reaches it by another way."""
        self._token = token.encode()
        self._local = is_loopback(host) and not public
        self._clock = clock
        self._guessing = asyncio.Lock()

    @property
    def has_token(self) -> bool:
        """Whether anybody can log in, and act."""
        return bool(self._token)

    def shut(self, host: str) -> bool:
        """Whether nobody may come in: no token, and not this machine alone. `host` as the request names it."""
        return not self._token and not (self._local and is_loopback(_name(host)))

    def knows(self, headers: Mapping[str, str], cookie: str) -> bool:
        """Whether the request shows the token, or needs none."""
        return not self._token or self.bears(headers) or self._valid(cookie)

    def bears(self, headers: Mapping[str, str]) -> bool:
        """Whether the token stands in the request itself, which no other site can make a browser do."""
        kind, _, given = headers.get("Authorization", "").partition(" ")
        return bool(self._token) and kind.lower() == "bearer" and self._same(given.strip())

    def may_act(self, headers: Mapping[str, str], cookie: str, word: str) -> bool:
        """Whether the request may change something: it comes from a form of ours, or bears the token itself."""
        if not self._token or not same_origin(headers):
            return False
        return self.bears(headers) or (self._valid(cookie) and hmac.compare_digest(word.encode(), self._word(cookie)))

    async def login(self, given: str) -> str:
        """The cookie for the right token; "" for a wrong one, after a pause that all who guess share."""
        if self._token and self._same(given):
            until = str(int(self._clock.now().timestamp()) + STAYS)
            return f"{until}.{self._sign('cookie', until)}"
        async with self._guessing:
            await self._clock.sleep(_PENALTY)
        return ""

    def word_for(self, cookie: str) -> str:
        """What our forms carry for this visitor, so that those of others are told apart; "" where nobody may act."""
        return self._word(cookie).decode() if self._valid(cookie) else ""

    def _word(self, cookie: str) -> bytes:
        return self._sign("form", cookie).encode()

    def _valid(self, cookie: str) -> bool:
        until, _, signature = cookie.partition(".")
        if not self._token or not (until.isascii() and until.isdecimal()) or len(until) > 12:
            return False
        right = hmac.compare_digest(signature.encode(), self._sign("cookie", until).encode())
        return right and int(until) > self._clock.now().timestamp()

    def _sign(self, what: str, text: str) -> str:
        return hmac.new(self._token, f"{what}:{text}".encode(), sha256).hexdigest()

    def _same(self, given: str) -> bool:
        """Digests have one length, so that the time taken tells nothing."""
        return hmac.compare_digest(sha256(given.encode()).digest(), sha256(self._token).digest())


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether nothing says that the request comes from another site (Fetch Metadata; RFC 6454 section 7).

    Under our own policy of no referrers browsers send the origin of a form as "null", so that tells nothing; neither
    does what is no browser, which can't be made to send anybody's cookie.
    """
    site = headers.get("Sec-Fetch-Site", "")
    origin = headers.get("Origin", "")
    if site and site != "same-origin":
        return False
    return origin in ("", "null") or urlsplit(origin).netloc.lower() == headers.get("Host", "").lower()


def is_encrypted(headers: Mapping[str, str]) -> bool:
    """Whether the browser came over https: it says Sec-Fetch-Site there, and to this machine itself, and nowhere else."""
    return "Sec-Fetch-Site" in headers and not is_loopback(_name(headers.get("Host", "")))


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
