"""Which encoding a document is in, whatever its labels say (threat row 16)."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
#: the first characters of "<?" or "<r" without a byte order mark, and EBCDIC's "<?xm"
_PATTERNS = (
    (re.compile(rb"\x00\x00\x00<"), "utf-32-be"),
    (re.compile(rb"<\x00\x00\x00"), "utf-32-le"),
    (re.compile(rb"\x00<\x00."), "utf-16-be"),
    (re.compile(rb"<\x00.\x00"), "utf-16-le"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*?\sencoding\s*=\s*["']\s*([A-Za-z0-9._:\-]{2,40})""")
_HTTP = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:\-]{2,40})""", re.IGNORECASE)
#: labels that mean a larger set in practice (WHATWG Encoding Standard)
_SUPERSETS = {
    "ascii": "windows-1252",
    "us-ascii": "windows-1252",
    "iso-8859-1": "windows-1252",
    "iso8859-1": "windows-1252",
    "latin1": "windows-1252",
    "latin-1": "windows-1252",
    "iso-8859-9": "windows-1254",
    "iso-8859-11": "windows-874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
}
#: encodings of text that is all ASCII bytes
_SEVEN_BIT = ("iso-2022", "hz", "csiso2022")
#: labels that servers send without knowing
_DEFAULTS = frozenset({"iso-8859-1", "us-ascii", "ascii", "windows-1252"})
#: what undeclared text may be in, with the script that a right guess brings out and that script's common letters
_GUESSES = (
    ("windows-1251", re.compile("[оеаинтсрОЕАИНТСР]"), re.compile("[\u0400-\u04ff]")),
    ("koi8-r", re.compile("[оеаинтсрОЕАИНТСР]"), re.compile("[\u0400-\u04ff]")),
    ("windows-1256", re.compile("[اليمونرت]"), re.compile("[\u0600-\u06ff]")),
    ("windows-1253", re.compile("[αοιετσνη]"), re.compile("[\u0370-\u03ff]")),
    ("gb18030", re.compile("[的一是在不了有和国中年月日]"), re.compile("[\u4e00-\u9fff]")),
    ("cp932", re.compile("[のにはをたがでとし]"), re.compile("[\u3040-\u30ff\u4e00-\u9fff]")),
    ("cp949", re.compile("[이다의는가을에로]"), re.compile("[\uac00-\ud7a3]")),
)
_SAMPLE = 60_000
_LONG_SAMPLE = 500_000
_BESIDE_LATIN = re.compile(rb"[A-Za-z]{2}[\x80-\xff](?![\x80-\xff])|(?<![\x80-\xff])[\x80-\xff][A-Za-z]{2}")
_RUNS = re.compile(rb"[\x80-\xff]{3,}")


def to_text(body: bytes, content_type: str) -> tuple[str, str]:
    """The document's text and what was wrong with its encoding ("" when nothing was).

    In this order: byte order mark, UTF-8 wherever the bytes are valid UTF-8 (nothing else looks like it), the XML
    declaration, the HTTP charset, a guess by script. Bytes that fit nothing become U+FFFD.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _decode(body[len(mark) :], encoding)
    for pattern, encoding in _PATTERNS:
        if pattern.match(body):
            return _decode(body, encoding)
    declared = _label(_DECLARED.match(body[:1000]))
    served = _HTTP.search(content_type)
    http = served[1].lower() if served else ""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _decode_other(body, declared, http)
    label = declared or http
    if label.startswith(_SEVEN_BIT) and body.isascii():
        return _strict(body, label) or text, ""
    return text, ""


def certain(body: bytes, content_type: str) -> bytes | None:
    """The document in UTF-8, where its encoding needs no guess and nothing is wrong with it; `to_text` reads the same."""
    if body.startswith(codecs.BOM_UTF8):
        body = body[len(codecs.BOM_UTF8) :]
    elif not body.lstrip().startswith(b"<") or body[1:2] == b"\x00":
        return None
    declared = _label(_DECLARED.match(body[:1000]))
    served = _HTTP.search(content_type)
    http = served[1].lower() if served else ""
    try:
        if not body.isascii():
            body.decode()
    except UnicodeDecodeError:
        text = _labelled(body, declared, http)
        return text.encode("utf-8", "replace") if text is not None else None
    return None if (declared or http).startswith(_SEVEN_BIT) else body


def _decode_other(body: bytes, declared: str, http: str) -> tuple[str, str]:
    """What is not UTF-8."""
    text = _labelled(body, declared, http)
    if text is not None:
        return text, ""
    if "utf" in (declared or http or "utf") and _mostly_utf8(body):
        return body.decode(errors="replace"), "some bytes are not valid UTF-8"
    guess = _guess(body)
    note = "" if declared in _DEFAULTS and guess == "windows-1252" else f"the encoding is not declared: read as {guess}"
    return body.decode(guess, errors="replace"), note


def _labelled(body: bytes, declared: str, http: str) -> str | None:
    """By the first label that fits; None where none does."""
    for label in [http, declared] if http and http not in _DEFAULTS else [declared, http]:
        if label and label not in _DEFAULTS and not label.startswith("utf"):
            text = _strict(body, label)
            if text is not None:
                return text
    return None


def _mostly_utf8(body: bytes) -> bool:
    """A few bad bytes in text that otherwise is UTF-8: a cut character, a pasted quotation mark."""
    lenient = body.decode(errors="replace")
    bad = lenient.count("\ufffd")
    good = sum(1 for _ in re.finditer(r"[^\x00-\x7f\ufffd]", lenient[:_SAMPLE]))
    return bad * 4 <= good


def _guess(body: bytes) -> str:
    """The encoding under which the bytes above ASCII read as common letters of one script."""
    if len(_BESIDE_LATIN.findall(body[:_LONG_SAMPLE])) > len(_RUNS.findall(body[:_LONG_SAMPLE])):
        return "windows-1252"  # single letters with accents in Latin words
    high = re.sub(rb"[\x00-\x1f!-@\[-`{-~]+", b" ", body)[:_SAMPLE]
    best, best_score = "windows-1252", 0.0
    for encoding, common, script in _GUESSES:
        text = high.decode(encoding, errors="replace")
        letters = len(script.findall(text))
        others = len(re.findall(r"[^\x00-\x7f]", text)) - letters
        if letters < 4 or others * 3 > letters:
            continue
        # capitals inside words give away Cyrillic read in the wrong one of its encodings
        odd = len(re.findall(r"[а-яё][А-ЯЁ]", text))
        score = len(common.findall(text)) / letters - others / letters - odd / letters
        if score > best_score:
            best, best_score = encoding, score
    return best if best_score > 0.12 else "windows-1252"


def _decode(body: bytes, encoding: str) -> tuple[str, str]:
    text = _strict(body, encoding)
    if text is not None:
        return text, ""
    return body.decode(encoding, errors="replace"), f"some bytes are not valid {encoding}"


def _strict(body: bytes, label: str) -> str | None:
    try:
        return body.decode(_SUPERSETS.get(label, label))
    except (UnicodeError, LookupError, ValueError):
        return None


def _label(match: re.Match[bytes] | None) -> str:
    return match[1].decode("ascii").lower() if match else ""
