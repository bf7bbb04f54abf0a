"""Addresses of sources: which ones are taken, in what form, and how they are shown without their secrets."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

from bot.errors import SourceError

#: longest address taken; RFC 9110 section 4.1 asks for at least 8000 octets
MAX_LENGTH = 8000

#: names of query parameters whose values give access (compared with "-" and "_" dropped)
_SECRET = re.compile(r"token|secret|passw|pwd|signature|session|credential|oauth|(auth|key|sig|pass)$")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
#: they turn the text around them, so that an address looks like another one (Unicode TR36 section 3.8)
_BIDI = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SCHEME = re.compile(r"[a-z][a-z0-9+.\-]*:", re.IGNORECASE)
_HOST_PORT = re.compile(r"[^/?#:@]+\.[^/?#:@]+:\d{1,5}([/?#]|$)|localhost:\d{1,5}([/?#]|$)", re.IGNORECASE)
_PLAIN = re.compile(
    r"https?://[A-Za-z][A-Za-z0-9\-]*(?:\.[A-Za-z0-9\-]+)*\.[A-Za-z]+/[A-Za-z0-9_~.\-/]*(?:\?[A-Za-z0-9_~.\-=]+)?"
)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_HIDDEN = "***"


def normalise_url(text: str) -> str:
    """The address as it will be fetched: http or https, no fragment, no stray white space or control characters.

    `feed:` forms are unwrapped, and a bare host means https. Raises SourceError for anything else; the message never
    repeats a secret of the address.
    """
    url = _clean(text)
    while url[:5].lower() == "feed:":
        url = url[5:]
        if url.startswith("//"):
            url = "http:" + url
    if url.startswith("//"):
        url = "https:" + url
    elif not _SCHEME.match(url) or _HOST_PORT.match(url):
        url = "https://" + url
    if len(url) > MAX_LENGTH:
        raise SourceError(f"the address is longer than {MAX_LENGTH} characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise SourceError("not a valid address") from None
    if parts.scheme not in {"http", "https"}:
        raise SourceError("only http and https addresses can be polled")
    if not parts.hostname or port == 0:
        raise SourceError("the address names no host")
    if _ends_in_number(parts.hostname):
        raise SourceError("not a valid address")
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/", parts.query, ""))


def _ends_in_number(host: str) -> bool:
    """Whether the host is an IPv4 address in disguise, 2130706433 or 0x7f.1 (WHATWG URL, section 3.5): only four decimal
    numbers are one.
    """
    name = plain_host(host)
    if _NUMBER.fullmatch(name.rpartition(".")[2]) is None:
        return False
    try:
        IPv4Address(name)
    except ValueError:
        return True
    return False


def plain_host(host: str) -> str:
    """The host as resolvers read it: wide and circled letters are plain ones, as are all the dots of IDNA."""
    return unicodedata.normalize("NFKC", host).replace("\u3002", ".").rstrip(".").lower()


def is_plain(link: str) -> bool:
    """Whether it is an absolute http address in which nothing can be resolved, repaired or misread: most links are."""
    return len(link) <= 500 and _PLAIN.fullmatch(link) is not None


def resolve_link(base: str, link: str) -> str:
    """A link of a document at `base`, absolute; "" unless it leads to http or https (RFC 3986 section 5)."""
    if is_plain(link):
        return link
    link = _clean(link)
    if not link or len(link) > MAX_LENGTH:
        return ""
    try:
        url = urljoin(base, link)
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname:
            return url
    except ValueError:
        pass
    return ""


def host_of(url: str) -> str:
    """The host name in lower case, "" when there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def mask_url(url: str) -> str:
    """The address as people and logs may see it: passwords and values of secret-looking parameters are hidden."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return _HIDDEN
    netloc = parts.netloc
    if "@" in netloc:
        netloc = f"{_HIDDEN}@{netloc.rpartition('@')[2]}"
    query = parts.query
    if any(_is_secret(name) for name, _ in pairs):
        hidden = [(name, _HIDDEN if _is_secret(name) else value) for name, value in pairs]
        query = urlencode(hidden, safe="*", quote_via=quote)
    if netloc == parts.netloc and query == parts.query:
        return url
    return urlunsplit(parts._replace(netloc=netloc, query=query))


def _clean(text: str) -> str:
    """As browsers do: white space around goes, control characters inside go, spaces inside are escaped."""
    text = _CONTROL.sub("", text.strip()).replace(" ", "%20")
    return text if text.isascii() else _BIDI.sub(lambda found: quote(found[0]), text)


def _is_secret(name: str) -> bool:
    return _SECRET.search(name.lower().replace("-", "").replace("_", "")) is not None
