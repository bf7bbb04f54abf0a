"""`tocsin check` asks the platforms: what is wrong, with what to do about it, and never the token."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from bot.chats.manifest import SCOPES
from bot.chats.probe import probe_slack, probe_telegram
from bot.model import Finding

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ME = {"ok": True, "result": {"id": 1, "is_bot": True, "username": "tocsin_bot", "can_join_groups": True}}
WHO = {"ok": True, "user": "tocsin", "team": "Desk"}


class Platform:
    """A server on loopback that answers each method as told, with this date and these headers."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.headers = {"Date": NOW.strftime("%a, %d %b %Y %H:%M:%S GMT")}

    async def _answer(self, request: web.Request) -> web.Response:
        answer = self.answers.get(request.match_info["method"], {"ok": False, "error": "unknown_method"})
        if isinstance(answer, str):
            return web.Response(text=answer, headers=self.headers)
        return web.json_response(answer, headers=self.headers)

    async def __aenter__(self) -> str:
        app = web.Application()
        app.router.add_post("/{place}/{method}", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aexit__(self, *failure: object) -> None:
        await self._runner.cleanup()


async def telegram(platform: Platform, public_url: str = "", now: datetime = NOW) -> list[Finding]:
    async with platform as root:
        found = await probe_telegram("1:secret", root, public_url, lambda: now)
    assert "1:secret" not in str(found)
    return found


async def slack(
    platform: Platform, now: datetime = NOW, app_token: str = "xapp-secret", *, signed: bool = False
) -> list[Finding]:
    async with platform as root:
        found = await probe_slack("xoxb-secret", app_token, f"{root}/api/", lambda: now, signed=signed)
    assert "secret" not in str(found)
    return found


def verdicts(found: list[Finding]) -> dict[str, str]:
    return {finding.what: finding.verdict for finding in found}


async def test_all_is_well() -> None:
    """Who the bot is, and nothing that needs no word."""
    assert await telegram(Platform(getMe=ME, getWebhookInfo={"ok": True, "result": {"url": ""}})) == [
        Finding("telegram", "ok", "@tocsin_bot")
    ]
    told = Platform(**{"auth.test": WHO, "apps.connections.open": {"ok": True, "url": "ws://127.0.0.1:1/"}})
    told.headers["x-oauth-scopes"] = ",".join(SCOPES)
    assert await slack(told) == [
        Finding("slack", "ok", "tocsin in Desk"),
        Finding("slack socket", "ok", "Socket Mode is on"),
    ]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"ok": False, "error_code": 401, "description": "Unauthorized"}, "does not know this token"),
        ({"ok": False, "error_code": 500, "description": "Internal"}, "refused: Internal"),
        ("<html>proxy</html>", "not JSON"),
        ([], "unexpected answer"),
    ],
)
async def test_a_telegram_token_that_does_not_work(answer: Any, says: str) -> None:
    """One finding, in words."""
    (found,) = await telegram(Platform(getMe=answer))
    assert found.verdict == "broken"
    assert says in found.detail


@pytest.mark.parametrize(
    ("info", "says"),
    [
        ({"url": "https://other.example/hook"}, "another address"),
        ({"url": "https://bot.example/telegram", "last_error_message": "Wrong response"}, "Wrong response"),
    ],
)
async def test_updates_that_go_elsewhere(info: dict[str, Any], says: str) -> None:
    """Another program's webhook, or ours that can't be reached, is told before the bot starts."""
    platform = Platform(getMe=ME, getWebhookInfo={"ok": True, "result": info})
    found = await telegram(platform, "https://bot.example")
    assert verdicts(found) == {"telegram": "ok", "telegram webhook": "warning"}
    assert says in found[1].detail
    assert found[1].repair


async def test_a_server_that_knows_only_the_token_call() -> None:
    """An unknown method, or one without a result, is no finding."""
    for odd in ({"ok": False, "error_code": 404}, {"ok": True, "result": True}, "?"):
        assert verdicts(await telegram(Platform(getMe=ME, getWebhookInfo=odd))) == {"telegram": "ok"}


async def test_slack_says_what_is_missing() -> None:
    """Scopes that the manifest asks for, an app token of the wrong kind, a bot token that was revoked."""
    platform = Platform(**{"auth.test": WHO, "apps.connections.open": {"ok": False, "error": "not_allowed_token_type"}})
    platform.headers["X-OAuth-Scopes"] = "chat:write,commands"
    found = await slack(platform)
    assert verdicts(found) == {"slack": "ok", "slack scopes": "warning", "slack socket": "broken"}
    assert "im:history" in found[1].detail
    assert "connections:write" in found[2].repair
    (revoked,) = await slack(Platform(**{"auth.test": {"ok": False, "error": "token_revoked"}}))
    assert "token_revoked" in revoked.detail


@pytest.mark.parametrize(
    ("off", "signed", "verdict"),
    [(30, True, None), (90, True, "warning"), (301, True, "broken"), (301, False, "warning")],
)
async def test_a_clock_that_is_wrong(off: float, signed: bool, verdict: str | None) -> None:
    """Slack refuses signed requests that are five minutes old: a wrong clock is a silent bot (row 55)."""
    for way in (1, -1):
        found = await slack(
            Platform(**{"auth.test": WHO}), NOW + way * timedelta(seconds=off), app_token="", signed=signed
        )
        assert verdicts(found).get("slack clock") == verdict
        assert verdicts(await telegram(Platform(getMe=ME), now=NOW + timedelta(seconds=off))).get("telegram clock") == (
            "warning" if off > 60 else None
        )


async def test_nobody_answers() -> None:
    """A network that is not there is said in one line, with the setting to look at."""
    ask: list[Callable[[], Any]] = [
        lambda: probe_telegram("1:secret", "http://127.0.0.1:1", "", lambda: NOW),
        lambda: probe_slack("xoxb-secret", "", "http://127.0.0.1:1/api/", lambda: NOW, signed=False),
    ]
    for one in ask:
        (found,) = await one()
        assert (found.verdict, "base_url" in found.repair) == ("broken", True)
        assert "secret" not in str(found)
