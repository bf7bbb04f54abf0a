"""The SQL of the PostgreSQL store, read from the .sql files beside it."""

from __future__ import annotations

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def statements(name: str) -> dict[str, str]:
    """The statements of `sql/<name>.sql` by the names above them."""
    parts = _NAME.split(_read(name))[1:]
    return {key: text.strip() for key, text in zip(parts[::2], parts[1::2], strict=True)}


def migrations() -> list[str]:
    """The scripts that make version 1, 2 ... of the schema out of the one before."""
    names = sorted(file.name for file in (files("bot.store") / "sql").iterdir() if file.name.startswith("migration_"))
    return [_read(name.removesuffix(".sql")) for name in names]


def _read(name: str) -> str:
    return (files("bot.store") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
