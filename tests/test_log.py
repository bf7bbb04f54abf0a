import io
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import structlog

from bot.log import LONGEST, configure, make_redactor

TOKEN = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw9"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    """Logging as it was, after each test."""
    root = logging.getLogger()
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    yield
    for handler in list(root.handlers):
        root.removeHandler(handler)
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def to_text(level: str = "debug", *secrets: str) -> io.StringIO:
    """Where everything is logged to from now on."""
    stream = io.StringIO()
    configure(level, secrets, stream)
    return stream


def test_one_record_is_one_line_of_keys_and_values() -> None:
    """Logs are read by grep: constant event, key=value, no line feed whatever a feed says."""
    stream = to_text()

    structlog.get_logger("x").info("polled", feed="https://a.example/f", new=3, title="a\nb\x1b[31m\u2028c")
    logging.getLogger("y").warning("plain %s", "old\r\nstyle")

    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(
        r"time=\S+ level=info event=polled feed=https://a\.example/f new=3 title=a\\nb\\x1b\[31m\\u2028c", first
    )
    assert re.fullmatch(r'time=\S+ level=warning event="plain old(\\r)?\\nstyle"', second)


def raising(secret: str) -> None:
    """Fails with the secret in the message, in the frame's source line, and in the cause."""
    try:
        int(f"inner {secret}")
    except ValueError as cause:
        raise RuntimeError(f"POST https://api.example/bot{secret}/send failed") from cause


@pytest.mark.parametrize("secret", [TOKEN, "hunter2-secret", "päss wörd/+"])
def test_secrets_are_masked_wherever_they_stand(secret: str) -> None:
    """Message, arguments, values, exceptions, causes, tracebacks, and percent-encoded in addresses."""
    stream = to_text("debug", secret)
    log: Any = structlog.get_logger("x")

    log.error("failed", reason=f"with {secret}", url=f"https://x.example/{quote(secret, safe='')}/y", many=[secret])
    logging.getLogger("lib").error("%s and %r", secret, {"k": secret})
    try:
        raising(secret)
    except RuntimeError:
        log.exception("broke")
        logging.getLogger("lib").exception("broke")

    text = stream.getvalue()
    assert secret not in text
    assert quote(secret, safe="") not in text
    assert len(text.splitlines()) == 4
    assert "RuntimeError" in text
    assert text.count("***") >= 8


@pytest.mark.parametrize(
    "text",
    [
        f"https://api.telegram.org/bot{TOKEN}/sendMessage",
        f"https://api.telegram.org/bot{TOKEN.replace(':', '%3A')}/getMe",
        f"token {TOKEN} rejected",
        "Bearer xoxb-123456789012-abcdefABCDEF",
        "xapp-1-A0123-456-abcdef",
        "postgresql://tocsin:Pa55word@db.example/tocsin",
        "https://reader:Pa55word@feeds.example/private",
    ],
)
def test_what_looks_like_a_secret_is_masked_unasked(text: str) -> None:
    """Tokens of other bots, pasted by people or named by a redirect, are secrets too."""
    masked = make_redactor(())(text)

    assert "***" in masked
    assert not re.search(r"AAHd|abcdef|Pa55", masked)


@pytest.mark.parametrize(
    "text", ["at 12:30 the bot 5 said: ok", "https://a.example/2026/05/12:x", "mail a@b.example", "robots:no", "::1"]
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    """A redactor that masks too much makes logs useless."""
    assert make_redactor(("a", ""))(text) == text


def test_a_long_record_keeps_both_ends() -> None:
    """A field of a megabyte can't flood the log, and the end of a traceback, which names the fault, is kept."""
    stream = to_text()

    logging.getLogger("x").warning("begin %s end", "x" * 1_000_000)

    (line,) = stream.getvalue().splitlines()
    assert len(line) <= LONGEST + 3
    assert "begin" in line
    assert 'end"' in line


def test_chatty_libraries_speak_up_only_when_it_matters() -> None:
    """Httpx logs each address at INFO, and for Telegram the address is the token."""
    stream = to_text("debug")

    for name in ("httpx", "slack_sdk.web.async_client", "telegram.ext", "apscheduler.scheduler"):
        logging.getLogger(name).info("chatter")
        logging.getLogger(name).warning("matter")

    assert "chatter" not in stream.getvalue()
    assert stream.getvalue().count("matter") == 4


def test_the_level_holds_and_the_last_call_counts() -> None:
    """Calling configure again replaces what was there, and records come once."""
    before, after = to_text("debug"), to_text("warning")

    structlog.get_logger("x").info("quiet")
    structlog.get_logger("x").warning("loud")

    assert before.getvalue() == ""
    assert after.getvalue().count("loud") == 1
    assert "quiet" not in after.getvalue()


def test_standard_error_is_asked_for_each_time(capsys: pytest.CaptureFixture[str]) -> None:
    """The console chat replaces sys.stderr while it prompts; a handler that kept the old one would tear the prompt."""
    configure("info", ())

    logging.getLogger("x").warning("here")

    assert "event=here" in capsys.readouterr().err
