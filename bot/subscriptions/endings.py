"""Endings of inflection by language, for `inflection`: data.

All is folded text: no diacritics, ё is е, Arabic alef forms are one. An ending → what may stand in its place in the form
that words are compared by. The longest ending that fits counts, and only that one.
"""

from __future__ import annotations

from bot.text import fold


def _cut(endings: str) -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(fold(endings).split(), ("",))


def _chains(*slots: str) -> dict[str, tuple[str, ...]]:
    """Endings that follow each other: one of each slot, "-" for none."""
    chains = [""]
    for slot in slots:
        chains = [chain + part.replace("-", "") for chain in chains for part in slot.split()]
    return dict.fromkeys(filter(None, chains), ("",))


#: case endings with n follow a possessive: füzesinde, but never füzende
_TURKISH = _chains(
    "- ler lar", "- i u a e yi yu ya ye da de ta te dan den tan ten in un nin nun la le yla yle"
) | _chains(
    "- ler lar",
    "i u si su im um in un imiz umuz leri lari",
    "- ni nu na ne nda nde ndan nden nin nun yla yle la le i u a e da de dan den",
)
_HINDI = _cut("ों ें ओं एं ए यां यों") | {
    fold(ending): tuple(fold(part).replace("-", "") for part in bases.split())
    for ending, bases in {
        "े": "ा", "ों": "ा - ", "ियां": "ी ि", "ियों": "ी ि", "यों": "य -", "ाओं": "ा", "ाएं": "ा", "ाएँ": "ा", "ेों": "ा", "ुओं": "ू ु", "ुएं": "ु ू",
    }.items()
}  # fmt: skip
_URDU = {
    fold(ending): tuple(fold(part).replace("-", "") for part in bases.split())
    for ending, bases in {"وں": "- ہ ا ی", "یں": "-", "ے": "ہ ا", "یاں": "ی", "یوں": "ی", "ات": "- ہ"}.items()
}
_SERBIAN = _cut(
    "a e i o u om em ima ama ovi evi ova eva ove eve ovima evima og eg omu emu im ih imi oj oga ega ију ија"
)
_SERBIAN |= _cut("а е и о у ом ем има ама ови еви ова ева ове еве овима евима ог ег ому ему им их ој ога ега")

#: language → ending → replacements
ENDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "be": _cut("а я о е и ы у ю ь й ой ей ою ею ом ем ам ям амі ямі ах ях оу еу і ы ага яга аму яму ым ім ымі імі ых іх ую юю ая яя ое ае яе"),
    "bg": _cut("а я о е и ът ят то те ите ата ята ото ето ове овете ия ият ни ове"),
    "sr": _SERBIAN,
    "mk": _cut("а о е и от та то те ите ата ото ето ови овите"),
    "sl": _cut("a e i o u om em ima ama ov ev am ah ih ega emu im ih imi oma ema"),
    "de": _cut("e en n es s em nen") | {"innen": ("in",)},
    "nl": _cut("en s e") | {"zen": ("s",), "ven": ("f",), "nnen": ("n",), "tten": ("t",), "llen": ("l",), "ssen": ("s",), "kken": ("k",), "ppen": ("p",)},
    "sv": _cut("ar er or arna erna orna en et n t na s ens ets arnas ernas ornas ars ers ors a e"),
    "no": _cut("er e ene en et a ar ane s ens ets enes ers es"),
    "da": _cut("er e ene erne en et ne s ens ets ernes enes ers es r"),
    "fr": {"eaux": ("eau",), "aux": ("al", "au"), "eux": ("eu",), "s": ("",), "oux": ("ou",)},
    "es": {"es": ("", "e"), "s": ("",), "ces": ("z",)},
    "pt": {"s": ("",), "es": ("", "e"), "oes": ("ao",), "aes": ("ao",), "ais": ("al",), "eis": ("el", "il", "ei"), "ois": ("ol",), "uis": ("ul",), "ns": ("m",), "is": ("il", "i")},
    "it": {
        "isti": ("ista",), "emi": ("ema", "emo", "eme"), "ammi": ("amma", "ammo"), "gli": ("glio", "glia", "glie"),
        "i": ("o", "e"), "chi": ("co", "ca"), "ghi": ("go", "ga"), "e": ("a",), "che": ("ca",), "ghe": ("ga",), "ci": ("co", "ce"),
        "gi": ("go", "ge", "gio"), "ii": ("io",), "ce": ("cia", "ca"), "ge": ("gia", "ga"), "ici": ("ico", "ice"), "cci": ("ccio", "ccia"), "zi": ("zo", "zio"),
    },
    "ro": {"ul": ("", "u"), "ului": ("", "u")} | _cut("a e i le lor uri urile urilor ilor ii iile iilor ei elor ele ea a ile ia ie"),
    "ca": {"s": ("",), "es": ("a", ""), "ns": ("",)},
    "tr": _TURKISH,
    "az": _TURKISH,
    "fi": _chains("- i j", "- n a ta tta ssa sta lla lta lle ksi na t en in iin een aan on an ien ten jen den ja ita illa ista issa ihin illa isiin"),
    "hu": _cut("a e") | _chains("- k ak ek ok", "- t at et ot ba be ban ben bol rol tol nak nek ra re on en n ig ert val vel hoz hez nal nel ja je"),
    "et": _cut("id ide d de t i e a u l le lt s st sse ks ga ni na ta"),
    "id": _cut("nya kah"),
    "hi": _HINDI,
    "ur": _URDU,
}  # fmt: skip
#: the feminine of participles, which are the masculine's forms: who asks for refugiado means refugiadas too; but who
#: asks for parada does not mean parado
FEMININE: dict[str, dict[str, tuple[str, ...]]] = {
    "fr": {"ee": ("e",), "ees": ("ee", "e")},
    "es": {"ada": ("ado",), "adas": ("ada", "ado"), "ida": ("ido",), "idas": ("ida", "ido")},
    "pt": {"ada": ("ado",), "adas": ("ada", "ado"), "ida": ("ido",), "idas": ("ida", "ido")},
    "it": {
        "ata": ("ato",), "ate": ("ata", "ato"), "uta": ("uto",), "ute": ("uta", "uto"), "ita": ("ito",), "ite": ("ita", "ito"),
        "isa": ("iso",), "ise": ("isa", "iso"),
    },
}  # fmt: skip
ENDINGS["fi"].pop("", None)

#: a stem is no shorter than this
MINIMUM = {
    "es": 2,
    "tr": 4,
    "az": 4,
    "fi": 4,
    "hu": 4,
    "et": 4,
    "id": 3,
    "fa": 3,
    "ar": 3,
    "he": 2,
    "hi": 2,
    "fr": 2,
    "pl": 3,
    "ro": 3,
    "sv": 4,
    "no": 4,
    "da": 4,
}

ER_NOUNS = (
    "haus", "land", "kind", "bild", "feld", "volk", "dorf", "wald", "wort", "buch", "dach", "glas", "rad", "amt", "gut", "band", "blatt",
    "geld", "gott", "mann", "gesicht", "glied", "grab", "kleid", "licht", "lied", "loch", "schild", "schloss", "schwert", "tal", "geist", "bad", "rind", "huhn",
)  # fmt: skip
