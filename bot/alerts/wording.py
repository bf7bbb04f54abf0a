"""What the clustering says in words, in the language of the reader: entries keep it in English.

In: `Entry.news` ("toll 9 → 14, arrest") and `Entry.reason`. Out: the same, translated; names and whatever is not known here
stay as they are.
"""

from __future__ import annotations

import re

from bot.i18n import N_, _, fill, listed, retold

#: counts that rose (bot/stories/novelty.py)
COUNTS = (
    N_("toll {before} → {now}"),
    N_("injured {before} → {now}"),
    N_("missing {before} → {now}"),
    N_("arrests {before} → {now}"),
    N_("cases {before} → {now}"),
)
#: steps that a story takes (bot/stories/novelty.py)
STEPS = (
    N_("arrest"), N_("charges"), N_("court"), N_("verdict"), N_("death"), N_("resignation"), N_("dismissal"), N_("apology"),
    N_("denial"), N_("confirmation"), N_("investigation"), N_("rescue"), N_("identification"), N_("lawsuit"), N_("vote"),
    N_("agreement"), N_("sanctions"), N_("ban"), N_("evacuation"), N_("protest"), N_("reaction"), N_("aid"),
    N_("cancellation"), N_("recovery"),
)  # fmt: skip
#: how much of an entry agrees with a story (bot/stories/cluster.py)
REASONS = (
    N_("no story in the window tells this event"),
    N_("{words} of its {rare} rare words agree"),
    N_("{words} of its {rare} rare words and {names} of {all_names} names agree"),
    N_("{words} of its {rare} rare words and {numbers} of {all_numbers} numbers agree"),
    N_("{words} of its {rare} rare words, {names} of {all_names} names and {numbers} of {all_numbers} numbers agree"),
)
_NEAREST = re.compile("; nearest: ")


def told_news(news: str) -> str:
    """What is new about a story, as a person reads it."""
    if not news:
        return ""
    parts = [_(part) if part in STEPS else retold(part, *COUNTS) for part in news.split(", ")]
    return "".join(span.text for span in listed(parts))


def told_placing(reason: str) -> str:
    """Why an entry was placed where it is, as a person reads it."""
    parts = [retold(part, *REASONS) for part in _NEAREST.split(reason, 1)]
    if len(parts) == 1:
        return parts[0]
    return fill(_("{reason}; nearest: {agreement}"), reason=parts[0], agreement=parts[1])
