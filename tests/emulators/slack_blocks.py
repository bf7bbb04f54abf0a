"""Block Kit as Slack checks it, and mrkdwn as Slack reads it: what would mention, link or be refused."""

from __future__ import annotations

import re
from typing import Any

Json = dict[str, Any]

_TEXTS = {"section": 3000, "header": 150}
_KNOWN = {"section", "header", "actions", "context", "divider", "input", "image", "rich_text"}


def problem_of(blocks: object) -> str:
    """The name of Slack's error for these blocks, "" when they are fine."""
    if not isinstance(blocks, list):
        return "invalid_blocks_format"
    if len(blocks) > 50 or not all(isinstance(block, dict) and _fine(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if sum(map(characters, blocks)) > 13_200 else ""


def characters(value: object) -> int:
    """Characters of all texts of a block."""
    if isinstance(value, dict):
        own = len(value["text"]) if isinstance(value.get("text"), str) else 0
        return own + sum(characters(part) for part in value.values())
    return sum(map(characters, value)) if isinstance(value, list) else 0


def _fine(block: Json) -> bool:
    kind = block.get("type")
    if kind not in _KNOWN:
        return False
    if kind in _TEXTS:
        text = block.get("text", {})
        wanted = {"plain_text"} if kind == "header" else {"plain_text", "mrkdwn"}
        return (
            text.get("type") in wanted and len(text.get("text", "").strip()) >= 1 and len(text["text"]) <= _TEXTS[kind]
        )
    if kind == "actions":
        elements = block.get("elements", [])
        ids = [e.get("action_id") for e in elements]
        return 1 <= len(elements) <= 25 and len(set(ids)) == len(ids) and all(map(_fine_button, elements))
    if kind == "context":
        return 1 <= len(block.get("elements", [])) <= 10
    return True


def _fine_button(element: Json) -> bool:
    text = element.get("text", {})
    return (
        element.get("type") == "button"
        and text.get("type") == "plain_text"
        and 1 <= len(text.get("text", "")) <= 75
        and 1 <= len(element.get("action_id", "")) <= 255
        and len(element.get("value", "")) <= 2000
    )


def texts_of(value: object) -> list[str]:
    """All texts of blocks, in order."""
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for part in value.values() for text in texts_of(part)]
    return [text for part in value for text in texts_of(part)] if isinstance(value, list) else []


def controls(text: str) -> list[str]:
    """What Slack would act on: mentions, groups, channels and links, as written between < and >."""
    return re.findall(r"<([^<>]+)>", text)


def mentions(message: Json) -> list[str]:
    """Everything in a message's text and blocks that would notify somebody."""
    found = [c for text in [message.get("text", ""), *texts_of(message.get("blocks", []))] for c in controls(text)]
    return [control for control in found if control[0] in "!@#"]


def shown(text: str) -> str:
    """The text as a person reads it: links by their label, escapes undone."""
    text = re.sub(r"<([^<>|]+)(?:\|([^<>]*))?>", lambda found: found[2] if found[2] is not None else found[1], text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def read(message: Json) -> str:
    """What a person reads in a message: its sections, else its text."""
    sections = [block["text"]["text"] for block in message.get("blocks") or [] if block["type"] == "section"]
    return shown("\n".join(sections) if sections else message.get("text", ""))
