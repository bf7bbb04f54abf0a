"""What response headers say about when to come again and what may be skipped (RFC 9110 and 9111)."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

from bot.model import Validators

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[,\s])(?:no-store|no-cache)(?:$|[,\s=])", re.IGNORECASE)
#: a link and what is said of it, up to the comma before the next one
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[^\s=;,\"]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_PARAMETER = re.compile(r";\s*([^\s=;,\"]+)(?:\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]*)))?")
_LONGEST_LINKS = 10_000
#: longer validators than this are no validators but an attack on the store
_LONGEST = 1000


def validators(headers: Mapping[str, str]) -> Validators:
    """What to send back next time; "" for what the server did not give, or gave as it can't be stored or sent."""
    return Validators(_validator(headers, "ETag"), _validator(headers, "Last-Modified"))


def _validator(headers: Mapping[str, str], name: str) -> str:
    text = headers.get(name, "").strip()
    # control characters are refused in requests, and bytes that are no UTF-8 stand here as surrogates
    return text if len(text) <= _LONGEST and text.isprintable() else ""


def conditional(validators: Validators) -> dict[str, str]:
    """Request headers of a conditional GET (RFC 9110 section 13.1)."""
    headers = {}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    return headers


def max_age(headers: Mapping[str, str]) -> float:
    """Seconds for which the answer stays fresh (RFC 9111 section 4.2); 0 when the server does not say."""
    control = headers.get("Cache-Control", "")
    if control and _NO_STORE.search(control):
        return 0.0
    stated = _MAX_AGE.search(control) if control else None
    if stated:
        age = headers.get("Age", "").strip()
        return max(0.0, float(stated[1]) - (float(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0.0))
    return max(0.0, _until(headers, "Expires") or 0.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait (RFC 9110 section 10.2.3), from a number or a date; None when absent or unreadable."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    seconds = _until(headers, "Retry-After")
    return None if seconds is None else max(0.0, seconds)


def links(values: Iterable[str]) -> dict[str, str]:
    """The first target of each relation in Link headers (RFC 8288), as sent: it may be relative."""
    found: dict[str, str] = {}
    for target, parameters in _LINK.findall(", ".join(values)[:_LONGEST_LINKS]):
        for name, quoted, plain in _PARAMETER.findall(parameters):
            if name.lower() == "rel":
                for rel in (quoted or plain).lower().split():
                    found.setdefault(rel, target)
                break  # a second one does not count (section 3.3)
    return found


def _until(headers: Mapping[str, str], name: str) -> float | None:
    """Seconds from the server's own Date to the date in a header, so that no clock but the server's counts."""
    then = _date(headers.get(name))
    now = _date(headers.get("Date")) if then else None
    return (then - now).total_seconds() if then and now else None


def _date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return date if date.tzinfo else None
