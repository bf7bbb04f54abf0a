"""Why a row of the outbox waits, was folded, muted or died: kept in English, told in the language of the asker."""

from __future__ import annotations

from bot.i18n import N_, retold

PAUSED = N_("paused")
MUTED_STORY = N_("the story is muted")
UNSUBSCRIBED = N_("unsubscribed")
NOT_KEPT = N_("the entry is no longer kept")
DIGEST = N_("digest")
QUIET = N_("quiet hours")
CATCHING_UP = N_("catching up")
IN_A_DIGEST = N_("shown in a digest")
NO_MESSAGE = N_("no message to add it to")
BUNDLED = N_("edits are bundled")
NOTHING_NEW = N_("nothing new to show")
SAME_MESSAGE = N_("in the same message")
OUTLETS_SO_FAR = N_("{outlets} of {need} independent outlets so far")
NOT_CONFIGURED = N_("{platform} is not configured")
GAVE_UP = N_("gave up: {reason}")

_ALL = (
    PAUSED, MUTED_STORY, UNSUBSCRIBED, NOT_KEPT, DIGEST, QUIET, CATCHING_UP, IN_A_DIGEST, NO_MESSAGE, BUNDLED,
    NOTHING_NEW, SAME_MESSAGE, OUTLETS_SO_FAR, NOT_CONFIGURED, GAVE_UP,
)  # fmt: skip


def told(reason: str) -> str:
    """A row's reason as a person reads it; what a platform or a feed answered stays in its words."""
    return retold(reason, *_ALL)
