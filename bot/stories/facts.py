"""What is counted in a text: the dead, the injured, the arrested ... so that a story's figures can be compared."""

from __future__ import annotations

import re

_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "dozen": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
}  # fmt: skip
_AMOUNT = rf"(?P<n>\d{{1,3}}(?:[,.\u00a0]\d{{3}})+|\d{{1,7}}|{'|'.join(_WORDS)})"
#: what is counted → words that follow or precede the number, in a few languages
_COUNTED = {
    "killed": (
        r"dead|deaths?|died|die|dies|killed|kills?|fatalities|bodies|victims|tote|getötet|todesopfer|morts?|tués?|muertos?"
        r"|fallecidos?|mortos?|morti|погиб\w*|мертв\w*|жертв\w*|загибл\w*|ölü|öldü|قتيل\w*|قتلى"
    ),
    "injured": (
        r"injured|injuries|hurt|wounded|hospitali[sz]ed|verletzte?|blessés?|heridos?|feridos?|feriti|ранен\w*|пострадав\w*"
        r"|поранен\w*|yaralı|جريح\w*|جرحى"
    ),
    "missing": r"missing|unaccounted|vermisste?|disparus?|desaparecidos?|dispersi|пропавш\w*|kayıp",
    "arrested": r"arrested|arrests?|detained|charged|festgenommen\w*|arrêtés?|interpellés?|detenidos?|presos|arrestati|задержан\w*|gözaltı\w*",
    "cases": r"(?:new |confirmed )*(?:cases|infections)|fälle|cas|casos|casi|случа\w*",
}
_FILL = r"(?:[\s-]+(?!\d)[\w'’]+){0,3}?[\s-]+"
_AFTER = {what: re.compile(rf"\b{_AMOUNT}{_FILL}(?:{forms})\b", re.IGNORECASE) for what, forms in _COUNTED.items()}
_BEFORE = {
    what: re.compile(
        rf"\b(?:{forms})\s+(?:at least |more than |some |about |mindestens |au moins |al menos )?{_AMOUNT}\b",
        re.IGNORECASE,
    )
    for what, forms in _COUNTED.items()
    if what != "cases"
}
_TOLL = re.compile(
    rf"\b(?:death )?toll\b[^.\n]{{0,40}}?\b(?:to|at|of|is|now|hits|passes|reaches|climbs|tops|past)\s+(?:at least |more than )?{_AMOUNT}\b",
    re.IGNORECASE,
)
_HINT = re.compile(rf"\d|\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)


def _amount(text: str) -> int:
    return _WORDS.get(text.casefold()) or int(re.sub(r"\D", "", text) or 0)


def tolls(text: str) -> tuple[tuple[str, int], ...]:
    """What is counted and the highest count of each: "kills 11, injuring 30" gives (("injured", 30), ("killed", 11))."""
    if not _HINT.search(text):
        return ()
    found: dict[str, int] = {}
    for patterns in (_AFTER, _BEFORE, {"killed": _TOLL}):
        for what, pattern in patterns.items():
            for match in pattern.finditer(text):
                amount = _amount(match["n"])
                if amount > 0 and not (match["n"].isdigit() and 1900 <= amount <= 2100):
                    found[what] = max(found.get(what, 0), amount)
    return tuple(sorted(found.items()))
