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


_RUSSIAN = _cut(
    "а я о е и ы у ю ь й ой ей ою ею ом ем ам ям ами ями ах ях ов ев ий ия ию ие ии ием иями иях иям ией"
    " ый ая яя ое ее ые его ого ему ому ым им ыми ими ых их ую юю ья ье ью ьи ьев ьям ьями ьях"
) | {"ок": ("к",), "ек": ("к",), "ец": ("ц",), "иев": ("",), "ея": ("",), "еем": ("",)}
_UKRAINIAN = _cut(
    "а я о е и і у ю ь й ой ою ею єю ем ом ам ям ами ями ах ях ів ев ові еві єві ий ія ію ії ією іями іях іям єм"
    " ого ому им ими их у юю ая яя ое її єї ої еї"
) | {"ок": ("к",), "ек": ("к",), "ець": ("ц",), "ові": ("", "ов"), "еві": ("", "ев")}
_POLISH = _cut(
    "a e i y o u ie ia iu io iem ow owi om em ami ach mi ie iom iami iach ego emu ym im ymi imi ych ich a aj iej ej ej"
    " owie ii ja ji je ju"
) | {"ek": ("k",), "iec": ("c",), "owi": ("", "ow"), "owie": ("", "ow")}
#: case endings with n follow a possessive: füzesinde, but never füzende
_TURKISH = _chains(
    "- ler lar", "- i u a e yi yu ya ye da de ta te dan den tan ten in un nin nun la le yla yle"
) | _chains(
    "- ler lar",
    "i u si su im um in un imiz umuz leri lari",
    "- ni nu na ne nda nde ndan nden nin nun yla yle la le i u a e da de dan den",
)
_SERBIAN = _cut(
    "a e i o u om em ima ama ovi evi ova eva ove eve ovima evima og eg omu emu im ih imi oj oga ega ију ија"
)
_SERBIAN |= _cut("а е и о у ом ем има ама ови еви ова ева ове еве овима евима ог ег ому ему им их ој ога ега")

#: language → ending → replacements
ENDINGS: dict[str, dict[str, tuple[str, ...]]] = {
    "ru": _RUSSIAN,
    "be": _cut("а я о е и ы у ю ь й ой ей ою ею ом ем ам ям амі ямі ах ях оу еу і ы ага яга аму яму ым ім ымі імі ых іх ую юю ая яя ое ае яе"),
    "uk": _UKRAINIAN,
    "bg": _cut("а я о е и ът ят то те ите ата ята ото ето ове овете ия ият ни ове"),
    "sr": _SERBIAN,
    "mk": _cut("а о е и от та то те ите ата ото ето ови овите"),
    "pl": _POLISH,
    "cs": _cut("a e i y o u em im um am ami emi imi ech ich ach ich u ovi ove ou eho emu ym ymi ych ich ho mu ej ia iu ie ii iou iam iach om")
    | {"ce": ("k", "c"), "ze": ("h", "z"), "re": ("r",)},
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
        "i": ("o", "e"), "chi": ("co", "ca"), "ghi": ("go", "ga"), "e": ("a",), "che": ("ca",), "ghe": ("ga",), "ci": ("co", "ce"),
        "gi": ("go", "ge"), "ii": ("io",), "ce": ("cia", "ca"), "ge": ("gia", "ga"), "ici": ("ico", "ice"), "cci": ("ccio", "ccia"), "zi": ("zo", "zio"),
    },
    "ro": _cut("a e i ul ului le lor uri urile urilor ilor ii iile iilor ei elor ele ea a ile ia ie"),
    "ca": {"s": ("",), "es": ("a", ""), "ns": ("",)},
    "el": _cut("ος ου ο οι ων ους α ας ες η ης εις ι ια ιων ιου ιο ατα ατων ατος εων εως ε ον α ης")
    | dict.fromkeys(["οσ", "ουσ", "ασ", "εσ", "ησ", "εισ", "ατοσ", "εωσ"], ("",)),
    "tr": _TURKISH,
    "az": _TURKISH,
    "fi": _chains("- i j", "- n a ta tta ssa sta lla lta lle ksi na t en in iin een aan on an ien ten jen den ja ita illa ista issa ihin illa isiin"),
    "hu": _cut("a e") | _chains("- k ak ek ok", "- t at et ot ba be ban ben bol rol tol nak nek ra re on en n ig ert val vel hoz hez nal nel ja je"),
    "et": _cut("id ide d de t i e a u l le lt s st sse ks ga ni na ta"),
    "id": _cut("nya lah kah ku mu"),
    "hi": _cut("ा े ी ो ों ें ियां ियों ि यां यों ाओं ाएं ओं एं"),
    "ar": _cut("ات ون ين ان ه ها هم هن نا كم ي يه تها ته تهم اتها اتهم اته اتنا تين تان وا"),
    "fa": _cut("ها يها هاي هايي هاى ي اي ان هايشان هايش هايي ات هاست"),
    "ur": _cut("وں یں ے ی ا"),
    "he": _cut("ים ות ה י ית יים ת ייה יו יה יהם הם ם ך נו"),
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
    "id": 4,
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

#: words that only look inflected
KEEP: dict[str, frozenset[str]] = {
    "en": frozenset(
        ["news", "series", "species", "means", "always", "perhaps", "besides", "politics", "economics", "physics", "athletics", "olympics", "james", "texas", "paris", "kansas", "arkansas", "wales", "gates", "jobs", "brooks", "rivers", "woods", "waters", "williams", "davis", "hughes", "jones", "adams", "roberts", "mercedes", "hermes", "mars", "lens", "across", "thus", "during", "evening", "morning", "something", "nothing", "anything", "everything", "being", "beijing", "boeing", "wing", "ring", "spring", "string", "king", "viking", "sterling", "beading", "wedding", "building", "meeting", "reading", "red", "bed", "shed", "hundred", "indeed", "sacred", "naked", "wicked", "kindred", "exceed", "succeed", "proceed", "need", "seed", "speed", "feed", "bleed", "breed", "creed", "deed", "weed", "united", "mohammed", "ahmed", "muhammed", "ahmad", "hamed", "saeed", "sayed", "fed", "led", "seoul", "sing", "bring", "thing", "ceiling", "darling", "sibling", "duckling", "downing", "manning", "hastings", "cummings", "goods", "customs", "arms", "headquarters", "barracks", "crossroads", "corps", "lies", "ries", "dies", "ties", "pies", "does", "goes", "hates", "states", "nations", "netherlands", "emirates", "philippines", "maldives", "bahamas", "honduras", "athens", "brussels", "naples", "cannes", "nantes", "versailles", "hamas", "abbas", "saudis", "as"]
    )
    - frozenset(["hates", "saudis"]),
    "fr": frozenset(["paris", "mars", "tunis", "damas", "pays", "proces", "acces", "succes", "corps", "temps", "mois", "bras", "fils", "plus", "jamais", "anglais", "francais", "gros", "bas", "dans", "sous", "vers", "sans", "hamas", "texas", "repas", "reims", "nantes", "cannes", "naples", "athenes", "bruxelles", "francois", "jeudis"]),
    "es": frozenset(["hamas", "paris", "mas", "crisis", "virus", "tras", "mes", "lunes", "martes", "jueves", "viernes", "andes", "caracas", "buenos", "aires", "estados", "menos", "pais"]),
    "pt": frozenset(["hamas", "paris", "mas", "crise", "crises", "virus", "mes", "pais", "mais", "tres", "dois", "depois", "lisboa"]),
    "de": frozenset(["paris", "hamas", "texas", "prozess", "europas", "reus", "hessen", "sachsen", "bayern", "polen", "schweden", "norwegen", "ungarn", "syrien", "italien", "spanien", "belgien"]),
    "it": frozenset(["hamas", "crisi", "rimini", "assisi"]),
    "ru": frozenset(["киев", "азов", "псков", "львов"]),
    "pl": frozenset(["polska"]),
}  # fmt: skip

IRREGULAR: dict[str, dict[str, tuple[str, ...]]] = {
    "fr": {"feux": ("feu",), "yeux": ("oeil",)},
    "en": {
        "men": ("man",), "women": ("woman",), "children": ("child",), "people": (), "feet": ("foot",), "teeth": ("tooth",),
        "struck": ("strike",), "stricken": ("strike",), "wives": ("wife",), "knives": ("knife",), "lives": ("life", "live"),
        "leaves": ("leaf", "leave"), "thieves": ("thief",), "wolves": ("wolf",), "shelves": ("shelf",), "halves": ("half",),
        "crises": ("crisis",), "bases": ("base", "basis"), "analyses": ("analysis",), "hypotheses": ("hypothesis",), "viruses": ("virus",),
        "buses": ("bus",), "gases": ("gas",), "campuses": ("campus",), "shot": ("shoot",), "fought": ("fight",), "killed": ("kill",),
        "won": ("win",), "lost": ("lose",), "stole": ("steal",), "stolen": ("steal",), "broke": ("break",), "broken": ("break",),
        "fell": ("fall",), "fallen": ("fall",), "rose": ("rise",), "risen": ("rise",), "grew": ("grow",), "grown": ("grow",),
        "held": ("hold",), "said": ("say",), "told": ("tell",), "sold": ("sell",), "bought": ("buy",), "caught": ("catch",), "sank": ("sink",),
        "sunk": ("sink",), "flew": ("fly",), "flown": ("fly",), "shook": ("shake",), "taken": ("take",), "took": ("take",), "given": ("give",),
        "gave": ("give",), "wrote": ("write",), "written": ("write",), "drove": ("drive",), "driven": ("drive",), "fled": ("flee",),
        "dying": ("die",), "died": ("die",), "dies": ("die",), "lying": ("lie",), "tying": ("tie",), "tied": ("tie",), "ties": ("tie",), "lied": ("lie",),
        "series": (), "strikes": ("strike",), "cases": ("case",), "refugees": ("refugee",), "policies": ("policy",), "movies": ("movie",),
        "universes": ("universe",), "diseases": ("disease",), "houses": ("house",), "hostages": ("hostage",), "bed": (), "menus": ("menu",), "focuses": ("focus",), "nazis": ("nazi",), "taxis": ("taxi",), "selves": ("self",), "militaries": ("military",),
    },
    "ru": {
        "люди": ("человек",), "людей": ("человек",), "дети": ("ребенок",), "детей": ("ребенок",), "сша": (), "день": ("дн",), "дни": ("дн",),
        "отец": ("отц",), "конец": ("конц",), "украинец": ("украинц",), "боец": ("бойц",), "бойцы": ("бойц",), "бойцов": ("бойц",),
    },
    "ar": {
        "صواريخ": ("صاروخ",), "قوات": ("قوه",), "حروب": ("حرب",), "دول": ("دوله",), "مدن": ("مدينه",), "وزراء": ("وزير",), "رؤساء": ("رئيس",),
        "جنود": ("جندي",), "قتلي": ("قتيل",), "جرحي": ("جريح",), "اطفال": ("طفل",), "طايرات": ("طايره",), "حدود": ("حد",),
    },
    "fi": {"ohjus": ("ohjuks",), "ohjukset": ("ohjuks",), "ohjuksia": ("ohjuks",), "ohjuksen": ("ohjuks",)},
    "he": {"אנשים": ("איש",), "נשים": ("אישה",), "ערים": ("עיר",), "בתים": ("בית",)},
}  # fmt: skip

ER_NOUNS = (
    "haus", "land", "kind", "bild", "feld", "volk", "dorf", "wald", "wort", "buch", "dach", "glas", "rad", "amt", "gut", "band", "blatt",
    "geld", "gott", "mann", "gesicht", "glied", "grab", "kleid", "licht", "lied", "loch", "schild", "schloss", "schwert", "tal", "geist", "bad", "rind", "huhn",
)  # fmt: skip
