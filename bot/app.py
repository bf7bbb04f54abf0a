"""The composition root: the only file that names adapters. Builds everything, starts it, and stops it in order.

config → store, fetcher, parser, chats → poll → ingest → deliver, with commands beside them
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot import __version__
from bot.alerts.pace import Pacer
from bot.alerts.plan import OUTAGE
from bot.chats.probe import probe_slack, probe_telegram
from bot.clock import SystemClock
from bot.commands import COMMANDS, Commands
from bot.deliver import Deliverer
from bot.errors import ConfigError
from bot.i18n import _, sentence
from bot.ingest import Ingest
from bot.model import Chat, Subscription, SubscriptionId
from bot.poll import Poller
from bot.scheduler import Scheduler
from bot.sources.fetch import HttpFetcher
from bot.sources.schedule import PollPolicy
from bot.sources.worker import ParserProcess
from bot.store import open_store
from bot.stories.summary import Habits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bot.config import Config
    from bot.model import ChatId, Feed
    from bot.ports import Fetcher, Messenger, Parser, Store
    from bot.sample.wire import SampleWire
    from bot.web.server import WebServer

log = structlog.get_logger()

#: what stays for how long: texts of entries, fingerprints, settled deliveries
KEEP_ENTRIES = timedelta(days=14)
KEEP_FINGERPRINTS = timedelta(days=60)
KEEP_DELIVERIES = timedelta(days=30)
#: seconds in which a stop must be over; platforms kill after ten
STOP_WITHIN = 8.0
#: seconds without a look for due feeds after which /readyz says so
_STALE = 60.0


async def open_store_for(config: Config, *, read_only: bool = False) -> Store:
    """The store that the configuration names."""
    return await open_store(config.store_url, read_only=read_only)


def make_fetcher(config: Config) -> HttpFetcher:
    """The fetcher with the operator's limits and contact."""
    contact = f"; +{config.sources.contact}" if config.sources.contact else ""
    allowed = config.sources.allow_private_networks
    return HttpFetcher(allow_private=allowed, user_agent=f"Tocsin/{__version__} (news alerts{contact})")


def make_parser() -> ParserProcess:
    """The parser in its worker process."""
    return ParserProcess()


async def check_telegram(config: Config) -> tuple[bool, str]:
    """Whether the Telegram token works, in words."""
    return await probe_telegram(config.telegram.token, config.telegram.base_url)


async def check_slack(config: Config) -> tuple[bool, str]:
    """Whether the Slack bot token works, in words."""
    return await probe_slack(config.slack.bot_token, config.slack.base_url)


class App:
    """A running bot."""

    def __init__(self, config: Config, store: Store, *, fault: Callable[[str], None]) -> None:
        self.config = config
        self.store = store
        self.clock = SystemClock()
        self.rng = random.Random()  # noqa: S311 - jitter
        self.habits = Habits()
        self.pacer = Pacer()
        self.fault = fault
        self.commands = Commands(
            store=store,
            clock=self.clock,
            wake=lambda: self.deliverer.wake(),  # noqa: PLW0108  the deliverer is made later
        )
        self.scheduler = Scheduler(self.clock)
        self.fetcher: Fetcher = make_fetcher(config)
        self.parser: Parser = make_parser()
        self.messengers: dict[str, Messenger] = {}
        self.wire: SampleWire | None = None
        self.web: WebServer | None = None
        self._ticked = self.clock.monotonic()

    async def prepare(self) -> None:
        """Feeds, chats and indexes as the configuration and the store say."""
        now = self.clock.now()
        feeds: tuple[Feed, ...] = self.config.feeds
        if self.config.sample:
            from bot.sample.fetcher import SampleFetcher  # noqa: PLC0415 - only a newcomer needs it
            from bot.sample.wire import SampleWire  # noqa: PLC0415

            self.wire = SampleWire(self.clock)
            await self.wire.start()
            self.fetcher = SampleFetcher(self.wire, self.fetcher)
            feeds = (*self.wire.feeds(), *feeds)
        away = await self._away(now)
        await self.store.sync_feeds(feeds, now)
        self._make_messengers()
        for entry in await self.store.entries_since(now - KEEP_ENTRIES):
            self.habits.learn(entry)
        self.deliverer = Deliverer(
            store=self.store,
            messengers=self.messengers,
            clock=self.clock,
            rng=self.rng,
            habits=self.habits,
            away=away,
            pacer=self.pacer,
            fault=self.fault,
        )
        self.ingest = Ingest(
            store=self.store,
            clock=self.clock,
            wake=self.deliverer.wake,
            owners={feed.id: feed.owner for feed in feeds if feed.owner},
            habits=self.habits,
            fault=self.fault,
        )
        self.poller = Poller(
            store=self.store,
            fetcher=self.fetcher,
            parser=self.parser,
            ingest=self.ingest,
            clock=self.clock,
            rng=self.rng,
            policy=PollPolicy(interval=self.config.sources.interval),
        )

    async def _away(self, now: datetime) -> tuple[datetime, datetime] | None:
        """When the bot was last seen at work, when that is long ago."""
        seen = [state.last_ok for _, state in await self.store.feeds() if state.last_ok]
        return (max(seen), now) if seen and now - max(seen) >= OUTAGE else None

    def _make_messengers(self) -> None:
        config = self.config
        if config.console_enabled:
            from bot.chats.console import ConsoleMessenger  # noqa: PLC0415 - each platform loads only when used

            self.messengers["console"] = ConsoleMessenger(self.clock)
        if config.has_telegram:
            from bot.chats.telegram import Menu, TelegramMessenger  # noqa: PLC0415

            self.messengers["telegram"] = TelegramMessenger(
                config.telegram.token,
                clock=self.clock,
                base_url=config.telegram.base_url,
                menus=[
                    Menu(
                        [(name, _(what)) for name, (*_about, what) in COMMANDS.items()],
                        description=_(
                            "I read the news and ring when something you follow happens: one story, one alert."
                        ),
                        short_description=_("News alerts by keyword: one story rings once."),
                    )
                ],
                webhook_url=f"{config.web.public_url}/telegram" if self._public else "",
                pacer=self.pacer,
                on_moved=self.store.move_chat,
                on_gone=self._chat_gone,
                on_back=self._chat_back,
            )
        if config.has_slack:
            from bot.chats.slack import SlackMessenger  # noqa: PLC0415

            self.messengers["slack"] = SlackMessenger(
                config.slack.bot_token,
                clock=self.clock,
                app_token=config.slack.app_token,
                signing_secret=config.slack.signing_secret,
                base_url=config.slack.base_url,
                pacer=self.pacer,
                on_moved=self.store.move_chat,
                on_gone=self._chat_gone,
                on_back=self._chat_back,
            )

    @property
    def _public(self) -> bool:
        """Whether platforms can reach us, so that webhooks beat polling."""
        return bool(self.config.web.port is not None and self.config.web.public_url)

    async def _serve_web(self) -> None:
        """Health checks and webhooks, which check their signatures themselves; only when a port is configured."""
        if self.config.web.port is None:
            return
        from bot.web.server import WebServer  # noqa: PLC0415 - off by default

        webhooks = {f"/{name}": m.webhook for name, m in self.messengers.items() if hasattr(m, "webhook")}
        self.web = WebServer(
            self.config.web.host,
            self.config.web.port,
            ready=self._trouble,
            webhooks=webhooks,
        )
        try:
            await self.web.start()
        except OSError as error:
            self.web = None
            where = f"{self.config.web.host}:{self.config.web.port}"
            raise ConfigError([f"web.port: can't listen on {where} ({error.strerror or error})"]) from error

    async def _trouble(self) -> str:
        """What keeps the bot from working, for /readyz; "" when nothing does."""
        late = self.clock.monotonic() - self._ticked
        if late > _STALE:
            return f"the last look for due feeds was {late:.0f} s ago"
        problems = [str(p) for m in self.messengers.values() if (p := getattr(m, "problem", ""))]
        return "; ".join(problems)

    async def _tick(self) -> None:
        self._ticked = self.clock.monotonic()
        await self.poller.tick()

    async def _chat_gone(self, chat: ChatId, reason: str) -> None:
        known = await self.store.chat(chat)
        if known is not None:
            await self.store.put_chat(replace(known, gone=reason))

    async def _chat_back(self, chat: ChatId) -> None:
        known = await self.store.chat(chat)
        if known is not None and known.gone:
            await self.store.put_chat(replace(known, gone=""))
            self.deliverer.wake()

    async def welcome(self) -> None:
        """A newcomer's first start: subscribe the console, so that something rings without typing."""
        if self.wire is None or "console" not in self.messengers:
            return
        if await self.store.chats() or await self.store.subscription_changes(0):
            return
        from bot.chats.console import LOCAL  # noqa: PLC0415
        from bot.commands.desk import code, say  # noqa: PLC0415

        now = self.clock.now()
        await self.store.put_chat(Chat(LOCAL))
        for query in ("Idlib", "S-300"):
            await self.store.add_subscription(Subscription(SubscriptionId(0), LOCAL, query, now))
        first = _(
            "This is Tocsin. There is no configuration yet, so I read a sample wire of invented news beside well-known "
            "real sources, and I have subscribed you to {one} and {other}. The first alert comes within seconds."
        )
        then = _("Type {help} for all commands; README.md says how to connect Telegram or Slack. Ctrl-C stops.")
        queries = {"one": code("Idlib"), "other": code("S-300")}
        hello = say(*sentence(first, **queries), "\n", *sentence(then, help=code("/help")))
        await self.messengers["console"].send(LOCAL, hello.message)

    async def run_once(self) -> None:
        """Commands on standard input, then every source once, then what is due; for cron."""
        console = self.messengers.get("console")
        if console is not None and not getattr(console, "interactive", True):
            await console.run(self.commands)
        await self.poller.poll_everything()
        self.deliverer.caught_up()
        await self.deliverer.drain()

    async def run_until(self, stop: asyncio.Event) -> None:
        """Everything at once, until `stop` is set."""
        await self._serve_web()
        self.scheduler.add("poll", 1.0, self._tick)
        self.scheduler.add("retain", 3600.0, self._retain, jitter=300.0)
        self.scheduler.add("compact", 300.0, self.store.compact, jitter=30.0)
        self.scheduler.start()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.deliverer.run(), name="deliver")]
            for name, messenger in self.messengers.items():
                tasks.append(group.create_task(self._listen(messenger), name=f"hear {name}"))
            await stop.wait()
            await self._stop()
            for task in tasks:
                task.cancel()

    async def _listen(self, messenger: Messenger) -> None:
        """One platform's trouble must not end the others: it is logged, and the platform is tried again."""
        pause = 1.0
        while True:
            try:
                await messenger.run(self.commands)
            except Exception:
                log.exception("chat stopped", platform=messenger.platform)
                await self.clock.sleep(pause)
                pause = min(pause * 2, 300.0)
            else:
                return

    async def _stop(self) -> None:
        """Intake first, then what is in hand; the rest goes back to the store."""
        await self.scheduler.stop(grace=1.0)
        await self.poller.drain(STOP_WITHIN / 4)
        await self.deliverer.stop(STOP_WITHIN / 2)

    async def _retain(self) -> None:
        now = self.clock.now()
        gone = await self.store.retain(now - KEEP_ENTRIES, now - KEEP_FINGERPRINTS, now - KEEP_DELIVERIES)
        log.info("retention", rows=gone)

    async def close(self) -> None:
        """Lets go of everything; the store last."""
        held: list[Messenger | Fetcher | Parser] = [*self.messengers.values(), self.fetcher, self.parser]
        for closing in held:
            with contextlib.suppress(Exception):
                await closing.close()
        if self.web is not None:
            await self.web.close()
        if self.wire is not None:
            await self.wire.close()
        await self.store.close()


def _no_fault(_point: str) -> None:
    """Flows name the points at which a crash would matter most; only crash tests do something there."""


@contextlib.asynccontextmanager
async def running(config: Config, *, fault: Callable[[str], None] = _no_fault) -> AsyncIterator[App]:
    """An app that is prepared, and closed afterwards whatever happens."""
    app = App(config, await open_store_for(config), fault=fault)
    try:
        await app.prepare()
        yield app
    finally:
        await app.close()


async def run(config: Config, *, once: bool = False, fault: Callable[[str], None] = _no_fault) -> int:
    """Runs the bot until SIGTERM or SIGINT, or `once`; returns the exit code. A second signal exits at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(1)
        stop.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, on_signal)
    async with running(config, fault=fault) as app:
        await app.welcome()
        if once:
            work = asyncio.create_task(app.run_once())
            await asyncio.wait({work, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                work.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await work
        else:
            await app.run_until(stop)
    return 0
