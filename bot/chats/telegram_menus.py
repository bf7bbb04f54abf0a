"""What Telegram shows about the bot: command lists by scope and language, and its description."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Menu:
    """What Telegram shows about the bot in one language ("" is everyone else's)."""

    #: (name, what it does): for private chats and for admins of groups
    commands: Sequence[tuple[str, str]]
    #: for everyone in a group
    group_commands: Sequence[tuple[str, str]] = ()
    description: str = ""
    short_description: str = ""
    #: two letters (ISO 639-1)
    language: str = ""


def calls_of(menu: Menu) -> list[tuple[str, dict[str, Any]]]:
    """Scopes from the widest to the narrowest: core.telegram.org/bots/api#botcommandscope."""
    language = menu.language or None
    groups = menu.group_commands or menu.commands
    scopes = {
        "default": menu.commands,
        "all_private_chats": menu.commands,
        "all_group_chats": groups,
        "all_chat_administrators": menu.commands,
    }
    calls: list[tuple[str, dict[str, Any]]] = [
        (
            "setMyCommands",
            {
                "commands": [{"command": name, "description": what[:256]} for name, what in commands],
                "scope": {"type": scope},
                "language_code": language,
            },
        )
        for scope, commands in scopes.items()
    ]
    if menu.description:
        calls.append(("setMyDescription", {"description": menu.description[:512], "language_code": language}))
    if menu.short_description:
        short = {"short_description": menu.short_description[:120], "language_code": language}
        calls.append(("setMyShortDescription", short))
    return calls
