"""Messages out to Slack, and what its answers mean. slack_sdk speaks the API, without its own retries."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bot.chats import slack_outcome as outcomes
from bot.chats.gate import Gate, Quota
from bot.chats.plain import spelt_out
from bot.chats.slack_blocks import blocks, fallback
from bot.chats.wire import make_socket
from bot.model import Refused, RetryLater, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import ChatId, Message, SendOutcome
    from bot.ports import Clock

log = logging.getLogger(__name__)

#: seconds between tries after a refused token
REVOKED = 60.0
_DEADLINE = 30.0


class Sender:
    """Sends and edits with one bot token, and knows whether that token works."""

    def __init__(self, token: str, base_url: str, clock: Clock) -> None:
        # the SDK's default retry posts again when only the answer was lost: the outbox decides instead
        self.client = AsyncWebClient(token, base_url=base_url.rstrip("/") + "/", retry_handlers=[])
        self._clock = clock
        # a post a second in a channel
        self._gate = Gate(clock, 1, 1.0)
        # chat.update is of tier 3: 50 a minute in the workspace
        self._updates = Quota(clock, 50, 60.5)
        #: what keeps the whole workspace from working, for people; "" when it is well
        self.problem = ""
        self._revoked = False
        #: until when each channel was asked to wait, on the monotonic clock
        self._limited: dict[str, float] = {}

    @property
    def session(self) -> aiohttp.ClientSession:
        """One pool of connections for everything; made inside the running loop."""
        if self.client.session is None or self.client.session.closed:
            self.client.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(socket_factory=make_socket),
                timeout=aiohttp.ClientTimeout(total=_DEADLINE),
            )
        return self.client.session

    async def call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One call of the Web API, such as "chat.update"; raises what the SDK raises."""
        assert self.session is not None
        answer = await getattr(self.client, method.replace(".", "_"))(**arguments)
        data = answer.data
        return data if isinstance(data, dict) else {}

    async def send(self, chat: ChatId, message: Message, reply_to: str = "") -> SendOutcome:
        quiet = {"unfurl_links": False, "unfurl_media": False}
        return await self._post("chat.postMessage", chat, message, {"thread_ts": reply_to or None, **quiet})

    async def send_file(self, chat: ChatId, user: str, message: Message, thread: str = "") -> SendOutcome:
        """A message with its attachment; with `user`, between the bot and that person alone.

        Where the app may not upload (it was installed before it asked for files:write), the text that stands in for it.
        """
        file = message.attachment
        assert file is not None
        try:
            channel, under = chat.address, thread or None
            if user:
                opened = await self.call("conversations.open", users=user)
                channel, under = str(opened["channel"]["id"]), None
            await self.call(
                "files.upload.v2",
                channel=channel,
                thread_ts=under,
                initial_comment=fallback(message),
                file=file.content,
                filename=file.name,
                title=file.name,
                alt_txt=file.text[:1000],
            )
        except Exception as error:  # noqa: BLE001 -- as in _post
            log.warning("a file could not be uploaded: %s", outcomes.describe(error))
            spelt = spelt_out(message)
            return await (self.whisper(chat, user, spelt, thread) if user else self.send(chat, spelt, thread))
        return Sent("")

    async def edit(self, chat: ChatId, message_id: str, message: Message) -> SendOutcome:
        wait = self._updates.take("") if not self._revoked else 0.0
        if wait > 0:
            return RetryLater("this minute's 50 changes of messages are made", after=wait)
        return await self._post("chat.update", chat, message, {"ts": message_id})

    async def whisper(self, chat: ChatId, user: str, message: Message, thread: str = "") -> SendOutcome:
        """A message that only this person sees."""
        return await self._post("chat.postEphemeral", chat, message, {"user": user, "thread_ts": thread or None})

    async def _post(self, method: str, chat: ChatId, message: Message, more: dict[str, Any]) -> SendOutcome:
        """Posts with blocks; once more without blocks or thread, when Slack stumbles over just that."""
        if self._revoked:
            return RetryLater(self.problem, after=REVOKED, platform_wide=True)
        body: dict[str, Any] = {"channel": chat.address, "text": fallback(message), "blocks": blocks(message), **more}
        while True:
            try:
                if method == "chat.postMessage":
                    async with self._gate.passing(chat.address):
                        answer = await self.call(method, **body)
                else:
                    answer = await self.call(method, **body)
                return Sent(str(answer.get("ts") or answer.get("message_ts") or body.get("ts", "")))
            except Exception as error:  # noqa: BLE001 -- odd answers make the SDK raise AttributeError, ValueError and more
                code = outcomes.code_of(error)
                if code in outcomes.BLOCKS and body["blocks"]:
                    log.warning("Slack does not take the blocks of a message (%s); sending its text alone", code)
                    body["blocks"] = []
                elif code in outcomes.THREAD and body.get("thread_ts"):
                    body["thread_ts"] = None
                else:
                    return await self._classed(error, chat, method)

    async def _classed(self, error: Exception, chat: ChatId, method: str) -> SendOutcome:
        outcome = outcomes.classify(error)
        if outcomes.code_of(error) in outcomes.TOKEN and not await self.token_works():
            return RetryLater(self.problem, after=REVOKED, platform_wide=True)
        if isinstance(outcome, RetryLater) and outcome.after is not None and method == "chat.postMessage":
            now = self._clock.monotonic()
            self._limited = {channel: until for channel, until in self._limited.items() if until > now}
            # Slack does not say which of its limits was met; a second channel at once means the workspace's
            wide = any(channel != chat.address for channel in self._limited)
            self._limited[chat.address] = now + outcome.after
            return RetryLater(outcome.reason, outcome.after, platform_wide=wide)
        return outcome

    async def token_works(self) -> bool:
        """Whether Slack still knows the token; a refusal is said once, loudly. Doubt counts as yes."""
        try:
            await self.call("auth.test")
        except Exception as error:  # noqa: BLE001 -- as in _post
            self.note(error)
        else:
            self.well()
        return not self._revoked

    def note(self, error: Exception) -> None:
        """A refused token concerns everything."""
        code = outcomes.code_of(error)
        if code in outcomes.TOKEN and not self._revoked:
            self._revoked = True
            self.problem = f"Slack refuses the bot token ({code}): install the app again and renew the settings"
            log.critical("%s. Nothing is sent or heard on Slack until then.", self.problem)

    def well(self) -> None:
        """A call that proves the token went well."""
        if self.problem:
            log.warning("Slack works again")
        self._revoked, self.problem = False, ""

    async def respond(self, url: str, message: Message, *, replace: bool) -> SendOutcome:
        """Answers through the address that came with a command or press: good for half an hour and five uses."""
        body = {
            "text": fallback(message),
            "blocks": blocks(message),
            "response_type": "ephemeral",
            "replace_original": replace,
        }
        try:
            async with self.session.post(url, json=body) as answer:
                if answer.status < 300:
                    return Sent("")
                reason = f"the response address answered {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            return RetryLater(type(error).__name__)
        return Refused(reason)

    async def close(self) -> None:
        """Ends all connections."""
        if self.client.session is not None:
            await self.client.session.close()
