"""Declensions of languages whose dictionary form has an ending of its own, for `inflection`: data, and what it says.

A paradigm is the ending of the dictionary form, the other endings, and those of them that people type when they mean
the word: the nominative plural. Comparing dictionary forms and not bare stems keeps words apart that only share a stem:
груз and Грузия, χώρα and χώρος. All is folded text, so that Polish ó is o, ś is s, and Ukrainian ї is і. "-" is no ending.
"""

from __future__ import annotations

from typing import NamedTuple

from bot.text import fold

_VOWELS = frozenset("аеиоуыэюяєіaeiouyαειουηω")

#: language → lines of "dictionary form | other endings | of them, what people type"
_TABLES = {
    "ru": """
        - | а у ом ем е ы и ов ей ам ами ах ым | ы и
        а | ы и е у ой ою ей - ам ами ах | ы и
        о | а у ом е - ам ами ах | а
        е | я а ю у ем и ей ям ями ях ам ами ах | я
        ь | я ю ем е и ей ям ями ях ью | и я
        й | я ю ем е и ев ям ями ях | и
        я | и е ю ей ею ь - ям ями ях | и
        ья | ьи ье ью ьей ей ьям ьями ьях | ьи
        ия | ии ию ией иею ий иям иями иях | ии
        ие | ия ию ием ии ий иям иями иях | ия
        ье | ья ью ьем ьи ий ьям ьями ьях | ья
        ый | ого ому ым ом ая ой ую ою ое ые ых ыми | ая ое ые
        ой | ого ому ым им ом ая ую ою ое ые ие ых их ыми ими | ая ое ые ие
        ий | его ему им ем ого ому ом ая яя ей ой ую юю ее ое ие их ими | ая яя ее ое ие
        ец | ца цу цем цом це цы цев цов цам цами цах | цы
        еец | ейца ейцу ейцем ейце ейцы ейцев ейцам ейцами ейцах | ейцы
        аец | айца айцу айцем айце айцы айцев айцам айцами айцах | айцы
        оец | ойца ойцу ойцом ойце ойцы ойцов ойцам ойцами ойцах | ойцы
        иец | ийца ийцу ийцем ийце ийцы ийцев ийцам ийцами ийцах | ийцы
        лец | льца льцу льцем льце льцы льцев льцам льцами льцах | льцы
        ок | ка ку ком ке ки ков кам ками ках | ки
        ек | ка ку ком ке ки ков кам ками ках | ки
        ень | ня ню нем не ни ней ням нями нях | ни
        ел | ла лу лом ле лы лов лам лами лах | лы
        ер | ра ру ром ре ры ров рам рами рах | ры
        ка | ок ек |
        ька | ек |
        на | ен он |
        ьба | еб |
        ло | ел ол |
        но | ен он |
        анин | ане ан анам анами анах | ане
        янин | яне ян янам янами янах | яне
        ин | иным |
        ов | овым | овы
        ев | евым | евы
        ова | овой |
        ева | евой |
        ина | иной |
        мя | мени менем мена мен менам менами менах | мена
    """,
    "uk": """
        - | а у ові еві ом ем і и ів ей ам ами ах им | и і
        а | и і у ою ею - ам ами ах | и і
        ка | ці ок ек |
        га | зі |
        ха | сі |
        о | а у ом і ові - ам ами ах | а
        ко | ці |
        е | я а ю у ем і ей ь - ям ями ях ам ами ах | я а
        я | і ю ею єю ь - ям ями ях | і
        ня | нь |
        ння | нню нням нні нь ннями ннях |
        ття | ттю ттям тті ттями ттях |
        ія | іі ію ією ій іям іями іях | іі
        ь | я ю ем еві і ів ей ям ями ях | і
        ість | ості істю остей остям остями остях | ості
        й | я ю єм єві і ів ям ями ях | і
        ий | ого ому им ім а ої оі ій у ою е і их ими | а е і
        ій | ього ьому ім я ьоі ю ьою є і іх іми | я є і
        ець | ця цю цем цеві ці ців цям цями цях | ці
        єць | йця йцю йцем йцеві йці йців йцям йцями йцях | йці
        лець | льця льцю льцем льцеві льці льців льцям льцями льцях | льці
        ок | ка ку ком ки ків кам ками ках кові | ки
        ек | ка ку ком ки ків кам ками ках кові | ки
        ень | ня ню нем ні нів ням нями нях неві | ні
        ен | на ну ном ні ни нів нам нами нах | ни
        ер | ра ру ром рі ри рів рам рами рах | ри
        янин | яни ян янам янами янах | яни
        ин | иним |
        ін | іним |
        ова | овоі овій |
    """,
    "pl": """
        - | a u owi em iem ie e y i ow om ami ach owie iom iami iach iow iowi | y i e owie ie
        t | cie ci | ci
        d | dzie dzi | dzi
        st | scie sci | sci
        r | rze rzy | rzy
        k | cy | cy
        g | dzy | dzy
        ch | si szy |
        a | y i e ie o - ow om ami ach owie iom iami iach | y i e
        ka | ce ek |
        ga | dze |
        ra | rze er |
        ta | cie |
        da | dzie |
        cha | sze |
        sta | scie |
        zda | zdzie |
        na | en |
        wa | ew |
        ja | j |
        ia | ii ie io iom iami iach - | ie
        o | a u em ie - om ami ach | a
        to | cie |
        sto | scie |
        e | a u em y i - om ami ach | a
        ie | ia iu iem - iom iami iach en | ia
        y | ego emu ym a ej e ych ymi i | a e i
        i | iego iemu im a iej ej ie ich imi ego emu ym ych ymi ia | a ie
        ek | ka ku kiem kowi ki kow kom kami kach | ki
        iec | ca cu cem cowi cy cow com cami cach cow | cy
        ec | ca cu cem cowi cy cow com cami cach | cy
        er | ra rowi rem rze rzy rowie row rom rami rach | rowie rzy
        iel | la lu lem lowi |
        zien | dnia dniu dniem dni dniom dniami dniach | dni
    """,
    "cs": """
        - | a u e em ovi om y i ove um ech ich am ami ach emi | y i ove
        k | ci cich | ci
        h | zi zich ze | zi
        ch | si sich se | si
        a | y e u o ou - am ami ach i | y
        ka | ce ek |
        ha | ze |
        ga | ze |
        cha | se |
        o | a u em e - um ech y | a
        ko | cku |
        e | i ich im emi - eti | i
        ie | ii iich iim iemi ii - |
        ost | osti |
        y | eho emu ym em a e ou ych ymi i | a e i
        i | iho imu im ich imi |
        ek | ku kem ky kum kach ka kovi kove | ky
        en | ne ni nim nich nemi nu nem nech |
        ec | ce ci cem cu cum cich covi | ci
    """,
    "el": """
        οσ | ου ο ε οι ων ουσ ησ η | οι
        ησ | η εσ ων ου | εσ
        ασ | α εσ ων | εσ
        α | ασ εσ ων | εσ
        η | ησ εσ ων εισ εων εωσ | εισ εσ
        ο | ου α ων | α
        ι | ιου ια ιων | ια
        μα | ματοσ ματα ματων | ματα
        εασ | εα εισ εων εωσ | εισ
        ικοσ | ικου ικο ικοι ικων ικουσ ικη ικησ ικεσ ικα | ικοι ικη ικα ικο ικεσ
    """,
}


class Paradigms(NamedTuple):
    """The endings of a language: met in a text, and typed in a query; each with endings of the dictionary form."""

    met: dict[str, tuple[str, ...]]
    typed: dict[str, tuple[str, ...]]


def _read(lines: str) -> Paradigms:
    met: dict[str, dict[str, None]] = {}
    typed: dict[str, dict[str, None]] = {}
    for line in lines.strip().splitlines():
        lemma, others, nominative = (part.replace("-", "").split(" ") for part in map(str.strip, fold(line).split("|")))
        for table, endings in ((met, others), (typed, [e for e in nominative if e])):
            for ending in endings:
                table.setdefault(ending, {})[lemma[0]] = None
    return Paradigms(*({ending: tuple(lemmas) for ending, lemmas in table.items()} for table in (met, typed)))


PARADIGMS = {language: _read(lines) for language, lines in _TABLES.items()}


def lemmas(word: str, language: str, *, typed: bool) -> tuple[str, ...]:
    """The dictionary forms that the word may be a form of, itself left out."""
    table = PARADIGMS[language].typed if typed else PARADIGMS[language].met
    found: dict[str, None] = {}
    for size in range(min(_LONGEST, len(word) - 1) + 1):
        stem, ending = word[: len(word) - size], word[len(word) - size :]
        for lemma in table.get(ending, ()):
            if max(len(stem), len(stem + lemma) - 1) >= 3 and (
                language == "el" or _fits(stem, ending, lemma, russian=language == "ru")
            ):
                found[stem + lemma] = None
    found.pop(word, None)
    return tuple(found)


_LONGEST = max(len(ending) for each in PARADIGMS.values() for ending in each.met)


def _fits(stem: str, ending: str, lemma: str, *, russian: bool) -> bool:
    """Whether the stem ends as such a word's stem does: музе-й after a vowel, others after a consonant."""
    if lemma in {"й", "єць"}:
        return stem[-1] in _VOWELS
    if lemma in {"", "а"} and ending in {"и", "ы"} and (ending == "и") != (stem[-1] in "гкхжчшщ") and russian:
        return False
    return stem[-1] != "ь" and (stem[-1] not in _VOWELS or lemma[:1] not in _VOWELS | {""})
