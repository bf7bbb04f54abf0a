"""/start and /help: how to begin, all commands by topic, one topic, one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.commands.desk import code, did_you_mean, say, suggest
from bot.commands.sharing import shared_query
from bot.commands.subscribing import subscribe
from bot.i18n import N_, _, listed, sentence
from bot.model import Reply, Span

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import Button

#: word to type → (heading, commands); what stands under no topic is shown at the end
_TOPICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "keywords": (N_("Keywords"), ("subscribe", "unsubscribe", "subscriptions", "share")),
    "alerts": (N_("Alerts"), ("pause", "resume", "digest", "quiet", "updates", "silence")),
    "news": (N_("News"), ("latest", "trend", "why", "sources", "status")),
    "chat": (N_("This chat"), ("timezone", "language", "manage", "mydata", "forget", "help")),
}
_QUERIES = "queries"


async def start(asked: Asked) -> Reply:
    """Greet, and say the one thing to do next; or subscribe to what a shared link carries."""
    if asked.args:
        query = await shared_query(asked, asked.args)
        if query and not asked.incoming.admin:
            return say(_("Only admins change subscriptions here. Anyone may read: /subscriptions, /latest, /why."))
        if query:
            return await subscribe(asked.with_args(query))
        if query == "":
            return say(_("That link is too old. Ask for a new one, or tell me what to listen for: /subscribe Idlib"))
    hello = _("I read the news and ring when something you follow happens: one story, one alert.")
    begin = _("Tell me what to listen for: {command}. {help} lists all commands.")
    return say(hello, "\n", *sentence(begin, command=code("/subscribe Idlib, S-300"), help=code("/help")))


async def help_(asked: Asked) -> Reply:
    """All commands by topic, one topic, or one command in detail."""
    wanted = asked.args.casefold().lstrip("/")
    if not wanted:
        return await _everything(asked)
    if wanted in _TOPICS or wanted == _QUERIES:
        reply = say(*_topic(asked, wanted), buttons=(await _buttons(asked),))
        return Reply(reply.message, replace=bool(asked.incoming.action))
    if wanted not in asked.desk.commands:
        close = did_you_mean(wanted, [*asked.desk.commands, *_TOPICS, _QUERIES])
        return say(
            *sentence(_("I don't know {command}."), command=code(f"/{wanted}")),
            *(suggest(f"/{close}" if close in asked.desk.commands else f"/help {close}") if close else []),
        )
    _function, changes, _usage, _what = asked.desk.commands[wanted]
    note = [" ", _("In groups only admins may.")] if changes else []
    more = ["\n", *query_help()] if wanted == "subscribe" else []
    return say(*_line(asked, wanted), ".", *note, *more)


async def _everything(asked: Asked) -> Reply:
    spans: list[str | Span] = []
    for topic in _TOPICS:
        spans += ["\n" if spans else "", *_topic(asked, topic)]
    placed = {name for _heading, names in _TOPICS.values() for name in names} | {"start"}
    for name in asked.desk.commands:
        spans += [] if name in placed else ["\n", *_line(asked, name)]
    return say(*spans, buttons=(await _buttons(asked),))


async def _buttons(asked: Asked) -> tuple[Button, ...]:
    topics = [(_(heading), "help", topic) for topic, (heading, _names) in _TOPICS.items()]
    return await asked.buttons((_("Queries"), "help", _QUERIES), *topics)


def _topic(asked: Asked, topic: str) -> list[str | Span]:
    if topic == _QUERIES:
        return [Span(_("Queries"), bold=True), "\n", *query_help()]
    heading, names = _TOPICS[topic]
    spans: list[str | Span] = [Span(_(heading), bold=True)]
    for name in names:
        spans += ["\n", *_line(asked, name)] if name in asked.desk.commands else []
    return spans


def _line(asked: Asked, name: str) -> list[str | Span]:
    _function, _changes, usage, what = asked.desk.commands[name]
    return [code(f"/{name} {_(usage)}".strip()), f": {_(what)}"]


def query_help() -> list[str | Span]:
    """The query language in four lines."""
    words = sentence(
        _("Words: {word}, {words} (both words), {phrase} (side by side), {beginning}, {name}."),
        word=code("Idlib"),
        words=code("air defence"),
        phrase=code('"air defence"'),
        beginning=code("missil*"),
        name=code("S-300"),
    )
    together = sentence(_("Together: {query}."), query=code("(Idlib OR Aleppo) -football"))
    facets = listed([code("title:Idlib"), code("source:bbc.co.uk"), code("lang:en"), code("tag:war")])
    fields = sentence(_("Fields: {fields}."), fields=facets)
    option = sentence(_("{option} waits for a second independent outlet."), option=code("min:2"))
    return [*words, "\n", *together, " ", *fields, " ", *option, " ", _("A comma separates subscriptions.")]
