"""A TOML document that is read key by key, and remembers where each key stands and what was never asked for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config.checks import Wrong
from bot.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


#: environment variable → key path; each may also be given as NAME_FILE, the path of a file that holds the value
ENVIRONMENT = {
    "TELEGRAM_BOT_TOKEN": "telegram.token",
    "SLACK_BOT_TOKEN": "slack.bot_token",
    "SLACK_APP_TOKEN": "slack.app_token",
    "SLACK_SIGNING_SECRET": "slack.signing_secret",
    "DATABASE_URL": "store.url",
    "PORT": "web.port",
    "LOG_LEVEL": "log.level",
}


class Reader:
    """A TOML document that is emptied key by key; what is left at the end is unknown."""

    def __init__(self, name: str, document: dict[str, Any], lines: Mapping[str, int]) -> None:
        self._name = name
        self._lines = lines
        self._values: dict[str, Any] = {}
        self._counts: dict[str, int] = {}
        self._tables: set[str] = set()
        self._known: set[str] = set()
        #: key path → environment variable that gave it
        self._given_by: dict[str, str] = {}
        self._problems: list[str] = []
        self._flatten("", document)

    def _flatten(self, prefix: str, table: Mapping[str, Any]) -> None:
        for key, value in table.items():
            path = f"{prefix}.{key}" if prefix else key
            if isinstance(value, dict):
                self._tables.add(path)
                self._flatten(path, value)
            elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
                self._counts[path] = len(value)
                for number, item in enumerate(value, 1):
                    self._flatten(f"{path}[{number}]", item)
            else:
                self._values[path] = value

    def overlay(self, environ: Mapping[str, str]) -> None:
        """Puts the environment over the file."""
        for name, path in ENVIRONMENT.items():
            value = environ.get(name, "").strip()
            file = environ.get(f"{name}_FILE", "").strip()
            if value and file:
                self._problems.append(f"{name}: is set, and {name}_FILE too; set one of them")
            elif file:
                try:
                    value = Path(file).read_text(encoding="utf-8").strip()
                except (OSError, ValueError) as broken:
                    self._problems.append(f"{name}_FILE: {file} can't be read ({type(broken).__name__})")
            if value:
                self._values[path] = value
                self._given_by[path] = name

    def take(self, path: str, check: Callable[[Any], Any], default: Any) -> Any:
        """The checked value of a key, or the default when it is absent or wrong."""
        self._known.add(path)
        if path not in self._values:
            return default
        try:
            return check(self._values[path])
        except Wrong as wrong:
            self.problem(path, str(wrong))
            return default

    def seen(self, path: str) -> bool:
        """Whether the key was given, right or wrong."""
        return path in self._values

    def tables(self, path: str) -> list[str]:
        """Paths of the tables of an array: source[1], source[2] ..."""
        if self._values.get(path, []) == []:
            self._known.add(path)
        return [f"{path}[{number}]" for number in range(1, self._counts.get(path, 0) + 1)]

    def problem(self, path: str, text: str) -> None:
        """Notes one problem."""
        if path in self._given_by:
            self._problems.append(f"{self._given_by[path]}: {text}")
            return
        line = self._lines.get(path) or self._lines.get(path.rpartition(".")[0])
        where = f"{self._name}:{line}: " if line else f"{self._name}: " if self._name else ""
        self._problems.append(f"{where}{path}: {text}")

    def finish(self) -> None:
        """Raises ConfigError when anything was wrong."""
        keys = sorted({re.sub(r"\[\d+\]", "", known) for known in (*self._known, *_SOURCE_KEYS)})
        for path in self._values:
            if path not in self._known:
                bare = re.sub(r"\[\d+\]", "", path)
                close = get_close_matches(bare, keys, n=1, cutoff=0.6)
                if bare.split(".")[0] == "source" and "[" not in path:
                    self.problem(path, "must stand in a table of its own for each source: [[source]]")
                elif any(key.startswith(f"{bare}.") for key in keys):
                    self.problem(path, f"is a table: write [{bare}] on a line of its own, and its keys below")
                else:
                    self.problem(path, "is not a key" + (f"; did you mean {close[0]}?" if close else ""))
        for table in self._tables:
            if not any(path.startswith(f"{table}.") for path in (*keys, *self._values)):
                self.problem(table, "is not a table that is known here")
        if self._problems:
            raise ConfigError(self._problems)


#: keys of a source that is a page: CSS selectors, by the names of `bot.model.Selectors`
SELECTORS = ("item", "title", "link", "summary", "caption", "date")
_SOURCE_KEYS = tuple(
    f"source.{key}" for key in ("url", "name", "language", "tags", "interval", "owner", "type", "fulltext", *SELECTORS)
)
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")


def lines_of(text: str) -> dict[str, int]:
    """Key path → line, which tomllib does not keep.

    Lines within multi-line strings may be misread; that only ever misplaces a hint, since values come from tomllib.
    """
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            table = _plain(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table}[{counts[table]}]"
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{_plain(key[1])}" if table else _plain(key[1]), number)
    return found


def _plain(key: str) -> str:
    return re.sub(r"[\s\"']", "", key)
