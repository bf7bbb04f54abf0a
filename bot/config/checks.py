"""Checks of single values: a raw value in, the value out or Wrong with what it must be. Secrets are never shown."""

from __future__ import annotations

import importlib.util
import ipaddress
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS = ("debug", "info", "warning", "error", "critical")


class Wrong(Exception):
    """What the value must be, and what it was."""


def _shown(value: object) -> str:
    text = repr(value)
    return f"(got {text if len(text) <= 60 else text[:60] + '…'})"


def text(value: object) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise Wrong(f"must be a text in quotes {_shown(value)}")
    return value.strip()


def secret(value: object) -> str:
    """A text that is never shown, whatever is wrong with it."""
    if not isinstance(value, str):
        raise Wrong("must be a text in quotes")
    return value.strip()


def some_text(value: object) -> str:
    """A text that is not empty."""
    given = text(value)
    if not given:
        raise Wrong("must not be empty")
    return given


def texts(value: object) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Wrong(f'must be a list of texts, like ["world", "war"] {_shown(value)}')
    return tuple(item.strip() for item in value if item.strip())


def yes_no(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(f"must be true or false {_shown(value)}")
    return value


def full_text(value: object) -> bool:
    """True or false; true needs the extra."""
    wanted = yes_no(value)
    if wanted and importlib.util.find_spec("trafilatura") is None:
        raise Wrong("needs an extra that is not installed: pip install 'tocsin[fulltext]'")
    return wanted


def seconds(value: object) -> float:
    """A length of time, from a second to a year."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 31_536_000:
        raise Wrong(f"must be a number of seconds, at least 1 {_shown(value)}")
    return float(value)


def port(value: object) -> int:
    """A TCP port; a text of digits comes from the environment."""
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise Wrong(f"must be a port, 0 to 65535 {_shown(value)}")
    return value


def level(value: object) -> str:
    """A level of the log."""
    name = text(value).lower()
    if name not in LEVELS:
        raise Wrong(f"must be one of {', '.join(LEVELS)} {_shown(value)}")
    return name


def language(value: object) -> str:
    """A code of ISO 639-1, or ""."""
    code = text(value).lower()
    if not re.fullmatch(r"([a-z]{2})?", code):
        raise Wrong(f"must be a two-letter code of ISO 639-1, like en or ar {_shown(value)}")
    return code


def source_type(value: object) -> str:
    """What a source is."""
    given = text(value).lower()
    if given not in {"feed", "page"}:
        raise Wrong(f'must be "feed" or "page" {_shown(value)}')
    return given


def selector(value: object) -> str:
    """A CSS selector."""
    given = some_text(value)
    # the HTML parser loads only for who reads pages
    from bot.sources.page import is_selector  # noqa: PLC0415

    if not is_selector(given):
        raise Wrong(f"is not a CSS selector {_shown(value)}")
    return given


def web_address(value: object) -> str:
    """An http or https address with a host."""
    given = secret(value)
    try:
        parts = urlsplit(given)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\s\x00-\x1f]", given):
        # not shown: it may hold a password
        raise Wrong("must be an address that begins with https:// or http://")
    return given


def optional_address(value: object) -> str:
    """A web address, or ""."""
    return web_address(value) if value != "" else ""


def store_url(value: object) -> str:
    """The address of a store."""
    given = secret(value)
    if given.startswith("tinydb:///") and len(given) > len("tinydb:///"):
        return given
    with suppress(ValueError):  # what can't be taken apart is no address
        if re.match(r"postgres(ql)?://.", given) and urlsplit(given):
            return given
    raise Wrong("must begin with tinydb:/// and a path, or with postgresql://")


def networks(value: object) -> bool | tuple[str, ...]:
    """Every network, none, or those listed."""
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Wrong(f'must be true, false or a list of networks, like ["192.168.0.0/16"] {_shown(value)}')
    for item in value:
        try:
            ipaddress.ip_network(item, strict=False)
        except ValueError:
            raise Wrong(f"must be a list of networks; {item!r} is none") from None
    return tuple(value)


def telegram_token(value: object) -> str:
    """A bot token, or ""."""
    given = secret(value)
    if given and not re.fullmatch(r"\d+:[\w-]+", given):
        # never shown: it is most likely a mistyped secret
        raise Wrong("is not a bot token; @BotFather gives one like 123456:ABC-DEF…")
    return given


def prefixed(prefix: str) -> Callable[[object], str]:
    """A check for a secret that begins in this way, or is ""."""

    def check(value: object) -> str:
        given = secret(value)
        if given and not given.startswith(prefix):
            raise Wrong(f"must begin with {prefix}")
        return given

    return check
