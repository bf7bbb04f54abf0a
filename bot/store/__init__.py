"""Where everything is kept: TinyDB in one file, or PostgreSQL for more than one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from bot.errors import StoreError

if TYPE_CHECKING:
    from bot.ports import Store

__all__ = ["is_postgres", "open_store", "tiny_path"]

NEEDS_PSYCOPG = "PostgreSQL needs one more package: pip install 'tocsin[postgres]'"


async def open_store(url: str, *, read_only: bool = False) -> Store:
    """The store at `tinydb:///data/tocsin.json` or `postgresql://user@host/name`.

    As in SQLAlchemy's URLs, three slashes begin a path relative to the working directory and four an absolute one.
    `read_only` may be used while another process has the store; its writes raise StoreError.

    Raises StoreError, or one of its kinds, with what to do.
    """
    if is_postgres(url):
        try:
            from bot.store.postgres import open_postgres  # noqa: PLC0415  # psycopg is optional
        except ImportError as error:
            raise StoreError(NEEDS_PSYCOPG) from error
        return await open_postgres(url, read_only=read_only)
    from bot.store.tiny import open_tiny  # noqa: PLC0415  # each store is imported where it is used only

    return await open_tiny(tiny_path(url), read_only=read_only)


def is_postgres(url: str) -> bool:
    """Which kind of store the URL names. Raises StoreError when it is none that is known."""
    scheme = url.partition("://")[0].lower()
    if scheme not in {"tinydb", "postgresql", "postgres"}:
        raise StoreError(
            f"no store at {scheme or url!r}: use tinydb:///path/to/file.json or postgresql://user@host/name"
        )
    return scheme != "tinydb"


def tiny_path(url: str) -> str:
    """The file of a tinydb URL.

    `tinydb:///data/t.json` is data/t.json here, `tinydb:////data/t.json` is /data/t.json. Raises StoreError when the
    URL has a host or no path.
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.netloc or not path.strip("/"):
        raise StoreError(f"{url} names no file: write tinydb:///data/tocsin.json, or tinydb:////var/lib/tocsin.json")
    return path[1:]
