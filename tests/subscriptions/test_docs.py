"""docs/queries.md is kept: every example in it is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.errors import QueryError
from bot.subscriptions.match import document, matches
from bot.subscriptions.query import explain, parse_query

from .entries import entry

DOCS = (Path(__file__).parents[2] / "docs" / "queries.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows below a heading line of a table."""
    lines = DOCS.split(f"{heading}\n", 1)[1].splitlines()[1:]
    end = next(i for i, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[:end]]


@pytest.mark.parametrize("row", table("| you type | it rings for | it does not ring for |"), ids=lambda row: row[0])
def test_words_names_phrases(row: list[str]) -> None:
    """What the guide says rings does, and what it says does not does not."""
    query = parse_query(row[0].strip("`"))

    for text in row[1].split(", "):
        assert matches(query, document(entry(text))), text
    for text in row[2].split(", "):
        assert not matches(query, document(entry(text))), text


@pytest.mark.parametrize("row", table("| you type | it means |"), ids=lambda row: row[0])
def test_combining(row: list[str]) -> None:
    """The guide and the answer to /subscribe use the same words."""
    assert explain(parse_query(row[0].strip("`"))) == row[1]


@pytest.mark.parametrize("row", table("| you type | the answer |"), ids=lambda row: row[0])
def test_refusals(row: list[str]) -> None:
    """The guide shows the messages that people will see."""
    with pytest.raises(QueryError) as caught:
        parse_query(row[0].strip("`"))

    assert caught.value.message == row[1]
