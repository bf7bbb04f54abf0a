"""Where tests open stores."""

from bot.ports import Store
from bot.store import open_store


class Place:
    """A store's address, opened as often as a test likes; what it leaves open is closed after it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open: list[Store] = []

    async def open(self, *, read_only: bool = False) -> Store:
        store = await open_store(self.url, read_only=read_only)
        self._open.append(store)
        return store

    async def close(self) -> None:
        for store in self._open:
            await store.close()
