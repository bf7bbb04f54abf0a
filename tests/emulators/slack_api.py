"""A strict Slack on loopback: Web API, Socket Mode, HTTP requests with signatures, response addresses.

In-process: `async with SlackApi() as slack`; own process: `python -m tests.emulators.slack_api` (prints its port; the
Web API is at /api/). Ops of POST /control are the public methods named in `OPS` with their keyword arguments, such as
{"op": "slash", "command": "/subscribe", "text": "Idlib", "user": "U1", "channel": "C1"}. Log: GET /control/log.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

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
from tests.emulators.slack_blocks import mentions, problem_of

BOT_TOKEN, APP_TOKEN = "xoxb-1-emulator-bot-token", "xapp-1-emulator-app-token"
SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
BOT, BOT_ID, TEAM, APP = "UBOT", "BBOT", "T1", "A1"
OPS = (
    "person", "channel", "im", "slash", "mention", "dm", "press", "home", "submit", "shortcut", "archive", "unarchive",
    "kick", "invite", "event", "again", "disconnect", "cut", "replay", "forge", "stale", "listen_http", "fault",
    "clear_faults", "revoke", "restore", "state", "shown", "whispers", "peaks",
)  # fmt: skip
_TIERS = {
    "chat.update": 50,
    "conversations.info": 50,
    "users.info": 100,
    "views.open": 100,
    "views.publish": 100,
    "chat.postEphemeral": 100,
}


class Refusal(Exception):
    """An error answer of the Web API."""

    def __init__(self, error: str, status: int = 200, **more: Any) -> None:
        super().__init__(error)
        self.error, self.status, self.more = error, status, more


@dataclass
class Channel:
    """A conversation: who is in it and what stands in it."""

    id: str
    name: str = ""
    user: str = ""
    private: bool = False
    member: bool = True
    archived: bool = False
    messages: dict[str, Json] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)

    def json(self) -> Json:
        im = bool(self.user)
        kind = (
            {"is_im": True, "user": self.user}
            if im
            else {"is_channel": not self.private, "name": self.name, "is_im": False}
        )
        return {
            "id": self.id,
            "is_archived": self.archived,
            "is_private": self.private or im,
            "is_member": self.member,
            **kind,
        }


@dataclass
class Envelope:
    """Something sent to the app, over a socket or by HTTP."""

    kind: str
    payload: Json
    entry: Json
    acked: bool = False
    number: int = 0


class SlackApi:
    """One workspace with one app. Conversations come into being by `channel` and `im`."""

    def __init__(self, *, limits: bool = True) -> None:
        self.limited = limits
        self.users: dict[str, Json] = {BOT: {"id": BOT, "is_bot": True}}
        self.channels: dict[str, Channel] = {}
        self.homes: dict[str, Json] = {}
        self.modals: dict[str, Json] = {}
        self.log, self.faults = CallLog(), Faults()
        self.envelopes: list[Envelope] = []
        self.revoked = ""
        #: file id → [name, alternative text, content, channel, comment]
        self.files: dict[str, list[Any]] = {}
        self.request_url = ""
        self.last_request: tuple[bytes, dict[str, str]] = (b"", {})
        self._method_limits: dict[str, Limit] = {m: Window(n, 60) for m, n in _TIERS.items()} if limits else {}
        self._sockets: list[web.WebSocketResponse] = []
        self._tickets: set[str] = set()
        self._triggers: dict[str, float] = {}
        self._responses: dict[str, Json] = {}
        self._counter = int(time.time() * 1000)
        self._tasks: set[asyncio.Task[Any]] = set()
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._call)
        app.router.add_get("/link", self._link)
        app.router.add_post("/upload/{id}", self._upload)
        app.router.add_post("/response/{id}", self._respond)
        control_routes(app, self._control, self.log)
        self._site = Site(app)

    # ------------------------------------------------------------ life

    async def start(self, port: int = 0) -> None:
        await self._site.start(port)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets:
            await socket.close()
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
        return f"http://127.0.0.1:{self.port}/api/"

    async def _control(self, order: Json) -> Any:
        op = order.pop("op")
        if op not in OPS:
            raise KeyError(op)
        result = getattr(self, op)(**order)
        return await result if asyncio.iscoroutine(result) else result

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _id(self, prefix: str) -> str:
        self._counter += 1
        return f"{prefix}{self._counter}"

    # ------------------------------------------------------------ what people do (ops)

    def person(self, user: str, **flags: Any) -> str:
        """A person; flags such as is_restricted (guest), and a locale."""
        self.users[user] = {"id": user, "name": user.lower(), "is_bot": False, "deleted": False, **flags}
        return user

    def channel(self, channel: str, name: str = "news", *, member: bool = True, private: bool = False) -> str:
        self._open(Channel(channel, name, private=private, member=member))
        return channel

    def im(self, user: str, channel: str = "") -> str:
        """The direct messages between a person and the bot."""
        channel = channel or f"D{user}"
        self._open(Channel(channel, user=user))
        return channel

    def _open(self, channel: Channel) -> None:
        channel.limits = [Bucket(1, 1)] if self.limited else []
        self.channels[channel.id] = channel

    def slash(self, command: str, text: str, user: str, channel: str) -> int:
        """A slash command; returns the envelope's number."""
        room = self.channels.get(channel, Channel(channel))
        payload = {
            "command": command, "text": text, "user_id": user, "user_name": user.lower(), "channel_id": channel,
            "channel_name": "directmessage" if channel.startswith("D") else room.name, "team_id": TEAM, "api_app_id": APP,
            "trigger_id": self._trigger(), "response_url": self._response_url(channel, user), "is_enterprise_install": "false",
        }  # fmt: skip
        return self._send("slash_commands", payload)

    def mention(self, text: str, user: str, channel: str, thread: str = "") -> int:
        return self._message(f"<@{BOT}> {text}", user, channel, thread, "app_mention")

    def dm(self, text: str, user: str, thread: str = "") -> int:
        channel = next(c.id for c in self.channels.values() if c.user == user)
        return self._message(text, user, channel, thread, "message")

    def _message(self, text: str, user: str, channel: str, thread: str, kind: str) -> int:
        ts = self._ts()
        event = {"type": kind, "user": user, "text": text, "channel": channel, "ts": ts, "event_ts": ts}
        if kind == "message":
            event["channel_type"] = "im"
        if thread:
            event["thread_ts"] = thread
        self.channels[channel].messages[ts] = {"ts": ts, "user": user, "text": text}
        return self.event(event)

    def event(self, event: Json) -> int:
        """Any event of the Events API."""
        payload = {
            "type": "event_callback", "token": "t", "team_id": TEAM, "api_app_id": APP, "event": event,
            "event_id": self._id("Ev"), "event_time": int(time.time()), "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True}],
        }  # fmt: skip
        return self._send("events_api", payload)

    def press(self, channel: str, ts: str, user: str, *, label: str | None = None, action: str | None = None) -> int:
        """A button on a message (a response's id for a whisper), by its label or with a forged action."""
        room = self.channels[channel]
        whisper = next((r for r in self._responses.values() if r["shown"] and r["shown"][-1].get("ts") == ts), None)
        message = room.messages.get(ts) or (whisper or {"shown": [{}]})["shown"][-1]
        element = (
            self._button(message.get("blocks", []), label) if action is None else {"action_id": action, "value": action}
        )
        ephemeral = bool(message.get("ephemeral"))
        payload = {
            "type": "block_actions", "user": {"id": user, "team_id": TEAM}, "api_app_id": APP, "team": {"id": TEAM},
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": ephemeral},
            "channel": {"id": channel, "name": room.name}, "message": None if ephemeral else message, "trigger_id": self._trigger(),
            "response_url": self._response_url(channel, user, ts), "actions": [{"type": "button", "block_id": "b", "action_ts": self._ts(), **element}],
        }  # fmt: skip
        return self._send("interactive", payload)

    @staticmethod
    def _button(blocks: list[Json], label: str | None, nth: int = 0) -> Json:
        elements = [e for b in blocks if b["type"] == "actions" for e in b["elements"]]
        found: list[Json] = [e for e in elements if label is None or label in e["text"]["text"]]
        return found[nth]

    def home(self, user: str, *, label: str | None = None, nth: int = 0) -> int:
        """The person opens App Home, or presses the button with that label there (the nth of that label)."""
        channel = next(c.id for c in self.channels.values() if c.user == user)
        if label is None:
            return self.event(
                {"type": "app_home_opened", "user": user, "channel": channel, "tab": "home", "event_ts": self._ts()}
            )
        view = self.homes[user]
        payload = {
            "type": "block_actions", "user": {"id": user, "team_id": TEAM}, "api_app_id": APP, "team": {"id": TEAM},
            "container": {"type": "view", "view_id": view["id"]}, "trigger_id": self._trigger(), "view": view,
            "actions": [{"type": "button", "block_id": "b", **self._button(view["blocks"], label, nth)}],
        }  # fmt: skip
        return self._send("interactive", payload)

    def shortcut(self, callback: str, channel: str, ts: str, user: str) -> int:
        """A message shortcut."""
        room = self.channels[channel]
        payload = {
            "type": "message_action", "callback_id": callback, "user": {"id": user}, "team": {"id": TEAM}, "message_ts": ts,
            "channel": {"id": channel, "name": room.name}, "message": room.messages[ts], "trigger_id": self._trigger(),
            "response_url": self._response_url(channel, user, ts), "action_ts": self._ts(),
        }  # fmt: skip
        return self._send("interactive", payload)

    def submit(self, user: str, value: str = "", **chosen: str) -> int:
        """The person types into the text field of the open modal, chooses in its selects, and sends it."""
        view = self.modals.pop(user)
        values: Json = {}
        for block in (b for b in view["blocks"] if b["type"] == "input"):
            element = block["element"]
            name = element["action_id"]
            state: Json = {"type": element["type"], "value": value}
            if element["type"] == "static_select":
                options = {option["value"]: option for option in element["options"]}
                state = {"type": "static_select", "selected_option": element["initial_option"]}
                if name in chosen:
                    state["selected_option"] = options[chosen[name]]
            values[block["block_id"]] = {name: state}
        payload = {
            "type": "view_submission", "user": {"id": user, "team_id": TEAM}, "team": {"id": TEAM}, "api_app_id": APP,
            "view": {**view, "state": {"values": values}}, "trigger_id": self._trigger(), "response_urls": [],
        }  # fmt: skip
        return self._send("interactive", payload)

    def archive(self, channel: str) -> None:
        self.channels[channel].archived = True
        self.event({"type": "channel_archive", "channel": channel, "user": "U1", "event_ts": self._ts()})

    def unarchive(self, channel: str) -> None:
        self.channels[channel].archived = False
        self.event({"type": "channel_unarchive", "channel": channel, "user": "U1", "event_ts": self._ts()})

    def kick(self, channel: str) -> None:
        self.channels[channel].member = False
        self.event({"type": "channel_left", "channel": channel, "actor_id": "U1", "event_ts": self._ts()})

    def invite(self, channel: str) -> None:
        self.channels[channel].member = True
        self.event(
            {"type": "member_joined_channel", "channel": channel, "user": BOT, "team": TEAM, "event_ts": self._ts()}
        )

    def again(self, number: int | None = None) -> None:
        """The same envelope comes again: a new envelope id around the same event or trigger."""
        envelope = self.envelopes[-1 if number is None else number]
        self._send(envelope.kind, envelope.payload, retry=1)

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Asks the app to open another socket, and closes the old ones a little later."""
        old = list(self._sockets)
        for socket in old:
            await socket.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "emulator"}})

        async def farewell() -> None:
            await asyncio.sleep(1.0)
            for socket in old:
                await socket.close()

        self._later(farewell())

    def cut(self) -> None:
        """All sockets break without a close frame; what was not acknowledged comes again on the next one."""
        for socket in list(self._sockets):
            transport = socket._req.transport if socket._req is not None else None
            if transport is not None:
                transport.abort()

    def listen_http(self, url: str) -> None:
        """From now on everything is sent by signed HTTP requests."""
        self.request_url = url

    async def replay(self) -> int:
        """The very same signed request once more; returns the status."""
        return await self._http(*self.last_request)

    async def forge(self, body: str, **headers: str) -> int:
        """A request of somebody who does not know the secret."""
        given = {"X-Slack-Request-Timestamp": str(int(time.time())), "X-Slack-Signature": "v0=" + "0" * 64, **headers}
        return await self._http(body.encode(), {"Content-Type": "application/json", **given})

    async def stale(self, body: str, age: int = 400) -> int:
        """A rightly signed request, but older than five minutes."""
        return await self._http(body.encode(), self._signed(body.encode(), "application/json", time.time() - age))

    def fault(self, **rule: Any) -> None:
        self.faults.add(**rule)

    def clear_faults(self) -> None:
        self.faults.rules.clear()

    def revoke(self, error: str = "token_revoked") -> None:
        self.revoked = error

    def restore(self) -> None:
        self.revoked = ""

    def shown(self, channel: str) -> list[Json]:
        """The bot's messages in a channel as they look now, oldest first."""
        return [m for m in self.channels[channel].messages.values() if m.get("bot_id") == BOT_ID]

    def whispers(self, channel: str = "") -> list[Json]:
        """Everything shown to one person only: ephemeral posts and answers to response addresses."""
        posts = [c["params"] for c in self.log.of("chat.postEphemeral", "(response)", ok=True)]
        return [p for p in posts if not channel or p.get("channel") == channel]

    def peaks(self) -> Json:
        return self.log.peaks(("chat.postMessage",), "channel")

    def state(self) -> Json:
        return {
            "channels": {c.id: {"shown": self.shown(c.id), "archived": c.archived} for c in self.channels.values()},
            "homes": self.homes, "modals": self.modals, "whispers": self.whispers(), "sockets": len(self._sockets),
            "unacked": [n for n, e in enumerate(self.envelopes) if not e.acked], "peaks": self.peaks(),
            "ack_seconds": [e.entry.get("acked_after") for e in self.envelopes],
        }  # fmt: skip

    # ------------------------------------------------------------ to the app

    def _ts(self) -> str:
        self._counter += 1
        return f"{int(time.time())}.{self._counter % 1_000_000:06d}"

    def _trigger(self) -> str:
        trigger = self._id("trigger.")
        self._triggers[trigger] = time.monotonic() + 3.0
        return trigger

    def _response_url(self, channel: str, user: str, original: str = "") -> str:
        name = self._id("R")
        self._responses[name] = {
            "channel": channel,
            "user": user,
            "original": original,
            "left": 5,
            "until": time.monotonic() + 1800,
            "shown": [],
        }
        return f"http://127.0.0.1:{self.port}/response/{name}"

    def _send(self, kind: str, payload: Json, retry: int = 0) -> int:
        entry = self.log.add(
            "(envelope)", {"kind": kind, "id": payload.get("event_id") or payload.get("trigger_id"), "retry": retry}
        )
        number = len(self.envelopes)
        envelope = Envelope(kind, json.loads(json.dumps(payload)), entry, number=number)
        self.envelopes.append(envelope)
        if self.request_url:
            self._later(self._deliver_http(envelope))
        elif self._sockets:
            self._later(self._deliver(envelope, self._sockets[number % len(self._sockets)]))
        return number

    async def _deliver(self, envelope: Envelope, socket: web.WebSocketResponse, retry: int = 0) -> None:
        frame: Json = {
            "envelope_id": f"{envelope.number}-{self._id('e')}",
            "type": envelope.kind,
            "payload": envelope.payload,
        }
        frame["accepts_response_payload"] = envelope.kind != "events_api"
        if envelope.kind == "events_api":
            frame |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        envelope.entry["sent"] = time.monotonic() - self.log.started
        envelope.entry["socket"] = id(socket)
        with contextlib.suppress(ConnectionError):
            await socket.send_json(frame)

    async def _deliver_http(self, envelope: Envelope) -> None:
        form = envelope.kind != "events_api"
        if envelope.kind == "slash_commands":
            body = urlencode(envelope.payload).encode()
        elif form:
            body = urlencode({"payload": json.dumps(envelope.payload)}).encode()
        else:
            body = json.dumps(envelope.payload).encode()
        kind = "application/x-www-form-urlencoded" if form else "application/json"
        self.last_request = (body, self._signed(body, kind, time.time()))
        started = time.monotonic()
        status = await self._http(*self.last_request)
        envelope.acked = 200 <= status < 300
        envelope.entry |= {"ok": envelope.acked, "code": status, "acked_after": time.monotonic() - started}

    @staticmethod
    def _signed(body: bytes, kind: str, at: float) -> dict[str, str]:
        stamp = str(int(at))
        digest = hmac.new(SIGNING_SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
        return {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def _http(self, body: bytes, headers: dict[str, str]) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.request_url, data=body, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status

    async def _link(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=400, text="the ticket is used or unknown")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(autoping=True)
        await socket.prepare(request)
        await socket.send_json(
            {
                "type": "hello",
                "num_connections": len(self._sockets) + 1,
                "debug_info": {"host": "emulator"},
                "connection_info": {"app_id": APP},
            }
        )
        self._sockets.append(socket)
        self.log.add("(socket)", {})
        for envelope in self.envelopes:  # what another socket did not acknowledge
            if not envelope.acked:
                await self._deliver(envelope, socket, retry=1)
        try:
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._acknowledged(json.loads(frame.data))
        finally:
            self._sockets.remove(socket)
        return socket

    def _acknowledged(self, ack: Json) -> None:
        envelope = self.envelopes[int(ack["envelope_id"].split("-")[0])]
        if not envelope.acked:
            envelope.acked = True
            after = time.monotonic() - self.log.started - envelope.entry.get("sent", 0.0)
            envelope.entry |= {"ok": after < 3.0, "acked_after": after, "answer": ack.get("payload")}

    async def _respond(self, request: web.Request) -> web.Response:
        target = self._responses.get(request.match_info["id"])
        body: Json = await request.json()
        if target is None or target["left"] <= 0 or target["until"] < time.monotonic():
            self.log.add("(response)", body)["ok"] = False
            return web.Response(status=404, text="expired_url")
        target["left"] -= 1
        ts = target["original"] if body.get("replace_original") and target["original"] else self._ts()
        entry = self.log.add("(response)", {**body, "channel": target["channel"], "user": target["user"], "ts": ts})
        problem = problem_of(body.get("blocks") or [])
        entry["ok"] = not problem
        if problem:
            return web.Response(status=400, text=problem)
        shown = {**body, "ts": ts, "ephemeral": body.get("response_type", "ephemeral") == "ephemeral"}
        room = self.channels.get(target["channel"])
        if body.get("replace_original") and room and target["original"] in room.messages:
            room.messages[target["original"]] |= {"text": body.get("text", ""), "blocks": body.get("blocks", [])}
        target["shown"].append(shown)
        return web.Response(text="ok")

    # ------------------------------------------------------------ from the app

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        params = await _params(request)
        channel = str(params.get("channel", ""))
        entry = self.log.add(method, params)
        rule = self.faults.find(method, channel, str(params.get("text", ""))) or {}
        if rule.get("delay"):
            await asyncio.sleep(rule["delay"])
        if rule.get("drop") == "before":
            entry |= {"ok": False, "code": 0}
            drop(request)
            return web.Response()
        headers = {}
        try:
            if "error" in rule or "status" in rule or rule.get("html"):
                more = {"retry_after": rule["retry_after"]} if "retry_after" in rule else {}
                default = 429 if rule.get("error") == "ratelimited" else 502 if rule.get("html") else 200
                raise Refusal(rule.get("error", "fatal_error"), rule.get("status", default), **more)  # noqa: TRY301
            self._authorise(method, request, params)
            body: Json = {"ok": True, **await self._execute(method, params)}
            status = 200
        except Refusal as error:
            status, body = error.status, {"ok": False, "error": error.error}
            if "retry_after" in error.more:
                headers["Retry-After"] = str(error.more["retry_after"])
        entry |= {
            "ok": status == 200 and body["ok"],
            "code": status,
            "description": body.get("error", ""),
            "ts": body.get("ts"),
        }
        text = json.dumps(body, ensure_ascii=False)
        if rule.get("drop") == "after":
            drop(request)
        if rule.get("html"):
            return web.Response(status=status, text="<html>Bad Gateway</html>", content_type="text/html")
        if rule.get("truncate"):
            text = text[: len(text) // 2]
        return web.Response(status=status, text=text, content_type="application/json", headers=headers)

    def _authorise(self, method: str, request: web.Request, params: Json) -> None:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or str(params.get("token", ""))
        if not given:
            raise Refusal("not_authed")
        if given != (APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN):
            raise Refusal("invalid_auth")
        if self.revoked:
            raise Refusal(self.revoked)
        limit = self._method_limits.get(method)
        if limit is not None:
            self._pace([limit])

    async def _execute(self, method: str, params: Json) -> Json:
        name = "_do_" + re.sub("([A-Z])", lambda found: "_" + found[1].lower(), method).replace(".", "_")
        handler = getattr(self, name, None)
        if handler is None:
            raise Refusal("unknown_method")
        found: Json = handler(params)
        return found

    def _pace(self, limits: list[Limit]) -> None:
        wait = take_all(limits)
        if wait:
            raise Refusal("ratelimited", 429, retry_after=max(1, int(wait + 0.999)))

    def _do_auth_test(self, params: Json) -> Json:
        return {
            "url": "https://emulator.slack.com/",
            "team": "Emulator",
            "user": "tocsin",
            "team_id": TEAM,
            "user_id": BOT,
            "bot_id": BOT_ID,
        }

    def _do_apps_connections_open(self, params: Json) -> Json:
        if len(self._sockets) >= 10:
            raise Refusal("too_many_websockets")
        ticket = self._id("ticket")
        self._tickets.add(ticket)
        return {"url": f"ws://127.0.0.1:{self.port}/link?ticket={ticket}"}

    def _writable(self, params: Json) -> Channel:
        wanted = str(params.get("channel", ""))
        room = self.channels.get(wanted) or next(
            (c for c in self.channels.values() if c.user and c.user == wanted), None
        )
        if room is None:
            raise Refusal("channel_not_found")
        if room.archived:
            raise Refusal("is_archived")
        if not room.member:
            raise Refusal("channel_not_found" if room.private else "not_in_channel")
        return room

    @staticmethod
    def _content(params: Json) -> Json:
        text, blocks = params.get("text", ""), params.get("blocks") or []
        if not text and not blocks:
            raise Refusal("no_text")
        if len(text) > 40_000:
            raise Refusal("msg_too_long")
        problem = problem_of(blocks)
        if problem:
            raise Refusal(problem)
        return {"text": text, "blocks": blocks, "mentions": mentions({"text": text, "blocks": blocks})}

    def _do_chat_post_message(self, params: Json) -> Json:
        room = self._writable(params)
        content = self._content(params)
        thread = params.get("thread_ts")
        if thread and not re.fullmatch(r"\d+\.\d+", thread):
            raise Refusal("invalid_thread_ts")
        if thread and thread not in room.messages:
            raise Refusal("thread_not_found")
        self._pace(room.limits)
        ts = self._ts()
        message = {"type": "message", "ts": ts, "user": BOT, "bot_id": BOT_ID, **content}
        if params.get("thread_ts"):
            message["thread_ts"] = params["thread_ts"]
        room.messages[ts] = message
        return {"channel": room.id, "ts": ts, "message": message}

    def _do_chat_update(self, params: Json) -> Json:
        room = self._writable(params)
        old = room.messages.get(str(params.get("ts")))
        if old is None:
            raise Refusal("message_not_found")
        if old.get("bot_id") != BOT_ID:
            raise Refusal("cant_update_message")
        content = self._content(params)
        if len(content["text"]) > 4000:
            raise Refusal("msg_too_long")
        old |= content | {"edited": {"user": BOT, "ts": self._ts()}}
        return {"channel": room.id, "ts": params["ts"], "text": content["text"], "message": old}

    def _do_chat_post_ephemeral(self, params: Json) -> Json:
        self._writable(params)
        if params.get("user") not in self.users:
            raise Refusal("user_not_in_channel")
        self._content(params)
        return {"message_ts": self._ts()}

    def _do_chat_get_permalink(self, params: Json) -> Json:
        return {
            "permalink": f"https://emulator.slack.com/archives/{params['channel']}/p{params['message_ts'].replace('.', '')}"
        }

    def _do_conversations_info(self, params: Json) -> Json:
        room = self.channels.get(str(params.get("channel")))
        if room is None or (room.private and not room.member):
            raise Refusal("channel_not_found")
        return {"channel": room.json()}

    def _do_files_get_upload_u_r_l_external(self, params: Json) -> Json:
        """docs.slack.dev/reference/methods/files.getUploadURLExternal."""
        if not params.get("filename") or int(params.get("length", 0)) <= 0:
            raise Refusal("invalid_arguments")
        name = f"F{len(self.files) + 1}"
        self.files[name] = [params["filename"], params.get("alt_txt", ""), b"", "", ""]
        return {"file_id": name, "upload_url": f"http://127.0.0.1:{self.port}/upload/{name}"}

    async def _upload(self, request: web.Request) -> web.Response:
        self.files[request.match_info["id"]][2] = await request.read()
        return web.Response(text="OK")

    def _do_files_complete_upload_external(self, params: Json) -> Json:
        """docs.slack.dev/reference/methods/files.completeUploadExternal."""
        files = params["files"] if isinstance(params["files"], list) else json.loads(params["files"])
        room = self._writable({"channel": params["channel_id"]})
        for file in files:
            if not self.files[file["id"]][2]:
                raise Refusal("file_not_found")
            self.files[file["id"]][3:] = [room.id, params.get("initial_comment", "")]
        return {"files": files}

    def _do_conversations_open(self, params: Json) -> Json:
        return {"channel": {"id": self.im(str(params["users"]))}}

    def _do_users_info(self, params: Json) -> Json:
        if params.get("user") not in self.users:
            raise Refusal("user_not_found")
        known = dict(self.users[params["user"]])
        if str(params.get("include_locale", "")).lower() not in {"1", "true"}:
            known.pop("locale", None)
        return {"user": known}

    def _view(self, view: Json) -> Json:
        if (
            problem_of([b for b in view.get("blocks", []) if b["type"] != "input"])
            or len(view.get("private_metadata", "")) > 3000
        ):
            raise Refusal("invalid_arguments")
        if view["type"] == "modal" and any(len(view[part]["text"]) > 24 for part in ("title", "submit", "close")):
            raise Refusal("invalid_arguments")
        for element in (b["element"] for b in view["blocks"] if b["type"] == "input"):
            options = element.get("options", [])
            if any(not 1 <= len(o["value"]) <= 150 or not 1 <= len(o["text"]["text"]) <= 75 for o in options):
                raise Refusal("invalid_arguments")
            if element["type"] == "static_select" and element["initial_option"] not in options:
                raise Refusal("invalid_arguments")
        return {**view, "id": self._id("V")}

    def _do_views_publish(self, params: Json) -> Json:
        self.homes[params["user_id"]] = self._view(params["view"])
        return {"view": self.homes[params["user_id"]]}

    def _do_views_open(self, params: Json) -> Json:
        if self._triggers.pop(str(params.get("trigger_id")), 0.0) < time.monotonic():
            raise Refusal("expired_trigger_id")
        view = self._view(params["view"])
        user = next(
            (
                e.payload.get("user", {}).get("id", "")
                for e in self.envelopes
                if e.payload.get("trigger_id") == params["trigger_id"]
            ),
            "",
        )
        self.modals[user] = view
        return {"view": view}


async def _params(request: web.Request) -> Json:
    if request.content_type == "application/json":
        found: Json = await request.json()
        return found
    found = dict(request.query) | dict(await request.post())
    for key in ("blocks", "view"):
        if isinstance(found.get(key), str):
            found[key] = json.loads(found[key])
    return found


if __name__ == "__main__":
    main(
        lambda args: SlackApi(limits=not args.no_limits),
        lambda parser: (parser.add_argument("--no-limits", action="store_true"), None)[-1],
    )
