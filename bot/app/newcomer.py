"""A newcomer's first start: the sample wire plays, and the console is subscribed to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.chats.console import LOCAL
from bot.commands.desk import code, say
from bot.i18n import _, sentence
from bot.model import Chat, Subscription, SubscriptionId

if TYPE_CHECKING:
    from bot.ports import Clock, Messenger, Store


async def welcome(store: Store, console: Messenger, clock: Clock) -> None:
    """Subscribes the console, so that something rings without typing; nothing where anybody subscribed before."""
    if await store.chats() or await store.subscription_changes(0):
        return
    now = clock.now()
    await store.put_chat(Chat(LOCAL))
    for query in ("Idlib", "S-300"):
        await store.add_subscription(Subscription(SubscriptionId(0), LOCAL, query, now))
    first = _(
        "This is Tocsin. There is no configuration yet, so I read a sample wire of invented news beside well-known "
        "real sources, and I have subscribed you to {one} and {other}. The first alert comes within seconds."
    )
    then = _("Type {help} for all commands; README.md says how to connect Telegram or Slack. Ctrl-C stops.")
    queries = {"one": code("Idlib"), "other": code("S-300")}
    hello = say(*sentence(first, **queries), "\n", *sentence(then, help=code("/help")))
    await console.send(LOCAL, hello.message)
