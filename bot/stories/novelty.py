"""First, repeat or development: what a joining entry adds to its story, and that in words.

In: the window, the entry's sketch and headline, the story it joins. Out: evidence for a score, and a few words for the
update ("toll 3 → 11", "arrest", a new name).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.stories.terms import stems
from bot.text import tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Entry
    from bot.stories.terms import Sketch
    from bot.stories.window import OpenStory, Window

#: name → what the value is, and whether more of it may only speak for (+) or against (-) a development, or either (~)
NOVELTY = {
    "hours after first": "+ hours from the first entry's publication to this one's",
    "hours after last": "+ hours from the latest entry's publication",
    "new share": "+ share of the entry's weight that the story lacks",
    "new headline share": "+ the same of its headline",
    "new headline weight": "+ weight of the headline's rarest word that the story lacks",
    "likeness": "- cosine with the nearest entry",
    "headline likeness": "- cosine with the nearest headline",
    "new numbers": "+ numbers that the story lacks",
    "count changed": "+ a count (dead, injured ...) that differs from the story's",
    "next step": "+ headline tells of a step (arrest, charge, resignation ...) that the story lacks",
    "same outlet": "~ share of the story's entries that are this outlet's",
    "entries": "~ entries of the story",
    "certainty": "- points for belonging to the story",
    "headline words": "~ words of the headline",
    "new names": "+ weight of the entry's names that the story lacks",
    "comment": "- an opinion piece, explainer or picture gallery",
}
NAMES = tuple(NOVELTY)

_STEPS = {
    "arrest": "arrest arrested arrests detained detains custody festgenommen arrêté detenido arrestato задержан задержали арестован gözaltı",
    "charges": "charge charged charges indicted indictment angeklagt inculpé acusado обвинение обвинен",
    "court": "court trial pleads pleaded hearing gericht procès juicio суд",
    "verdict": "guilty verdict convicted acquitted sentenced jailed verurteilt condamné condenado приговорен осужден",
    "death": "dies died death dead stirbt gestorben mort muere morto умер погиб скончался öldü",
    "resignation": "resigns resigned resignation quits quit steps stepped rücktritt démission dimite dimissioni отставка istifa",
    "dismissal": "sacked fired dismissed ousted suspended entlassen limogé despedido уволен",
    "apology": "apologises apologizes apology apologised apologized sorry entschuldigt excuses disculpa извинился",
    "denial": "denies denied denial rejects rejected refutes dementiert dément niega отрицает опроверг",
    "confirmation": "confirms confirmed bestätigt confirme confirma подтвердил",
    "investigation": "investigation probe inquiry investigate investigating ermittlungen enquête investigación расследование soruşturma",
    "rescue": "rescued rescue found survivor survivors gerettet sauvé rescatado спасены найден kurtarıldı",
    "identification": "identified named victim identity identifiziert identifié identificado опознан",
    "lawsuit": "sues sued lawsuit suit klagt plainte demanda иск",
    "vote": "vote votes voted approves approved passes passed rejects abstimmung vote aprueba голосование одобрил",
    "agreement": "agree agreed agreement deal signed signs truce ceasefire einigung accord acuerdo соглашение перемирие anlaşma",
    "sanctions": "sanctions sanctioned sanktionen sanciones санкции yaptırım",
    "ban": "ban bans banned verbot interdit prohíbe запрет",
    "evacuation": "evacuated evacuation evacuees evakuiert évacués evacuados эвакуация",
    "protest": "protest protests protesters demonstrators proteste manifestation protesta протест",
    "reaction": "reacts responds response condemns condemned praises slams blasts hits calls urges demands warns reagiert réagit condena осудил призвал",
    "aid": "aid relief donates donation sends hilfe aide ayuda помощь yardım",
    "cancellation": "cancelled canceled postponed delayed abgesagt annulé cancelado отменен отложен iptal",
    "recovery": "recovers recovered discharged reopens reopen genesen guéri выписан",
}
_STEP_OF = {stem: step for step, forms in _STEPS.items() for form in forms.split() for stem in stems(form, "")}
_COMMENT = re.compile(
    r"\b(?:opinion|analysis|editorial|comment|explainer|what is|what are|what we know|why|how|timeline|in pictures|photos"
    r"|videos?|watch|moment|kommentar|meinung|warum|pourquoi|opinión|мнение|почему)\b",
    re.IGNORECASE,
)
#: stems that mean a step in few of their forms only: "according" is no accord, a blaze is nobody's dismissal; what the
#: score weighs stays as it was fitted, only what is said aloud is more careful
_ONLY_AS = {
    stem: frozenset(forms.split())
    for stem, forms in {
        "accord": "", "call": "", "dismiss": "dismissed", "fire": "fired", "found": "", "hit": "", "name": "named",
        "plead": "pleaded", "send": "", "sign": "signed", "step": "", "suit": "", "victim": "",
    }.items()
}  # fmt: skip
_IDIOM = re.compile(
    r"\b(?:death (?:sentence|penalty|row)|death[- ]defying|pleaded (?:for|with)|shots? fired|fired (?:at|on)|signed up|sorry for)\b",
    re.IGNORECASE,
)
_COUNT_NAMES = {"killed": "toll", "injured": "injured", "missing": "missing", "arrested": "arrests", "cases": "cases"}


def counts_changed(new: Sketch, story: OpenStory) -> list[tuple[str, int, int]]:
    """Counts of the entry that differ from the story's highest: what, before, now. Most telling first."""
    return [
        (what, story.said.tolls[what], amount)
        for what, amount in sorted(new.tolls, key=lambda toll: list(_COUNT_NAMES).index(toll[0]))
        if what in story.said.tolls and amount > story.said.tolls[what]
    ]


def _steps(new: Sketch, story: OpenStory) -> list[str]:
    """Steps that the headline tells of and no entry of the story did."""
    known = {_STEP_OF[term] for term in story.said.counts if term in _STEP_OF}
    told = dict.fromkeys(_STEP_OF[term] for term in new.title if term in _STEP_OF)
    return [step for step in told if step not in known]


def weigh_novelty(
    window: Window, new: Sketch, story: OpenStory, *, headline: str, likeness: float, headlines: float, certainty: float
) -> list[float]:
    """The evidence in the order of `NAMES`; likenesses and certainty are those of the join."""
    weights = window.weights
    missing = [term for term in new.terms if term not in story.said.counts]
    heads = [term for term in new.title if term not in story.said.counts]
    total = sum([weights[term] for term in new.terms]) or 1.0
    head_total = sum([weights[term] for term in new.title]) or 1.0
    published = [member.published for member in story.members]
    return [
        min((new.published - min(published)) / 3600, 200.0),
        min((new.published - max(published)) / 3600, 200.0),
        sum([weights[term] for term in missing]) / total,
        sum([weights[term] for term in heads]) / head_total,
        max([weights[term] for term in heads], default=0.0),
        likeness,
        headlines,
        float(len([n for n in new.numbers if n not in story.said.numbers])),
        float(bool(counts_changed(new, story))),
        float(len(_steps(new, story))),
        sum(member.feed == new.feed for member in story.members) / len(story.members),
        float(len(story.members)),
        certainty,
        float(new.heads),
        sum([weights[name] for name in new.names if name not in story.said.counts]),
        float(_COMMENT.search(headline) is not None),
    ]


def news(new: Sketch, story: OpenStory, entry: Entry, window: Window) -> str:
    """What is new, in a few words: a changed count, a step, a name; "" when only the headline can tell."""
    said = [f"{_COUNT_NAMES[what]} {before:,} → {now:,}" for what, before, now in counts_changed(new, story)[:2]]
    said += _sure_steps(_steps(new, story), entry)[: 2 - len(said)]
    if not said and (name := _new_name(new, story, entry, window)):
        said = [name]
    return ", ".join(said)


def _sure_steps(steps: Sequence[str], entry: Entry) -> list[str]:
    """Those that the headline's words, and not only their stems, tell of."""
    told = set()
    for token in tokens(_IDIOM.sub(" ", entry.title)):
        for stem in stems(token.word, entry.language):
            if stem in _STEP_OF and (stem not in _ONLY_AS or token.word in _ONLY_AS[stem]):
                told.add(_STEP_OF[stem])
    return [step for step in steps if step in told]


def _new_name(new: Sketch, story: OpenStory, entry: Entry, window: Window) -> str:
    """The rarest name of the headline that the story lacks, as written, with the names that stand around it.

    Where a capital tells nothing (first words, headlines all in capitals), the lead must write the word with one too.
    """
    fresh = {
        name for name in new.names if name in new.title and name not in story.said.counts and window.weights[name] > 5
    }
    if not fresh:
        return ""
    headline = entry.title
    found = tokens(headline)
    written = [headline[token.start : token.end] for token in found]
    telling = _telling(headline)
    proven = {word for start, word in _running(entry.summary or entry.content[:600]) if not start}
    named = [
        len(word) > 1 and word[0].isupper() and (word in proven or (telling and not start and not word.isupper()))
        for word, start in zip(written, _starts(headline, [t.start for t in found]), strict=True)
    ]
    sure = [
        (window.weights[stem], stem, i)
        for i, token in enumerate(found)
        if named[i]
        for stem in stems(token.word, entry.language)
        if stem in fresh
    ]
    if not sure:
        return ""
    first = last = at = max(sure)[2]
    while first > 0 and named[first - 1] and headline[found[first - 1].end : found[first].start] in _JOINTS:
        first -= 1
    while last + 1 < len(found) and named[last + 1] and headline[found[last].end : found[last + 1].start] in _JOINTS:
        last += 1
    if (
        telling
        and first
        and written[first - 1][0].isupper()
        and headline[found[first - 1].end : found[first].start] in _JOINTS
    ):
        return ""  # "Nueva" of "Nueva Ecija": half a name is worse than the headline
    return headline[found[first].start : found[last].end] if last - first < 4 else written[at]


_JOINTS = (" ", "-", ".", ". ")
_OPENERS = ".!?:|\"“‘'«„([–—…"


def _running(text: str) -> list[tuple[bool, str]]:
    """Words as written, each with whether it opens a sentence, where a capital tells nothing."""
    found = tokens(text)
    starts = _starts(text, [token.start for token in found])
    return [(start, text[token.start : token.end]) for start, token in zip(starts, found, strict=True)]


def _starts(text: str, at: Sequence[int]) -> list[bool]:
    return [not (before := text[:i].rstrip()) or before[-1] in _OPENERS or text[i - 1] in _OPENERS for i in at]


def _telling(headline: str) -> bool:
    """Whether capitals tell names here: not where most long words have one."""
    long = [word for start, word in _running(headline) if not start and len(word) > 3]
    return sum(word[0].isupper() for word in long) <= len(long) * 0.6
