"""/pause, /resume, /digest, /quiet, /timezone, /updates, /mydata, /forget, and the buttons that silence."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

from bot.alerts.digest import valid_digest
from bot.commands.desk import code, did_you_mean, duration, pick, plural, say
from bot.model import Mute, Reply, Span, StoryId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.model import Chat, Subscription

FOREVER = datetime.max.replace(tzinfo=UTC)
_QUIET = re.compile(r"(\d{1,2}):(\d{2})\s*[-–—]\s*(\d{1,2}):(\d{2})")
_SNOOZE = timedelta(hours=24)


async def _save_chat(asked: Asked, chat: Chat) -> None:
    await asked.desk.store.put_chat(chat)


async def _target(asked: Asked, text: str) -> tuple[Subscription | None, Reply | None]:
    """The subscription that a command names, or the reply that says there is none."""
    mine = await asked.mine()
    found = pick(mine, text)
    if found is not None:
        return found, None
    return None, say("I have no subscription ", code(text[:60]), " here. /subscriptions lists them with their numbers.")


async def pause(asked: Asked) -> Reply:
    """`/pause`, `/pause 2h`, `/pause 3`, `/pause 3 2h`: nothing rings until then; nothing is sent afterwards either."""
    *which, last = asked.args.split() or [""]
    span = duration(last)
    if span is None and last:
        which.append(last)
    until = asked.now + span if span else FOREVER
    how_long = f"for {last}" if span else "until /resume"
    if not which:
        await _save_chat(asked, replace(asked.chat, paused_until=until))
        return say(
            f"Paused {how_long}. What matches meanwhile is not sent; /latest shows it. ", code("/resume"), " ends it."
        )
    found, missing = await _target(asked, " ".join(which))
    if found is None:
        return missing or say("")
    await asked.desk.store.update_subscription(replace(found, paused_until=until))
    return say(code(found.query), f" is paused {how_long}.")


async def resume(asked: Asked) -> Reply:
    """End the pause of the chat and of everything in it, or of one subscription."""
    store = asked.desk.store
    if asked.args:
        found, missing = await _target(asked, asked.args)
        if found is None:
            return missing or say("")
        await store.update_subscription(replace(found, paused_until=None))
        note = " The chat as a whole is still paused: /resume." if _is_paused(asked) else ""
        return say(code(found.query), f" rings again.{note}")
    if asked.chat.paused_until is not None:
        await _save_chat(asked, replace(asked.chat, paused_until=None))
    for subscription in await asked.mine():
        if subscription.paused_until is not None:
            await store.update_subscription(replace(subscription, paused_until=None))
    return say("Everything rings again.")


def _is_paused(asked: Asked) -> bool:
    return asked.chat.paused_until is not None and asked.chat.paused_until > asked.now


async def digest(asked: Asked) -> Reply:
    """`/digest daily 08:00` for the chat, `/digest 2 hourly` for one subscription."""
    words = asked.args.casefold().split()
    which = words.pop(0) if words and (words[0].isdecimal()) else ""
    rhythm = " ".join(_padded(word) for word in words)
    if not rhythm:
        current = asked.chat.digest
        return say(
            f"Digest here: {current}. Change it with ", code("/digest off|hourly|daily 08:00|weekly mon 08:00"), "."
        )
    if rhythm == "daily":
        rhythm = "daily 08:00"
    if not valid_digest(rhythm):
        return say(
            "A digest can be ",
            code("off"),
            ", ",
            code("hourly"),
            ", ",
            code("daily 08:00"),
            " or ",
            code("weekly mon 08:00"),
            ".",
        )
    zone = f" ({asked.chat.timezone})" if ":" in rhythm else ""
    if which:
        found, missing = await _target(asked, which)
        if found is None:
            return missing or say("")
        await asked.desk.store.update_subscription(replace(found, digest=rhythm))
        return say(code(found.query), f": digest {rhythm}{zone}.")
    await _save_chat(asked, replace(asked.chat, digest=rhythm))
    return say(
        f"Digest {rhythm}{zone} for this chat." if rhythm != "off" else "Digest off: alerts come as they happen."
    )


def _padded(word: str) -> str:
    return f"0{word}" if re.fullmatch(r"\d:\d\d", word) else word


async def digest_ids(asked: Asked) -> Reply:
    """The button under a fresh subscription: daily at 08:00 instead of at once."""
    ids = {int(i) for i in asked.args.split(",") if i.isdecimal()}
    chosen = [s for s in await asked.mine() if s.id in ids]
    for subscription in chosen:
        await asked.desk.store.update_subscription(replace(subscription, digest="daily 08:00"))
    if not chosen:
        return say("That subscription is gone. /subscriptions shows what is left.")
    return say(f"Daily at 08:00 ({asked.chat.timezone}) instead of at once. ", code("/digest N off"), " undoes it.")


async def quiet(asked: Asked) -> Reply:
    """Hold, never drop, between two local times."""
    text = asked.args.casefold()
    if text == "off":
        await _save_chat(asked, replace(asked.chat, quiet=None))
        return say("No quiet hours: alerts sound at any time.")
    match = _QUIET.fullmatch(text)
    times = _times(match) if match else None
    if times is None:
        now = f"{asked.chat.quiet[0]:%H:%M}-{asked.chat.quiet[1]:%H:%M}" if asked.chat.quiet else "off"
        return say(
            f"Quiet hours: {now}. Set them like this: ", code("/quiet 22:00-07:00"), ", or ", code("/quiet off"), "."
        )
    await _save_chat(asked, replace(asked.chat, quiet=times))
    return say(
        f"Quiet from {times[0]:%H:%M} to {times[1]:%H:%M} ({asked.chat.timezone}). "
        "What comes then is held and sent as one message afterwards."
    )


def _times(match: re.Match[str]) -> tuple[time, time] | None:
    try:
        start, end = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    except ValueError:
        return None
    return (start, end) if start != end else None


async def timezone(asked: Asked) -> Reply:
    """An IANA name, found from a city too."""
    if not asked.args:
        return say(f"Time zone here: {asked.chat.timezone}. Change it with ", code("/timezone Europe/Istanbul"), ".")
    known = available_timezones()
    wanted = asked.args.strip().replace(" ", "_").casefold()
    named = sorted(z for z in known if z.casefold() == wanted or z.casefold().rsplit("/", 1)[-1] == wanted)
    if not named:
        by_fold = {z.casefold(): z for z in known} | {z.casefold().rsplit("/", 1)[-1]: z for z in known}
        close = by_fold.get(did_you_mean(wanted, [*by_fold]), "")
        hint: list[str | Span] = [" Did you mean ", code(f"/timezone {close}"), "?"] if close else []
        return say(
            "I don't know the time zone ",
            code(asked.args[:60]),
            ".",
            *hint,
            " Names look like ",
            code("Europe/Istanbul"),
            ".",
        )
    # some cities stand under several names (Asia/Istanbul): the plainest one is shown
    zone = min(named, key=lambda z: ("/" not in z, not z.startswith("Europe/"), z))
    await _save_chat(asked, replace(asked.chat, timezone=zone))
    return say(f"Times are now those of {zone}.")


async def updates(asked: Asked) -> Reply:
    """Whether developments come as replies: for all subscriptions of the chat, or one."""
    *which, switch = asked.args.casefold().split() or [""]
    if switch not in ("on", "off"):
        return say(
            "Say ",
            code("/updates off"),
            " or ",
            code("/updates on"),
            ", with a number for one subscription: ",
            code("/updates 2 off"),
            ".",
        )
    chosen: Sequence[Subscription] = await asked.mine()
    if which:
        found, missing = await _target(asked, " ".join(which))
        if found is None:
            return missing or say("")
        chosen = [found]
    for subscription in chosen:
        await asked.desk.store.update_subscription(replace(subscription, updates=switch == "on"))
    return say(f"Updates {switch} for {plural(len(chosen), 'subscription')}.")


async def mute_story(asked: Asked) -> Reply:
    """The button under an alert: nothing more about this story here."""
    await asked.desk.store.mute(Mute(asked.chat.id, StoryId(asked.args), asked.now))
    return say("Muted: this story stays silent here from now on.", private=True)


async def snooze(asked: Asked) -> Reply:
    """The button under an alert: this keyword is silent for a day."""
    found = next((s for s in await asked.mine() if str(s.id) == asked.args), None)
    if found is None:
        return say("That subscription is gone. /subscriptions shows what is left.", private=True)
    await asked.desk.store.update_subscription(replace(found, paused_until=asked.now + _SNOOZE))
    return say(code(found.query), " is silent for 24 hours. ", code("/resume"), " ends that.")


async def mydata(asked: Asked) -> Reply:
    """Everything that is kept about this chat, as JSON."""
    mine = await asked.mine()
    kept = {
        "chat": asdict(asked.chat),
        "subscriptions": [asdict(s) for s in mine],
        "alerts": await asked.desk.store.counts(asked.chat.id, datetime.min.replace(tzinfo=UTC)),
    }
    return say(code(json.dumps(kept, default=str, ensure_ascii=False, indent=1)), private=True)


async def forget(asked: Asked) -> Reply:
    """Ask once, then delete everything."""
    if asked.args.casefold() == "yes":
        return await forget_now(asked)
    count = plural(len(await asked.mine()), "subscription")
    buttons = await asked.buttons(("Delete everything", "forget", "yes"))
    return say(
        f"This deletes {count}, the settings and the history of this chat, for good. Press the button or send ",
        code("/forget yes"),
        ".",
        buttons=(buttons,),
    )


async def forget_now(asked: Asked) -> Reply:
    """Delete everything that bears the chat's id."""
    await asked.desk.store.forget_chat(asked.chat.id)
    return say("Done: nothing about this chat is kept any more.")
