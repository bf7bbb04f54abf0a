"""Chats, subscriptions, mutes and button actions in PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.model import Mute, StoryId, SubscriptionChange, SubscriptionId
from bot.store import codec
from bot.store.codec import chat_key, chat_of
from bot.store.pg_base import do, rows
from bot.store.pg_feeds import PgFeeds
from bot.store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Action, Chat, ChatId, Subscription
    from bot.store.pg_base import Connection

SQL = statements("chats")
OUTBOX = statements("outbox")


class PgChats(PgFeeds):
    """SubscriptionStore."""

    async def chat(self, chat: ChatId) -> Chat | None:
        found = await self._rows(SQL["chat"], id=chat_key(chat))
        return codec.chat.decode(found[0][0]) if found else None

    async def chats(self, ids: Sequence[ChatId] | None = None) -> list[Chat]:
        if ids is None:
            return [codec.chat.decode(body) for (body,) in await self._rows(SQL["chats"])]
        found = await self._rows(SQL["chats_of"], ids=[chat_key(chat) for chat in ids])
        return [codec.chat.decode(body) for _, body in found]

    async def put_chat(self, chat: Chat) -> None:
        async def work(connection: Connection) -> None:
            await self._put_chat(connection, chat)
            await self._refresh(connection, [chat_key(chat.id)])

        await self.run(work)

    async def _put_chat(self, connection: Connection, chat: Chat) -> None:
        body = codec.chat.encode(chat).decode()
        await do(connection, SQL["put_chat"], id=chat_key(chat.id), gone=bool(chat.gone), body=body)

    async def _refresh(self, connection: Connection, chats: Sequence[str]) -> None:
        """When these chats may be claimed next, after anything that bears on it."""
        await do(connection, OUTBOX["lock_claims"], chats=chats)
        await do(connection, OUTBOX["refresh_claims"], chats=chats)

    async def forget_chat(self, chat: ChatId) -> None:
        key = chat_key(chat)

        async def work(connection: Connection) -> None:
            for (body,) in await rows(connection, SQL["subscriptions"], chat=key):
                await self._remove_subscription(connection, codec.subscription.decode(body).id)
            for table in ("claims", "deliveries", "receipts", "mutes", "actions"):
                await do(connection, SQL[f"forget_{table}"], chat=key)
            await do(connection, SQL["delete_chat"], id=key)

        await self.run(work)

    # ------------------------------------------------------------ subscriptions

    async def subscriptions(self, chat: ChatId) -> list[Subscription]:
        found = await self._rows(SQL["subscriptions"], chat=chat_key(chat))
        return [codec.subscription.decode(body) for (body,) in found]

    async def add_subscription(self, subscription: Subscription) -> Subscription:
        async def work(connection: Connection) -> Subscription:
            [(number,)] = await rows(connection, SQL["next_subscription_id"])
            added = replace(subscription, id=SubscriptionId(number))
            await self._put_subscription(connection, "add_subscription", added)
            return added

        return await self.run(work)

    async def update_subscription(self, subscription: Subscription) -> bool:
        async def work(connection: Connection) -> bool:
            return bool(await self._put_subscription(connection, "update_subscription", subscription))

        return await self.run(work)

    async def remove_subscription(self, subscription: SubscriptionId) -> bool:
        async def work(connection: Connection) -> bool:
            return await self._remove_subscription(connection, subscription)

        return await self.run(work)

    async def _put_subscription(self, connection: Connection, statement: str, subscription: Subscription) -> int:
        [(version,)] = await rows(connection, SQL["next_version"])
        body = codec.subscription.encode(subscription).decode()
        values = {"id": subscription.id, "chat": chat_key(subscription.chat), "version": version, "body": body}
        return await do(connection, SQL[statement], **values)

    async def _remove_subscription(self, connection: Connection, subscription: int) -> bool:
        [(version,)] = await rows(connection, SQL["next_version"])
        if not await do(connection, SQL["remove_subscription"], id=subscription):
            return False
        await do(connection, SQL["note_removed"], id=subscription, version=version)
        return True

    async def subscription_changes(self, after: int) -> list[SubscriptionChange]:
        found = await self._rows(SQL["subscription_changes"], after=after)
        return [
            SubscriptionChange(version, SubscriptionId(number), codec.subscription.decode(body) if body else None)
            for version, number, body in found
        ]

    # ------------------------------------------------------------ mutes and actions

    async def mute(self, mute: Mute) -> None:
        await self._do(SQL["put_mute"], chat=chat_key(mute.chat), story=mute.story, since=mute.since)

    async def mutes(self, stories: Sequence[StoryId]) -> list[Mute]:
        found = await self._rows(SQL["mutes"], stories=[*stories])
        return [Mute(chat_of(chat), StoryId(story), since) for chat, story, since in found]

    async def put_actions(self, actions: Sequence[Action]) -> None:
        given = {action.id: action for action in actions}.values()
        await self._at_once(
            SQL["put_actions"],
            ids=[action.id for action in given],
            chats=[chat_key(action.chat) for action in given],
            created=[action.created for action in given],
            bodies=[codec.action.encode(action).decode() for action in given],
        )

    async def put_action(self, connection: Connection, action: Action) -> None:
        body = codec.action.encode(action).decode()
        values = {"id": action.id, "chat": chat_key(action.chat), "created": action.created, "body": body}
        await do(connection, SQL["put_action"], **values)

    async def action(self, action: str, chat: ChatId) -> Action | None:
        found = await self._rows(SQL["action"], id=action, chat=chat_key(chat))
        return codec.action.decode(found[0][0]) if found else None
