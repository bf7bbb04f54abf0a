"""What the store knows about a chat's claimed rows, read afresh before each step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.alerts.facts import Facts, StoryFacts
from bot.model import DeliveryKind, DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from bot.model import Claim, Delivery, Story, StoryId
    from bot.ports import Store
    from bot.stories.summary import Habits


async def gather(
    store: Store,
    claim: Claim,
    rows: Sequence[Delivery],
    *,
    habits: Habits,
    away: tuple[datetime, datetime] | None,
    caught_up: bool,
) -> Facts:
    """Everything that planning needs: what joined a story since the claim is shown too."""
    chat = claim.chat.id
    ids = list(dict.fromkeys(row.story for row in rows))
    stories = {s.id: s for s in await store.stories(ids)}
    heirs = {s.id: s for s in await store.stories([s.merged_into for s in stories.values() if s.merged_into])}
    receipts = {r.story: r for r in await store.receipts(chat, ids)}
    names = {i: _names(heirs.get(story.merged_into, story), i) for i, story in stories.items()}
    every = list(dict.fromkeys(name for of_story in names.values() for name in of_story))
    muted = {m.story for m in await store.mutes(every) if m.chat == chat}
    rings = _rings(await store.deliveries(chat, every))
    known: dict[StoryId, StoryFacts] = {}
    for story in stories.values():
        whole = heirs.get(story.merged_into, story)
        entries = tuple(await store.entries(whole.entries))
        ring, others = rings.get(story.id), [rings[name] for name in names[story.id][1:] if name in rings]
        known[story.id] = StoryFacts(
            whole,
            entries,
            ring,
            receipts.get(story.id),
            muted=not muted.isdisjoint(names[story.id]),
            rang=any(other.state is DeliveryState.SENT for other in others),
        )
    entries_of_rows = await store.entries([row.entry for row in (*rows, *rings.values())])
    return Facts(
        chat=await store.chat(chat) or claim.chat,
        stories=known,
        entries={e.id: e for e in (*entries_of_rows, *(e for s in known.values() for e in s.entries))},
        subscriptions={s.id: s for s in await store.subscriptions(chat)},
        habits=habits,
        away=away,
        caught_up=caught_up,
    )


def _names(story: Story, own: StoryId) -> list[StoryId]:
    """Every name of the story, its own first: late merges leave several."""
    return list(dict.fromkeys((own, story.id, *story.merged)))


def _rings(rows: Iterable[Delivery]) -> dict[StoryId, Delivery]:
    return {row.story: row for row in rows if row.kind is DeliveryKind.RING}
