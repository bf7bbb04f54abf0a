"""What every folder of tests may ask for."""

from tests.store.fixtures import place, postgres_dsn

__all__ = ["place", "postgres_dsn"]
