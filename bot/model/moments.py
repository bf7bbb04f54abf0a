"""Times."""

from __future__ import annotations

from datetime import datetime, timedelta


def later(base: datetime, seconds: float) -> datetime:
    """`base` moved by seconds, never past the end of the calendar."""
    return base + timedelta(seconds=min(seconds, 3.15e9))
