"""Every store, one by one, under the tests of the port."""

from tests.store.fixtures import place, postgres_dsn, postgres_place, store

__all__ = ["place", "postgres_dsn", "postgres_place", "store"]
