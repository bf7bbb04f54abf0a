"""Rows and values are each other's image, whatever is in them."""

from datetime import UTC, datetime, time, timezone
from enum import StrEnum
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import model
from bot.model import ChatId
from bot.store import codec
from bot.store.codec import Codec, chat_key, chat_of, micros

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
MOMENTS = st.datetimes(timezones=st.just(UTC), max_value=datetime(9999, 12, 31))  # noqa: DTZ001  # Hypothesis adds the zone
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**60), 2**60),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: MOMENTS,
    time: st.times(),
    type(None): st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value of a type of the model, without telling Hypothesis anything that other tests would hear."""
    kind = getattr(kind, "__supertype__", kind)
    arguments = get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if get_origin(kind) is tuple and arguments[-1] is ...:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if get_origin(kind) is tuple:
        return st.tuples(*map(values, arguments))
    if arguments:
        return st.one_of(*map(values, arguments))
    if issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind, {**vars(model), "datetime": datetime, "time": time})
    return st.builds(kind, **{name: values(hint) for name, hint in hints.items()})


CHATS = st.builds(ChatId, TEXT, TEXT, TEXT)


@given(chat=CHATS)
def test_a_chat_comes_back_from_its_key(chat: ChatId) -> None:
    """Colons and per cents in any part: no chat is taken for another."""
    assert chat_of(chat_key(chat)) == chat


@given(one=CHATS, other=CHATS)
def test_different_chats_have_different_keys(one: ChatId, other: ChatId) -> None:
    """Nobody reads another's alerts."""
    assert (chat_key(one) == chat_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (codec.feed, model.Feed),
        (codec.feed_state, model.FeedState),
        (codec.entry, model.Entry),
        (codec.fingerprint, model.Fingerprint),
        (codec.story, model.Story),
        (codec.chat, model.Chat),
        (codec.subscription, model.Subscription),
        (codec.delivery, model.Delivery),
        (codec.receipt, model.Receipt),
        (codec.mute, model.Mute),
        (codec.action, model.Action),
    ],
)
def test_every_value_comes_back_from_its_row(rows: Codec[object], kind: type) -> None:
    """All types that are kept, with every field drawn at random."""

    @given(value=values(kind))
    def there_and_back(value: object) -> None:
        raw = rows.encode(value)
        assert b"\n" not in raw
        assert rows.decode(raw) == value

    there_and_back()


@given(moment=MOMENTS)
def test_microseconds_are_exact(moment: datetime) -> None:
    """No two moments become one in an index."""
    assert codec.EPOCH + micros(moment) * codec._MICROSECOND == moment
    assert micros(moment.astimezone(timezone.min)) == micros(moment) if moment.year > 1 else True
