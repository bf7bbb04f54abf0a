"""Chats, subscriptions, mutes and button actions in TinyDB.

A subscription's document id is its own id. Rows carry the number of their last change; of removed ones the number
stays in `removed`, so that neither an id nor a change number is ever used twice.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from bot.model import SubscriptionChange, SubscriptionId
from bot.store import codec
from bot.store.codec import chat_key
from bot.store.order import Ordered
from bot.store.rows import subscription_row, version_of
from bot.store.tiny_base import drop, one, put, several
from bot.store.tiny_feeds import Feeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Action, Chat, ChatId, Mute, StoryId, Subscription
    from bot.store.journal import JournalDB, JournalTable


class _Settings(msgspec.Struct, gc=False):
    id: str
    gone: str = ""


class Chats(Feeds):
    """SubscriptionStore."""

    def __init__(self, db: JournalDB, opened: int) -> None:
        super().__init__(db, opened)
        self._chats = self._table("chats", "id")
        self._subscriptions = self._table("subscriptions", "chat")
        self._removed = self._table("removed")
        self._mutes = self._table("mutes", ("chat", "story"), "story", "chat")
        self._actions = self._table("actions", "id", "chat")
        self._gone: set[str] = set()
        self._version_order = Ordered()
        self._removed_order = Ordered()
        self._settings = msgspec.json.Decoder(_Settings)

        def follow(order: Ordered, row: int, old: bytes | None, new: bytes | None) -> None:
            if old is not None:
                order.remove(version_of(old).version, row)
            if new is not None:
                order.add(version_of(new).version, row)

        self._storage.watch("chats", self._follow_chat)
        self._storage.watch("subscriptions", lambda *change: follow(self._version_order, *change))
        self._storage.watch("removed", lambda *change: follow(self._removed_order, *change))
        self._version = max(self._version_order.last(), self._removed_order.last())
        self._last_id = max(max(self._subscriptions.rows, default=0), max(self._removed.rows, default=0))

    def _follow_chat(self, _: int, old: bytes | None, new: bytes | None) -> None:
        if old is not None:
            self._gone.discard(self._settings.decode(old).id)
        if new is not None:
            settings = self._settings.decode(new)
            if settings.gone:
                self._gone.add(settings.id)
        key = self._settings.decode(new or old or b"").id
        self._chat_changed(key)

    def _chat_changed(self, key: str) -> None:
        """The outbox looks again at what is due there."""

    # ------------------------------------------------------------ chats

    async def chat(self, chat: ChatId) -> Chat | None:
        found = one(self._chats, codec.chat, id=chat_key(chat))
        return found[1] if found else None

    async def chats(self, ids: Sequence[ChatId] | None = None) -> list[Chat]:
        rows = self._chats.rows
        if ids is None:
            return await codec.decode_all(codec.chat, [raw for _, raw in sorted(rows.items())])
        found = {row for chat in ids for row in self._chats.find(id=chat_key(chat))}
        return [codec.chat.decode(rows[row]) for row in sorted(found)]

    async def put_chat(self, chat: Chat) -> None:
        async with self._transaction():
            put(self._chats, codec.chat, chat, id=chat_key(chat.id))
        await self._durable()

    async def forget_chat(self, chat: ChatId) -> None:
        async with self._transaction():
            self._drop_chat(chat)
        await self._durable()

    def _drop_chat(self, chat: ChatId) -> None:
        key = chat_key(chat)
        for row in self._subscriptions.find(chat=key):
            self._remove_subscription(row)
        for table in self._chat_tables():
            drop(table, chat=key)
        drop(self._chats, id=key)

    def _chat_tables(self) -> list[JournalTable]:
        """Whose rows bear a chat's id and go with it."""
        return [self._mutes, self._actions]

    # ------------------------------------------------------------ subscriptions

    async def subscriptions(self, chat: ChatId) -> list[Subscription]:
        return several(self._subscriptions, codec.subscription, chat=chat_key(chat))

    async def add_subscription(self, subscription: Subscription) -> Subscription:
        async with self._transaction():
            self._last_id += 1
            added = replace(subscription, id=SubscriptionId(self._last_id))
            self._put_subscription(added)
        await self._durable()
        return added

    async def update_subscription(self, subscription: Subscription) -> bool:
        async with self._transaction():
            if subscription.id not in self._subscriptions.rows:
                return False
            self._put_subscription(subscription)
        await self._durable()
        return True

    async def remove_subscription(self, subscription: SubscriptionId) -> bool:
        async with self._transaction():
            if subscription not in self._subscriptions.rows:
                return False
            self._remove_subscription(subscription)
        await self._durable()
        return True

    def _put_subscription(self, subscription: Subscription) -> None:
        self._version += 1
        self._subscriptions.put(subscription.id, subscription_row(subscription, self._version))

    def _remove_subscription(self, row: int) -> None:
        self._version += 1
        self._subscriptions.drop(row)
        self._removed.put(row, b'{"version":%d}' % self._version)

    async def subscription_changes(self, after: int) -> list[SubscriptionChange]:
        # all of one moment first, then decoded with turns for others
        rows = self._subscriptions.rows
        raws = [rows[row] for row in self._version_order.since(after + 1)]
        gone = [(row, self._removed.rows[row]) for row in self._removed_order.since(after + 1)] if after > 0 else []
        there = await codec.decode_all(codec.subscription, raws)
        changes = [
            SubscriptionChange(version_of(raw).version, subscription.id, subscription)
            for raw, subscription in zip(raws, there, strict=True)
        ]
        changes += [SubscriptionChange(version_of(raw).version, SubscriptionId(row), None) for row, raw in gone]
        return sorted(changes, key=lambda change: change.version)

    # ------------------------------------------------------------ mutes and actions

    async def mute(self, mute: Mute) -> None:
        async with self._transaction():
            put(self._mutes, codec.mute, mute, chat=chat_key(mute.chat), story=mute.story)
        await self._durable()

    async def mutes(self, stories: Sequence[StoryId]) -> list[Mute]:
        return [mute for story in dict.fromkeys(stories) for mute in several(self._mutes, codec.mute, story=story)]

    async def put_actions(self, actions: Sequence[Action]) -> None:
        async with self._transaction():
            for action in actions:
                put(self._actions, codec.action, action, id=action.id)
        await self._durable()

    async def action(self, action: str, chat: ChatId) -> Action | None:
        found = one(self._actions, codec.action, id=action)
        return found[1] if found and found[1].chat == chat else None
