"""Would the chats work? Asked of the platforms themselves, for `tocsin check`. No token ever appears in the words."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.chats.manifest import SCOPES
from bot.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

#: seconds for one call, in all
_DEADLINE = 10.0
#: seconds that our clock may differ from a platform's before it is worth a word, and before Slack's signed requests are
#: refused (docs.slack.dev/authentication/verifying-requests-from-slack: five minutes)
_SKEW, _TOO_MUCH = 60.0, 300.0
_COPY = "copy the token again from @BotFather (/mybots, API Token)"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a platform said; `failure` in words when it said nothing that can be read."""

    body: dict[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""


async def probe_telegram(token: str, base_url: str, public_url: str, now: Callable[[], datetime]) -> list[Finding]:
    """The token, and who gets the updates. Source: core.telegram.org/bots/api#getme, #getwebhookinfo."""
    root = f"{base_url}/bot{token}"
    async with _session() as session:
        me = await _call(session, f"{root}/getMe", {})
        if me.failure:
            return [_unreachable("telegram", me, "telegram.base_url")]
        if not me.body.get("ok"):
            if me.body.get("error_code") in (401, 404):
                return [Finding("telegram", "broken", "Telegram does not know this token", _COPY)]
            return [Finding("telegram", "broken", f"Telegram refused: {me.body.get('description', 'no reason given')}")]
        who = _result(me)
        findings = [Finding("telegram", "ok", f"@{who.get('username', '?')}")]
        if who.get("can_join_groups") is False:
            repair = "/setjoingroups at @BotFather, if it should"
            findings.append(Finding("telegram groups", "warning", "the bot can't be added to groups", repair))
        info = _result(await _call(session, f"{root}/getWebhookInfo", {}))
        return [*findings, *_webhook(info, public_url), *_clock("telegram clock", me, now())]


def _webhook(info: dict[str, Any], public_url: str) -> list[Finding]:
    """Who gets the updates: we do on start, whatever is set now; but another program may want them too."""
    url, error = str(info.get("url") or ""), str(info.get("last_error_message") or "")
    ours = f"{public_url}/telegram" if public_url else ""
    if url and url != ours:
        repair = "`tocsin run` replaces it; if another program uses this bot, give Tocsin a bot of its own"
        return [Finding("telegram webhook", "warning", "updates go to another address now", repair)]
    if url and error:
        repair = "[web] public_url must reach this machine by https on port 443, 80, 88 or 8443"
        return [Finding("telegram webhook", "warning", f"Telegram's last try to reach it failed: {error}", repair)]
    waiting = info.get("pending_update_count")
    return [Finding("telegram webhook", "ok", f"{waiting} updates wait to be read")] if waiting else []


async def probe_slack(
    bot_token: str, app_token: str, base_url: str, now: Callable[[], datetime], *, signed: bool
) -> list[Finding]:
    """The tokens, the scopes, the socket and the clock.

    `signed`: requests come over HTTP, and are refused by a clock that is wrong. Sources: docs.slack.dev/reference/methods,
    auth.test and apps.connections.open.
    """
    async with _session() as session:
        who = await _call(session, f"{base_url}auth.test", _bearer(bot_token))
        if who.failure:
            return [_unreachable("slack", who, "slack.base_url")]
        if not who.body.get("ok"):
            reason = who.body.get("error", "no reason given")
            repair = "copy the Bot User OAuth Token again (OAuth & Permissions), after Install to Workspace"
            return [Finding("slack", "broken", f"Slack refused the bot token: {reason}", repair)]
        findings = [Finding("slack", "ok", f"{who.body.get('user', '?')} in {who.body.get('team', '?')}")]
        granted = {scope.strip() for scope in who.headers.get("x-oauth-scopes", "").split(",")}
        missing = [scope for scope in SCOPES if scope not in granted]
        if missing and granted != {""}:
            repair = "paste `tocsin slack manifest` as the app's manifest, and reinstall the app"
            findings.append(Finding("slack scopes", "warning", f"missing: {', '.join(missing)}", repair))
        if app_token:
            findings.append(await _socket(session, app_token, base_url))
        return [*findings, *_clock("slack clock", who, now(), signed=signed)]


async def _socket(session: aiohttp.ClientSession, app_token: str, base_url: str) -> Finding:
    """Asks for the address of a connection, as Socket Mode does, and leaves it unused.

    On an open connection Slack might hand us what is meant for the running bot.
    """
    opened = await _call(session, f"{base_url}apps.connections.open", _bearer(app_token))
    if opened.failure:
        return _unreachable("slack socket", opened, "slack.base_url")
    if not opened.body.get("ok"):
        reason = opened.body.get("error", "no reason given")
        repair = "Basic Information, App-Level Tokens: one with connections:write; and Socket Mode must be on"
        return Finding("slack socket", "broken", f"Slack refused the app token: {reason}", repair)
    return Finding("slack socket", "ok", "Socket Mode is on")


def _clock(what: str, answer: _Answer, now: datetime, *, signed: bool = False) -> list[Finding]:
    """Our clock against the platform's (RFC 9110, section 6.6.1)."""
    try:
        theirs = parsedate_to_datetime(answer.headers["Date"])
        skew = abs((now - theirs).total_seconds())
    except (KeyError, ValueError, TypeError):
        return []
    if skew < _SKEW:
        return []
    repair = "set the clock of this machine, and keep it set (NTP: timedatectl set-ntp true)"
    wrong = signed and skew >= _TOO_MUCH
    why = "; Slack's signed requests are refused above five minutes" if wrong else ""
    return [Finding(what, "broken" if wrong else "warning", f"our clock is {skew:.0f} s off{why}", repair)]


def _unreachable(what: str, answer: _Answer, key: str) -> Finding:
    return Finding(what, "broken", answer.failure, f"is the network there, and {key} right?")


def _result(answer: _Answer) -> dict[str, Any]:
    found = answer.body.get("result")
    return found if isinstance(found, dict) else {}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_DEADLINE))


async def _call(session: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> _Answer:
    try:
        async with session.post(url, headers=headers) as response:
            body = json.loads(await response.text())
            if isinstance(body, dict):
                return _Answer(body, response.headers)
            return _Answer(failure=f"unexpected answer (HTTP {response.status})")
    except (aiohttp.ClientError, TimeoutError) as error:
        return _Answer(failure=f"no answer ({type(error).__name__})")
    except ValueError:
        return _Answer(failure="the answer is not JSON")
