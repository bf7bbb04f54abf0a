"""Logging: structlog over the standard library, one redacted line per record.

Everything that is logged, by Tocsin or by a library, leaves through one handler. Its formatter masks secrets last of
all, in the finished text, so messages, arguments, exceptions and tracebacks are covered alike.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import quote

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

#: characters of one record; a longer one keeps its beginning and its end, where a traceback says what happened
LONGEST = 8000
#: a secret shorter than this would mask ordinary words
SHORTEST_SECRET = 5

MASK = "***"
#: things that are secret by their shape, known to the configuration or not
_SHAPES = (
    (re.compile(r"(?<![0-9])(?:bot)?[0-9]{5,}(?::|%3[Aa])[A-Za-z0-9_-]{20,}"), MASK),
    (re.compile(r"bot[0-9]+(?::|%3[Aa])[A-Za-z0-9_-]+"), f"bot{MASK}"),
    (re.compile(r"\b(?:xox[a-z]|xapp)-[A-Za-z0-9-]+"), MASK),
    (re.compile(r"(?<=://)[^/\s@'\"]+@"), f"{MASK}@"),
)
#: control characters and line ends of any kind: one record is one line, and no terminal obeys a feed
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
#: libraries that tell too much below WARNING; httpx logs every address, and for Telegram the address holds the token
_CHATTY = (
    "httpx",
    "httpcore",
    "telegram",
    "slack_bolt",
    "slack_sdk",
    "aiohttp.access",
    "apscheduler",
    "asyncio",
    "procrastinate",
)


def make_redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that masks these secrets, and whatever looks like one, in a text."""
    known = {secret for secret in secrets if len(secret) >= SHORTEST_SECRET}
    known |= {quote(secret, safe="") for secret in known}
    # the longest first: a secret may be the beginning of another
    pattern = re.compile("|".join(re.escape(secret) for secret in sorted(known, key=len, reverse=True)) or r"(?!)")

    def redact(text: str) -> str:
        text = pattern.sub(MASK, text)
        for shape, mask in _SHAPES:
            text = shape.sub(mask, text)
        return text

    return redact


def one_line(text: str) -> str:
    """The text without control characters and within LONGEST."""
    text = _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record, then masks secrets in the result."""

    def __init__(self, redact: Callable[[str], str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return one_line(self._redact(super().format(record)))


class _StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever sys.stderr is when the record comes: the console chat replaces it while it prompts."""

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """Logging sets it once; there is nothing to keep."""


def configure(level: str, secrets: Iterable[str], stream: TextIO | None = None) -> None:
    """Sends all logging to `stream` (None: standard error) from `level` ("debug" ... "critical") up.

    May be called again; the last call counts.
    """
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    handler = logging.StreamHandler(stream) if stream is not None else _StderrHandler()
    handler.setFormatter(
        _Formatter(
            make_redactor(secrets),
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.LogfmtRenderer(key_order=["time", "level", "event"]),
            ],
        )
    )
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    # a standard error that was closed is no reason to print about it
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
