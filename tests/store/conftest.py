"""Stores for the tests here."""

from tests.store.fixtures import place, postgres_dsn, postgres_place, store

__all__ = ["place", "postgres_dsn", "postgres_place", "store"]
