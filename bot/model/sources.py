"""Sources: feeds, where polling them stands, and what a poll brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.ids import FeedId


@dataclass(frozen=True, slots=True)
class Selectors:
    """CSS selectors of a page without a feed; all but `item` count within one item. "" leaves the part to its default."""

    item: str
    #: default: the first heading, else the first link
    title: str = ""
    #: default: the first link; the address is its href
    link: str = ""
    #: default: no summary
    summary: str = ""
    #: of an image (its alt and title) or of an element with the caption's text; default: images with an alt
    caption: str = ""
    #: of an element with a datetime attribute or an ISO date in its text; default: the first <time>
    date: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed the operator listed: identity and wishes, no poll state."""

    #: the address as listed; also where it is first fetched
    id: FeedId
    #: the outlet's name as shown to people; "" until the feed itself gives one
    name: str = ""
    #: ISO 639-1 code the operator declared; "" means: trust the feed, else detect
    language: str = ""
    #: the operator's labels, matched by `tag:`
    tags: tuple[str, ...] = ()
    #: seconds between polls the operator asked for; None means the schedule decides
    interval: float | None = None
    #: who listed it: "config", "added" (command or chat) or "sample"
    origin: str = "config"
    #: outlets with the same owner count as one for `min:2`; "" means the outlet stands for itself
    owner: str = ""
    #: where the items stand in a page that is no feed; None: the address is a feed's
    selectors: Selectors | None = None
    #: not polled until the operator says so; survives what the configuration says of the feed
    paused: bool = False
    #: fetch the pages of its new entries for their full text
    fulltext: bool = False


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional GET sends back (RFC 9110 section 13.1)."""

    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class FeedState:
    """Where polling of one feed stands."""

    feed: FeedId
    #: when the feed is due next
    next_poll: datetime
    #: the address to fetch now; differs from the feed's id after a permanent move
    url: str = ""
    validators: Validators = Validators()
    #: xxh3 of the last body, so that an unchanged body is known before it is parsed
    body_hash: str = ""
    #: failures in a row
    failures: int = 0
    #: why the last poll failed, in words for a person; "" when it went well
    error: str = ""
    #: since when it fails; None when it is well
    failing_since: datetime | None = None
    #: last time the server answered well (200 or 304); None: never
    last_ok: datetime | None = None
    #: last time a body was parsed; None means nothing was stored yet: the next poll is the baseline
    last_parsed: datetime | None = None
    #: last time it gave a new entry
    last_entry: datetime | None = None
    #: the title the feed gives itself
    title: str = ""
    #: seconds, as the schedule last chose
    interval: float = 0.0
    #: a permanent redirect seen but not yet trusted, and how often in a row
    moved_to: str = ""
    moves: int = 0
    #: True when the server said 410 Gone; it is not polled again until the operator asks
    gone: bool = False
    #: seconds that the publisher asks us to wait between polls (ttl, Cache-Control ...); 0: no wish
    publisher_interval: float = 0.0
    #: hours of the day (UTC) and days (0 = Monday) on which the publisher asks not to be polled
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    #: when the operator was last told of the failure that lasts; None: not yet
    told: datetime | None = None


@dataclass(frozen=True, slots=True)
class LeasedFeed:
    """A due feed in one poller's hands until the lease ends."""

    feed: Feed
    state: FeedState
    #: the settling commit must carry it; an older one is refused with LeaseLost
    epoch: int


class HubState(StrEnum):
    """Where a lease at a WebSub hub stands."""

    #: to be asked for, or asked for and not yet confirmed by the hub
    ASKED = "asked"
    #: confirmed: the hub posts what is new
    ACTIVE = "active"
    #: the hub refused; it is asked again later
    DENIED = "denied"
    #: to be given back: the feed names another hub or none, or is no longer listed
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class HubLease:
    """A subscription at a WebSub hub (W3C Recommendation, 23 January 2018): the hub posts a feed's updates to us."""

    #: last part of our address that the hub calls; who knows it is the hub
    key: str = field(repr=False)
    feed: FeedId
    hub: str
    topic: str
    #: signs what the hub posts
    secret: str = field(repr=False)
    #: when the hub is to be asked next: for the first time, again, or to renew or end the lease
    due: datetime
    state: HubState = HubState.ASKED
    #: end of the confirmed lease
    until: datetime | None = None
    #: requests since the last confirmation; 0: nothing is asked at present
    failures: int = 0
    #: why it is not active, in words; ""
    reason: str = ""
    #: when the hub last posted something that could be read
    last_push: datetime | None = None


@dataclass(frozen=True, slots=True)
class ParsedEntry:
    """An Atom entry or RSS item as the parser gives it, before anyone knows whether it is new."""

    title: str
    link: str = ""
    guid: str = ""
    #: the short text: description, summary, or "" when there is none
    summary: str = ""
    #: the long text: content:encoded, atom:content, content_html
    content: str = ""
    #: captions and alternative texts of images
    captions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    #: as the feed states it, unclamped; None when absent or unreadable
    published: datetime | None = None
    updated: datetime | None = None
    #: ISO 639-1, declared by feed or operator, else detected; "" unknown
    language: str = ""


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """A feed document, parsed."""

    title: str
    entries: tuple[ParsedEntry, ...]
    link: str = ""
    language: str = ""
    #: seconds (RSS ttl, sy:updatePeriod); 0 when the feed has no wish
    ttl: float = 0.0
    #: hours of the day (UTC) and days (0 = Monday) on which the publisher asks not to be polled
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    #: WebSub hub and topic, "" when there is none
    hub: str = ""
    topic: str = ""
    #: what was wrong with the document though it could be read; ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ParseFailed:
    """Not a feed, or one that exceeded the parser's limits."""

    reason: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body, unpacked and within the cap."""

    body: bytes
    content_type: str
    validators: Validators
    #: the address that answered, after redirects
    url: str
    #: where 301/308 redirects alone lead, "" without them
    permanent_url: str = ""
    #: seconds (Cache-Control max-age, Expires); 0 when there is none
    max_age: float = 0.0
    body_hash: str = ""
    #: WebSub hub and topic of the Link header (RFC 8288), "" when there is none
    hub: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class NotModified:
    """304, or a body with the same hash as the last one."""

    validators: Validators
    max_age: float = 0.0
    #: where 301/308 redirects alone lead, "" without them
    permanent_url: str = ""


@dataclass(frozen=True, slots=True)
class FetchFailed:
    """No usable body this time."""

    #: in words for a person; no secret of the address in it
    reason: str
    #: seconds the server asked us to wait; None when it did not say
    retry_after: float | None = None
    #: HTTP status, 0 when there was none
    status: int = 0


@dataclass(frozen=True, slots=True)
class FeedGone:
    """410: the publisher withdrew the feed for good."""

    reason: str = "410 Gone"


FetchOutcome = Fetched | NotModified | FetchFailed | FeedGone
