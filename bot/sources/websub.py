"""WebSub as a subscriber speaks it (W3C Recommendation, 23 January 2018; sections in brackets). Pure.

Where a lease stands is a `HubLease`; these functions say what to ask of the hub, what to answer it, and what comes next.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.model import HubLease, HubState, later
from bot.sources.urls import mask_url

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

#: seconds of lease asked for; hubs may give less
LEASE = 10 * 86_400
#: what a hub gives is taken within these bounds
_SHORTEST, _LONGEST = 1.0, 30 * 86_400.0
#: part of a lease after which it is renewed
_RENEW_AFTER = 0.75
#: seconds until a hub that did not confirm is asked again; doubled each time, up to a day
_PATIENCE = 600.0
_DAY = 86_400.0
#: requests to end a lease, before it is left to run out
_LEAVES = 4
#: a challenge that is longer is none
_LONGEST_CHALLENGE = 4096
#: those of the Recommendation [7.1]; sha1 is what hubs of the years before it sign with
_METHODS = ("sha1", "sha256", "sha384", "sha512")


def request(lease: HubLease, callback: str) -> dict[str, str]:
    """The form that asks the hub for the lease, or to end it [5.1]."""
    form = {"hub.callback": f"{callback}/{lease.key}", "hub.topic": lease.topic}
    if lease.state is HubState.LEAVING:
        return form | {"hub.mode": "unsubscribe"}
    return form | {"hub.mode": "subscribe", "hub.lease_seconds": str(LEASE), "hub.secret": lease.secret}


def asking(lease: HubLease, now: datetime, rng: random.Random) -> HubLease | None:
    """The lease just before the hub is asked: it may confirm while the request still runs, or never.

    None: it was asked to end it often enough.
    """
    if lease.state is HubState.LEAVING and lease.failures >= _LEAVES:
        return None
    wait = min(_PATIENCE * 2.0 ** min(lease.failures, 20), _DAY) * rng.uniform(0.9, 1.1)
    state = lease.state
    if state is HubState.DENIED or (state is HubState.ACTIVE and lease.until is not None and lease.until <= now):
        state = HubState.ASKED
    return replace(lease, state=state, failures=lease.failures + 1, due=later(now, wait))


def intent(lease: HubLease, query: Mapping[str, str], now: datetime) -> tuple[HubLease | None, str] | None:
    """A hub's question whether we mean it [5.3], or its refusal [5.2]: the lease afterwards (None: it is over) and the
    challenge to repeat. None where nothing of the kind was asked for: then nothing changes.
    """
    if query.get("hub.topic") != lease.topic:
        return None
    challenge = query.get("hub.challenge", "")
    match query.get("hub.mode"):
        case "denied" if lease.state is not HubState.LEAVING:
            reason = _line(query.get("hub.reason", "")) or "the hub refused"
            tries = lease.failures + 1
            again = later(now, min(_DAY * tries, 7 * _DAY))
            denied = replace(lease, state=HubState.DENIED, reason=reason, until=None, due=again, failures=tries)
            return denied, ""
        case "subscribe" if lease.state in {HubState.ASKED, HubState.ACTIVE} and _is_challenge(challenge):
            seconds = _seconds(query.get("hub.lease_seconds", ""))
            until, renewal = later(now, seconds), later(now, seconds * _RENEW_AFTER)
            active = replace(lease, state=HubState.ACTIVE, until=until, due=renewal, failures=0, reason="")
            return active, challenge
        case "unsubscribe" if lease.state is HubState.LEAVING and _is_challenge(challenge):
            return None, challenge
        case _:
            return None


def is_signed(header: str, secret: str, body: bytes) -> bool:
    """Whether `X-Hub-Signature` is that of the body [7.1]; compared in constant time."""
    method, _, signature = header.strip().partition("=")
    method = method.strip().lower()
    if method not in _METHODS:
        return False
    right = hmac.new(secret.encode(), body, getattr(hashlib, method)).hexdigest()
    return hmac.compare_digest(right.encode(), signature.strip().lower().encode())


def pushes(lease: HubLease, now: datetime, silence: float) -> bool:
    """Whether the hub can be relied on: a confirmed lease, and a post within the last `silence` seconds."""
    if lease.state is not HubState.ACTIVE or lease.until is None or lease.until <= now or lease.last_push is None:
        return False
    return now - lease.last_push <= timedelta(seconds=silence)


class Standing(StrEnum):
    """What a lease is worth now."""

    #: the hub is relied on, and the feed polled at its longest interval only
    POSTS = "posts"
    #: confirmed, but no post lately, or a poll found what should have been posted
    SILENT = "silent"
    #: not confirmed yet, or it ran out
    ASKED = "asked"
    REFUSED = "refused"


def standing(lease: HubLease, now: datetime, silence: float) -> Standing:
    """Whether the hub is relied on, else why the feed is polled as if it had none. `silence` as in `pushes`."""
    if pushes(lease, now, silence):
        return Standing.POSTS
    if lease.state is HubState.DENIED:
        return Standing.REFUSED
    confirmed = lease.state is HubState.ACTIVE and lease.until is not None and lease.until > now
    return Standing.SILENT if confirmed else Standing.ASKED


def in_words(lease: HubLease, now: datetime, silence: float) -> str:
    """The same for the operator, with the hub and the times."""
    until = f"lease until {lease.until:%Y-%m-%d %H:%M} UTC" if lease.until else "no lease"
    last = f"last post {lease.last_push:%Y-%m-%d %H:%M} UTC" if lease.last_push else "no post since it was confirmed"
    reason = f": {lease.reason}" if lease.reason else ""
    missed = "" if lease.last_push else ", or since it missed news"
    what = {
        Standing.POSTS: f"{until}; {last}",
        Standing.SILENT: f"{until}; {last}{missed}: polled as before",
        Standing.ASKED: f"not confirmed{reason}: polled as before",
        Standing.REFUSED: f"refused{reason}: polled as before, asked again {lease.due:%Y-%m-%d %H:%M} UTC",
    }
    return f"{mask_url(lease.hub)}: {what[standing(lease, now, silence)]}"


def _line(text: str) -> str:
    """One line of printable text."""
    return " ".join("".join([sign if sign.isprintable() else " " for sign in text[:500]]).split())[:200]


def _is_challenge(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_CHALLENGE


def _seconds(text: str) -> float:
    """What the hub gave; hubs older than the Recommendation leave it out and mean what was asked for."""
    given = float(text[:12]) if text.isascii() and text.isdigit() else float(LEASE)
    return min(max(given, _SHORTEST), _LONGEST)
