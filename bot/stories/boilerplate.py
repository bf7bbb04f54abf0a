"""Words that an outlet puts around every text: by rules, and by having been seen around unrelated entries.

In: texts and entries. Out: the same text with the phrases blanked (its length unchanged, so offsets stay true), and
verdicts on sentences. The rules name what pages of all kinds carry, in the languages of the sources; `Habits` learns
what one outlet repeats.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING

from bot.stories.sentences import sentences
from bot.text import words

if TYPE_CHECKING:
    from bot.model import Entry, FeedId

#: links to the whole text: they begin with a capital or a line, and end a sentence
_LINKS = (
    r"(?:click (?:here )?(?:to|for) )?(?:here['’]?s|this is|read|see|view|get) (?:the )?(?:full|whole|entire|complete|rest of (?:the|this)|original) (?:story|article|post|report|text|entry|piece|review|interview)(?: (?:here|at|on) ?[\w.]*)?",
    r"(?:\(|\[)?(?:continue reading|keep reading|read (?:more|on|further|it)(?: (?:here|at|on|about|of this)(?: [\w.]+){0,4})?|find out more|learn more|see more|show more|view more|more details|more here|full story|full article|click here(?: (?:to|for) [^.\n]{1,60})?|tap here[^.\n]{0,60})(?:\)|\])?",
    r"(?:weiterlesen|mehr lesen|mehr dazu|lesen sie (?:hier )?(?:weiter|mehr|auch)[^.\n]{0,80}|zum (?:ganzen )?artikel|den ganzen artikel lesen)",
    r"(?:lire la suite|lire (?:l['’]article|aussi|plus)|en savoir plus|continuer la lecture|à lire aussi)[^.\n]{0,60}",
    r"(?:leer más|seguir leyendo|sigue leyendo|ver más|leer (?:la )?(?:noticia|nota|artículo) completa?o?|continuar leyendo)",
    r"(?:leia (?:mais|também)|continue lendo|saiba mais|ler mais|continuar (?:a )?(?:ler|lendo))[^.\n]{0,60}",
    r"(?:continua a leggere|leggi (?:tutto|anche|di più|l['’]articolo)|per saperne di più)[^.\n]{0,60}",
    r"(?:lees (?:meer|verder|ook)|läs mer|les mer|læs mere|czytaj (?:więcej|dalej|też)|více zde|číst dál)[^.\n]{0,60}",
    r"(?:devamını oku|haberin devamı|devamı için[^.\n]{0,40}|detaylar için[^.\n]{0,40})",
    r"(?:читать (?:далее|дальше|полностью|также|подробнее)|подробнее(?: на [^.\n]{1,40})?|читайте (?:также|подробнее|далее)[^.\n]{0,120}|узнать больше|читати (?:далі|також)|детальніше|докладніше)",
    r"(?:اقرأ (?:المزيد|أيضا|أيضًا|ايضا)|للمزيد|المزيد|تابع القراءة|ادامه مطلب|بیشتر بخوانید|مزید پڑھیں|קרא עוד|קראו עוד|המשך קריאה)",
    r"(?:(?:在 ?[a-zA-Z.]{2,20} ?)?阅读全文(?: ?[:：]? ?[a-zA-Z.]{2,20})?|閱讀全文|阅读更多|閱讀更多|点击查看(?:全文|更多)?|查看更多|繼續閱讀|继续阅读|续きを読む|続きを読む|もっと読む|全文を読む|더 ?보기|자세히 ?보기|आगे पढ़ें|और पढ़ें|आरও পড়ুন|আরও পড়ুন|อ่านต่อ|đọc tiếp|xem thêm|baca (?:juga|selengkapnya)[^.\n]{0,80})",
)  # fmt: skip
_PHRASES = (
    # what blogs append
    r"(?:the post|this post|the article)\b[^\n]{1,300}?\b(?:appeared first|first appeared|was originally published|originally appeared)\b(?: (?:on|at|in))? ?[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:der beitrag|der artikel)\b[^\n]{1,300}?\berschien zuerst auf\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:l['’]article|cet article)\b[^\n]{1,300}?\best apparu en premier sur\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:la entrada|el artículo)\b[^\n]{1,300}?\b(?:se publicó primero|apareció primero|aparece primero) en\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:o post|o artigo)\b[^\n]{1,300}?\b(?:apareceu primeiro|aparece primeiro) em\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:l['’]articolo)\b[^\n]{1,300}?\b(?:proviene da|sembra essere il primo su)\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"(?:запись|сообщение|статья)\b[^\n]{1,300}?\b(?:впервые появил[аио]сь|появились сначала) на\b[^\n]{0,80}?(?:[.!](?=\s|$)|$|\n)",
    r"submitted by\s+/?u/\S+(?:\s+to\s+/?r/\S+)?|\[link\]|\[comments\]|\[\d+ comments?\]",
    r"(?:article|comments) url:? ?https?://\S+|points: \d+|# comments: \d+",
    # accounts, cookies, shares, rights
    r"\*?\s*here['’]s how to (?:easily )?get (?:unlimited|full|free) access[^.\n]*\.?|simply enjoy exclusive[^.\n]*\.?",
    r"(?:^|(?<=\n)|(?<=[.!?*|]))\s*\*?\s*(?:log ?in|sign ?in|register|sign ?up|subscribe)(?:\s*(?:/|\||or|and|·)?\s*(?:log ?in|sign ?in|register|sign ?up|subscribe))*(?=\s*(?:$|\n|[.!|]))",
    r"(?:^|(?<=\n)|(?<=[.!?*|]))\s*(?:share (?:this|on|via)\b[^.\n]{0,80}|(?:share|tweet|pin it|print|e-?mail|whatsapp|facebook|twitter|telegram|linkedin)(?:[ ,|/·]+(?:share|tweet|pin it|print|e-?mail|whatsapp|facebook|twitter|telegram|linkedin|reddit))+)(?=\s*(?:$|\n|[.!]))",
    r"(?:all rights reserved|alle rechte vorbehalten|tous droits réservés|todos los derechos reservados|todos os direitos reservados|tutti i diritti riservati|все права защищены)\.?",
    r"(?:copyright|©)\s*(?:\(c\)\s*)?(?:19|20)\d\d[^.\n]{0,80}\.?",
)  # fmt: skip
_BEGINS = r"(?:(?-i:(?=[A-ZÀ-ÞА-ЯЁІЇЄ(\[]))|^|(?<=\n)|(?<=[.!?…]\s)|(?<![a-zа-яёà-ÿ ]))"
_ENDS = r"(?=[\s)\]\"'”’»›→>…]*(?:$|\n|[.!:…»›→>]))"
_PHRASE = re.compile(
    "|".join([f"{_BEGINS}(?:{'|'.join(_LINKS)}){_ENDS}", *(f"(?:{phrase})" for phrase in _PHRASES)]), re.IGNORECASE
)
_WHOLE = "full/whole/entire/complete/rest of the/rest of this/original"
_TEXT = "story/article/post/report/text/entry/piece/review/interview"
_SAID = (
    "continue reading/keep reading/read more/read on/read further/read it/find out more/learn more/see more/"
    "show more/view more/more details/more here/click here/tap here/weiterlesen/mehr lesen/mehr dazu/lesen sie/"
    "zum artikel/ganzen artikel/lire la suite/lire l'article/lire l’article/lire aussi/lire plus/"
    "en savoir plus/continuer la lecture/leer más/leyendo/ver más/noticia complet/nota complet/"
    "artículo complet/leia mais/leia também/continue lendo/saiba mais/ler mais/continuar le/continuar a le/"
    "a leggere/leggi tutto/leggi anche/leggi di più/leggi l'/leggi l’/saperne di più/lees meer/lees verder/"
    "lees ook/läs mer/les mer/læs mere/czytaj /více zde/číst dál/devamini oku/haberin devami/devami için/"
    "detaylar için/читать далее/читать дальше/читать полностью/читать также/подробнее/читайте также/"
    "читайте далее/узнать больше/читати далі/читати також/детальніше/докладніше/اقرأ أيض/اقرأ ايض/لمزيد/"
    "تابع القراءة/ادامه مطلب/بیشتر بخوانید/مزید پڑھیں/קרא עוד/קראו עוד/המשך קריאה/阅读全文/閱讀全文/阅读更多/閱讀更多/点击查看/"
    "查看更多/繼續閱讀/继续阅读/续きを読む/続きを読む/もっと読む/全文を読む/더 보기/더보기/자세히/आगे प/और प/आरও পড়ুন/আরও পড়ুন/อ่านต่อ/đọc tiếp/"
    "xem thêm/baca juga/baca selengkapnya/appeared first/first appeared/originally published/"
    "originally appeared/erschien zuerst/apparu en premier/primero en/primeiro em/proviene da/essere il primo/"
    "впервые появил/появились сначала/submitted by/[link]/[comments]/ comment]/ comments]/article url/"
    "comments url/points: /# comments: /unlimited access/full access/free access/enjoy exclusive/log in/login/"
    "sign in/signin/register/sign up/signup/subscribe/share this/share on/share via/rights reserved/"
    "rechte vorbehalten/droits réservés/derechos reservados/direitos reservados/diritti riservati/"
    "права защищены/copyright/©"
)  # fmt: skip

#: folded, what stands in all that `_PHRASE` finds; a text that has none of these, as most, needs no search
_HINTS = (*(f"{whole} {text}" for whole in _WHOLE.split("/") for text in _TEXT.split("/")), *_SAID.split("/"))
#: the same of a row of buttons
_BUTTONS = re.compile(
    r"(?:share|tweet|pin it|print|mail|whatsapp|facebook|twitter|telegram|linkedin)[ ,|/·]+(?:share|tweet|pin|print|e|whats|face|twit|tele|linked|reddit)"
)

#: a sentence that begins or speaks so is a prompt, not news
_PROMPTS = (
    r"^\W*(?:please )?(?:sign up|log ?in|sign in|register|subscribe|click|tap|follow (?:us|me|him|her|@)|join (?:us|our)|download (?:our|the) (?:app|free)|listen to (?:our|the latest)|get (?:the|our|your) (?:latest|daily|free|best|morning|weekly)|share this|like us|support (?:us|our)|donate)\b",
    r"^\W*(?:read|watch|see|read also|see also|related|recommended|more|must read|also read|editor['’]s note|advertisement|sponsored|source|photo|image|picture|credit|photograph|via|tags|filed under|category|categories|follow)s?\s*(?:more|also)?\s*:",
    r"\b(?:we|this (?:site|website)|our partners) (?:use|uses|set|store)\b[^.]*\bcookies\b|\b(?:accept|manage|reject|allow)\b[^.]*\bcookies\b|\bcookie (?:policy|settings|consent)\b",
    r"\b(?:subscribe|sign up|register)\b[^.]*\b(?:newsletter|e-?mail|inbox|channel|podcast|updates|access|today|now|free)\b",
    r"\b(?:newsletter|unlimited access|premium content|subscribers only|already a subscriber|create an account|free trial|privacy policy|terms of (?:use|service)|enable javascript|ad ?blocker|your browser)\b",
    r"^\W*(?:jetzt )?(?:abonnieren|anmelden|registrieren|einloggen)\b|\b(?:newsletter (?:abonnieren|bestellen)|jetzt (?:abonnieren|registrieren)|wir verwenden cookies|nutzt cookies)\b",
    r"\b(?:abonnez-vous|inscrivez-vous|connectez-vous|nous utilisons des cookies|déjà abonné|réservé aux abonnés)\b",
    r"\b(?:suscríbete|suscríbase|regístrate|inicia sesión|utilizamos cookies|usa cookies|síguenos en)\b",
    r"\b(?:assine|inscreva-se|cadastre-se|usamos cookies|utiliza cookies|siga-nos)\b",
    r"\b(?:iscriviti|abbonati|registrati|utilizziamo i cookie|utilizza cookie|seguici su)\b",
    r"(?:подпис(?:ывайтесь|аться на|итесь)|зарегистрируйтесь|войдите|мы используем (?:файлы )?cookie|поделиться в|наш(?:ем)? telegram|підпис(?:уйтесь|атися))",
    r"(?:اشترك|سجل الدخول|تابعونا|ملفات تعريف الارتباط|عضویت در|ثبت نام کنید)",
    r"(?:订阅|訂閱|登录|登入|注册|註冊|关注我们|關注我們|扫描二维码|会員登録|会員限定|ログイン|무단 ?전재|구독)",
    r"^\W*(?:comments?|leave a comment|no comments|video|photos?|gallery|listen|podcast|live|advert(?:isement)?|anzeige|publicité|реклама|фото|видео)\W*$",
    r"(?:^|\W)(?:getty images|shutterstock|ap photo|afp photo|reuters/[a-z])\W*$|^\W*https?://\S+\W*$",
)  # fmt: skip
_PROMPT = re.compile("|".join(f"(?:{prompt})" for prompt in _PROMPTS), re.IGNORECASE)
#: dates that a page prints before the text
_STAMP = re.compile(
    r"(?:^|(?<=\n))\s*(?:(?:published|updated|posted)(?: on)?:? )?(?:(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.? \d{1,2}, \d{4}"
    r"|\d{1,2} (?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.? \d{4}|\d{1,2}[./]\d{1,2}[./]\d{4}|\d{4}-\d\d-\d\d)"
    r"(?:,? (?:at )?\d{1,2}:\d\d(?::\d\d)?(?: ?[ap]\.?m\.?)?)?(?: (?:utc|gmt|est|edt|pst|pdt|sgt|cet|cest|ist))?\s*(?:[-–—|:]\s*)?(?=\S)",
    re.IGNORECASE,
)


def blanked(text: str) -> str:
    """The text with phrases that no person wrote for this entry blanked by NULs; a phrase ends the line it stands in."""
    if "\n" in text or _STAMP.match(text):
        text = _STAMP.sub(lambda m: "\x00" * len(m.group()), text)
    folded = _folded(text)
    if not (any(map(folded.__contains__, _HINTS)) or _BUTTONS.search(folded)):
        return text
    return _PHRASE.sub(lambda m: "\n" + "\x00" * (len(m.group()) - 2) + "\n"[: len(m.group()) - 1], text)


def _folded(text: str) -> str:
    """One spelling of all letters that a pattern takes for equal when it ignores case."""
    return text.lower() if text.isascii() else text.replace("İ", "i").replace("ı", "i").casefold()


def is_prompt(sentence: str) -> bool:
    """Whether a sentence asks the reader for something instead of telling news."""
    return _PROMPT.search(sentence) is not None


class Habits:
    """What each outlet repeats around unrelated entries. Memory is bounded; learning stored entries restores it."""

    def __init__(self, seen: int = 3, per_feed: int = 3000, feeds: int = 2000) -> None:
        """A sentence is boilerplate once `seen` unrelated entries carry it; so many sentences and feeds are kept."""
        self._seen, self._per_feed, self._feeds = seen, per_feed, feeds
        self._known: OrderedDict[FeedId, OrderedDict[bytes, tuple[str, ...]]] = OrderedDict()

    def learn(self, entry: Entry) -> None:
        """Takes the sentences of an entry in. Learning an entry again changes nothing."""
        known = self._known.setdefault(entry.feed, OrderedDict())
        self._known.move_to_end(entry.feed)
        while len(self._known) > self._feeds:
            self._known.popitem(last=False)
        about = entry.story or " ".join(words(entry.title))
        for text in (entry.summary, entry.content, *entry.captions):
            for start, end in sentences(text, entry.language):
                key = _digest(text[start:end])
                carriers = known.get(key, ())
                if key and about not in carriers and len(carriers) < self._seen:
                    known[key] = (*carriers, about)
                if key in known:
                    known.move_to_end(key)
        while len(known) > self._per_feed:
            known.popitem(last=False)

    def repeats(self, feed: FeedId, sentence: str) -> bool:
        """Whether the outlet has put this sentence around enough unrelated entries."""
        known = self._known.get(feed)
        return known is not None and len(known.get(_digest(sentence), ())) >= self._seen


def _digest(sentence: str) -> bytes:
    """The same for the same words; digits count as equal, so that counters and dates do not hide a repetition."""
    key = re.sub(r"\d+", "0", " ".join(words(sentence)))
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest() if key else b""
