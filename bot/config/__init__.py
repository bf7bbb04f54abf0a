"""Configuration: a TOML file and the environment in, one frozen Config out.

The environment beats the file. Every problem is found and reported at once, each with its key path and line; unknown
keys are refused, because a misspelt key that is silently ignored is a setting that silently does not hold.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from bot.config import checks
from bot.config.reader import SELECTORS, Reader, lines_of
from bot.errors import ConfigError
from bot.model import Feed, FeedId, Selectors

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE = Path("config.toml")
DEFAULT_STORE = "tinydb:///data/tocsin.json"

#: set by platforms in every process: devcenter.heroku.com/articles/dynos, render.com/docs/environment-variables,
#: cloud.google.com/run/docs/container-contract
_FORGETFUL = {"DYNO": "Heroku", "RENDER": "Render", "K_SERVICE": "Cloud Run"}

#: parameters of a feed's address whose values are nobody else's business
_SECRET_PARAMETERS = re.compile(r"token|key|secret|pass|auth|sig", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """A Telegram bot; off while `token` is ""."""

    token: str = field(default="", repr=False)
    #: the root before /bot<token>/, without a slash at its end
    base_url: str = "https://api.telegram.org"


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """A Slack app; off while `bot_token` is "". Socket Mode with `app_token`, else HTTP with `signing_secret`."""

    bot_token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    #: ends with a slash
    base_url: str = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class SourcesConfig:
    """How sources are polled."""

    #: seconds between polls of a feed that has no wish of its own
    interval: float = 600.0
    #: True: any address may be fetched; networks (CIDR): these may be, although they are private
    allow_private_networks: bool | tuple[str, ...] = False
    #: an address or mailbox named in the User-Agent, so that publishers can reach the operator
    contact: str = ""
    #: an HTTP proxy for all sources; "" for none
    proxy: str = field(default="", repr=False)
    #: whether admins may add sources by sending a list of feeds (OPML) to a chat
    from_chats: bool = True


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Status page, health checks, metrics and webhooks; off while `port` is None."""

    host: str = "127.0.0.1"
    #: 0: any free one
    port: int | None = None
    #: where the internet reaches this server (https), for webhooks; "" when it does not
    public_url: str = ""
    #: asked for by the status page; "" asks for none
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the operator decided."""

    #: the file read; None: there is none
    path: Path | None = None
    store_url: str = field(default=DEFAULT_STORE, repr=False)
    telegram: TelegramConfig = TelegramConfig()
    slack: SlackConfig = SlackConfig()
    sources: SourcesConfig = SourcesConfig()
    feeds: tuple[Feed, ...] = ()
    web: WebConfig = WebConfig()
    console_enabled: bool = True
    log_level: str = "info"
    #: whether file or environment named the level; a console chat is quieter when nobody did
    log_level_given: bool = False
    #: play the bundled sample wire
    sample: bool = False
    #: the platform whose disks last until the next deploy only, where the environment tells of one; ""
    forgetful_disk: str = ""
    #: where a service manager listens, and within how many seconds it wants to hear that the bot is alive; "", 0: there is none
    notify_socket: str = ""
    watchdog: float = 0.0

    @property
    def has_telegram(self) -> bool:
        """A Telegram token is there."""
        return bool(self.telegram.token)

    @property
    def has_slack(self) -> bool:
        """A Slack bot token is there."""
        return bool(self.slack.bot_token)

    @property
    def warning(self) -> str:
        """What the operator should know before the bot starts; ""."""
        if not self.forgetful_disk or not self.store_url.startswith("tinydb:"):
            return ""
        return (
            f"{self.forgetful_disk} gives a new disk at each deploy, unless one is mounted: what is kept in a file is lost. "
            "Set DATABASE_URL to a PostgreSQL database; `tocsin db copy` moves what there is."
        )

    def secrets(self) -> tuple[str, ...]:
        """Every text that must never be shown or logged."""
        slack = self.slack
        found = [self.telegram.token, slack.bot_token, slack.app_token, slack.signing_secret, self.web.token]
        for address in (self.store_url, self.sources.proxy, *(feed.id for feed in self.feeds)):
            parts = urlsplit(address)
            found.append(parts.password or "")
            found += [value for name, value in parse_qsl(parts.query) if _SECRET_PARAMETERS.search(name)]
        return tuple(secret for secret in found if secret)


def load_config(path: Path | None, environ: Mapping[str, str]) -> Config:
    """Reads `path`, else the file that TOCSIN_CONFIG names, else ./config.toml, else no file at all.

    Without a file the feeds of the bundled example are polled and the sample wire plays. Raises ConfigError.
    """
    named = path or (Path(environ["TOCSIN_CONFIG"]) if environ.get("TOCSIN_CONFIG") else None)
    if named is None and not DEFAULT_FILE.is_file():
        reader = Reader("", {}, {})
        config = _build(reader, environ)
        reader.finish()
        return replace(config, sample=True, feeds=load_example().feeds)
    return _load_file(named or DEFAULT_FILE, environ)


def from_environment(path: Path | None = None) -> Config:
    """`load_config` with this process's environment."""
    return load_config(path, os.environ)


def example_path() -> Path:
    """Where config.example.toml lies: inside an installed package, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    packed = package / "config.example.toml"
    return packed if packed.is_file() else package.parent / "config.example.toml"


def load_example() -> Config:
    """The bundled example."""
    return _load_file(example_path(), {})


def _load_file(path: Path, environ: Mapping[str, str]) -> Config:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError([f"{path}: there is no such file; `tocsin init {path}` writes it"]) from None
    except UnicodeDecodeError as broken:
        raise ConfigError([f"{path}: is not UTF-8 text (byte {broken.start})"]) from None
    except OSError as refused:
        raise ConfigError([f"{path}: can't be read ({refused.strerror})"]) from None
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise ConfigError([f"{path.name}: is nested too deeply"]) from None
    except tomllib.TOMLDecodeError as broken:
        line = re.search(r"line (\d+)", str(broken))
        where = f":{line[1]}" if line else ""
        raise ConfigError([f"{path.name}{where}: is not valid TOML: {broken}"]) from None
    reader = Reader(path.name, document, lines_of(text))
    config = _build(reader, environ)
    reader.finish()
    return replace(config, path=path)


def _build(reader: Reader, environ: Mapping[str, str]) -> Config:
    """Takes every known key; problems gather in the reader, and what is wrong keeps its default."""
    reader.overlay(environ)
    telegram = TelegramConfig(
        token=reader.take("telegram.token", checks.telegram_token, ""),
        base_url=reader.take("telegram.base_url", checks.web_address, "https://api.telegram.org").rstrip("/"),
    )
    slack = SlackConfig(
        bot_token=reader.take("slack.bot_token", checks.prefixed("xoxb-"), ""),
        app_token=reader.take("slack.app_token", checks.prefixed("xapp-"), ""),
        signing_secret=reader.take("slack.signing_secret", checks.secret, ""),
        base_url=reader.take("slack.base_url", checks.web_address, "https://slack.com/api/").rstrip("/") + "/",
    )
    sources = SourcesConfig(
        interval=reader.take("sources.interval", checks.seconds, 600.0),
        allow_private_networks=reader.take("sources.allow_private_networks", checks.networks, False),
        contact=reader.take("sources.contact", checks.text, ""),
        proxy=reader.take("sources.proxy", checks.optional_address, ""),
        from_chats=reader.take("sources.from_chats", checks.yes_no, True),
    )
    web = WebConfig(
        host=reader.take("web.host", checks.some_text, "127.0.0.1"),
        port=reader.take("web.port", checks.port, None),
        public_url=reader.take("web.public_url", checks.optional_address, "").rstrip("/"),
        token=reader.take("web.token", checks.secret, ""),
    )
    _check_slack(reader, slack, web)
    level: str = reader.take("log.level", checks.level, "")
    chats = bool(telegram.token or slack.bot_token)
    return Config(
        store_url=reader.take("store.url", checks.store_url, DEFAULT_STORE),
        telegram=telegram,
        slack=slack,
        sources=sources,
        feeds=_feeds(reader),
        web=web,
        console_enabled=reader.take("console.enabled", checks.yes_no, not chats),
        log_level=level or "info",
        log_level_given=bool(level),
        notify_socket=environ.get("NOTIFY_SOCKET", ""),
        watchdog=_watchdog(environ),
        forgetful_disk=next((name for variable, name in _FORGETFUL.items() if environ.get(variable)), ""),
    )


def _watchdog(environ: Mapping[str, str]) -> float:
    """Seconds; only when the limit is meant for this process (sd_watchdog_enabled(3))."""
    pid, limit = environ.get("WATCHDOG_PID", ""), environ.get("WATCHDOG_USEC", "")
    return int(limit) / 1e6 if limit.isdecimal() and pid in ("", str(os.getpid())) else 0.0


def _check_slack(reader: Reader, slack: SlackConfig, web: WebConfig) -> None:
    """The three Slack secrets make sense in certain company only."""
    if not slack.bot_token and not reader.seen("slack.bot_token") and (slack.app_token or slack.signing_secret):
        reader.problem(
            "slack.bot_token", "is missing (xoxb-…, from OAuth & Permissions), though other Slack keys are set"
        )
    if slack.bot_token and not slack.app_token and not reader.seen("slack.app_token"):
        if not slack.signing_secret:
            reader.problem(
                "slack.app_token", "is missing (xapp-…): without it, or slack.signing_secret, nobody is heard"
            )
        elif web.port is None:
            reader.problem(
                "web.port", "is missing: slack.signing_secret without slack.app_token listens for HTTP requests"
            )


def _feeds(reader: Reader) -> tuple[Feed, ...]:
    """The [[source]] tables."""
    feeds: dict[str, Feed] = {}
    for at in reader.tables("source"):
        url = reader.take(f"{at}.url", checks.web_address, "")
        if not url:
            if not reader.seen(f"{at}.url"):
                reader.problem(f"{at}.url", "is missing: the address of the feed")
        elif url in feeds:
            reader.problem(f"{at}.url", "is listed twice")
        feeds[url] = Feed(
            id=FeedId(url),
            name=reader.take(f"{at}.name", checks.text, ""),
            language=reader.take(f"{at}.language", checks.language, ""),
            tags=reader.take(f"{at}.tags", checks.texts, ()),
            interval=reader.take(f"{at}.interval", checks.seconds, None),
            owner=reader.take(f"{at}.owner", checks.text, ""),
            selectors=_selectors(reader, at),
            fulltext=reader.take(f"{at}.fulltext", checks.full_text, False),
        )
    return tuple(feeds.values())


def _selectors(reader: Reader, at: str) -> Selectors | None:
    """Where the items of a page stand; None for a feed."""
    kind = reader.take(f"{at}.type", checks.source_type, "" if reader.seen(f"{at}.type") else "feed")
    parts = {key: reader.take(f"{at}.{key}", checks.selector, "") for key in SELECTORS}
    if kind != "page":
        for key in SELECTORS:
            if kind and reader.seen(f"{at}.{key}"):
                reader.problem(f"{at}.{key}", 'is for sources with type = "page"')
        return None
    if not reader.seen(f"{at}.item"):
        reader.problem(f"{at}.item", "is missing: a CSS selector that matches each item of the page")
    return Selectors(**parts)
