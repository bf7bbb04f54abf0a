"""The chat platforms that the configuration names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.commands import COMMANDS
from bot.deliver.parting import tell_managers
from bot.i18n import _, languages, speaking

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.config import Config
    from bot.model import ChatId
    from bot.ports import Clock, Messenger, Pace, Store


def is_public(config: Config) -> bool:
    """Whether platforms can reach us, so that webhooks beat polling."""
    return bool(config.web.port is not None and config.web.public_url)


def hears(config: Config, platform: str) -> str:
    """The role that hears the platform: what comes by webhook is heard where the web server is."""
    by_webhook = {"telegram": is_public(config), "slack": not config.slack.app_token}
    return "web" if by_webhook.get(platform) else "chat"


def make_messengers(
    config: Config, *, roles: frozenset[str], clock: Clock, store: Store, pace: Pace, wake: Callable[[], None]
) -> dict[str, Messenger]:
    """By platform. `wake` is called when a chat can be written to again."""

    async def gone(chat: ChatId, reason: str) -> None:
        known = await store.chat(chat)
        if known is not None and not known.gone:
            await store.put_chat(replace(known, gone=reason))
            await tell_managers(store, found[chat.platform], known, reason)

    async def back(chat: ChatId) -> None:
        known = await store.chat(chat)
        if known is not None and known.gone:
            await store.put_chat(replace(known, gone=""))
            wake()

    found: dict[str, Messenger] = {}
    if not roles & {"deliver", "chat", "web"}:
        return found  # their SDKs are most of the memory of a process that only reads
    if config.console_enabled and {"deliver", "chat"} <= roles:  # alerts belong on the terminal that chats
        from bot.chats.console import ConsoleMessenger  # noqa: PLC0415 - each platform loads only when used

        found["console"] = ConsoleMessenger(clock)
    if config.has_telegram:
        from bot.chats.telegram import TelegramMessenger  # noqa: PLC0415
        from bot.chats.telegram_menus import Menu  # noqa: PLC0415

        def menu(tag: str) -> Menu:
            with speaking(tag):
                return Menu(
                    [(name, _(what)) for name, (*_about, what) in COMMANDS.items()],
                    [(name, _(what)) for name, (_function, changes, _usage, what) in COMMANDS.items() if not changes],
                    _("I read the news and ring when something you follow happens: one story, one alert."),
                    _("News alerts by keyword: one story rings once."),
                    "" if tag == "en" else tag[:2],
                )

        found["telegram"] = TelegramMessenger(
            config.telegram.token,
            clock=clock,
            base_url=config.telegram.base_url,
            # Telegram knows languages by two letters: of pt-BR and pt, the last one is shown for both
            menus=list({tag[:2]: menu(tag) for tag, _name in languages()}.values()),
            webhook_url=f"{config.web.public_url}/telegram" if is_public(config) else "",
            pace=pace,
            on_moved=store.move_chat,
            on_gone=gone,
            on_back=back,
        )
    if config.has_slack:
        from bot.chats.slack import SlackMessenger  # noqa: PLC0415

        found["slack"] = SlackMessenger(
            config.slack.bot_token,
            clock=clock,
            app_token=config.slack.app_token,
            signing_secret=config.slack.signing_secret,
            base_url=config.slack.base_url,
            pace=pace,
            on_moved=store.move_chat,
            on_gone=gone,
            on_back=back,
        )
    return found
