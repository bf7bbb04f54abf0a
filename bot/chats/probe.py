"""Do the tokens work? One call each to Telegram's getMe and Slack's auth.test, for `tocsin check`."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

#: seconds for one call, in all
_DEADLINE = 10.0


async def probe_telegram(token: str, base_url: str) -> tuple[bool, str]:
    """(works, in words); the token never appears in the words. Source: core.telegram.org/bots/api#getme."""
    answer = await _post(f"{base_url}/bot{token}/getMe", {})
    if isinstance(answer, str):
        return False, answer
    if answer.get("ok"):
        return True, f"@{answer.get('result', {}).get('username', '?')}"
    if answer.get("error_code") in (401, 404):
        return False, "Telegram does not know this token: copy it again from @BotFather"
    return False, f"Telegram refused: {answer.get('description', 'no reason given')}"


async def probe_slack(token: str, base_url: str) -> tuple[bool, str]:
    """(works, in words). Source: docs.slack.dev/reference/methods/auth.test."""
    answer = await _post(f"{base_url}auth.test", {"Authorization": f"Bearer {token}"})
    if isinstance(answer, str):
        return False, answer
    if answer.get("ok"):
        return True, f"{answer.get('user', '?')} in {answer.get('team', '?')}"
    return False, f"Slack refused the bot token: {answer.get('error', 'no reason given')}"


async def _post(url: str, headers: dict[str, str]) -> dict[str, Any] | str:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_DEADLINE)) as session,
            session.post(url, headers=headers) as response,
        ):
            answer = json.loads(await response.text())
            return answer if isinstance(answer, dict) else f"unexpected answer (HTTP {response.status})"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer ({type(error).__name__}); is the address right, and the network there?"
    except ValueError:
        return "the answer is not JSON; is the address right?"
