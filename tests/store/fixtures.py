"""Every store, one by one, for the tests that take a `place` or a `store`."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.ports import Store
from tests.store.cluster import NoPostgres, cluster
from tests.store.stores import Place

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_dsn() -> Iterator[str]:
    """A PostgreSQL to make schemas in: TOCSIN_TEST_POSTGRES, else one of our own."""
    given = os.environ.get("TOCSIN_TEST_POSTGRES")
    if given:
        yield given
        return
    try:
        with cluster() as running:
            yield running.dsn
    except NoPostgres as error:
        pytest.skip(str(error))


@asynccontextmanager
async def schema(dsn: str) -> AsyncIterator[Place]:
    """An empty schema of its own."""
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{os.getpid()}_{next(_numbers)}"
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True, application_name="schema") as connection:
        await connection.execute(f"create schema {name}")
        joint = "&" if "?" in dsn else "?"
        here = Place(f"{dsn}{joint}options={quote(f'-csearch_path={name}')}")
        yield here
        await here.close()
        await connection.execute(f"drop schema {name} cascade")


@pytest.fixture(params=["tinydb", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store's address, on each store in turn."""
    if request.param == "tinydb":
        here = Place(f"tinydb:///{tmp_path}/store.json")
        yield here
        await here.close()
        return
    async with schema(request.getfixturevalue("postgres_dsn")) as here:
        yield here


@pytest.fixture
async def postgres_place(postgres_dsn: str) -> AsyncIterator[Place]:
    """An empty PostgreSQL store's address."""
    async with schema(postgres_dsn) as here:
        yield here


@pytest.fixture
async def store(place: Place) -> Store:
    """An open, empty store."""
    return await place.open()
