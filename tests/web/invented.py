"""A store full of plausible invented news, as the page would find it: for its tests, its benchmark and its pictures."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

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
    Kind,
    PollCommit,
    Receipt,
    Settlement,
    Story,
    StoryId,
    Subscription,
    SubscriptionId,
    delivery_id,
)
from bot.ports import Store

OUTLETS = (
    "North Wire", "Harbour Post", "Levant Daily", "Coast Radio", "Plain Facts", "The Evening Ledger", "Meridian",
    "Valley Tribune", "Seven Seas News", "Morning Dispatch", "أخبار الساحل", "Вечерний Курьер",
)  # fmt: skip
PLACES = (
    "Idlib", "Ariha", "the northern harbour", "Port Salma", "the Kara valley", "Lower Brenna", "the old town", "Maro",
    "the eastern pass", "Tal Rifa",
)  # fmt: skip
EVENTS = (
    ("Monitors enter {place} after a night of shelling", "toll 9 → 14"),
    ("Ferry with 212 aboard runs aground off {place}", "all aboard are safe"),
    ("Parliament votes to reopen the road to {place}", "vote 61 to 48"),
    ("Earthquake of 5.8 shakes {place}", "magnitude 5.8 → 6.1"),
    ("Air defence battery moved towards {place}", "a second battery is seen"),
    ("Power returns to {place} after three days", "18,000 homes still dark"),
    ("Talks on {place} end without an agreement", "talks resume on Friday"),
    ("Flood water recedes in {place}", "two bridges are open again"),
    ("Court orders a new inquiry into the {place} fire", "three people are charged"),
    ("Aid convoy reaches {place}", "a second convoy is turned back"),
)
QUERIES = (
    "Idlib",
    '"air defence" -exercise',
    "earthquake",
    "ferry",
    "S-300",
    "Ariha min:2",
    "parliament vote",
    "flood*",
)
HERE = ChatId("telegram", "-100200300")
CHATS = (HERE, ChatId("telegram", "71234567"), ChatId("slack", "C0123ABCD"), ChatId("console", "here"))


async def invent(store: Store, now: datetime, *, stories: int = 24, sources: int = 12, seed: int = 7) -> None:
    """Fills an empty store as a week of running would have."""
    rng = Random(seed)
    feeds = [
        Feed(FeedId(f"https://feeds.example/{n}?token=hush{n}"), name=_name(n), origin="added") for n in range(sources)
    ]
    await store.sync_feeds(feeds, now)
    await _poll_states(store, rng, now)
    for chat in CHATS:
        await store.put_chat(Chat(chat, title="Somebody's private title"))
    subscriptions = [
        await store.add_subscription(
            Subscription(SubscriptionId(0), CHATS[n % 3], query, now - timedelta(days=20), min_outlets=1)
        )
        for n, query in enumerate(QUERIES)
    ]
    await store.commit(
        PollCommit(FeedState(FeedId("https://none.example/"), now), None, tuple(_before(rng, feeds, now)))
    )
    for number in range(stories):
        begin = now - timedelta(minutes=4 + 11 * (stories - number) * rng.uniform(0.9, 1.1))
        await _story(store, rng, feeds, subscriptions, number, min(begin, now), now)


def _name(number: int) -> str:
    return OUTLETS[number] if number < len(OUTLETS) else f"{OUTLETS[number % 10]} {number // 10}"


def _before(rng: Random, feeds: list[Feed], now: datetime) -> list[Entry]:
    """A week of other news, by day more than by night, so that sources have a rhythm."""
    entries = []
    for n, feed in enumerate(feeds[:60]):
        for m in range(rng.choice((4, 15, 30, 50))):
            at = now - timedelta(hours=rng.uniform(3, 168))
            if 1 <= at.hour < 6 and rng.random() < 0.8:
                at += timedelta(hours=8)
            at = min(at, now)
            entries.append(
                Entry(EntryId(f"old{n}-{m}"), feed.id, feed.name, f"Other news {m}", "", "", "", at, at, baseline=True)
            )
    return entries


async def _poll_states(store: Store, rng: Random, now: datetime) -> None:
    for number, leased in enumerate(await store.claim_feeds(now, 60, 100_000)):
        state: FeedState = replace(
            leased.state, last_ok=now - timedelta(seconds=rng.randrange(20, 900)), last_parsed=now, interval=600,
            next_poll=now + timedelta(seconds=rng.randrange(30, 900)),
        )  # fmt: skip
        if number == 3 or number % 97 == 50:
            state = replace(
                state, failures=7, error="the certificate has expired", failing_since=now - timedelta(days=2)
            )
        await store.save_feed(state, leased.epoch)


async def _story(
    store: Store,
    rng: Random,
    feeds: list[Feed],
    subscriptions: list[Subscription],
    number: int,
    begin: datetime,
    now: datetime,
) -> None:
    title, news = EVENTS[number % len(EVENTS)]
    title = title.format(place=PLACES[(number * 7 + number // len(EVENTS)) % len(PLACES)])
    name = StoryId(f"story{number}")
    count = rng.choice((1, 1, 2, 3, 4, 6))
    entries = []
    for n in range(count):
        feed = feeds[(number * 5 + n) % len(feeds)]
        kind = Kind.FIRST if n == 0 else Kind.DEVELOPMENT if n == 3 else Kind.REPEAT
        seen = min(begin + timedelta(minutes=9 * n), now)
        entries.append(
            Entry(
                EntryId(f"entry{number}-{n}"), feed.id, feed.name, title if n == 0 else f"{title}, says {feed.name}",
                f"https://news.example/{number}/{n}", f"g{number}-{n}", "Invented for a picture.", seen, seen,
                story=name, kind=kind, language="en",
                reason="" if n == 0 else f"{rng.randrange(5, 11)} of its 11 rare words and 2 of 2 numbers agree",
                news=news if kind is Kind.DEVELOPMENT else "",
            )
        )  # fmt: skip
    story = Story(name, title, begin, entries[-1].seen, tuple(entry.id for entry in entries))
    rows = _rows(rng, subscriptions[number % len(subscriptions)], story, entries, number)
    await store.commit(
        PollCommit(FeedState(FeedId("https://none.example/"), now), None, tuple(entries), (), (story,), tuple(rows))
    )
    if rows and rows[0].state is DeliveryState.SENT and number < 200:
        await _receipt(store, rows[0], entries[-1].seen)


def _rows(rng: Random, subscription: Subscription, story: Story, entries: list[Entry], number: int) -> list[Delivery]:
    rows = []
    for n, entry in enumerate(entries):
        kind = DeliveryKind.RING if n == 0 else DeliveryKind.DEVELOP if n == 3 else DeliveryKind.GROW
        state = DeliveryState.SENT if n in (0, 3) or n % 2 else DeliveryState.FOLDED
        reason, held, due = "", False, entry.seen
        if number % 9 == 4:
            state, reason, held, due = DeliveryState.DUE, "quiet hours", True, entry.seen + timedelta(hours=9)
        elif number % 11 == 6:
            state, reason = DeliveryState.DEAD, "gave up: the chat answers 400 Bad Request"
        elif number % 13 == 8:
            state, reason = DeliveryState.MUTED, "paused"
        rows.append(
            Delivery(
                delivery_id(subscription.chat, story.id, kind, entry.id), subscription.chat, story.id, entry.id, kind,
                (subscription.id,), entry.seen, due, state, 1 if state is not DeliveryState.DEAD else 96, reason,
                None if state is DeliveryState.DUE else entry.seen, held,
            )
        )  # fmt: skip
    return rows


async def _receipt(store: Store, ring: Delivery, edited: datetime) -> None:
    """Sent rows have a receipt, which only settling writes: a row of its own is claimed and settled for it."""
    extra = replace(ring, id=delivery_id(ring.chat, ring.story, DeliveryKind.CORRECT, ring.entry), kind=DeliveryKind.CORRECT,
                    state=DeliveryState.DUE, subscriptions=(), settled=None, due=ring.created)  # fmt: skip
    await store.commit(PollCommit(FeedState(FeedId("https://none.example/"), edited), None, deliveries=(extra,)))
    for claim in await store.claim_deliveries(ring.created, 1, 50):
        done = tuple(replace(row, state=DeliveryState.SENT, settled=edited) for row in claim.deliveries)
        receipt = Receipt(ring.chat, ring.story, f"m{ring.story}", ring.created, edited)
        await store.settle(
            Settlement(claim.chat.id, claim.epoch, done, (receipt,) if claim.chat.id == ring.chat else ())
        )
