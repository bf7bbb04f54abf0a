"""What the flows need from the world. The docstrings are the contract; tests/contracts/ holds every adapter to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from bot.model import (
        Action,
        Chat,
        ChatId,
        Claim,
        Delivery,
        DeliveryState,
        Entry,
        EntryId,
        Feed,
        FeedId,
        FeedState,
        FetchFailed,
        FetchOutcome,
        Fingerprint,
        HubLease,
        Incoming,
        LeasedFeed,
        Limits,
        Message,
        Mute,
        ParsedFeed,
        ParseFailed,
        PollCommit,
        Receipt,
        Reply,
        Selectors,
        SendOutcome,
        Settlement,
        Sizes,
        Story,
        StoryId,
        Subscription,
        SubscriptionChange,
        SubscriptionId,
        Tally,
        Validators,
        Volume,
        Wait,
    )


class Clock(Protocol):
    """The only source of time and of waiting."""

    def now(self) -> datetime:
        """Wall clock, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring how long something took."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Waits that long by the monotonic clock."""
        ...


class Fetcher(Protocol):
    """Bytes from the web, within limits."""

    async def fetch(self, url: str, validators: Validators, body_hash: str) -> FetchOutcome:
        """One conditional GET with redirects followed.

        Never raises for what a server or network does. Within 30 s in all; the decoded body within the cap; refuses
        every address that is not public unless the operator allowed it. A body whose hash equals `body_hash` is
        NotModified.
        """
        ...

    async def close(self) -> None:
        """Closes all connections."""
        ...


class HubClient(Protocol):
    """Requests to WebSub hubs."""

    async def post(self, url: str, form: Mapping[str, str]) -> FetchFailed | None:
        """Posts a form under the limits and the guard of `Fetcher.fetch`; None when it was accepted (2xx)."""
        ...


class Parser(Protocol):
    """Bytes to entries, safely."""

    async def parse(
        self, body: bytes, content_type: str, url: str, selectors: Selectors | None = None
    ) -> ParsedFeed | ParseFailed:
        """A feed document, or with `selectors` a web page, whose items they name.

        Never raises for what the bytes are, never blocks the event loop, and ends within its limits. A page in which
        the selectors catch no item is ParseFailed.
        """
        ...

    async def close(self) -> None:
        """Ends the worker process."""
        ...


class ArticleReader(Protocol):
    """Articles' own pages to text, under the limits of `Parser`."""

    async def article(self, body: bytes, content_type: str, url: str) -> str:
        """The running text; "" where there is none or it would exceed the limits. Never raises for what the bytes are."""
        ...


class FeedStore(Protocol):
    """Feeds and where polling stands."""

    async def sync_feeds(self, feeds: Sequence[Feed], now: datetime) -> None:
        """Makes the rows of origins "config" and "sample" equal to `feeds`; others stay.

        New rows are due at `now`. State of rows that stay is kept; rows that leave lose theirs, their entries stay.
        """
        ...

    async def add_feed(self, feed: Feed, now: datetime) -> bool:
        """False when it is there already."""
        ...

    async def remove_feed(self, feed: FeedId) -> bool:
        """False when it was not there."""
        ...

    async def feeds(self) -> list[tuple[Feed, FeedState]]:
        """All of them, in the order listed."""
        ...

    async def feed(self, feed: FeedId) -> tuple[Feed, FeedState] | None:
        """One of them; None when it is not listed."""
        ...

    async def claim_feeds(self, now: datetime, lease: float, limit: int, *, force: bool = False) -> list[LeasedFeed]:
        """Due feeds (`next_poll` <= now, not gone, not leased), longest due first; exclusive for `lease` seconds.

        With `force` also those that are not due yet, or in another's hands: what that one brings late is refused.
        """
        ...

    async def claim_feed(self, feed: FeedId, now: datetime, lease: float) -> LeasedFeed | None:
        """This one, due or not, also out of another's hands; None when it is not listed or gone."""
        ...

    async def save_feed(self, state: FeedState, epoch: int) -> None:
        """Ends the lease with a new state and no entries. Raises LeaseLost for an older epoch."""
        ...

    async def next_poll(self, now: datetime) -> datetime | None:
        """When the next feed falls due; None when there is none."""
        ...

    async def hub_leases(self, *, due: datetime | None = None, feed: FeedId | None = None) -> list[HubLease]:
        """Those with `due` <= the given time, or of one feed, or all. They outlive the feed, so that they can be ended."""
        ...

    async def hub_lease(self, key: str) -> HubLease | None:
        """By its key."""
        ...

    async def put_hub_lease(self, lease: HubLease) -> None:
        """Replaces by key."""
        ...

    async def drop_hub_lease(self, key: str) -> None:
        """Idempotent."""
        ...

    async def pause_feed(self, feed: FeedId, *, paused: bool) -> bool:
        """Takes the feed from polling, or gives it back; its rows stay. False when it is not there.

        A poll that is under way is taken in. `sync_feeds` keeps it.
        """
        ...


class EntryStore(Protocol):
    """Entries and stories: what ingest needs, and what commands look up."""

    async def fingerprints(
        self, feed: FeedId, guids: Sequence[str], links: Sequence[str], titles: Sequence[str]
    ) -> list[Fingerprint]:
        """Those of the feed that share a digest with any given one ("" matches nothing)."""
        ...

    async def entries(self, ids: Sequence[EntryId]) -> list[Entry]:
        """Those still kept, in the order asked."""
        ...

    async def entries_since(self, since: datetime) -> list[Entry]:
        """By time seen, oldest first."""
        ...

    async def entries_by_link(self, link: str) -> list[Entry]:
        """Exact link, any feed, newest first."""
        ...

    async def stories(self, ids: Sequence[StoryId]) -> list[Story]:
        """Those still kept, in the order asked."""
        ...

    async def open_stories(self, since: datetime) -> list[Story]:
        """Stories with an entry seen since, by id merged ones left out, oldest first."""
        ...

    async def commit(self, commit: PollCommit) -> None:
        """All of it or nothing, on disk when it returns.

        Raises LeaseLost when `epoch` is not the feed's current one; StoreFull when the disk refuses.
        """
        ...


class SubscriptionStore(Protocol):
    """Chats and their subscriptions."""

    async def chat(self, chat: ChatId) -> Chat | None: ...

    async def chats(self, ids: Sequence[ChatId] | None = None) -> list[Chat]:
        """Those of `ids` that are known, or all, in order of creation."""
        ...

    async def put_chat(self, chat: Chat) -> None: ...

    async def forget_chat(self, chat: ChatId) -> None:
        """Deletes the chat and everything that bears its id."""
        ...

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        """Every row that bears the old id bears the new one from now on, as `Settlement.moved_to` does; idempotent."""
        ...

    async def subscriptions(self, chat: ChatId) -> list[Subscription]:
        """In order of creation."""
        ...

    async def add_subscription(self, subscription: Subscription) -> Subscription:
        """The id given is ignored; the store gives the next one, never used before."""
        ...

    async def update_subscription(self, subscription: Subscription) -> bool:
        """False when it is no longer there."""
        ...

    async def remove_subscription(self, subscription: SubscriptionId) -> bool:
        """False when it was not there."""
        ...

    async def subscription_changes(self, after: int) -> list[SubscriptionChange]:
        """Every subscription whose last change has a version above `after`, by version; removed ones too.

        With `after` 0 all that exist now.
        """
        ...

    async def mute(self, mute: Mute) -> None: ...

    async def mutes(self, stories: Sequence[StoryId]) -> list[Mute]: ...

    async def put_actions(self, actions: Sequence[Action]) -> None:
        """Idempotent by id."""
        ...

    async def action(self, action: str, chat: ChatId) -> Action | None:
        """None for an unknown id and for another chat's."""
        ...


class Outbox(Protocol):
    """At-least-once deliveries."""

    async def deliveries(self, chat: ChatId | None, stories: Sequence[StoryId]) -> list[Delivery]:
        """Rows of these stories, of one chat or of all, in order of creation."""
        ...

    async def rings(self, stories: Sequence[StoryId]) -> list[Delivery]:
        """Rows of kind RING of these stories, of all chats, in order of creation."""
        ...

    async def alerts_since(self, since: datetime) -> list[Delivery]:
        """Rows of kind RING and DEVELOP created at or after, of all chats and in any state, in order of creation."""
        ...

    async def claim_deliveries(self, now: datetime, lease: float, limit: int) -> list[Claim]:
        """Up to `limit` chats with due rows, longest due first, each with its due rows in order of creation.

        Counts the attempt and moves `due` to the end of the lease before it returns. One chat's rows are in one
        claim only. Chats that are gone or paused platforms are not given out. Rows of one claim: at most 200.
        """
        ...

    async def settle(self, settlement: Settlement) -> None:
        """All of it or nothing. Raises LeaseLost for an older epoch.

        One claim may be settled in several steps (one a send): rows not named stay claimed until the lease ends; the
        chat can be claimed again when none of the claim's rows is left in it. A row settled as DUE is free again.
        """
        ...

    async def receipts(self, chat: ChatId, stories: Sequence[StoryId]) -> list[Receipt]:
        """By time sent, oldest first. One a message: settling a receipt replaces that of the same message."""
        ...

    async def receipt_of(self, chat: ChatId, message: str) -> Receipt | None:
        """By the platform's message id."""
        ...

    async def release_held(self, chat: ChatId, now: datetime) -> int:
        """Held rows of the chat that nobody has claimed fall due: what they were held for was changed. How many."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """When the next row that may be claimed falls due; None when there is none."""
        ...

    async def counts(self, chat: ChatId | None, since: datetime) -> dict[Tally, int]:
        """Rows created since, and older ones that are still DUE or WAITING; of one chat or all."""
        ...

    async def oldest_held(self, chat: ChatId | None) -> datetime | None:
        """Creation time of the oldest row that is held or due."""
        ...

    async def dead(self, chat: ChatId | None, limit: int) -> list[Delivery]:
        """Given up, newest first."""
        ...


class Overview(Protocol):
    """What the page shows. Newest first, `limit` after the first `offset`; as quick as that is small."""

    async def latest_stories(self, offset: int, limit: int) -> list[Story]:
        """By their newest entry; without those merged into others."""
        ...

    async def latest_rings(self, offset: int, limit: int) -> list[Delivery]:
        """Rows of kind RING in whatever state, by creation."""
        ...

    async def outbox(self, states: Collection[DeliveryState], offset: int, limit: int) -> list[Delivery]:
        """Rows in these states, by creation."""
        ...

    async def latest_subscriptions(self, offset: int, limit: int) -> list[Subscription]:
        """By creation."""
        ...

    async def volumes(self, subscriptions: Sequence[Subscription], since: datetime) -> dict[SubscriptionId, Volume]:
        """What rows created since say of each; changed headlines don't count."""
        ...

    async def rhythm(self, feeds: Sequence[FeedId], since: datetime, steps: int) -> dict[FeedId, list[int]]:
        """Kept entries by time of publication, in so many steps of RHYTHM_STEP from the one that `since` falls into."""
        ...

    async def sizes(self) -> Sizes:
        """How many of everything there are."""
        ...

    async def revive(self, delivery: Delivery) -> bool:
        """Puts the row in the place of the same one, which is DEAD; False, and nothing, when that is not so."""
        ...

    async def check_writable(self) -> None:
        """Writes something without meaning. Raises StoreError with the reason why nothing can be kept now."""
        ...


class PaceStore(Protocol):
    """What pace must survive a restart of the one process that sends. Where several send, the store has the pace itself."""

    async def waits(self) -> list[Wait]:
        """All that were put, the last of each kind and name; those that are long over may be missing."""
        ...

    async def put_waits(self, waits: Sequence[Wait]) -> None:
        """Replaces those of the same kind and name."""
        ...


class Store(FeedStore, EntryStore, SubscriptionStore, Outbox, Overview, Protocol):
    """One store implements all of it; each flow asks for its part."""

    async def retain(self, entries: datetime, fingerprints: datetime, deliveries: datetime) -> int:
        """Drops entries and stories last seen before, fingerprints last seen before (never one that the feed's last
        parsed body may still carry: its last_seen >= the feed's last_parsed - 2 days), settled deliveries with
        their receipts and actions, and deliveries that still wait but whose story is no longer kept. Returns how many
        rows left.
        """
        ...

    async def compact(self) -> None:
        """Does the housekeeping that keeps opening fast; commits go on meanwhile."""
        ...

    async def close(self) -> None:
        """Flushes and lets go of the store."""
        ...


class CommandHandler(Protocol):
    """What chat adapters hand people's doings to."""

    def changes(self, incoming: Incoming) -> bool:
        """Whether it would change something, so that adapters ask for the person's rights only then."""
        ...

    async def answer(self, incoming: Incoming) -> Reply | None:
        """Never raises for anything a person can do. None: nothing to say."""
        ...

    async def added(self, incoming: Incoming, room: Chat) -> Reply | None:
        """The bot may write in `room` now, a channel in which it can't be spoken to like in a group.

        `incoming` is the private chat of who let it in; the reply is for there.
        """
        ...

    async def listed(self, chat: ChatId) -> tuple[Chat | None, Sequence[Subscription]]:
        """The chat (None when it is not known) and its subscriptions, for views that are more than text."""
        ...


class Pace(Protocol):
    """When the next message may go, by the limits of its platform and chat, for all who send together."""

    async def turn(self, chat: ChatId, *, limits: Limits, group: bool, patience: float | None = None) -> float:
        """Waits for the next moment that all limits allow, and books it; 0.0.

        Where the chat's own limits, or a wait that its platform asked for, would take more than `patience` seconds,
        books nothing and returns at once how many they take.
        """
        ...

    async def block(self, platform: str, seconds: float) -> None:
        """Nothing goes to the platform for so long: it asked us to wait as a whole."""
        ...


class Messenger(Protocol):
    """A chat platform. Every method classes what the platform answers; none raises for it."""

    #: "telegram", "slack", "console"
    platform: str
    limits: Limits

    def is_group(self, chat: ChatId) -> bool:
        """Whether group rates apply."""
        ...

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        """One new message, as a reply (or in the thread) under `reply_to` when given and still there."""
        ...

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        """Replaces a sent message. "Not modified" is Sent; a message that is no longer there is Refused."""
        ...

    async def direct(self, user: str) -> ChatId | None:
        """The private chat with a person, as far as the platform tells; they need not have written to the bot."""
        ...

    async def managed(self, user: str, name: str) -> Chat | None:
        """The channel or group of that id or @name, with its title, if this person is an admin there.

        None where they are not, where the bot can't tell, and on platforms whose rooms are managed in them.
        """
        ...

    async def run(self, handler: CommandHandler) -> None:
        """Hears people until cancelled; answers them itself with what the handler says."""
        ...

    async def close(self) -> None: ...
