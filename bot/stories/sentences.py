"""Where sentences begin and end, in the languages of the sources.

In: plain text and its language. Out: spans. A line feed always ends a sentence. A full stop does so only where what
follows may begin one and what stands before it is no abbreviation, initial or ordinal; full-width and danda marks
always do.
"""

from __future__ import annotations

import re

#: abbreviations that a name or number follows, folded, without their last stop; single letters need no entry
_ABBREVIATIONS = {
    "": (
        "mr mrs ms dr prof st mt ft sr jr rev hon gov gen lt col sgt capt cmdr maj adm sen rep pres supt insp det no nos vs"
        " inc ltd co corp bros dept est approx fig vol pp jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e a.m p.m"
        " u.s u.k u.n e.u d.c l.a n.y ph.d cf al dr.h.c"
    ),
    "de": "z.b d.h u.a bzw ca nr str usw abs art hr fr dipl ing mio mrd sog evtl ggf inkl vgl st zzgl v.a o.ä geb gest",
    "fr": "m mm mme mmes mlle me av bd env etc n° p ex art",
    "es": "sr sra srta sres d dña ud uds ee.uu pág art av núm aprox gral lic ing",
    "pt": "sr sra srta dr dra exmo av núm pág art",
    "it": "sig sigg on avv ing dott prof art pag cfr ecc",
    "nl": "dhr mevr drs ir mr enz bijv ca nr o.a d.w.z",
    "ru": "г гг ул им т.е т.д т.п руб коп млн млрд тыс св стр обл р-н проф акад ген см др пр кв корп просп д км мин сек янв"
    " фев апр авг сент окт нояб дек н.э",
    "uk": "р рр вул ім т.д грн млн млрд тис обл р-н проф ст див",
    "pl": "r ul im tzw np m.in itd itp tys mln mld prof godz św dr nr ok",
    "tr": "dr prof av sn doç cad sok mah no vb vs",
    "sv": "bl.a t.ex dvs ca kl nr osv",
}
_KNOWN = {language: frozenset(words.split()) for language, words in _ABBREVIATIONS.items()}
#: languages that write "3. Mai"
_ORDINALS = frozenset(
    {"de", "da", "no", "nb", "nn", "fi", "cs", "sk", "hu", "hr", "sl", "sr", "et", "lv", "tr", "is", "pl"}
)

_CLOSERS = "\"'”’»›)\\]」』）】〉》"
_END = re.compile(
    rf"[。！？｡][{_CLOSERS}]*"
    rf"|[।॥؟۔։።၊။][{_CLOSERS}]*(?=\s|$|\x00)"
    rf"|(?:\.{{2,}}|[.!?…]+)[{_CLOSERS}]*(?=\s|$|\x00)"
    r"|\n"
)
_BEFORE = re.compile(r"[^\s\x00(\[\"'“‘«]+$")
_NEXT = re.compile(r"[\s\x00\"'“‘«‹(\[„¿¡-]*(.)")


def _is_end(text: str, mark: re.Match[str], language: str) -> bool:
    """Whether a run of stops really ends a sentence."""
    found = mark.group()
    if not found.startswith("."):
        follows = _NEXT.match(text, mark.end())
        return not (found.startswith("…") and follows and follows.group(1).islower())
    follows = _NEXT.match(text, mark.end())
    if follows and follows.group(1).islower():
        return False
    if found != ".":
        return True
    before = _BEFORE.search(text, max(0, mark.start() - 24), mark.start())
    word = before.group() if before else ""
    folded = word.casefold()
    if len(word) == 1 and word.isalpha() and word.isupper():
        return False  # an initial
    if re.fullmatch(r"(?:\w\.)+\w", word):
        # U.S., L.A., a.m.: an end only where nothing or a new paragraph follows
        return follows is None
    if folded in _KNOWN[""] or folded in _KNOWN.get(language, ()):
        return follows is None
    return not (language in _ORDINALS and re.fullmatch(r"\d{1,2}", word) and follows is not None)


def sentences(text: str, language: str = "") -> list[tuple[int, int]]:
    """Spans of the sentences, without the white space around them; together they hold every visible character."""
    spans: list[tuple[int, int]] = []
    start = 0
    for mark in _END.finditer(text):
        if mark.group() != "\n" and not _is_end(text, mark, language):
            continue
        spans.append((start, mark.end()))
        start = mark.end()
    spans.append((start, len(text)))
    return [span for span in (_trim(text, *span) for span in spans) if span[0] < span[1]]


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] == "\x00"):
        start += 1
    while start < end and (text[end - 1].isspace() or text[end - 1] == "\x00"):
        end -= 1
    return start, end


#: what a whole sentence ends with
WHOLE = re.compile(rf"(?:[.!?。！？｡।॥؟۔։።။])[{_CLOSERS}]*$")
#: what a text that was cut ends with
CUT = re.compile(rf"(?:\.\.+|…|\[\s*(?:\.{{2,}}|…)\s*\]|\(\s*(?:\.{{2,}}|…)\s*\)|[,;:–—-])[\s{_CLOSERS}]*$")
