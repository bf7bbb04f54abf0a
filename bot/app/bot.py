"""A running bot: everything built, started, and stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.alerts.plan import OUTAGE
from bot.app.messengers import hears, make_messengers
from bot.app.parts import make_fetcher, make_parser, make_together, pace_store
from bot.app.service import tell
from bot.clock import SystemClock
from bot.commands import Commands
from bot.deliver import LANES, Deliverer
from bot.errors import ConfigError
from bot.fulltext import FullText
from bot.ingest import Ingest
from bot.meter import Meter
from bot.pace import LocalPace
from bot.poll import Poller
from bot.push import BODY as PUSHED
from bot.push import Push
from bot.scheduler import Scheduler
from bot.sources.schedule import PollPolicy
from bot.stories.summary import Habits
from bot.text.language import load_model
from bot.watch import SilenceWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from bot.config import Config
    from bot.model import Chat, ChatId, Feed, FeedId
    from bot.ports import CommandHandler, Fetcher, Messenger, Pace, Parser, Store
    from bot.sample.wire import SampleWire
    from bot.web.server import WebServer

log = structlog.get_logger()

#: what stays for how long: texts of entries, fingerprints, settled deliveries
KEEP_ENTRIES = timedelta(days=14)
KEEP_FINGERPRINTS = timedelta(days=60)
KEEP_DELIVERIES = timedelta(days=30)
#: where others read too much to learn from all of it; how often is asked for more
HABITS_SHARED, _LEARN = timedelta(days=1), timedelta(minutes=10)
#: seconds in which a stop must be over; platforms kill after ten
STOP_WITHIN = 8.0
#: seconds without a look for due feeds after which /readyz says so
_STALE = 60.0


class App:
    """A running bot."""

    def __init__(self, config: Config, store: Store, *, roles: frozenset[str], fault: Callable[[str], None]) -> None:
        self.config = config
        self.store = store
        self.roles = roles
        self.clock = SystemClock()
        self.rng = random.Random()  # noqa: S311 - jitter
        self.habits = Habits()
        self.together = make_together(config, store, self.clock)
        self.pace: Pace = self.together.pace if self.together else LocalPace(self.clock, pace_store(store))
        self.fault = fault
        commands = Commands(
            store=store,
            clock=self.clock,
            wake=lambda: self.deliverer.wake(),  # noqa: PLW0108  the deliverer is made later
            managed=self._managed,
            feeds_from_chats=config.sources.from_chats,
        )
        self.commands: CommandHandler = self.together.once_only(commands) if self.together else commands
        self._trial = commands.trial
        self.scheduler = Scheduler(self.clock)
        self.client = make_fetcher(config)
        self.fetcher: Fetcher = self.client
        self.processes = make_parser()
        self.parser: Parser = self.processes
        self.messengers: dict[str, Messenger] = {}
        self.wire: SampleWire | None = None
        self.web: WebServer | None = None
        self.push: Push | None = None
        self.meter = Meter()
        self._unrecorded: set[ChatId] = set()
        self._watching: asyncio.Task[None] | None = None
        self._ticked = self.clock.monotonic()

    async def prepare(self) -> None:
        """Feeds, chats and indexes as the configuration and the store say."""
        now = self.clock.now()
        feeds = await self._sources()
        if self.together is not None:
            await self.together.prepare()
            if self.roles & {"deliver", "chat"}:
                await asyncio.to_thread(load_model)  # nothing tells when another process takes in what needs it
        if isinstance(self.pace, LocalPace):
            await self.pace.load()
        self.away = await self._away(now)
        if "poll" in self.roles:
            await self.store.sync_feeds(feeds, now)
        self.messengers = make_messengers(
            self.config,
            roles=self.roles,
            clock=self.clock,
            store=self.store,
            pace=self.pace,
            wake=lambda: self.deliverer.wake(),  # noqa: PLW0108  the deliverer is made later
        )
        if "deliver" in self.roles:
            await self._learn(HABITS_SHARED if self.together else KEEP_ENTRIES)
        self._make_flows({feed.id: feed.owner for feed in feeds if feed.owner})

    async def _sources(self) -> tuple[Feed, ...]:
        """Those of the configuration, and the sample for who has none."""
        if not (self.config.sample and "poll" in self.roles):
            return self.config.feeds
        from bot.sample.fetcher import SampleFetcher  # noqa: PLC0415 - only a newcomer needs it
        from bot.sample.wire import SampleWire  # noqa: PLC0415

        self.wire = SampleWire(self.clock)
        await self.wire.start()
        self.fetcher = SampleFetcher(self.wire, self.fetcher)
        return (*self.wire.feeds(), *self.config.feeds)

    def _make_flows(self, owners: dict[FeedId, str]) -> None:
        """Deliver, watch, ingest, push and poll, each with the adapters that it needs."""
        self.deliverer = self._deliverer(self.store)
        self.watch = SilenceWatch(
            store=self.store, messengers=self.messengers, pace=self.pace, clock=self.clock, away=self.away
        )
        self.ingest = Ingest(
            store=self.store,
            clock=self.clock,
            wake=self.deliverer.wake,
            owners=owners,
            habits=self.habits,
            fault=self.fault,
            meter=self.meter,
        )
        into = self.together.inbox.put if self.together else self.ingest
        enrich = FullText(store=self.store, fetcher=self.fetcher, reader=self.processes, wanted=self.ingest.wanted)
        web = self.config.web
        if web.port is not None and web.public_url:
            self.push = Push(
                store=self.store,
                hubs=self.client,
                parser=self.parser,
                ingest=into,
                clock=self.clock,
                rng=self.rng,
                token=secrets.token_urlsafe,
                callback=f"{web.public_url}/websub",
                enrich=enrich,
            )
        self.poller = Poller(
            store=self.store,
            fetcher=self.fetcher,
            parser=self.parser,
            ingest=into,
            clock=self.clock,
            rng=self.rng,
            policy=PollPolicy(interval=self.config.sources.interval),
            hubs=self.push,
            enrich=enrich,
            meter=self.meter,
        )

    async def _managed(self, platform: str, user: str, name: str) -> Chat | None:
        messenger = self.messengers.get(platform)
        return await messenger.managed(user, name) if messenger is not None else None

    def _deliverer(self, store: Store, at_once: int = LANES) -> Deliverer:
        return Deliverer(
            store=store,
            messengers=self.messengers,
            clock=self.clock,
            rng=self.rng,
            habits=self.habits,
            away=self.away,
            pace=self.pace,
            fault=self.fault,
            at_once=at_once,
            meter=self.meter,
            unrecorded=self._unrecorded,
        )

    async def _learn(self, span: timedelta) -> None:
        """Outlets' habits, from what was read lately; where another process reads, this one asks now and then."""
        undeclared = False
        for entry in await self.store.entries_since(self.clock.now() - span):
            self.habits.learn(entry)
            undeclared = undeclared or not entry.language
        if undeclared:
            await asyncio.to_thread(load_model)  # on the event loop its first use would hold up everybody

    async def _away(self, now: datetime) -> tuple[datetime, datetime] | None:
        """When the bot was last seen at work, when that is long ago."""
        seen = [state.last_ok for _, state in await self.store.feeds() if state.last_ok]
        return (max(seen), now) if seen and now - max(seen) >= OUTAGE else None

    async def _serve_web(self) -> None:
        """Health checks and webhooks, which check their signatures themselves; only when a port is configured."""
        if self.config.web.port is None:
            return
        from bot.app.site import make_server  # noqa: PLC0415 - off by default
        from bot.web import websub  # noqa: PLC0415
        from bot.web.lag import LoopLag  # noqa: PLC0415

        lag = LoopLag(self.clock)
        self._watching = asyncio.create_task(lag.run(), name="loop lag")
        self.web = make_server(
            self.config.web,
            store=self.store,
            clock=self.clock,
            policy=PollPolicy(interval=self.config.sources.interval),
            trial=self._trial,
            meter=self.meter,
            lag=lag.longest,
            ticked=lambda: self.clock.monotonic() - self._ticked if "poll" in self.roles else 0.0,
            trouble=self._trouble,
            wake=self.deliverer.wake,
            webhooks={f"/{name}": m.webhook for name, m in self.messengers.items() if hasattr(m, "webhook")},
            routes=websub.routes(self.push, PUSHED) if self.push is not None else (),
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
        if late > _STALE and "poll" in self.roles:
            return f"the last look for due feeds was {late:.0f} s ago"
        problems = [str(p) for m in self.messengers.values() if (p := getattr(m, "problem", ""))]
        return "; ".join(problems)

    async def _tick(self) -> None:
        self._ticked = self.clock.monotonic()
        await self.poller.tick()

    async def _tick_hubs(self) -> None:
        assert self.push is not None
        await self.processes.keep_warm()  # before any hub is told that we listen
        await self.push.tick()

    async def welcome(self) -> None:
        """A newcomer's first start."""
        if self.wire is not None and (console := self.messengers.get("console")) is not None:
            from bot.app.newcomer import welcome  # noqa: PLC0415 - only a newcomer needs it

            await welcome(self.store, console, self.clock)

    async def run_once(self) -> None:
        """Commands on standard input, then every source once, then what is due; for cron."""
        console = self.messengers.get("console")
        if console is not None and not getattr(console, "interactive", True):
            await console.run(self.commands)
        await self.poller.poll_everything()
        if self.together is not None:
            await self.together.take_in_once(self.ingest)
        self.deliverer.caught_up()
        await self.deliverer.drain()

    async def run_until(self, stop: asyncio.Event) -> None:
        """What the roles ask for, all at once, until `stop` is set."""
        if "web" in self.roles:
            await self._serve_web()
        if "poll" in self.roles:
            self.scheduler.add("poll", 1.0, self._tick)
        if self.push is not None and "web" in self.roles:
            self.scheduler.add("hubs", 2.0, self._tick_hubs)
        if "deliver" in self.roles:
            self.scheduler.add("retain", 3600.0, self._retain, jitter=300.0)
            self.scheduler.add("silence", 3600.0, self._watch, jitter=300.0)
        if self.together is None:
            self.scheduler.add("compact", 300.0, self.store.compact, jitter=30.0)
        elif "deliver" in self.roles and "ingest" not in self.roles:
            self.scheduler.add("learn", _LEARN.total_seconds(), lambda: self._learn(_LEARN))
        if self.config.watchdog:
            # from the same loop and scheduler as the work: a bot that hangs falls silent, and is restarted
            self.scheduler.add("watchdog", self.config.watchdog / 3, self._alive)
        self.scheduler.start()
        tell(self.config.notify_socket, "READY=1")
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work, name=name) for name, work in self._work()]
            await stop.wait()
            tell(self.config.notify_socket, "STOPPING=1")
            await self._stop()
            for task in tasks:
                task.cancel()

    def _work(self) -> Iterator[tuple[str, Coroutine[None, None, None]]]:
        """What runs beside the scheduler, by name."""
        together = self.together
        if "deliver" in self.roles:
            yield "deliver", together.deliver(self._deliverer) if together else self.deliverer.run()
        if together is not None and "ingest" in self.roles:
            yield "ingest", together.take_in(self.ingest)
        if together is not None and "deliver" in self.roles:
            yield "chores", together.do_chores()
        for name, messenger in self.messengers.items():
            if hears(self.config, name) in self.roles:
                yield f"hear {name}", self._hear(messenger)

    async def _hear(self, messenger: Messenger) -> None:
        if self.together is not None and hears(self.config, messenger.platform) == "chat":
            await self.together.hear(messenger, lambda: self._listen(messenger))
        else:
            await self._listen(messenger)

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

    async def _alive(self) -> None:
        tell(self.config.notify_socket, "WATCHDOG=1")

    async def _stop(self) -> None:
        """Intake first, then what is in hand; the rest goes back to the store."""
        await self.scheduler.stop(grace=1.0)
        await self.poller.drain(STOP_WITHIN / 4)
        if self.together is not None:
            await self.together.stop(STOP_WITHIN / 2)
        await self.deliverer.stop(STOP_WITHIN / 2)

    async def _watch(self) -> None:
        if self.together is None or self.together.has_chores:
            await self.watch.tick()

    async def _retain(self) -> None:
        if self.together is not None and not self.together.has_chores:
            return
        now = self.clock.now()
        gone = await self.store.retain(now - KEEP_ENTRIES, now - KEEP_FINGERPRINTS, now - KEEP_DELIVERIES)
        log.info("retention", rows=gone)

    async def close(self) -> None:
        """Lets go of everything; the store last."""
        held: list[Messenger | Fetcher | Parser] = [*self.messengers.values(), self.fetcher, self.parser]
        for closing in held:
            with contextlib.suppress(Exception):
                await closing.close()
        if self._watching is not None:
            self._watching.cancel()
        if self.web is not None:
            await self.web.close()
        if self.wire is not None:
            await self.wire.close()
        await self.store.close()
