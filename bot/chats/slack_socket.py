"""Socket Mode: envelopes over a web socket (docs.slack.dev/apis/events-api/using-socket-mode).

slack_sdk's own client is not used: it keeps trying one address that Slack gives out for a single use, waits up to its
ping interval before it notices a cut socket, and does not end at once. Dispatch is slack-bolt's.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec

from bot.chats import slack_outcome as outcomes
from bot.chats.lanes import Seen
from bot.model import RetryLater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.chats.slack_send import Sender
    from bot.ports import Clock

    #: (kind of envelope, payload) in; what to send back with the acknowledgement out
    Dispatch = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]

log = logging.getLogger(__name__)

#: seconds of silence after which a socket is asked whether it lives; it has half as long to answer
_HEARTBEAT = 10.0
#: seconds for which a socket that Slack is about to close is still read
_FAREWELL = 30.0


class SocketMode:
    """Keeps one socket open, opening the next before the last is gone."""

    def __init__(self, app_token: str, sender: Sender, clock: Clock, dispatch: Dispatch) -> None:
        self._app_token, self._sender, self._clock, self._dispatch = app_token, sender, clock, dispatch
        self._seen = Seen()
        self._failures = 0
        #: why nothing is heard, for people; "" when it is well
        self.problem = ""

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                renew = asyncio.Event()
                tasks.create_task(self._connection(tasks, renew))
                await renew.wait()
                # a server that greets and hangs up at once must not be called in a tight loop
                await self._clock.sleep(min(2.0 ** min(self._failures - 1, 5), 30.0) if self._failures else 0.1)

    async def _connection(self, tasks: asyncio.TaskGroup, renew: asyncio.Event) -> None:
        """One socket from its opening to its end; `renew` is set as soon as another one is needed."""
        self._failures += 1  # until it says hello
        try:
            answer = await self._sender.client.apps_connections_open(app_token=self._app_token)
            async with self._sender.session.ws_connect(
                str(answer["url"]),
                heartbeat=_HEARTBEAT,
                max_msg_size=4 << 20,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            ) as socket:
                await self._listen(tasks, socket, renew)
        except Exception as error:  # noqa: BLE001 -- whatever breaks a connection, the next one is opened
            await self._failed(error)
        finally:
            renew.set()

    async def _listen(
        self, tasks: asyncio.TaskGroup, socket: aiohttp.ClientWebSocketResponse, renew: asyncio.Event
    ) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as life:
                async for frame in socket:
                    if frame.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    message = _decoded(frame.data)
                    self._failures = 0
                    match message.get("type"):
                        case "hello":
                            if self.problem:
                                log.warning("Slack is heard again")
                            self.problem = ""
                        case "disconnect":
                            log.debug("Slack closes this socket soon: %s", message.get("reason"))
                            if message.get("reason") == "link_disabled":
                                self._failures += 1
                                self.problem = "Socket Mode is switched off in the Slack app's settings"
                                log.error("%s", self.problem)
                            life.reschedule(asyncio.get_running_loop().time() + _FAREWELL)
                            renew.set()
                        case _ if message.get("envelope_id"):
                            tasks.create_task(self._envelope(socket, message))

    async def _envelope(self, socket: aiohttp.ClientWebSocketResponse, message: dict[str, Any]) -> None:
        """Dispatches and acknowledges; an envelope that comes again is only acknowledged."""
        ack: dict[str, Any] = {"envelope_id": message["envelope_id"]}
        try:
            if self._seen.first(message["envelope_id"]):
                body = await self._dispatch(message.get("payload") or {})
                if body:
                    ack["payload"] = body
            await socket.send_str(msgspec.json.encode(ack).decode())
        except Exception as error:  # noqa: BLE001 -- a socket that died first: Slack sends the envelope again
            log.info("an envelope could not be acknowledged: %s", type(error).__name__)

    async def _failed(self, error: Exception) -> None:
        reason = outcomes.describe(error)
        outcome = outcomes.classify(error)
        if outcomes.code_of(error) in outcomes.TOKEN:
            self.problem = f"Slack refuses the app token ({reason}): it needs the scope connections:write"
            log.critical("%s", self.problem)
        elif isinstance(outcome, RetryLater) and outcome.after:
            await self._clock.sleep(outcome.after)
        else:
            log.warning("the connection to Slack was lost, opening another: %s", reason)


def _decoded(text: str) -> dict[str, Any]:
    """A frame; {} for what is no object, which is nobody's envelope."""
    try:
        message = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return {}
    return message if isinstance(message, dict) else {}
