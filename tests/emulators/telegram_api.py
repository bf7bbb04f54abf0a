"""A strict Bot API on loopback. In-process: `async with TelegramApi() as api`; own process: `python -m
tests.emulators.telegram_api` (prints its port).

Ops of POST /control are the public methods of TelegramApi whose names stand in `OPS`, with their keyword arguments:
{"op": "say", "chat": 7, "text": "/start"}. State: {"op": "state"}; log: GET /control/log.
Not there: MarkdownV2, media, inline mode, payments.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.emulators.common import (
    Bucket,
    CallLog,
    Faults,
    Json,
    Limit,
    Site,
    Window,
    control_routes,
    drop,
    main,
    take_all,
)
from tests.emulators.telegram_markup import MarkupError, parse_html, utf16

TOKEN = "123456789:AAEmulatorTokenForTests_0123456789abc"
OPS = (
    "person", "group", "channel", "say", "upload", "post", "press", "block", "unblock", "deactivate", "kick", "leave", "add",
    "rights", "member", "migrate", "topic", "dup", "fault", "clear_faults", "revoke", "restore", "state", "shown", "peaks",
)  # fmt: skip
SENDS = ("sendMessage", "editMessageText")
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
_IDS = frozenset({"chat_id", "message_id", "user_id", "message_thread_id", "offset", "limit", "timeout"})


class Refusal(Exception):
    """An error answer of the API."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class Room:
    """A chat: who is in it and what stands in it."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    language: str = "en"
    #: the bot's own status: member, administrator, left, kicked, restricted; in private chats also never, deactivated
    bot: str = "member"
    members: dict[int, str] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    last: int = 0
    migrated_to: int = 0
    #: public name, without "@"
    name: str = ""
    limits: list[Limit] = field(default_factory=list)
    edit_limits: list[Limit] = field(default_factory=list)

    def json(self) -> Json:
        named = {"first_name": self.title} if self.type == "private" else {"title": self.title}
        return {"id": self.id, "type": self.type, **named, **({"is_forum": True} if self.forum else {})}


class TelegramApi:
    """One bot account and the world around it. Chats come into being by `person`, `group` and `channel`."""

    def __init__(
        self, token: str = TOKEN, *, limits: bool = True, privacy: bool = True, press_ttl: float = 30.0
    ) -> None:
        self.token, self.privacy, self.press_ttl = token, privacy, press_ttl
        self.me = {
            "id": int(token.split(":", maxsplit=1)[0]), "is_bot": True, "first_name": "Tocsin", "username": "tocsin_test_bot",
            "can_join_groups": True, "can_read_all_group_messages": not privacy, "supports_inline_queries": False,
        }  # fmt: skip
        self.limited = limits
        self.rooms: dict[int, Room] = {}
        self.log, self.faults = CallLog(), Faults()
        #: (name, content) of what was sent with photos and documents
        self.attached: list[tuple[str, bytes]] = []
        #: called when a message was taken and its sender does not know yet
        self.on_taken: Callable[[], None] = lambda: None
        self.updates: list[Json] = []
        self.webhook: Json = {}
        self.menus: list[Json] = []
        self.revoked = False
        self._all: list[Limit] = [Bucket(30, 30)] if limits else []
        self._next_update, self._next_query = 1000, 1
        self._sent_updates: dict[int, Json] = {}
        self._queries: dict[str, float] = {}
        self._allowed: list[str] | None = None
        self._files: dict[str, bytes] = {}
        self._news = asyncio.Event()
        self._poller: asyncio.Event | None = None
        self._pusher: asyncio.Task[None] | None = None
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        # under an address of its own each process's calls can be told apart in the log
        app.router.add_route("*", "/{via}/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        control_routes(app, self._control, self.log)
        self._site = Site(app)

    # ------------------------------------------------------------ life

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        await self._site.start(port, host)
        self._pusher = asyncio.create_task(self._push())

    async def close(self) -> None:
        if self._pusher:
            self._pusher.cancel()
            await asyncio.gather(self._pusher, return_exceptions=True)
        await self._site.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def port(self) -> int:
        return self._site.port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _control(self, order: Json) -> Any:
        op = order.pop("op")
        if op not in OPS:
            raise KeyError(op)
        return getattr(self, op)(**order)

    # ------------------------------------------------------------ what people do (ops)

    def person(self, user: int, name: str = "Ann", language: str = "en", started: bool = True) -> int:
        """A person with a private chat of the same id; `started` False: never wrote to the bot."""
        self._room(Room(user, "private", name, language=language, bot="member" if started else "never"))
        return user

    def group(
        self, chat: int, title: str = "Newsroom", *, kind: str = "supergroup", forum: bool = False,
        members: dict[str, str] | None = None, bot: str = "member", topics: list[int] | None = None,
    ) -> int:  # fmt: skip
        """A group; `members` maps person ids to their status ("member", "administrator", "creator")."""
        people = {int(person): status for person, status in (members or {}).items()}
        self._room(Room(chat, kind, title, forum, bot=bot, members=people, topics=dict.fromkeys(topics or [], "open")))
        return chat

    def channel(
        self, chat: int, title: str = "Wire", bot: str = "administrator", *, name: str = "", members: dict[str, str] | None = None
    ) -> int:  # fmt: skip
        people = {int(person): status for person, status in (members or {}).items()}
        self._room(Room(chat, "channel", title, bot=bot, members=people, name=name))
        return chat

    def _room(self, room: Room) -> None:
        if self.limited:
            group = room.type != "private"
            room.limits = [Bucket(1, 3), *([Window(20, 60)] if group else [])]
            room.edit_limits = [Bucket(1, 3), *([Window(20, 60)] if group else [])]
        self.rooms[room.id] = room

    def say(
        self, chat: int, text: str, user: int | None = None, *, thread: int | None = None, reply_to: int | None = None,
        anonymous: bool = False, sender_chat: int | None = None, forwarded: bool = False,
    ) -> int | None:  # fmt: skip
        """A person writes; returns the update id, or None where privacy mode hides it from the bot."""
        room = self.rooms[chat]
        if room.type == "private" and room.bot == "never":
            room.bot = "member"
        message = self._message(room, text, thread, reply_to)
        if anonymous:
            message |= {"from": ANONYMOUS, "sender_chat": room.json()}
        elif sender_chat is not None:
            channel = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
            message |= {"from": channel, "sender_chat": self.rooms[sender_chat].json()}
        else:
            message["from"] = self._user(user if user is not None else chat)
        if forwarded:
            message["is_automatic_forward"] = True
        if room.type in {"group", "supergroup"} and not self._reaches_bot(room, message):
            return None
        return self._update("message", message)

    def upload(
        self, chat: int, name: str, content: str, user: int | None = None, *, caption: str = "", size: int | None = None
    ) -> int | None:
        """A person sends a file; `size` is what the server claims of it."""
        room = self.rooms[chat]
        message = self._message(room, "", None, None)
        del message["text"]
        file_id = f"file{len(self._files) + 1}"
        self._files[file_id] = content.encode()
        document = {"file_id": file_id, "file_unique_id": file_id, "file_name": name, "mime_type": "text/x-opml"}
        message["document"] = document | {"file_size": len(content.encode()) if size is None else size}
        message["from"] = self._user(user if user is not None else chat)
        if caption:
            message["caption"] = caption
        return self._update("message", message)

    def post(self, chat: int, text: str) -> int | None:
        """A channel's admin posts."""
        room = self.rooms[chat]
        message = self._message(room, text, None, None)
        del message["from"]
        message["sender_chat"] = room.json()
        return self._update("channel_post", message)

    def press(
        self, chat: int, message: int, user: int | None = None, *, label: str | None = None, data: str | None = None
    ) -> str:
        """A person presses the button with that label (or sends forged data); returns the query's id."""
        room = self.rooms[chat]
        shown = room.messages.get(message)
        if data is None:
            assert shown is not None
            keys = [key for row in shown["reply_markup"]["inline_keyboard"] for key in row]
            data = next(key["callback_data"] for key in keys if label is None or label in key["text"])
        query = str(self._next_query)
        self._next_query += 1
        self._queries[query] = time.monotonic() + self.press_ttl
        where = shown or {"message_id": message, "date": 0, "chat": room.json()}
        person = self._user(user if user is not None else chat)
        self._update(
            "callback_query", {"id": query, "from": person, "message": where, "chat_instance": "1", "data": data}
        )
        return query

    def block(self, chat: int) -> None:
        self._membership(chat, "kicked")

    def unblock(self, chat: int) -> None:
        self._membership(chat, "member")

    def deactivate(self, chat: int) -> None:
        self.rooms[chat].bot = "deactivated"

    def kick(self, chat: int) -> None:
        self._membership(chat, "kicked")

    def leave(self, chat: int) -> None:
        self._membership(chat, "left")

    def add(self, chat: int, status: str = "member") -> None:
        self._membership(chat, status)

    def rights(self, chat: int, status: str, by: int = 1) -> None:
        """The bot becomes "administrator", "member" or "restricted"; `by` made it so."""
        self._membership(chat, status, by)

    def member(self, chat: int, user: int, status: str) -> None:
        """A person's status changes; the bot is not told."""
        self.rooms[chat].members[user] = status

    def migrate(self, chat: int, new: int | None = None, service: str = "both") -> int:
        """A group becomes a supergroup. `service`: which messages tell of it ("both", "reverse", "old", "new", "none")."""
        old = self.rooms[chat]
        new = new or -1000000000000 - abs(chat)
        room = Room(new, "supergroup", old.title, bot=old.bot, members=dict(old.members))
        self._room(room)
        old.migrated_to = new
        told = [
            ("old", old, {"migrate_to_chat_id": new}),
            ("new", room, {"migrate_from_chat_id": chat}),
        ]
        for name, where, field_ in reversed(told) if service == "reverse" else told:
            if service in {"both", "reverse", name}:
                message = self._message(where, "", None, None) | field_ | {"from": ANONYMOUS}
                message.pop("text")
                self._update("message", message)
        return new

    def topic(self, chat: int, thread: int, state: str, tell: bool = True) -> None:
        """A forum topic becomes "open", "closed" or "deleted"; the last is told to nobody."""
        room = self.rooms[chat]
        known = room.topics.get(thread)
        room.topics[thread] = state
        event = {"closed": "forum_topic_closed", "open": "forum_topic_reopened"}.get(state)
        if event and known and tell:
            message = self._message(room, "", thread, None) | {event: {}, "from": ANONYMOUS}
            message.pop("text")
            self._update("message", message)

    def dup(self, update: int | None = None) -> None:
        """The same update comes again, with the same id (the last one by default)."""
        update = update if update is not None else max(self._sent_updates)
        self.updates.append(self._sent_updates[update])
        self._news.set()

    def fault(self, **rule: Any) -> None:
        self.faults.add(**rule)

    def clear_faults(self) -> None:
        self.faults.rules.clear()

    def revoke(self) -> None:
        self.revoked = True

    def restore(self) -> None:
        self.revoked = False

    def shown(self, chat: int) -> list[Json]:
        """The bot's messages in a chat as they look now, oldest first."""
        return [m for m in self.rooms[chat].messages.values() if m.get("from", {}).get("id") == self.me["id"]]

    def peaks(self) -> Json:
        return self.log.peaks(("sendMessage",), "chat_id")

    def state(self) -> Json:
        return {
            "chats": {r.id: {"bot": r.bot, "shown": self.shown(r.id), "migrated_to": r.migrated_to} for r in self.rooms.values()},
            "pending": len(self.updates), "webhook": self.webhook, "menus": self.menus, "peaks": self.peaks(),
            "polling": self._poller is not None,
        }  # fmt: skip

    # ------------------------------------------------------------ the world's side

    def _user(self, user: int) -> Json:
        room = self.rooms.get(user)
        name, language = (room.title, room.language) if room else ("Somebody", "en")
        return {"id": user, "is_bot": False, "first_name": name, "language_code": language}

    def _message(self, room: Room, text: str, thread: int | None, reply_to: int | None) -> Json:
        room.last += 1
        message: Json = {
            "message_id": room.last, "date": int(time.time()), "chat": room.json(), "from": {}, "text": text,
        }  # fmt: skip
        entities: list[Json] = []
        for found in re.finditer(r"(?:^|(?<=\s))(/\w+(?:@\w+)?|@\w+)", text):
            kind = "bot_command" if found[0].startswith("/") else "mention"
            entities.append({"type": kind, "offset": utf16(text[: found.start()]), "length": utf16(found[0])})
        if entities:
            message["entities"] = entities
        if thread is not None:
            message |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            message["reply_to_message"] = room.messages[reply_to]
        elif thread is not None:
            opener = {"message_id": thread, "date": 1, "chat": room.json(), "from": self._user(1)}
            message["reply_to_message"] = opener | {"forum_topic_created": {"name": "Topic", "icon_color": 1}}
        room.messages[room.last] = message
        return message

    def _reaches_bot(self, room: Room, message: Json) -> bool:
        if room.bot in {"left", "kicked"}:
            return False
        if room.bot == "administrator" or not self.privacy:
            return True
        text, name = message["text"], str(self.me["username"])
        command = re.match(r"/\w+(?:@(\w+))?", text)
        if command:
            return command[1] in {None, name}
        replied = message.get("reply_to_message", {}).get("from", {}).get("id") == self.me["id"]
        return replied or f"@{name}" in text

    def _membership(self, chat: int, status: str, by: int = 1) -> None:
        room = self.rooms[chat]
        before, room.bot = room.bot, status
        who = self._user(chat) if room.type == "private" else self._user(by)
        self._update(
            "my_chat_member",
            {
                "chat": room.json(), "from": who, "date": int(time.time()),
                "old_chat_member": self._member(self.me, before), "new_chat_member": self._member(self.me, status),
            },
        )  # fmt: skip

    def _member(self, user: Json, status: str) -> Json:
        member: Json = {"user": user, "status": status if status != "never" else "left"}
        if status == "administrator":
            may: tuple[str, ...] = (
                "can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats",
                "can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users",
                "can_post_stories", "can_edit_stories", "can_delete_stories", "can_post_messages", "can_edit_messages",
            )  # fmt: skip
            member |= dict.fromkeys(may, True)
        elif status == "creator":
            member |= {"is_anonymous": False}
        elif status == "kicked":
            member |= {"until_date": 0}
        elif status == "restricted":
            may = (
                "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
                "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
                "can_add_web_page_previews", "can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics",
                "can_edit_tag", "can_react_to_messages",
            )  # fmt: skip
            member |= {"is_member": True, "until_date": 0} | dict.fromkeys(may, False)
        return member

    def _update(self, kind: str, content: Json) -> int | None:
        if self._allowed is not None and kind not in self._allowed:
            return None
        self._next_update += 1
        update = json.loads(json.dumps({"update_id": self._next_update, kind: content}))
        self._sent_updates[self._next_update] = update
        self.updates.append(update)
        self._news.set()
        return self._next_update

    # ------------------------------------------------------------ the bot's side

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method, token = request.match_info["method"], request.match_info["token"]
        params = await _params(request)
        chat = str(params.get("chat_id", ""))
        entry = self.log.add(method, params, via=request.match_info.get("via", ""))
        rule = self.faults.find(method, chat, str(params.get("text", "")))
        entry["injected"] = rule is not None
        try:
            if rule and rule.get("delay"):
                await asyncio.sleep(rule["delay"])
            if rule and rule.get("drop") == "before":
                entry |= {"ok": False, "code": 0, "description": "dropped"}
                drop(request)
                return web.Response()
            status, body = await self._answer(method, token, params, rule)
        except asyncio.CancelledError:
            entry |= {
                "ok": False,
                "code": 0,
                "description": "closed by the client",
                "closed": time.monotonic() - self.log.started,
            }
            raise
        entry |= {
            "ok": status == 200 and body.get("ok") is True,
            "code": status,
            "description": body.get("description", ""),
        }
        if entry["ok"] and isinstance(body["result"], dict):
            entry["message_id"] = body["result"].get("message_id")
        if entry["ok"] and method == "sendMessage":
            self.on_taken()
        text = json.dumps(body, ensure_ascii=False)
        if rule and rule.get("drop") == "after":
            drop(request)
        if rule and rule.get("truncate"):
            return web.Response(text=text[: len(text) // 2], content_type="application/json")
        if rule and rule.get("html"):
            return web.Response(status=status, text="<html><h1>Bad Gateway</h1></html>", content_type="text/html")
        return web.Response(status=status, text=text, content_type="application/json")

    async def _answer(self, method: str, token: str, params: Json, rule: Json | None) -> tuple[int, Json]:
        if rule and rule.get("ok_false"):
            code, words = rule.get("status", 500), rule.get("description", "Internal Server Error")
            return 200, {"ok": False, "error_code": code, "description": words}
        try:
            return 200, {"ok": True, "result": await self._execute(method, token, params, rule or {})}
        except Refusal as error:
            body: Json = {"ok": False, "error_code": error.code, "description": error.description}
            if error.parameters:
                body["parameters"] = error.parameters
            return error.code, body

    async def _execute(self, method: str, token: str, params: Json, rule: Json) -> Any:
        if "status" in rule or rule.get("html"):
            raise Refusal(rule.get("status", 502), rule.get("description", "Injected"), **rule.get("parameters", {}))
        if token != self.token and not re.fullmatch(r"\d+:[\w-]{30,}", token):
            raise Refusal(404, "Not Found")
        if token != self.token or self.revoked:
            raise Refusal(401, "Unauthorized")
        name = re.sub("([A-Z])", lambda found: "_" + found[1].lower(), method)
        handler = getattr(self, f"_do_{name}", None)
        if handler is None:
            raise Refusal(404, "Not Found: method not found")
        return await handler(params)

    async def _do_get_me(self, params: Json) -> Json:
        return self.me

    async def _file(self, request: web.Request) -> web.Response:
        """A file's bytes, at the root of base_url."""
        name = request.match_info["path"].rpartition("/")[2]
        entry = self.log.add("(file)", {"path": request.match_info["path"]})
        known = request.match_info["token"] == self.token and name in self._files
        entry |= {"ok": known, "code": 200 if known else 404}
        return web.Response(body=self._files[name]) if known else web.Response(status=404)

    async def _do_get_file(self, params: Json) -> Json:
        data = self._files.get(str(params.get("file_id")))
        if data is None:
            raise Refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        name = str(params["file_id"])
        return {"file_id": name, "file_unique_id": name, "file_size": len(data), "file_path": f"documents/{name}"}

    async def _do_get_updates(self, params: Json) -> list[Json]:
        if self.webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        if self._poller is not None:
            self._poller.set()
        self._poller = mine = asyncio.Event()
        try:
            self._allow(params)
            offset = int(params.get("offset", 0))
            if offset < 0:
                self.updates = self.updates[offset:]
            else:
                self.updates = [u for u in self.updates if u["update_id"] >= offset]
            until = time.monotonic() + float(params.get("timeout", 0))
            while not self.updates and (left := until - time.monotonic()) > 0:
                self._news.clear()
                waits = [asyncio.create_task(self._news.wait()), asyncio.create_task(mine.wait())]
                try:
                    await asyncio.wait(waits, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for wait in waits:
                        wait.cancel()
                if mine.is_set():
                    raise Refusal(
                        409,
                        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                    )
            return self.updates[: int(params.get("limit", 100))]
        finally:
            if self._poller is mine:
                self._poller = None

    def _allow(self, params: Json) -> None:
        if "allowed_updates" in params:
            self._allowed = params["allowed_updates"] or None

    async def _do_set_webhook(self, params: Json) -> bool:
        if not re.fullmatch(r"[A-Za-z0-9_-]{0,256}", params.get("secret_token", "")):
            raise Refusal(400, "Bad Request: secret token contains unallowed characters")
        self.webhook = {"url": params["url"], "secret": params.get("secret_token", "")} if params.get("url") else {}
        if params.get("drop_pending_updates"):
            self.updates.clear()
        self._allow(params)
        self._news.set()
        return True

    async def _do_delete_webhook(self, params: Json) -> bool:
        return await self._do_set_webhook({"url": "", "drop_pending_updates": params.get("drop_pending_updates")})

    async def _do_get_webhook_info(self, params: Json) -> Json:
        return {
            "url": self.webhook.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": len(self.updates),
        }

    async def _push(self) -> None:
        """Delivers to the webhook in order; what is not answered with 2xx comes again with the same id."""
        async with aiohttp.ClientSession() as session:
            while True:
                await self._news.wait()
                while self.webhook and self.updates:
                    headers = (
                        {"X-Telegram-Bot-Api-Secret-Token": self.webhook["secret"]} if self.webhook["secret"] else {}
                    )
                    entry = self.log.add("(webhook)", {"update_id": self.updates[0]["update_id"]})
                    try:
                        async with session.post(self.webhook["url"], json=self.updates[0], headers=headers) as answer:
                            entry |= {"ok": answer.status < 300, "code": answer.status}
                    except aiohttp.ClientError:
                        entry |= {"ok": False, "code": 0}
                    if entry["ok"]:
                        self.updates.pop(0)
                    else:
                        await asyncio.sleep(0.05)
                if not self.webhook:
                    await asyncio.sleep(0.05)
                    continue
                self._news.clear()

    def _writable(self, params: Json) -> Room:
        room = self.rooms.get(params.get("chat_id", 0))
        if room is None:
            raise Refusal(400, "Bad Request: chat not found")
        if room.migrated_to:
            raise Refusal(
                400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=room.migrated_to
            )
        where = f"the {room.type} chat"
        if room.type == "private":
            refused = {
                "kicked": "bot was blocked by the user", "deactivated": "user is deactivated",
                "never": "bot can't initiate conversation with a user",
            }.get(room.bot)  # fmt: skip
        else:
            refused = {"kicked": f"bot was kicked from {where}", "left": f"bot is not a member of {where}"}.get(
                room.bot
            )
        if refused:
            raise Refusal(403, f"Forbidden: {refused}")
        if room.bot == "restricted":
            raise Refusal(400, "Bad Request: not enough rights to send text messages to the chat")
        if room.type == "channel" and room.bot != "administrator":
            raise Refusal(400, "Bad Request: need administrator rights in the channel chat")
        thread = params.get("message_thread_id")
        state = room.topics.get(thread, "") if thread else "open"
        if state in {"", "deleted"}:
            raise Refusal(400, "Bad Request: message thread not found")
        if state == "closed" and room.bot != "administrator":
            raise Refusal(400, "Bad Request: TOPIC_CLOSED")
        return room

    def _text(self, params: Json) -> Json:
        text, entities, mode = params.get("text", ""), params.get("entities", []), params.get("parse_mode")
        if mode == "HTML":
            try:
                text, entities = parse_html(text)
            except MarkupError as error:
                raise Refusal(400, f"Bad Request: can't parse entities: {error}") from None
        elif mode:
            raise Refusal(400, f"Bad Request: the emulator does not speak {mode}")
        stripped = text.strip()
        if not stripped:
            raise Refusal(400, "Bad Request: message text is empty")
        if utf16(text) > 4096:
            raise Refusal(400, "Bad Request: message is too long")
        found: Json = {"text": text.rstrip()}
        if entities:
            found["entities"] = entities
        if markup := params.get("reply_markup"):
            self._check_keyboard(markup)
            if "inline_keyboard" in markup:  # other markup is not part of the message
                found["reply_markup"] = markup
        found["link_preview_options"] = params.get("link_preview_options", {})
        return found

    def _check_keyboard(self, markup: Json) -> None:
        if len(markup.get("input_field_placeholder", "")) > 64:
            raise Refusal(400, "Bad Request: placeholder is too long")
        for row in markup.get("inline_keyboard", []):
            for key in row:
                if "callback_data" in key and not 1 <= len(key["callback_data"].encode()) <= 64:
                    raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
                if not key.get("text"):
                    raise Refusal(400, "Bad Request: text buttons are unallowed in the inline keyboard")
                if "url" in key and not re.match(r"(https?|tg)://", key["url"]):
                    raise Refusal(
                        400,
                        f"Bad Request: inline keyboard button URL '{key['url']}' is invalid: Unsupported URL protocol",
                    )

    def _pace(self, limits: list[Limit]) -> None:
        wait = take_all([*self._all, *limits])
        if wait:
            seconds = max(1, int(wait + 0.999))
            raise Refusal(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

    async def _do_send_message(self, params: Json) -> Json:
        room = self._writable(params)
        content = self._text(params)
        reply = params.get("reply_parameters", {})
        replied = room.messages.get(reply.get("message_id", 0))
        if reply and replied is None and not reply.get("allow_sending_without_reply"):
            raise Refusal(400, "Bad Request: message to be replied not found")
        self._pace(room.limits)
        message = self._message(room, "", params.get("message_thread_id"), None) | {"from": self.me} | content
        message.pop("reply_to_message", None)
        if replied:
            message["reply_to_message"] = {k: v for k, v in replied.items() if k != "reply_to_message"}
        room.messages[message["message_id"]] = message
        if params.get("disable_notification"):
            return message | {"disable_notification": True}
        return message

    async def _do_send_photo(self, params: Json) -> Json:
        return await self._attached(params, "photo")

    async def _do_send_document(self, params: Json) -> Json:
        return await self._attached(params, "document")

    async def _attached(self, params: Json, kind: str) -> Json:
        """core.telegram.org/bots/api#sendphoto: the file as multipart/form-data, the caption within 1024."""
        upload = params.get(kind)
        if isinstance(upload, str) and upload.startswith("attach://"):
            upload = params.get(upload.removeprefix("attach://"))
        if not isinstance(upload, web.FileField):
            raise Refusal(400, f"Bad Request: there is no {kind} in the request")
        content = self._text({**params, "text": params.get("caption", "")}) if params.get("caption") else {}
        if utf16(content.get("text", "")) > 1024:
            raise Refusal(400, "Bad Request: message caption is too long")
        room = self._writable(params)
        self._pace(room.limits)
        data = upload.file.read()
        self.attached.append((upload.filename, data))
        message = self._message(room, "", params.get("message_thread_id"), None) | {"from": self.me}
        message |= {"caption": content["text"]} if content else {}
        message |= {"caption_entities": content["entities"]} if "entities" in content else {}
        about = {
            "file_id": f"f{len(self.attached)}",
            "file_unique_id": f"u{len(self.attached)}",
            "file_size": len(data),
        }
        message[kind] = (
            [about | {"width": 1600, "height": 800}] if kind == "photo" else about | {"file_name": upload.filename}
        )
        del message["text"]
        room.messages[message["message_id"]] = message
        return message

    async def _do_edit_message_text(self, params: Json) -> Json:
        room = self._writable(params)
        old = room.messages.get(params.get("message_id", 0))
        if old is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if old.get("from", {}).get("id") != self.me["id"]:
            raise Refusal(400, "Bad Request: message can't be edited")
        content = self._text(params)
        same = ("text", "entities", "reply_markup")
        if all(old.get(key) == content.get(key) for key in same):
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
            )
        self._pace(room.edit_limits)
        kept = {k: v for k, v in old.items() if k not in same}
        room.messages[old["message_id"]] = kept | content | {"edit_date": int(time.time())}
        return room.messages[old["message_id"]]

    async def _do_delete_message(self, params: Json) -> bool:
        if self._writable(params).messages.pop(params.get("message_id", 0), None) is None:
            raise Refusal(400, "Bad Request: message to delete not found")
        return True

    async def _do_answer_callback_query(self, params: Json) -> bool:
        if self._queries.pop(str(params.get("callback_query_id")), 0.0) < time.monotonic():
            raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        if len(params.get("text", "")) > 200:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        return True

    async def _do_get_chat(self, params: Json) -> Json:
        wanted = params.get("chat_id", 0)
        room = next((r for r in self.rooms.values() if r.name and f"@{r.name}" == wanted), self.rooms.get(wanted))
        if room is None:
            raise Refusal(400, "Bad Request: chat not found")
        return room.json() | {"accent_color_id": 0, "max_reaction_count": 0, "accepted_gift_types": {}}

    async def _do_get_chat_member(self, params: Json) -> Json:
        room = self.rooms.get(params.get("chat_id", 0))
        if room is None:
            raise Refusal(400, "Bad Request: chat not found")
        user = int(params["user_id"])
        if user == self.me["id"]:
            return self._member(self.me, room.bot)
        if user not in room.members:
            raise Refusal(400, "Bad Request: PARTICIPANT_ID_INVALID")
        return self._member(self._user(user), room.members[user])

    async def _do_get_chat_administrators(self, params: Json) -> list[Json]:
        members = self.rooms[params["chat_id"]].members
        return [self._member(self._user(u), s) for u, s in members.items() if s in {"administrator", "creator"}]

    async def _do_set_my_commands(self, params: Json) -> bool:
        commands = params.get("commands", [])
        if len(commands) > 100 or not all(
            re.fullmatch(r"[a-z0-9_]{1,32}", c["command"]) and 1 <= len(c["description"]) <= 256 for c in commands
        ):
            raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
        self.menus.append(params)
        return True

    async def _do_set_my_description(self, params: Json) -> bool:
        self.menus.append(params)
        return True

    _do_set_my_short_description = _do_set_my_description

    async def _do_send_chat_action(self, params: Json) -> bool:
        self._writable(params)
        return True


async def _params(request: web.Request) -> Json:
    """Parameters of any of the ways in which they may come, JSON-encoded ones decoded."""
    if request.content_type == "application/json":
        found: Json = await request.json()
    else:
        found = dict(request.query) | dict(await request.post())
    for key, value in found.items():
        if isinstance(value, str) and (value[:1] in "[{" or value in {"true", "false"} or key in _IDS):
            with contextlib.suppress(ValueError):
                found[key] = json.loads(value) if key != "text" else value
    return found


if __name__ == "__main__":
    main(
        lambda args: TelegramApi(args.token, limits=not args.no_limits, privacy=not args.no_privacy),
        lambda parser: (
            parser.add_argument("--token", default=TOKEN),
            parser.add_argument("--no-limits", action="store_true"),
            parser.add_argument("--no-privacy", action="store_true"),
            None,
        )[-1],
    )
