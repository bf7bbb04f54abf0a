"""Values for tests of stores."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Entry,
    EntryId,
    Feed,
    FeedId,
    FeedState,
    Fingerprint,
    PollCommit,
    Receipt,
    Story,
    StoryId,
    Subscription,
    SubscriptionId,
    delivery_id,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
ANNA = ChatId("telegram", "-100123", "7")
BORIS = ChatId("slack", "C0:1%")
FEED = FeedId("https://example.org/feed?a=1")


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def feed(address: str = FEED, **fields: object) -> Feed:
    return replace(Feed(FeedId(address)), **fields)  # type: ignore[arg-type]


def state(address: str = FEED, due: datetime = NOW, **fields: object) -> FeedState:
    return replace(FeedState(FeedId(address), due), **fields)  # type: ignore[arg-type]


def entry(name: str = "e1", story: str = "s1", **fields: object) -> Entry:
    plain = Entry(
        EntryId(name), FEED, "Wire", f"Title {name} — é, “q”", f"https://example.org/{name}", f"guid-{name}",
        "A summary\nof two lines", NOW, NOW - timedelta(minutes=3), story=StoryId(story),
    )  # fmt: skip
    return replace(plain, **fields)  # type: ignore[arg-type]


def fingerprint(name: str = "e1", seen: datetime = NOW, address: str = FEED) -> Fingerprint:
    return Fingerprint(EntryId(name), FeedId(address), f"g-{name}", f"l-{name}", f"t-{name}", seen)


def story(name: str = "s1", seen: datetime = NOW, **fields: object) -> Story:
    return replace(Story(StoryId(name), f"Story {name}", seen, seen, (EntryId("e1"),)), **fields)  # type: ignore[arg-type]


def delivery(
    chat: ChatId = ANNA,
    story: str = "s1",
    kind: DeliveryKind = DeliveryKind.RING,
    entry: str = "e1",
    created: datetime = NOW,
    **fields: object,
) -> Delivery:
    name = delivery_id(chat, StoryId(story), kind, EntryId(entry))
    ids = (SubscriptionId(1), SubscriptionId(2))
    plain = Delivery(name, chat, StoryId(story), EntryId(entry), kind, ids, created, created)
    return replace(plain, **fields)  # type: ignore[arg-type]


def sent(row: Delivery, at: datetime = NOW) -> Delivery:
    return replace(row, state=DeliveryState.SENT, settled=at)


def receipt(chat: ChatId = ANNA, story: str = "s1", message: str = "m1", at: datetime = NOW) -> Receipt:
    return Receipt(chat, StoryId(story), message, at)


def subscription(chat: ChatId = ANNA, query: str = "idlib") -> Subscription:
    return Subscription(SubscriptionId(0), chat, query, NOW)


def chat(chat_id: ChatId = ANNA, **fields: object) -> Chat:
    return replace(Chat(chat_id), **fields)  # type: ignore[arg-type]


def commit(*deliveries: Delivery, address: str = "https://hub.example.org", **fields: object) -> PollCommit:
    """A commit that came without a lease, of an unlisted feed."""
    return replace(PollCommit(state(address)), deliveries=deliveries, **fields)  # type: ignore[arg-type]
