"""Single adapters as the configuration wants them, for the bot and for commands that need one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import __version__
from bot.chats.probe import probe_slack, probe_telegram
from bot.clock import SystemClock
from bot.sources.fetch import HttpFetcher
from bot.sources.worker import ParserProcess
from bot.store import is_postgres, open_store

if TYPE_CHECKING:
    from bot.app.together import Together
    from bot.config import Config
    from bot.model import Finding
    from bot.ports import Clock, PaceStore, Store


async def open_store_for(config: Config, *, read_only: bool = False) -> Store:
    """The store that the configuration names."""
    return await open_store(config.store_url, read_only=read_only)


def make_fetcher(config: Config) -> HttpFetcher:
    """The fetcher with the operator's limits and contact."""
    contact = f"; +{config.sources.contact}" if config.sources.contact else ""
    allowed = config.sources.allow_private_networks
    return HttpFetcher(
        allow_private=allowed, user_agent=f"Tocsin/{__version__} (news alerts{contact})", proxy=config.sources.proxy
    )


def make_parser() -> ParserProcess:
    """The parser in its worker process."""
    return ParserProcess()


def make_together(config: Config, store: Store, clock: Clock) -> Together | None:
    """The parts that processes share; None where the store belongs to one."""
    if not is_postgres(config.store_url):
        return None
    from bot.app.together import Together  # noqa: PLC0415 - its packages are optional
    from bot.store.postgres import PostgresStore  # noqa: PLC0415

    assert isinstance(store, PostgresStore)
    return Together(config.store_url, store, clock)


def pace_store(store: Store) -> PaceStore:
    """The store that belongs to one process keeps its pace too."""
    from bot.store.tiny import TinyStore  # noqa: PLC0415 - each store is imported where it is used only

    assert isinstance(store, TinyStore)
    return store


async def check_telegram(config: Config) -> list[Finding]:
    """Whether Telegram would work."""
    return await probe_telegram(
        config.telegram.token, config.telegram.base_url, config.web.public_url, SystemClock().now
    )


async def check_slack(config: Config) -> list[Finding]:
    """Whether Slack would work."""
    slack = config.slack
    return await probe_slack(
        slack.bot_token, slack.app_token, slack.base_url, SystemClock().now, signed=not slack.app_token
    )
