"""Unpacking of HTTP bodies under a cap, so that a bomb costs no more than a feed (threat rows 1 and 2)."""

from __future__ import annotations

import importlib
import zlib
from typing import Any

from xxhash import xxh3_128_hexdigest


def _fastest_zlib() -> Any:
    """`isal` where it is installed: three times as fast on feed bodies, with the same results."""
    try:
        return importlib.import_module("isal.isal_zlib")
    except ImportError:
        return zlib


_zlib = _fastest_zlib()
_ERRORS = (zlib.error, _zlib.error)
_GZIP = 16 + zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b\x08"
#: bytes unpacked at once, and gzip members of one body: programs that write several make one of every 64 KB
_PIECE = 65_536
_MOST_MEMBERS = 1_000


class BodyRefused(ValueError):
    """The body can't be unpacked or is larger than the cap; the text is for people."""


def body_hash(raw: bytes) -> str:
    """Digest of a body as it came over the wire: equal digests mean that nothing changed."""
    return xxh3_128_hexdigest(raw)


def unpack(raw: bytes, encoding: str, cap: int) -> bytes:
    """The body under its Content-Encoding (RFC 9110 section 8.4.1); at most `cap` bytes.

    What servers get wrong is forgiven: a plain body labelled gzip, a raw deflate stream, a gzip file sent as it is.
    Raises BodyRefused.
    """
    names = [name for name in (part.strip().lower() for part in encoding.split(",")) if name not in {"", "identity"}]
    if len(names) > 1:
        raise BodyRefused("the body is packed more than once")
    name = names[0] if names else ""
    if name not in {"", "gzip", "x-gzip", "deflate"}:
        raise BodyRefused("the body is packed in a way that was not asked for")
    if raw.startswith(_GZIP_MAGIC):
        return _inflate(raw, _GZIP, cap)
    if name == "deflate":
        try:
            return _inflate(raw, zlib.MAX_WBITS, cap)
        except _ERRORS:
            return _inflate(raw, -zlib.MAX_WBITS, cap)
    if len(raw) > cap:
        raise _too_large(cap)
    return raw


def _inflate(raw: bytes, wbits: int, cap: int) -> bytes:
    """All members of the stream, one after the other; what follows the last one is ignored.

    Given piece by piece: what a member leaves over is copied, and a body can be made of half a million empty ones.
    """
    parts: list[bytes] = []
    room = cap
    at = 0
    for _ in range(_MOST_MEMBERS):
        unpacker = _zlib.decompressobj(wbits)
        while not unpacker.eof:
            piece = raw[at : at + _PIECE]
            if not piece:
                raise BodyRefused("the body was cut short")
            try:
                part = unpacker.decompress(piece, room + 1)
            except _ERRORS as error:
                if wbits == zlib.MAX_WBITS and not parts:
                    raise
                raise BodyRefused("the body can't be unpacked") from error
            room -= len(part)
            if room < 0:
                raise _too_large(cap)
            parts.append(part)
            at += len(piece) - len(unpacker.unused_data)
        if not raw.startswith(_GZIP_MAGIC, at):
            return parts[0] if len(parts) == 1 else b"".join(parts)
    raise BodyRefused("the body is packed in too many pieces")


def _too_large(cap: int) -> BodyRefused:
    return BodyRefused(f"the body is larger than {cap // 1_000_000} MB")
