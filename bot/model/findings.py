"""What `tocsin check` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `tocsin check` looked at."""

    what: str
    #: "ok", "off", "warning" or "broken"
    verdict: str
    detail: str
    #: what to do about it, ""
    repair: str = ""
