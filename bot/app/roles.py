"""What one process does: all of it, or a part where several share a PostgreSQL store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.store import is_postgres

if TYPE_CHECKING:
    from bot.config import Config

#: in the order of the flow
ROLES = ("poll", "ingest", "deliver", "chat", "web")


def parse_roles(text: str) -> frozenset[str]:
    """The roles of a list with commas; "" means all. Raises ValueError for what is none, with what there is."""
    given = [name.strip().casefold() for name in text.split(",") if name.strip()]
    unknown = [name for name in given if name not in ROLES]
    if unknown:
        raise ValueError(f"no role {', '.join(map(repr, unknown))}: there are {', '.join(ROLES)}")
    return frozenset(given or ROLES)


def check_roles(config: Config, roles: frozenset[str]) -> None:
    """Raises ConfigError where the store belongs to one process, which must do everything then, or nothing can be done."""
    if roles != frozenset(ROLES) and not is_postgres(config.store_url):
        what = "a TinyDB store belongs to one process, which has all roles. Leave --role out, or move to PostgreSQL"
        how = f"stop the bot, tocsin db copy {config.store_url} postgresql://user@host/name, and set [store] url"
        raise ConfigError([f"--role: {what}: {how}"])
    if roles == {"web"} and config.web.port is None:
        raise ConfigError(["--role web: needs [web] port (or PORT): there is nothing else for this process to do"])
