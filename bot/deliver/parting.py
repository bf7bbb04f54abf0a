"""A group or channel that can't be written to any more: whom it concerns is told in their private chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.i18n import _, is_right_to_left, sentence, speaking
from bot.model import Message, Sent, Span

if TYPE_CHECKING:
    from bot.model import Chat
    from bot.ports import Messenger, Store

log = structlog.get_logger()

#: of the people who subscribed something there, how many of the last are told
_TOLD = 3


async def tell_managers(store: Store, messenger: Messenger, chat: Chat, reason: str) -> None:
    """Once, in the language of each; somebody who can't be reached is passed over. Never raises."""
    try:
        for user in chat.managers[-_TOLD:]:
            own = await messenger.direct(user)
            if own is None or own.address == chat.id.address:
                continue
            known = await store.chat(own)
            with speaking(known.language if known is not None else chat.language):
                gone = _(
                    "I can't write in {room} any more ({reason}). Its subscriptions are kept, and go on when I may again."
                )
                spans = sentence(gone, room=Span(chat.title or chat.id.address, bold=True), reason=reason)
                told = Message(tuple(spans), right_to_left=is_right_to_left())
            outcome = await messenger.send(own, told)
            if not isinstance(outcome, Sent):
                log.info("a manager was not told", chat=str(chat.id), outcome=type(outcome).__name__)
    except Exception:
        log.exception("managers were not told", chat=str(chat.id))
