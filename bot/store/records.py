"""The lines of a journal: numbered, with a checksum, each a transaction.

A record is "checksum number durable payload": CRC-32 of the rest, its number, the number of the last record known to be
on disk when it was written, and a JSON object {table: {doc id: document, or null where it was removed}}. A journal's
first line is a record that repeats the number it starts after.
"""

from __future__ import annotations

import re
import zlib

import msgspec

from bot.store.disk import Damaged

#: documents as JSON, by table and id
Tables = dict[str, dict[int, bytes]]

_body = msgspec.json.Decoder(dict[str, dict[int, msgspec.Raw]])
_record_start = re.compile(rb"(?=([0-9a-f]{8} \d+ \d+ [^\n]*))")


def record(number: int, durable: int, payload: bytes) -> bytes:
    """One line of a journal."""
    rest = b"%d %d %s" % (number, durable, payload)
    return b"%08x %s\n" % (zlib.crc32(rest), rest)


def parse_record(line: bytes) -> tuple[int, int, bytes] | None:
    """Number, durable number and payload; None when the line is not a whole record."""
    if len(line) < 13 or line[8:9] != b" ":
        return None
    try:
        if int(line[:8], 16) != zlib.crc32(line[9:]):
            return None
        number, durable, payload = line[9:].split(b" ", 2)
        return int(number), int(durable), payload
    except ValueError:
        return None


def scan(data: bytes, number: int, name: str) -> tuple[list[bytes], int]:
    """The payloads after record `number` (header included), and how many bytes of `data` they take.

    Raises Damaged when a record is broken that was known to be on disk.
    """
    payloads: list[bytes] = []
    position = 0
    while (end := data.find(b"\n", position)) >= 0:
        found = parse_record(data[position:end])
        if found is None or found[0] != number + 1:
            break
        payloads.append(found[2])
        number += 1
        position = end + 1
    for match in _record_start.finditer(data, position):
        later = parse_record(match[1])
        if later is not None and later[0] > number + 1 and later[1] > number:
            raise Damaged(
                f"{name} is damaged at byte {position}: record {number + 1} is unreadable, and later ones are not. "
                f"Restore the folder from a backup, or cut the file there to lose what came after"
            )
    return payloads, position


def apply(tables: Tables, payload: bytes) -> None:
    """Makes the changes of one record."""
    for table, changes in _body.decode(payload).items():
        rows = tables.setdefault(table, {})
        for doc_id, raw in changes.items():
            document = bytes(raw)
            if document == b"null":
                rows.pop(doc_id, None)
            else:
                rows[doc_id] = document
