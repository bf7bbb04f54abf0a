"""A simulated year: fifty chats in twelve zones with digests, quiet hours and pauses, each digest once a local period."""

from collections import defaultdict
from datetime import UTC, datetime, time, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from bot.model import Chat, ChatId, Subscription, SubscriptionId
from tests.fakes import FakeClock
from tests.world import World, item

ZONES = (
    "UTC", "Europe/Berlin", "Europe/London", "America/New_York", "America/Santiago", "Asia/Kathmandu", "Asia/Tehran",
    "Australia/Lord_Howe", "Pacific/Chatham", "Africa/Cairo", "Europe/Istanbul", "Pacific/Apia",
)  # fmt: skip
RHYTHMS = ("off", "hourly", "daily 08:00", "daily 02:30", "weekly mon 07:15")
QUIET = (None, (time(22), time(7)), (time(1), time(4)))
WORDS = Random(7).sample(
    ["anchor", "basalt", "canary", "dahlia", "ember", "falcon", "garnet", "heron", "indigo", "juniper", "kestrel", "lantern", "meadow", "nectar", "orchid", "pebble", "quartz", "raven", "saffron", "thistle", "umber", "violet", "walnut", "xenon", "yarrow", "zephyr", "amber", "birch", "cobalt", "dune", "elm", "fjord", "glade"],
    30,
)  # fmt: skip


def chats() -> list[Chat]:
    settings = zip(cycle(ZONES), cycle(RHYTHMS), cycle(QUIET), strict=False)
    return [
        Chat(ChatId("telegram", str(number)), timezone=zone, digest=rhythm, quiet=quiet)
        for number, (zone, rhythm, quiet) in enumerate(islice(settings, 50), 1)
    ]


def local(moment: datetime, chat: Chat) -> datetime:
    return moment.astimezone(ZoneInfo(chat.timezone))


def is_quiet(moment: datetime, chat: Chat) -> bool:
    if chat.quiet is None:
        return False
    start, end = chat.quiet
    clock = local(moment, chat).time()
    return start <= clock < end if start < end else clock >= start or clock < end


@pytest.mark.slow
async def test_a_year_of_local_times(tmp_path: Path) -> None:
    """Nothing is lost, doubled, early or at night over both clock changes and a leap day."""
    clock = FakeClock(datetime(2028, 1, 1, 3, tzinfo=UTC))
    world = await World(tmp_path, clock).open()
    await world.baseline()
    people = chats()
    for chat in people:
        await world.store.put_chat(chat)
        await world.store.add_subscription(Subscription(SubscriptionId(0), chat.id, "harbour", clock.now()))
    rng = Random(2028)
    titles: list[str] = []
    end = clock.now() + timedelta(days=366)
    next_story = clock.now()
    while True:
        due = await world.store.next_due(clock.now())
        moment = min(t for t in (due, next_story) if t is not None)
        if moment > end:
            break
        clock.advance(max(0.0, (moment - clock.now()).total_seconds()))
        if moment == next_story:
            words = rng.sample(WORDS, 3)
            titles.append(f"{' '.join(words).title()} reach harbour number {len(titles)}x")
            await world.poll("North Wire", item(titles[-1]))
            next_story += timedelta(hours=rng.uniform(90, 150))
        await world.deliver()
    await world.store.close()
    by_chat: dict[ChatId, list[tuple[datetime, str]]] = defaultdict(list)
    for when, what, chat_id, _, _, text in world.chat.log:
        assert what == "send"
        by_chat[chat_id].append((when, text))
    for chat in people:
        sent = by_chat[chat.id]
        text = "\n".join(text for _, text in sent)
        early = [title for title in titles[:-3] if text.count(title) != 1]
        assert not early, chat
        assert not any(is_quiet(when, chat) for when, _ in sent), chat
        if chat.digest.startswith("daily") and not chat.quiet:
            times = {local(when, chat).strftime("%H:%M") for when, _ in sent}
            assert times <= {chat.digest.split()[-1], "03:30", "03:00"}, chat  # the skipped 02:30 comes as much later
            days = [local(when, chat).date() for when, _ in sent]
            assert len(days) == len(set(days)), chat
        if chat.digest.startswith("weekly") and not chat.quiet:
            assert {local(when, chat).strftime("%a %H:%M") for when, _ in sent} <= {"Mon 07:15"}, chat


@pytest.mark.slow
@pytest.mark.parametrize("jump", [3600, -3600, 86_400, -86_400])
async def test_a_clock_that_jumps(jump: int, tmp_path: Path) -> None:
    """Row 55: an hour or a day forth or back costs neither an alert nor a day of silence."""
    world = await World(tmp_path).open()
    await world.baseline()
    await world.say("/subscribe harbour")
    world.clock.time += timedelta(seconds=jump)
    await world.poll("North Wire", item("Crane collapses in Oslo harbour"))
    await world.deliver()
    world.clock.time -= timedelta(seconds=jump)
    await world.poll("North Wire", item("Humpback whale lingers off Bergen harbour mouth"))
    await world.deliver()
    assert len(world.sends()) == 2
    await world.store.close()
