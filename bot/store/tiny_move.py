"""A chat gets a new id (group → supergroup): every row that bears the old one follows, and joins what is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.model import DeliveryState, delivery_id
from bot.store import codec
from bot.store.codec import chat_key
from bot.store.tiny_base import drop
from bot.store.tiny_outbox import Deliveries

if TYPE_CHECKING:
    from bot.model import ChatId

#: what may still be sent
OPEN = (DeliveryState.DUE, DeliveryState.WAITING)


class Moves(Deliveries):
    """Moving a chat, inside a settlement's transaction.

    Where both ids have a row of the same meaning, the one at the new id stays, except that a delivery which has
    reached an end beats one that has not: nobody is rung twice for having moved.
    """

    async def move_chat(self, old: ChatId, new: ChatId) -> None:
        async with self._transaction():
            self._release(chat_key(old))
            self._move_chat(old, new)
        await self._durable()

    def _move_chat(self, old: ChatId, new: ChatId) -> None:
        if old == new:
            return
        self._move_settings(old, new)
        self._move_subscriptions(old, new)
        self._move_deliveries(old, new)
        self._move_rest(old, new)
        drop(self._claim_table, chat=chat_key(old))

    def _move_settings(self, old: ChatId, new: ChatId) -> None:
        for row in self._chats.find(id=chat_key(old)):
            if self._chats.find(id=chat_key(new)):
                self._chats.drop(row)
            else:
                chat = codec.chat.decode(self._chats.rows[row])
                self._chats.put(row, codec.chat.encode(replace(chat, id=new, gone="")))

    def _move_subscriptions(self, old: ChatId, new: ChatId) -> None:
        rows = self._subscriptions.rows
        there = {codec.subscription.decode(rows[row]).query for row in self._subscriptions.find(chat=chat_key(new))}
        for row in self._subscriptions.find(chat=chat_key(old)):
            subscription = codec.subscription.decode(rows[row])
            if subscription.query in there:
                self._remove_subscription(row)
            else:
                self._put_subscription(replace(subscription, chat=new))

    def _move_deliveries(self, old: ChatId, new: ChatId) -> None:
        for row in self._deliveries.find(chat=chat_key(old)):
            delivery = codec.delivery.decode(self._deliveries.rows[row])
            moved_id = delivery_id(new, delivery.story, delivery.kind, delivery.entry)
            moved = replace(delivery, id=moved_id, chat=new)
            there = self._delivery_row(new, moved.story, moved.id)
            if there is None:
                self._deliveries.put(row, codec.delivery.encode(moved))
                continue
            if there[1].state in OPEN and moved.state not in OPEN:
                self._deliveries.put(there[0], codec.delivery.encode(moved))
            self._deliveries.drop(row)

    def _move_rest(self, old: ChatId, new: ChatId) -> None:
        old_key, new_key = chat_key(old), chat_key(new)
        for row in self._receipts.find(chat=old_key):
            receipt = codec.receipt.decode(self._receipts.rows[row])
            self._receipts.drop(row)
            self._put_receipt(replace(receipt, chat=new))
        for row in self._mutes.find(chat=old_key):
            mute = codec.mute.decode(self._mutes.rows[row])
            if self._mutes.find(chat=new_key, story=mute.story):
                self._mutes.drop(row)
            else:
                self._mutes.put(row, codec.mute.encode(replace(mute, chat=new)))
        for row in self._actions.find(chat=old_key):
            action = codec.action.decode(self._actions.rows[row])
            self._actions.put(row, codec.action.encode(replace(action, chat=new)))
