"""/pause, /resume, /digest, /quiet, /timezone, /updates, /mydata, /forget, and the buttons that silence."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from bot.alerts.account import account
from bot.alerts.digest import valid_digest
from bot.commands.desk import code, did_you_mean, duration, pick, say, suggest
from bot.i18n import _, fill, ngettext, sentence
from bot.model import Attachment, Mute, Reply, StoryId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.model import Chat, Subscription

_EVER = datetime.min.replace(tzinfo=UTC)
FOREVER = datetime.max.replace(tzinfo=UTC)
_QUIET = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::(\d{2}))?")
_SNOOZE = timedelta(hours=24)


async def _save_chat(asked: Asked, chat: Chat) -> None:
    await asked.desk.store.put_chat(chat)


async def _target(asked: Asked, text: str) -> tuple[Subscription | None, Reply | None]:
    """The subscription that a command names, or the reply that says there is none."""
    mine = await asked.mine()
    found = pick(mine, text)
    if found is not None:
        return found, None
    missing = _("I have no subscription {query} here. /subscriptions lists them with their numbers.")
    return None, say(*sentence(missing, query=code(text[:60])))


async def pause(asked: Asked) -> Reply:
    """`/pause`, `/pause 2h`, `/pause 3`, `/pause 3 2h`: nothing rings until then; nothing is sent afterwards either."""
    *which, last = asked.args.split() or [""]
    span = duration(last)
    if span is None and last:
        which.append(last)
    until = asked.now + span if span else FOREVER
    if not which:
        await _save_chat(asked, replace(asked.chat, paused_until=until))
        done = (
            _("Paused for {time}. What matches meanwhile is not sent; /latest shows it. {resume} ends it.")
            if span
            else _("Paused until /resume. What matches meanwhile is not sent; /latest shows it. {resume} ends it.")
        )
        return say(*sentence(done, time=last, resume=code("/resume")))
    found, missing = await _target(asked, " ".join(which))
    if found is None:
        return missing or say("")
    await asked.desk.store.update_subscription(replace(found, paused_until=until))
    done = _("{query} is paused for {time}.") if span else _("{query} is paused until /resume.")
    return say(*sentence(done, query=code(found.query), time=last))


async def resume(asked: Asked) -> Reply:
    """End the pause of the chat and of everything in it, or of one subscription."""
    store = asked.desk.store
    if asked.args:
        found, missing = await _target(asked, asked.args)
        if found is None:
            return missing or say("")
        await store.update_subscription(replace(found, paused_until=None))
        done = sentence(_("{query} rings again."), query=code(found.query))
        note = [" ", _("The chat as a whole is still paused: /resume.")] if _is_paused(asked) else []
        return say(*done, *note)
    if asked.chat.paused_until is not None:
        await _save_chat(asked, replace(asked.chat, paused_until=None))
    for subscription in await asked.mine():
        if subscription.paused_until is not None:
            await store.update_subscription(replace(subscription, paused_until=None))
    return say(_("Everything rings again."))


def _is_paused(asked: Asked) -> bool:
    return asked.chat.paused_until is not None and asked.chat.paused_until > asked.now


async def digest(asked: Asked) -> Reply:
    """`/digest daily 08:00` for the chat, `/digest 2 hourly` for one subscription."""
    words = asked.args.casefold().split()
    which = words.pop(0) if words and (words[0].removeprefix("#").isdecimal()) else ""
    rhythm = " ".join(_padded(word) for word in words)
    if not rhythm:
        current = asked.chat.digest
        usage = code("/digest off|hourly|daily 08:00|weekly mon 08:00")
        return say(*sentence(_("Digest here: {rhythm}. Change it with {command}."), rhythm=current, command=usage))
    if rhythm == "daily":
        rhythm = "daily 08:00"
    if not valid_digest(rhythm):
        rhythms = {
            "off": code("off"),
            "hourly": code("hourly"),
            "daily": code("daily 08:00"),
            "weekly": code("weekly mon 08:00"),
        }
        return say(*sentence(_("A digest can be {off}, {hourly}, {daily} or {weekly}."), **rhythms))
    zone = f" ({asked.chat.timezone})" if ":" in rhythm else ""
    if which:
        found, missing = await _target(asked, which)
        if found is None:
            return missing or say("")
        await asked.desk.store.update_subscription(replace(found, digest=rhythm))
        return say(*sentence(_("{query}: digest {rhythm}."), query=code(found.query), rhythm=rhythm + zone))
    await _save_chat(asked, replace(asked.chat, digest=rhythm))
    if rhythm == "off":
        return say(_("Digest off: alerts come as they happen."))
    return say(fill(_("Digest {rhythm} for this chat."), rhythm=rhythm + zone))


def _padded(word: str) -> str:
    """A clock time in full: 8 and 8:00 are 08:00."""
    clock = re.fullmatch(r"(\d{1,2})(?::(\d\d))?", word)
    return f"{clock[1]:0>2}:{clock[2] or '00'}" if clock else word


async def digest_ids(asked: Asked) -> Reply:
    """The button under a fresh subscription: daily at 08:00 instead of at once."""
    ids = {int(i) for i in asked.args.split(",") if i.isdecimal()}
    chosen = [s for s in await asked.mine() if s.id in ids]
    for subscription in chosen:
        await asked.desk.store.update_subscription(replace(subscription, digest="daily 08:00"))
    if not chosen:
        return say(_("That subscription is gone. /subscriptions shows what is left."))
    done = _("Daily at 08:00 ({timezone}) instead of at once. {command} undoes it.")
    return say(*sentence(done, timezone=asked.chat.timezone, command=code("/digest N off")))


async def quiet(asked: Asked) -> Reply:
    """Hold, never drop, between two local times."""
    text = asked.args.casefold()
    if text == "off":
        await _save_chat(asked, replace(asked.chat, quiet=None))
        return say(_("No quiet hours: alerts sound at any time."))
    match = _QUIET.fullmatch(text)
    times = _times(match) if match else None
    if times is None:
        now = f"{asked.chat.quiet[0]:%H:%M}-{asked.chat.quiet[1]:%H:%M}" if asked.chat.quiet else "off"
        how = _("Quiet hours: {now}. Set them like this: {example}, or {off}.")
        return say(*sentence(how, now=now, example=code("/quiet 22:00-07:00"), off=code("/quiet off")))
    await _save_chat(asked, replace(asked.chat, quiet=times))
    done = _("Quiet from {start} to {end} ({timezone}). What comes then is held and sent as one message afterwards.")
    return say(fill(done, start=f"{times[0]:%H:%M}", end=f"{times[1]:%H:%M}", timezone=asked.chat.timezone))


def _times(match: re.Match[str]) -> tuple[time, time] | None:
    try:
        start, end = time(int(match[1]), int(match[2] or 0)), time(int(match[3]), int(match[4] or 0))
    except ValueError:
        return None
    return (start, end) if start != end else None


async def timezone(asked: Asked) -> Reply:
    """An IANA name, found from a city too."""
    if not asked.args:
        example = code("/timezone Europe/Istanbul")
        here = _("Time zone here: {timezone}. Change it with {example}.")
        return say(*sentence(here, timezone=asked.chat.timezone, example=example))
    known = available_timezones()
    wanted = asked.args.strip().replace(" ", "_").casefold()
    named = sorted(z for z in known if z.casefold() == wanted or z.casefold().rsplit("/", 1)[-1] == wanted)
    if not named:
        ordered = sorted(known)  # of several names of one city, the same one is always suggested
        by_fold = {z.casefold(): z for z in ordered} | {z.casefold().rsplit("/", 1)[-1]: z for z in ordered}
        close = by_fold.get(did_you_mean(wanted, [*by_fold]), "")
        return say(
            *sentence(_("I don't know the time zone {timezone}."), timezone=code(asked.args[:60])),
            *(suggest(f"/timezone {close}") if close else []),
            " ",
            *sentence(_("Names look like {example}."), example=code("Europe/Istanbul")),
        )
    # some cities stand under several names (Asia/Istanbul): the plainest one is shown
    zone = min(named, key=lambda z: ("/" not in z, not z.startswith("Europe/"), z))
    await _save_chat(asked, replace(asked.chat, timezone=zone))
    return say(fill(_("Times are now those of {timezone}."), timezone=zone))


async def updates(asked: Asked) -> Reply:
    """Whether developments come as replies: for all subscriptions of the chat, or one."""
    *which, switch = asked.args.casefold().split() or [""]
    if switch not in ("on", "off"):
        how = _("Say {off} or {on}, with a number for one subscription: {example}.")
        commands = {"off": code("/updates off"), "on": code("/updates on"), "example": code("/updates 2 off")}
        return say(*_updates_now(await asked.mine()), *sentence(how, **commands))
    chosen: Sequence[Subscription] = await asked.mine()
    if which:
        found, missing = await _target(asked, " ".join(which))
        if found is None:
            return missing or say("")
        chosen = [found]
    for subscription in chosen:
        await asked.desk.store.update_subscription(replace(subscription, updates=switch == "on"))
    count = len(chosen)
    if switch == "on":
        done = ngettext("Updates on for {count} subscription.", "Updates on for {count} subscriptions.", count)
    else:
        done = ngettext("Updates off for {count} subscription.", "Updates off for {count} subscriptions.", count)
    return say(fill(done, count=count))


def _updates_now(mine: Sequence[Subscription]) -> list[str]:
    """For how many subscriptions updates are on, and for how many off; nothing where there are none."""
    on = sum(subscription.updates for subscription in mine)
    off = len(mine) - on
    with_them = ngettext("Updates on for {count} subscription.", "Updates on for {count} subscriptions.", on)
    without = ngettext("Updates off for {count} subscription.", "Updates off for {count} subscriptions.", off)
    return [fill(text, count=count) + " " for text, count in ((with_them, on), (without, off)) if count]


async def mute_story(asked: Asked) -> Reply:
    """The button under an alert: nothing more about this story here."""
    await asked.desk.store.mute(Mute(asked.chat.id, StoryId(asked.args), asked.now))
    return say(_("Muted: this story stays silent here from now on."), private=True)


async def snooze(asked: Asked) -> Reply:
    """The button under an alert: this keyword is silent for a day."""
    found = next((s for s in await asked.mine() if str(s.id) == asked.args), None)
    if found is None:
        return say(_("That subscription is gone. /subscriptions shows what is left."), private=True)
    await asked.desk.store.update_subscription(replace(found, paused_until=asked.now + _SNOOZE))
    done = _("{query} is silent for 24 hours. {resume} ends that.")
    return say(*sentence(done, query=code(found.query), resume=code("/resume")))


async def mydata(asked: Asked) -> Reply:
    """Everything that bears the chat's id, as JSON."""
    store, mine = asked.desk.store, await asked.mine()
    titles = {story.id: story.title for story in await store.open_stories(_EVER)}
    rows = await store.deliveries(asked.chat.id, [*titles])
    kept = {
        "chat": asdict(asked.chat),
        "subscriptions": [asdict(s) for s in mine],
        "counts": asdict(account(await store.counts(asked.chat.id, _EVER))),
        "alerts": [asdict(row) | {"story": titles[row.story]} for row in rows],
        "muted": [titles[mute.story] for mute in await store.mutes([*titles]) if mute.chat == asked.chat.id],
    }
    text = json.dumps(kept, default=str, ensure_ascii=False, indent=1)
    told = ngettext(
        "Everything that is kept about this chat: its settings, {count} subscription, and the alerts it had.",
        "Everything that is kept about this chat: its settings, {count} subscriptions, and the alerts it had.",
        len(mine),
    )
    file = Attachment("tocsin.json", text.encode(), "application/json", text)
    return say(fill(told, count=len(mine)), private=True, attachment=file)


async def forget(asked: Asked) -> Reply:
    """Ask once, then delete everything."""
    if asked.args.casefold() == "yes":
        return await forget_now(asked)
    count = len(await asked.mine())
    buttons = await asked.buttons((_("Delete everything"), "forget", "yes"))
    warning = ngettext(
        "This deletes {count} subscription, the settings and the history of this chat, for good. "
        "Press the button or send {command}.",
        "This deletes {count} subscriptions, the settings and the history of this chat, for good. "
        "Press the button or send {command}.",
        count,
    )
    return say(*sentence(warning, count=count, command=code("/forget yes")), buttons=(buttons,))


async def forget_now(asked: Asked) -> Reply:
    """Delete everything that bears the chat's id."""
    await asked.desk.store.forget_chat(asked.chat.id)
    return say(_("Done: nothing about this chat is kept any more."))
