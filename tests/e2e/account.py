"""An account kept apart from the bot: every match as its entry comes in, and where the store says it is now."""

from collections import Counter
from collections.abc import Sequence

from bot.alerts.account import account
from bot.model import ChatId, DeliveryKind, Entry, EntryId, PollCommit, StoryId, Subscription
from bot.ports import Store
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import parse_query


class Witness:
    """Stands before a store's `commit` and notes which chats an entry concerns, by reading the queries alone."""

    def __init__(self, subscriptions: Sequence[Subscription]) -> None:
        self._queries = [(s.chat, parse_query(s.query)) for s in subscriptions]
        self._known: set[EntryId] = set()
        #: (chat, entry) at the entry's first sight
        self.matched: set[tuple[ChatId, EntryId]] = set()
        #: entries that changed later
        self.edited: set[EntryId] = set()
        self.stories: set[StoryId] = set()

    def watch(self, store: Store) -> None:
        inner = store.commit

        async def commit(given: PollCommit) -> None:
            await inner(given)
            self.stories.update(story.id for story in given.stories)
            for entry in given.entries:
                self._note(entry)

        store.commit = commit  # type: ignore[method-assign,assignment]

    def _note(self, entry: Entry) -> None:
        if entry.id in self._known:
            self.edited.add(entry.id)
            return
        self._known.add(entry.id)
        if not entry.baseline:
            prepared = document(entry)
            self.matched |= {(chat, entry.id) for chat, query in self._queries if matches(query, prepared)}


async def assert_accounted(store: Store, witness: Witness, chats: Sequence[ChatId]) -> None:
    """Per chat and in all: the parts add up, each match has its one row, and no row is of anything else."""
    from datetime import UTC, datetime

    beginning = datetime(1970, 1, 1, tzinfo=UTC)
    rows = await store.deliveries(None, [*witness.stories])
    sums = {chat: account(await store.counts(chat, beginning)) for chat in chats}
    whole = account(await store.counts(None, beginning))
    for name in ("matched", "rung", "grown", "developed", "folded", "held", "muted", "failed", "joined", "corrected"):
        assert getattr(whole, name) == sum(getattr(one, name) for one in sums.values()), name
    assert whole.matched + whole.joined + whole.corrected == len(rows)
    mine = Counter((row.chat, row.entry) for row in rows if row.subscriptions and row.kind is not DeliveryKind.CORRECT)
    assert mine.keys() >= witness.matched, "a match has no row"
    assert {entry for _chat, entry in mine.keys() - witness.matched} <= witness.edited, "a row without a match"
    assert {entry for (_chat, entry), count in mine.items() if count > 1} <= witness.edited, "a match counted twice"
    assert whole.matched == mine.total()
