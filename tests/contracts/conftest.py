"""Every store, one by one, under the tests of the port."""

import itertools
import os
from collections.abc import AsyncIterator, Iterator
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


@pytest.fixture(params=["tinydb", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store's address, on each store in turn."""
    if request.param == "tinydb":
        here = Place(f"tinydb:///{tmp_path}/store.json")
        yield here
        await here.close()
        return
    psycopg = pytest.importorskip("psycopg")
    dsn = request.getfixturevalue("postgres_dsn")
    schema = f"test_{os.getpid()}_{next(_numbers)}"
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute(f"create schema {schema}")
        joint = "&" if "?" in dsn else "?"
        here = Place(f"{dsn}{joint}options={quote(f'-csearch_path={schema}')}")
        yield here
        await here.close()
        await connection.execute(f"drop schema {schema} cascade")


@pytest.fixture
async def store(place: Place) -> Store:
    """An open, empty store."""
    return await place.open()
