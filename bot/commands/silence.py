"""/silence: whether to tell when a keyword no longer rings though it used to; and the button under such a message."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.commands.desk import code, pick, say
from bot.i18n import _, fill, ngettext, sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.commands.desk import Asked
    from bot.model import Reply, Subscription


async def silence(asked: Asked) -> Reply:
    """`/silence off` for all subscriptions of the chat, `/silence 2 off` for one."""
    *which, switch = asked.args.casefold().split() or [""]
    if switch not in ("on", "off"):
        how = _("I tell when a keyword that used to ring no longer does. {off} ends that, for one: {example}.")
        return say(*sentence(how, off=code("/silence off"), example=code("/silence 2 off")))
    chosen: Sequence[Subscription] = await asked.mine()
    if which:
        found = pick(chosen, " ".join(which))
        if found is None:
            missing = _("I have no subscription {query} here. /subscriptions lists them with their numbers.")
            return say(*sentence(missing, query=code(" ".join(which)[:60])))
        chosen = [found]
    for subscription in chosen:
        await asked.desk.store.update_subscription(replace(subscription, alarm=switch == "on"))
    count = len(chosen)
    if switch == "on":
        done = ngettext(
            "Silence is told for {count} subscription.", "Silence is told for {count} subscriptions.", count
        )
    else:
        done = ngettext(
            "Silence is no longer told for {count} subscription.",
            "Silence is no longer told for {count} subscriptions.",
            count,
        )
    return say(fill(done, count=count))


async def silence_off(asked: Asked) -> Reply:
    """The button: no such alarms for this keyword."""
    found = next((s for s in await asked.mine() if str(s.id) == asked.args), None)
    if found is None:
        return say(_("That subscription is gone. /subscriptions shows what is left."), private=True)
    await asked.desk.store.update_subscription(replace(found, alarm=False))
    done = _("I will not tell any more when {query} is silent. {on} changes that.")
    return say(*sentence(done, query=code(found.query), on=code("/silence on")), private=True)
