"""The snapshot: one JSON object in stock TinyDB's format, with a first line that says what it holds and its checksum."""

from __future__ import annotations

import gc
import re
import zlib
from typing import TYPE_CHECKING

import msgspec

from bot.store.disk import Damaged, TooNew

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from bot.store.records import Tables

FORMAT = 1
#: the table that carries the snapshot's own numbers; stock TinyDB shows it like any other
META = "_journal"

#: how a snapshot begins; TinyDB itself would put a space after the colon
_OURS = b'{"%s":{"1":{' % META.encode()


class _Header(msgspec.Struct):
    format: int
    sequence: int
    checksum: str


_header = msgspec.json.Decoder(dict[str, dict[str, _Header]])
_body = msgspec.json.Decoder(dict[str, dict[int, msgspec.Raw]])
_CHUNK = 1 << 17


def read_snapshot(path: Path) -> tuple[Tables, int]:
    """Tables and the number of the last record in them. Raises FileNotFoundError, Damaged, TooNew."""
    data = path.read_bytes()
    if not data[:_CHUNK].strip(b"\0 \r\n"):
        raise Damaged(f"{path.name} is empty")
    if data.startswith(_OURS):
        try:
            end = data.index(b"\n")
            meta = _header.decode(data[:end].rstrip(b",") + b"}")[META]["1"]
            checksum = int(meta.checksum, 16)
        except (msgspec.MsgspecError, KeyError, ValueError):
            raise Damaged(f"{path.name} has a damaged first line") from None
        if meta.format > FORMAT:
            raise TooNew(f"{path.name} has format {meta.format}, this version reads up to {FORMAT}")
        if checksum != zlib.crc32(memoryview(data)[end + 1 :], meta.sequence & 0xFFFFFFFF):
            raise Damaged(f"{path.name} does not match its checksum")
        return _load(b"{" + data[end + 1 :], path.name), meta.sequence
    # written by stock TinyDB: taken over as it is
    return {name: rows for name, rows in _load(data, path.name, compact=True).items() if name != META}, 0


def _load(data: bytes, name: str, *, compact: bool = False) -> Tables:
    gc_was_on = gc.isenabled()
    gc.disable()  # a million new objects, no garbage: collecting would double the time
    try:
        tables = _body.decode(data)
        if compact:
            return {
                table: {i: msgspec.json.encode(msgspec.json.decode(raw)) for i, raw in rows.items()}
                for table, rows in tables.items()
            }
        return {table: {i: bytes(raw) for i, raw in rows.items()} for table, rows in tables.items()}
    except msgspec.MsgspecError as error:
        raise Damaged(f"{name} is not a whole store ({error})") from error
    finally:
        if gc_was_on:
            gc.enable()


def snapshot_chunks(tables: Mapping[str, Mapping[int, bytes]]) -> Iterator[bytes]:
    """The snapshot's body, some hundred kilobytes at a time."""
    parts: list[bytes] = []
    size = 0
    first_table = True
    for name, rows in tables.items():
        parts.append((b"" if first_table else b",\n") + msgspec.json.encode(name) + b":{")
        first_table = False
        first = True
        for doc_id, raw in rows.items():
            parts.append(b'%s"%d":%s' % (b"\n" if first else b",\n", doc_id, raw))
            first = False
            size += len(raw)
            if size > _CHUNK:
                yield b"".join(parts)
                parts.clear()
                size = 0
        parts.append(b"}")
    parts.append(b"}\n")
    yield b"".join(parts)


def snapshot_header(number: int, checksum: int, *, empty: bool) -> bytes:
    """The first line, of the same length whatever the numbers are: it is written again when the checksum is known."""
    comma = b"" if empty else b","
    meta = b'%s"format":%d,"sequence":%15d,"checksum":"%08x"}}%s\n'
    return meta % (_OURS, FORMAT, number, checksum, comma)


def number_of(path: Path) -> int:
    """The number in a snapshot's first line; 0 for one that stock TinyDB wrote."""
    with path.open("rb") as file:
        line = file.readline(200)
    found = re.search(rb'"sequence":\s*(\d+)', line)
    return int(found[1]) if found and META.encode() in line else 0
