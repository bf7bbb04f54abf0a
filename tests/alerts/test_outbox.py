"""One story rings a chat once, and every matching entry leaves one row behind."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bot.alerts.outbox import Told, agency_of, corrected, independent_outlets, owed, retry_at
from bot.model import (
    Chat,
    ChatId,
    Delivery,
    DeliveryKind,
    DeliveryState,
    Entry,
    EntryId,
    FeedId,
    Kind,
    StoryId,
    Subscription,
    SubscriptionId,
    delivery_id,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HERE = ChatId("telegram", "1")
STORY = StoryId("s1")


def entry(name: str = "e1", kind: Kind = Kind.FIRST, **more: object) -> Entry:
    base = Entry(
        id=EntryId(name), feed=FeedId("https://n.example/"), source="North Wire", title="T", link="", guid="",
        summary="", seen=NOW, published=NOW, story=STORY, kind=kind,
    )  # fmt: skip
    return replace(base, **more)  # type: ignore[arg-type]


def sub(number: int = 1, **more: object) -> Subscription:
    return replace(Subscription(SubscriptionId(number), HERE, f"q{number}", NOW), **more)  # type: ignore[arg-type]


def decide(
    new: Entry,
    subs: list[Subscription],
    told: Told | None = None,
    *,
    outlets: int = 1,
    chat: Chat | None = None,
    all_subs: list[Subscription] | None = None,
) -> list[Delivery]:
    return owed(
        new,
        matched={HERE: subs} if subs else {},
        told={HERE: told} if told else {},
        chats={HERE: chat or Chat(HERE)},
        subscriptions={s.id: s for s in (all_subs or subs)},
        outlets=outlets,
        now=NOW,
    )


def rung(subs: list[Subscription], state: DeliveryState = DeliveryState.SENT, story: StoryId = STORY) -> Told:
    ids = tuple(s.id for s in subs)
    key = delivery_id(HERE, story, DeliveryKind.RING, EntryId("e0"))
    return Told(Delivery(key, HERE, story, EntryId("e0"), DeliveryKind.RING, ids, NOW, NOW, state))


def short(rows: list[Delivery]) -> list[tuple[str, str]]:
    return [(row.kind, row.state) for row in rows]


LATER = NOW + timedelta(hours=1)
PAUSED = Chat(HERE, paused_until=LATER)


@pytest.mark.parametrize(
    ("why", "kind", "subs", "told", "chat", "expected"),
    [
        ("a match rings", Kind.FIRST, [sub()], None, None, [("ring", "due")]),
        ("a repeat that this chat never heard of rings too", Kind.REPEAT, [sub()], None, None, [("ring", "due")]),
        ("no match, nothing owed", Kind.FIRST, [], None, None, []),
        ("a second match grows the alert", Kind.REPEAT, [sub()], rung([sub()]), None, [("grow", "due")]),
        ("a joining entry without a match grows it too", Kind.REPEAT, [], rung([sub()]), None, [("grow", "due")]),
        ("a development is a reply", Kind.DEVELOPMENT, [], rung([sub()]), None, [("develop", "due")]),
        ("paused: recorded, not sent", Kind.FIRST, [sub()], None, PAUSED, [("grow", "muted")]),
        ("snoozed keyword", Kind.FIRST, [sub(paused_until=LATER)], None, None, [("grow", "muted")]),
        ("one of two snoozed: the other rings", Kind.FIRST, [sub(paused_until=LATER), sub(2)], None, None, [("ring", "due")]),
        ("a muted story stays silent", Kind.DEVELOPMENT, [sub()], replace(rung([sub()]), muted=True), None, [("grow", "muted")]),
        ("muted, and no match: no row", Kind.REPEAT, [], replace(rung([sub()]), muted=True), None, []),
    ],
)  # fmt: skip
def test_what_is_owed(
    why: str,
    kind: Kind,
    subs: list[Subscription],
    told: Told | None,
    chat: Chat | None,
    expected: list[tuple[str, str]],
) -> None:
    """The life of an alert, decision by decision."""
    rows = decide(entry(kind=kind), subs, told, chat=chat, all_subs=subs or [sub()])
    assert short(rows) == expected, why


def test_a_silenced_ring_stays_counted_when_a_later_entry_rings() -> None:
    """Ring ids name no entry: the one that was muted in time must not vanish from the account."""
    stopped = replace(rung([sub()]).ring, state=DeliveryState.MUTED, reason="paused", settled=NOW)  # type: ignore[type-var]
    rows = decide(entry("e2", Kind.REPEAT), [sub()], Told(stopped=stopped))
    assert short(rows) == [("ring", "due"), ("grow", "muted")]
    assert [row.entry for row in rows] == ["e2", "e0"]
    # an edit of the very entry takes its own row's place
    assert short(decide(entry("e0"), [sub()], Told(stopped=stopped))) == [("ring", "due")]


def test_updates_can_be_switched_off() -> None:
    """A development of a subscription without updates makes the message grow instead of ringing."""
    quiet = sub(updates=False)
    assert short(decide(entry(kind=Kind.DEVELOPMENT), [], rung([quiet]), all_subs=[quiet])) == [("grow", "due")]


def test_nothing_more_after_unsubscribing() -> None:
    """I4: nothing to a chat that is not subscribed any more."""
    assert decide(entry(kind=Kind.DEVELOPMENT), [], rung([sub(7)]), all_subs=[sub(1)]) == []


def test_a_forgotten_chat_gets_nothing() -> None:
    """A chat that was deleted between match and decision must not come back to life."""
    rows = owed(entry(), matched={HERE: [sub()]}, told={}, chats={}, subscriptions={}, outlets=1, now=NOW)
    assert rows == []


def test_min_two_waits_and_then_rings_once() -> None:
    """`min:2` rings with the second independent outlet, also when that one's text does not match by itself."""
    two = sub(min_outlets=2)
    first = decide(entry(), [two])
    assert short(first) == [("ring", "waiting")]
    waiting = Told(first[0])
    assert short(decide(entry("e2", Kind.REPEAT), [], waiting, outlets=1, all_subs=[two])) == [("ring", "waiting")]
    rows = decide(entry("e2", Kind.REPEAT), [], waiting, outlets=2, all_subs=[two])
    assert short(rows) == [("ring", "due")]
    assert rows[0].id == first[0].id
    both = decide(entry("e2", Kind.REPEAT), [two], waiting, outlets=2, all_subs=[two])
    assert short(both) == [("ring", "due"), ("grow", "due")]


def test_min_two_does_not_delay_another_subscription() -> None:
    """The plain subscription rings at once, and the message names only it."""
    rows = decide(entry(), [sub(1, min_outlets=2), sub(2)])
    assert short(rows) == [("ring", "due")]
    assert rows[0].subscriptions == (2,)


def test_a_merged_story_keeps_its_own_alert() -> None:
    """After a late merge the row goes under the message that the chat already has, and never rings again."""
    told = rung([sub()], story=StoryId("s0"))
    rows = decide(entry(kind=Kind.DEVELOPMENT), [sub()], told)
    assert [(row.story, row.kind) for row in rows] == [("s0", "develop")]


def test_corrections_go_where_the_headline_stands() -> None:
    """Only the alert that shows the changed headline is corrected, once per change."""
    ring = rung([sub()]).ring
    assert ring is not None
    changed = entry("e0", former_titles=(("old", NOW),))
    once, twice = (
        corrected(changed, [ring], NOW),
        corrected(replace(changed, former_titles=(("a", NOW), ("b", NOW))), [ring], NOW),
    )
    assert len(once) == len(twice) == 1
    assert once[0].id != twice[0].id
    assert corrected(entry("other", former_titles=(("old", NOW),)), [ring], NOW) == []


@pytest.mark.parametrize(
    ("entries", "count"),
    [
        ([entry()], 1),
        ([entry(), entry("e2", source="Harbour Post")], 2),
        ([entry(), entry("e2")], 1),
        ([entry(summary="ARIHA (Reuters) - Shells"), entry("e2", source="Harbour Post", authors=("Reuters",))], 1),
        ([entry(), entry("e2", source="Harbour Post", summary="By AP. text")], 2),
        ([entry(feed=FeedId("a"), source="A"), entry("e2", feed=FeedId("b"), source="B")], 1),
    ],
)
def test_independent_outlets(entries: list[Entry], count: int) -> None:
    """Agency copies and outlets of one owner count once."""
    assert independent_outlets(entries, {FeedId("a"): "group", FeedId("b"): "group"}) == count


def test_an_agency_named_in_passing_is_no_credit() -> None:
    """A story about an agency is not agency copy."""
    text = (
        "The minister spoke for an hour about the reform of the press law. He then told reporters of Reuters to leave. "
        * 3
    )
    assert agency_of(entry(summary=text)) == ""


def test_retries_back_off_and_obey_the_platform() -> None:
    """429 exactly as asked; otherwise doubling, with jitter, never past the cap."""
    row = rung([sub()]).ring
    assert row is not None
    assert retry_at(row, 43.0, NOW, Random(1)) == NOW + timedelta(seconds=43)
    waits = [(retry_at(replace(row, attempts=n), None, NOW, Random(n)) - NOW).total_seconds() for n in range(1, 40)]
    assert 3.75 <= waits[0] <= 6.25
    assert max(waits) <= 900 * 1.25
    assert waits[5] > waits[1]
