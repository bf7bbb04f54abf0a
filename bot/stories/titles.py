"""Headlines without what outlets put around them."""

from __future__ import annotations

import re

from bot.text import words

_LABEL = re.compile(
    r"^\s*(?:(?:live|watch|video|listen|photos|exclusive|breaking(?: news)?|just in|update[ds]?|analysis|opinion|explainer|in pictures"
    r"|developing|eilmeldung|liveticker|vidéo|en direct|vídeo|en vivo|última hora|ao vivo|diretta|видео|срочно|фото)"
    r"(?:\s+(?:live|updates?|now|blog))?)\s*[:|!–—-]\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(r"\s+[|·»]\s+[^|·»]{2,40}$|\s+[-–—]\s+[^-–—]{2,30}$")


def tidy_title(title: str, source: str = "") -> str:
    """The headline without labels and the outlet's name ("LIVE:", "| Outlet"): for comparing, never for showing."""
    bare = title
    while (shorter := _LABEL.sub("", bare)) != bare and shorter:
        bare = shorter
    tail = _TAIL.search(bare)
    if tail and len(bare[: tail.start()].split()) >= 3:
        own = set(words(tail.group()))
        if tail.group().lstrip()[0] in "|·»" or (own and own <= set(words(source))):
            bare = bare[: tail.start()]
    return bare.strip() or title
