"""The nouns of Tocsin: frozen values that flows hand to one another and stores keep.

Every datetime is aware and in UTC. Texts are plain text: no HTML, NUL or control characters but line feeds.
The words are those of docs/glossary.md: RFC 4287 where it has one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, NewType

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

FeedId = NewType("FeedId", str)  # the address as the operator listed it
EntryId = NewType("EntryId", str)  # stable digest of feed, guid, link and title at first sight
StoryId = NewType("StoryId", str)  # derived from the story's first entry
DeliveryId = NewType("DeliveryId", str)  # "chat|story|kind[|entry]": the uniqueness rule of the outbox
SubscriptionId = NewType("SubscriptionId", int)

# ---------------------------------------------------------------- sources


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

# ---------------------------------------------------------------- entries and stories


class Field(StrEnum):
    """The parts of an entry in which words are searched."""

    TITLE = "title"
    SUMMARY = "summary"
    CONTENT = "content"
    CAPTION = "caption"
    CATEGORY = "category"


class Kind(StrEnum):
    """What an entry is within its story (docs/glossary.md)."""

    FIRST = "first"
    REPEAT = "repeat"
    DEVELOPMENT = "development"


@dataclass(frozen=True, slots=True)
class Entry:
    """One article of one outlet, told apart from its earlier copies and edits."""

    id: EntryId
    feed: FeedId
    #: the outlet's name at first sight
    source: str
    title: str
    #: http or https, or ""
    link: str
    guid: str
    summary: str
    #: when it arrived here; order of arrival decides everything
    seen: datetime
    #: stated by the outlet, clamped to `seen` when it lies in the future; `seen` when absent
    published: datetime
    content: str = ""
    captions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    language: str = ""
    #: the feed's tags at first sight
    tags: tuple[str, ...] = ()
    story: StoryId = StoryId("")
    kind: Kind = Kind.FIRST
    #: why it was placed there, in words for /why
    reason: str = ""
    #: what is new, in words, when it is a development
    news: str = ""
    #: earlier headlines of this same entry, oldest first, with the time at which each was replaced
    former_titles: tuple[tuple[str, datetime], ...] = ()
    #: stored at the first poll of its feed: it can't ring
    baseline: bool = False

    def texts(self) -> tuple[tuple[Field, str], ...]:
        """The searched texts by field, in reading order; offsets of hits count in these."""
        return (
            (Field.TITLE, self.title),
            (Field.SUMMARY, self.summary),
            (Field.CONTENT, self.content),
            (Field.CAPTION, "\n".join(self.captions)),
            (Field.CATEGORY, "\n".join(self.categories)),
        )


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is remembered of an entry longer than its text, so that it is never new twice."""

    entry: EntryId
    feed: FeedId
    #: digests within the feed; "" where the entry lacks the part
    guid: str
    link: str
    title: str
    #: last time the feed's body carried it; moved forward at most once a day
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """The cluster of entries about one event."""

    id: StoryId
    #: headline of the first entry
    title: str
    first_seen: datetime
    #: when the newest entry joined; the story rests 72 h later
    last_seen: datetime
    #: members in order of arrival
    entries: tuple[EntryId, ...]
    #: the story that took this one over in a late merge; "" when it stands
    merged_into: StoryId = StoryId("")
    #: the stories that this one took over; their alerts count as its own
    merged: tuple[StoryId, ...] = ()


@dataclass(frozen=True, slots=True)
class Placement:
    """The decision of the clustering for one entry."""

    entry: EntryId
    story: StoryId
    kind: Kind
    #: why, in words for a person: "9 of its 11 rare words and both numbers agree"
    reason: str
    #: what is new, in words ("toll 3 → 11"); "" unless a development
    news: str = ""
    #: stories that this entry showed to be the same as `story`: they are merged into it, and never ring again
    merges: tuple[StoryId, ...] = ()


# ---------------------------------------------------------------- subscriptions


@dataclass(frozen=True, slots=True, order=True)
class ChatId:
    """Where messages go and commands come from."""

    #: "telegram", "slack" or "console"
    platform: str
    #: the platform's own id of the chat or channel
    address: str
    #: forum topic or the like, "" for the chat itself
    thread: str = ""

    def __str__(self) -> str:
        return ":".join((self.platform, self.address, self.thread) if self.thread else (self.platform, self.address))


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat's settings."""

    id: ChatId
    #: IANA name
    timezone: str = "UTC"
    #: local times from and to which nothing sounds; may cross midnight; None: never quiet
    quiet: tuple[time, time] | None = None
    #: "off", "hourly", "daily 08:00" or "weekly mon 08:00"; a subscription's own digest beats it
    digest: str = "off"
    #: UI language, BCP 47
    language: str = "en"
    #: alerts are not sent before; None: not paused; datetime.max (UTC): until resumed
    paused_until: datetime | None = None
    #: "" while it can be written to, else why not ("blocked", "kicked" ...); settings are kept
    gone: str = ""
    title: str = ""
    #: of a private chat: address of the channel or group that its commands are about; "" for the chat itself
    managing: str = ""
    #: of a channel or group: people who managed it from their private chats; their right is asked for each time
    managers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subscription:
    """A chat's wish: ring when an entry matches the query."""

    id: SubscriptionId
    chat: ChatId
    #: canonical text, as `print_query` gives it
    query: str
    created: datetime
    #: ring only when this many independent outlets carry the story
    min_outlets: int = 1
    #: whether developments come as replies
    updates: bool = True
    #: "" follows the chat; else "off", "hourly", "daily 08:00", "weekly mon 08:00"
    digest: str = ""
    #: silent before this time (pause and snooze); None: not
    paused_until: datetime | None = None
    #: whether to tell when it no longer rings though it used to
    alarm: bool = True
    #: when that was last told; None: never
    silence_told: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionChange:
    """One step of the subscription table, for indexes that follow it by number."""

    version: int
    id: SubscriptionId
    #: None: removed
    subscription: Subscription | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A term of a query found in an entry."""

    #: as the query prints it
    term: str
    field: Field
    #: characters of that field's text in `Entry.texts()`, end exclusive
    start: int
    end: int


# ---------------------------------------------------------------- alerts: the outbox


class DeliveryKind(StrEnum):
    """What a delivery does in the chat (docs/glossary.md, the life of an alert)."""

    RING = "ring"
    GROW = "grow"
    DEVELOP = "develop"
    CORRECT = "correct"


class DeliveryState(StrEnum):
    """Where a row of the outbox stands. Only DUE rows are claimed."""

    DUE = "due"
    #: matched, but waits for something that is not a time: a second outlet (`min:2`)
    WAITING = "waiting"
    SENT = "sent"
    #: shown inside another message: an edit already covered it, or a digest carried it
    FOLDED = "folded"
    #: silenced by a mute, a snooze or a pause
    MUTED = "muted"
    #: given up; `reason` says why; shown by /status
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row of the outbox: one thing that one chat is owed about one story."""

    id: DeliveryId
    chat: ChatId
    story: StoryId
    #: the entry that caused it
    entry: EntryId
    kind: DeliveryKind
    #: subscriptions of the chat that matched this entry; empty when it only joined the story
    subscriptions: tuple[SubscriptionId, ...]
    created: datetime
    #: not to be sent before
    due: datetime
    state: DeliveryState = DeliveryState.DUE
    #: claims so far
    attempts: int = 0
    #: why it waits, was muted or died; for /why and /status
    reason: str = ""
    #: when it reached a final state
    settled: datetime | None = None
    #: True while held by quiet hours, a digest or an outage, for honest accounting
    held: bool = False


class Tally(NamedTuple):
    """Rows of the outbox are counted by what these say of them."""

    kind: DeliveryKind
    state: DeliveryState
    #: held back by quiet hours, a digest or an outage
    held: bool
    #: a subscription asked for the entry; False: it only joined a story, or its headline changed
    matched: bool


class Volume(NamedTuple):
    """How much a subscription brings."""

    #: rows of the outbox that name it
    matched: int
    #: rings that reached the chat
    rung: int


class Sizes(NamedTuple):
    """How much a store holds."""

    feeds: int
    entries: int
    stories: int
    chats: int
    subscriptions: int
    #: feeds that fail or are gone, and those paused; none is counted in both
    failing: int
    paused: int


#: the rhythm of a source is counted in steps of this length, from 00:00 UTC
RHYTHM_STEP = timedelta(hours=6)


def delivery_id(chat: ChatId, story: StoryId, kind: DeliveryKind, entry: EntryId) -> DeliveryId:
    """A story rings a chat once: ring ids carry no entry; every other kind is one per entry."""
    stem = f"{chat}|{story}|{kind}"
    return DeliveryId(stem if kind is DeliveryKind.RING else f"{stem}|{entry}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The message that a chat holds about a story: what to edit and to reply to."""

    chat: ChatId
    story: StoryId
    #: the platform's id of the sent message
    message: str
    sent: datetime
    #: last edit; None: never
    edited: datetime | None = None
    #: digest of the text last shown, so that an edit that changes nothing is not sent
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Mute:
    """A story that a chat no longer wants to hear of."""

    chat: ChatId
    story: StoryId
    since: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """One chat's due rows, in order, in one worker's hands until the lease ends."""

    chat: Chat
    #: attempts already counted, `due` already moved to the end of the lease
    deliveries: tuple[Delivery, ...]
    epoch: int


@dataclass(frozen=True, slots=True)
class Action:
    """What a button does; the chat only ever carries the opaque id."""

    id: str
    chat: ChatId
    #: "why", "mute", "snooze", "subscribe", "unsubscribe" ...
    verb: str
    subject: str
    created: datetime


# ---------------------------------------------------------------- what one turn changes


@dataclass(frozen=True, slots=True)
class PollCommit:
    """Everything one poll changed; a store applies all of it or nothing."""

    state: FeedState
    #: of the LeasedFeed; None for entries that came by another way (WebSub)
    epoch: int | None = None
    #: new entries, or known ones with changed text; replaces by id
    entries: tuple[Entry, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    #: created or changed; replaces by id
    stories: tuple[Story, ...] = ()
    #: inserted where the id is new, or where the stored row is WAITING or MUTED; otherwise left as it is
    deliveries: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Settlement:
    """Everything one send changed; a store applies all of it or nothing."""

    chat: ChatId
    #: of the Claim; an older one is refused with LeaseLost
    epoch: int
    #: claimed rows with their new state; claimed rows that are not named stay in the claim, which ends
    #: with its last row (settled, or due again) or with the lease
    deliveries: tuple[Delivery, ...]
    receipts: tuple[Receipt, ...] = ()
    #: the chat can't be written to any more, and why
    gone: str = ""
    #: every row of the chat moves to this id (group → supergroup)
    moved_to: ChatId | None = None
    #: nothing of the chat is given out before, so that what comes meanwhile does not overtake what waits
    wait: datetime | None = None


# ---------------------------------------------------------------- messages


@dataclass(frozen=True, slots=True)
class Span:
    """A run of plain text with a look. Never markup: adapters escape it, so that nothing else can."""

    text: str
    bold: bool = False
    italic: bool = False
    strike: bool = False
    code: bool = False
    #: http or https, or ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """`action` is an `Action.id`: opaque, at most 64 bytes."""

    label: str
    action: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A picture or a document that goes with a message."""

    name: str
    content: bytes = field(repr=False)
    #: a MIME type; image/png is shown, everything else is offered to be saved
    kind: str
    #: what stands in for it where it can't be shown, and what a screen reader says
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    """One send. Line feeds stand in the spans; the first line carries the news."""

    spans: tuple[Span, ...]
    #: rows of buttons
    buttons: tuple[tuple[Button, ...], ...] = ()
    #: sent with it; an edit leaves it as it is
    attachment: Attachment | None = None
    #: no sound on the phone
    silent: bool = False
    #: what the person is asked to type, as a hint in the empty field; "" when nothing is asked
    ask: str = ""

    @property
    def text(self) -> str:
        """The message without looks."""
        return "".join(span.text for span in self.spans)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one message of a platform may be, and how fast they may follow."""

    #: in UTF-16 code units
    length: int
    #: messages a second, over all chats; 0: no limit
    platform_rate: float = 0.0
    #: messages a second in one chat, and how many may come at once
    chat_rate: float = 0.0
    chat_burst: int = 1
    #: messages a minute in a group; 0: no limit
    group_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform has it. `message` is its id there, for edits and replies."""

    message: str


@dataclass(frozen=True, slots=True)
class RetryLater:
    """Not now. `after` in seconds as the platform asked; None: the outbox backs off."""

    reason: str
    after: float | None = None
    #: True when the whole platform (token, workspace) must wait, not just this chat
    platform_wide: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """This message will never be taken; others may."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatGone:
    """The chat can't be written to until it comes back (blocked, kicked, archived, revoked)."""

    reason: str


@dataclass(frozen=True, slots=True)
class ChatMoved:
    """The chat has a new id (group → supergroup)."""

    to: ChatId


SendOutcome = Sent | RetryLater | Refused | ChatGone | ChatMoved


@dataclass(frozen=True, slots=True)
class File:
    """A file that a person sent; only its name has arrived so far."""

    name: str
    #: its bytes, or None when it can't be had or is larger than `FILE_SIZE`
    read: Callable[[], Awaitable[bytes | None]]


#: bytes of a file that is read; lists of feeds are far smaller
FILE_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person did in a chat: typed a line or pressed a button."""

    chat: ChatId
    #: the platform's id of the person
    user: str
    #: the line as typed, "" for a press; commands start with "/" on every platform
    text: str = ""
    #: `Button.action` of the pressed button, "" for a line
    action: str = ""
    #: id of the message that the button is on or the line replies to, ""
    message: str = ""
    #: may change subscriptions here
    admin: bool = True
    #: a private chat: plain text without "/" is meant for the bot
    private: bool = True
    #: the person's UI language, BCP 47, "" unknown
    language: str = ""
    #: the platform's id of the update or event; the same id has one effect. "" where none is needed
    id: str = ""
    #: title of the chat, for people
    title: str = ""
    #: the file that came with it
    file: File | None = None
    #: address that opens a private chat with the bot, and takes `?start=` and `?startgroup=`; "" where there is none
    bot_link: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to an Incoming."""

    message: Message
    #: for the asker's eyes only, where the platform can
    private: bool = False
    #: replaces the message with the pressed button instead of adding one
    replace: bool = False


def later(base: datetime, seconds: float) -> datetime:
    """`base` moved by seconds, never past the end of the calendar."""
    return base + timedelta(seconds=min(seconds, 3.15e9))


# ---------------------------------------------------------------- examination


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `tocsin check` looked at."""

    what: str
    #: "ok", "off", "warning" or "broken"
    verdict: str
    detail: str
    #: what to do about it, ""
    repair: str = ""
