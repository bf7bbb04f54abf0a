"""A store full of alerts that are due: what a bot finds after an outage of a platform."""

from datetime import UTC, datetime, timedelta

from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    Entry,
    EntryId,
    Feed,
    FeedId,
    PollCommit,
    Story,
    StoryId,
    Subscription,
    SubscriptionId,
    delivery_id,
)
from bot.ports import Store


async def fill(store: Store, chats: int, alerts: int, now: datetime | None = None) -> list[str]:
    """`alerts` rings over `chats` private Telegram chats, all due now; returns the headlines."""
    now = now or datetime.now(UTC)
    feed = FeedId("https://north.example/rss")
    await store.add_feed(Feed(feed, name="North Wire"), now)
    ids = []
    for number in range(1, chats + 1):
        chat = ChatId("telegram", str(number))
        await store.put_chat(Chat(chat))
        ids.append((await store.add_subscription(Subscription(SubscriptionId(0), chat, "ferry", now))).id)
    entries, stories, rows = [], [], []
    for n in range(alerts // chats):
        story, entry, title = StoryId(f"s{n}"), EntryId(f"e{n}"), f"Ferry {n} runs aground"
        text = "All passengers of the ferry were taken off."
        link = f"https://n.example/{n}"
        entries.append(Entry(entry, feed, "North Wire", title, link, str(n), text, now, now, story=story))
        stories.append(Story(story, title, now, now, (entry,)))
        for number in range(1, chats + 1):
            chat = ChatId("telegram", str(number))
            key = delivery_id(chat, story, DeliveryKind.RING, entry)
            rows.append(Delivery(key, chat, story, entry, DeliveryKind.RING, (ids[number - 1],), now, now))
    leased = next(f for f in await store.claim_feeds(now + timedelta(1), 60, 100) if f.feed.id == feed)
    await store.commit(PollCommit(leased.state, leased.epoch, tuple(entries), (), tuple(stories), tuple(rows)))
    return [entry.title for entry in entries]
