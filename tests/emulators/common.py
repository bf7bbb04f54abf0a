"""What both emulators share: buckets, the call log with peak rates, fault rules, and life as a process."""

from __future__ import annotations

import argparse
import asyncio
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

Json = dict[str, Any]


class Bucket:
    """A token bucket: `rate` a second, at most `capacity` at once."""

    def __init__(self, rate: float, capacity: float) -> None:
        self.rate, self.capacity = rate, capacity
        self._tokens, self._at = capacity, time.monotonic()

    def wait(self, now: float) -> float:
        """Seconds until a token is there; takes none."""
        self._tokens = min(self.capacity, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return max(0.0, (1 - self._tokens) / self.rate)

    def take(self) -> None:
        self._tokens -= 1


class Window:
    """At most `count` in any `seconds`."""

    def __init__(self, count: int, seconds: float) -> None:
        self.count, self.seconds = count, seconds
        self._times: deque[float] = deque()

    def wait(self, now: float) -> float:
        while self._times and self._times[0] <= now - self.seconds:
            self._times.popleft()
        return 0.0 if len(self._times) < self.count else self._times[0] + self.seconds - now

    def take(self) -> None:
        self._times.append(time.monotonic())


class Limit(Protocol):
    """What `take_all` takes from."""

    def wait(self, now: float) -> float: ...

    def take(self) -> None: ...


def take_all(limits: list[Limit]) -> float:
    """Takes one from each when all have one (returns 0.0), else none (returns the seconds to wait)."""
    now = time.monotonic()
    wait = max((limit.wait(now) for limit in limits), default=0.0)
    if wait <= 1e-9:
        for limit in limits:
            limit.take()
        return 0.0
    return wait


@dataclass
class CallLog:
    """Every call with its time (seconds since the start of the emulator) and outcome, in order of arrival."""

    started: float = field(default_factory=time.monotonic)
    calls: list[Json] = field(default_factory=list)

    def add(self, method: str, params: Json, **more: Any) -> Json:
        entry = {"at": time.monotonic() - self.started, "method": method, "params": params, "ok": None, **more}
        self.calls.append(entry)
        return entry

    def of(self, *methods: str, ok: bool | None = None) -> list[Json]:
        return [c for c in self.calls if c["method"] in methods and (ok is None or c["ok"] is ok)]

    def peaks(self, methods: tuple[str, ...], key: str) -> Json:
        """Most accepted calls in any second over all, and per chat in any second and minute."""
        taken = self.of(*methods, ok=True)
        per_chat: dict[str, list[float]] = {}
        for call in taken:
            per_chat.setdefault(str(call["params"].get(key, "")), []).append(call["at"])
        return {
            "all_per_second": most_within([c["at"] for c in taken], 1.0),
            "chat_per_second": {chat: most_within(times, 1.0) for chat, times in per_chat.items()},
            "chat_per_minute": {chat: most_within(times, 60.0) for chat, times in per_chat.items()},
            "refused_for_rate": sum(c.get("code") == 429 and not c.get("injected") for c in self.calls),
        }


def most_within(times: list[float], window: float) -> int:
    """The most events in any half-open window of that many seconds."""
    most, start = 0, 0
    times = sorted(times)
    for end, at in enumerate(times):
        while times[start] <= at - window:
            start += 1
        most = max(most, end - start + 1)
    return most


@dataclass
class Faults:
    """Rules that make calls fail. Keys of a rule (all optional): method, chat, text (a part of it), after (calls that
    still go well), times (default 1; 0: for ever), and what happens: status + description + parameters, html, raw,
    drop ("before" or "after" the call took effect), delay (seconds), truncate, ok_false; Slack: error, retry_after.
    """

    rules: list[Json] = field(default_factory=list)

    def add(self, **rule: Any) -> None:
        self.rules.append({"times": 1, "after": 0, **rule})

    def find(self, method: str, chat: str, text: str) -> Json | None:
        """The first rule that fits this call, counted down."""
        for rule in self.rules:
            if rule.get("method", "*") not in {"*", method}:
                continue
            if "chat" in rule and str(rule["chat"]) != chat:
                continue
            if rule.get("text", "") not in text:
                continue
            if rule["after"] > 0:
                rule["after"] -= 1
                continue
            if rule["times"] == 1:
                self.rules.remove(rule)
            elif rule["times"] > 1:
                rule["times"] -= 1
            return rule
        return None


class Site:
    """An aiohttp application on a port of its own, on loopback unless said otherwise."""

    def __init__(self, app: web.Application) -> None:
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        self.port = 0

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self._runner.cleanup()


def control_routes(app: web.Application, act: Callable[[Json], Awaitable[Any]], log: CallLog) -> None:
    """POST /control {"op": …} does something; GET /control/log gives the calls so far (`?from=N`)."""

    async def control(request: web.Request) -> web.Response:
        try:
            return web.json_response({"ok": True, "result": await act(await request.json())})
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            return web.json_response({"ok": False, "error": repr(error)}, status=400)

    async def calls(request: web.Request) -> web.Response:
        return web.json_response(log.calls[int(request.query.get("from", "0")) :], dumps=_dumps)

    app.router.add_post("/control", control)
    app.router.add_get("/control/log", calls)


def _dumps(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)


def drop(request: web.Request) -> None:
    """Cuts the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()


def main(build: Callable[[argparse.Namespace], Any], options: Callable[[argparse.ArgumentParser], None]) -> None:
    """Runs an emulator as a process: prints its port as the first line, ends on SIGTERM, SIGINT or a parent's death
    (end of standard input, with --stdin).
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stdin", action="store_true", help="end when standard input ends")
    options(parser)
    args = parser.parse_args()

    async def serve() -> None:
        emulator = build(args)
        await emulator.start(args.port)
        print(emulator.port, flush=True)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if args.stdin:
            import sys
            import threading

            def watch() -> None:
                sys.stdin.read()
                loop.call_soon_threadsafe(stop.set)

            threading.Thread(target=watch, daemon=True).start()
        await stop.wait()
        await emulator.close()

    asyncio.run(serve())
