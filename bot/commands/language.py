"""/language: what the chat is spoken to in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.commands.desk import code, did_you_mean, say, suggest
from bot.i18n import _, languages, listed, sentence, speaking, spoken

if TYPE_CHECKING:
    from bot.commands.desk import Asked
    from bot.model import Reply


async def language(asked: Asked) -> Reply:
    """`/language` lists those there are, `/language tr` chooses one, by its code or by its own name."""
    known = languages()
    names = dict(known)
    wanted = asked.args.replace("_", "-").casefold()
    if not wanted:
        buttons = await asked.buttons(*((name, "language", tag) for tag, name in known if tag != spoken()))
        here = _("I speak {language} here. I know: {languages}. Change it with {example}.")
        all_of_them = listed([f"{name} ({tag})" for tag, name in known])
        rows = [buttons[n : n + 3] for n in range(0, len(buttons), 3)]
        spans = sentence(
            here, language=names[spoken()], languages=all_of_them, example=code(f"/language {known[-1][0]}")
        )
        return say(*spans, buttons=rows)
    by_word = {word: tag for tag, name in known for word in (tag.casefold(), name.casefold())}
    tag = by_word.get(wanted) or by_word.get(wanted.split("-")[0])
    if tag is None:
        close = did_you_mean(wanted, [*by_word])
        spans = sentence(_("I don't speak {language} yet."), language=code(asked.args[:60]))
        return say(*spans, *(suggest(f"/language {by_word[close]}") if close else []))
    await asked.desk.store.put_chat(replace(asked.chat, language=tag))
    with speaking(tag):
        return say(*sentence(_("From now on I speak {language} here."), language=names[tag]))
