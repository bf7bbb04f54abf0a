"""The Slack app manifest that an operator pastes (docs.slack.dev/reference/app-manifest)."""

from __future__ import annotations

import json
from typing import Any

from bot.chats.slack_events import COMMANDS, SHORTCUT
from bot.chats.slack_texts import APP_DESCRIPTION, SHORTCUT_DESCRIPTION, SHORTCUT_NAME
from bot.i18n import _

#: what the bot calls: posting, charts and one's own data as files, direct messages, who is a guest, whether it is in a channel
SCOPES = (
    "app_mentions:read",
    "channels:read",
    "chat:write",
    "commands",
    "files:write",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:read",
    "users:read",
)
EVENTS = (
    "app_home_opened",
    "app_mention",
    "channel_archive",
    "channel_deleted",
    "channel_id_changed",
    "channel_left",
    "channel_unarchive",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_unarchive",
    "member_joined_channel",
    "message.im",
)


def slack_manifest(request_url: str = "") -> str:
    """JSON to paste at api.slack.com/apps. `request_url`: where HTTP mode listens; "" means Socket Mode."""
    address = {"url": request_url} if request_url else {}
    requests = {"request_url": request_url} if request_url else {}
    commands: list[dict[str, Any]] = [
        {"command": f"/{name}", "description": _(what), "should_escape": False}
        | ({"usage_hint": _(hint)} if hint else {})
        | address
        for name, what, hint in COMMANDS
    ]
    shortcut = {
        "name": _(SHORTCUT_NAME),
        "type": "message",
        "callback_id": SHORTCUT,
        "description": _(SHORTCUT_DESCRIPTION),
    }
    manifest = {
        "display_information": {"name": "Tocsin", "description": _(APP_DESCRIPTION)},
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "tocsin", "always_online": True},
            "shortcuts": [shortcut],
            "slash_commands": commands,
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)} | requests,
            "interactivity": {"is_enabled": True} | requests,
            "org_deploy_enabled": False,
            "socket_mode_enabled": not request_url,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
