import os
import time
import zlib
from collections.abc import Callable

import pytest

from bot.sources.body import BodyRefused, body_hash, unpack
from tests.hostile.documents import gzipped

TEXT = b"<rss>" + b"news " * 1000 + b"</rss>"


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT, ""),
        (TEXT, "identity"),
        (TEXT, "gzip"),
        (gzipped(TEXT), "gzip"),
        (gzipped(TEXT), "X-GZIP"),
        (gzipped(TEXT), ""),
        (gzipped(TEXT) + b"\x00\x00trailing", "gzip"),
        (gzipped(TEXT[:100]) + gzipped(TEXT[100:]), "gzip"),
        (zlib.compress(TEXT), "deflate"),
        (raw_deflate(TEXT), "deflate"),
    ],
)
def test_packings(raw: bytes, encoding: str) -> None:
    """Every packing that servers send under these names gives the same bytes."""
    assert unpack(raw, encoding, 10_000) == TEXT


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (gzipped(TEXT)[:-9], "gzip"),
        (gzipped(TEXT)[:-4] + b"bad!", "gzip"),
        (zlib.compress(TEXT)[:-9], "deflate"),
        (b"\xff" * 40, "deflate"),
        (TEXT, "br"),
        (TEXT, "gzip, gzip"),
    ],
)
def test_refused(raw: bytes, encoding: str) -> None:
    """A damaged body is an error, never half a feed."""
    with pytest.raises(BodyRefused):
        unpack(raw, encoding, 10_000)


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
def test_row_1_the_cap_is_on_unpacked_bytes(encoding: str) -> None:
    """Row 1: exactly the cap passes, one byte more does not, however it is packed."""
    packers: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzipped, "deflate": zlib.compress}
    pack = packers[encoding]
    assert len(unpack(pack(b"x" * 1000), encoding, 1000)) == 1000
    with pytest.raises(BodyRefused):
        unpack(pack(b"x" * 1001), encoding, 1000)
    halves = pack(b"x" * 600) + pack(b"x" * 600)
    if encoding != "deflate":
        with pytest.raises(BodyRefused):
            unpack(halves, encoding, 1000)


def test_row_1_a_body_of_countless_members_costs_no_time() -> None:
    """Row 1: 10 MB of empty gzip members held the event loop for minutes, as each copied what was left over."""
    started = time.process_time()
    with pytest.raises(BodyRefused, match="too many pieces"):
        unpack(gzipped(b"") * 400_000, "gzip", 10_000_000)
    assert time.process_time() - started < 1.0
    assert unpack(gzipped(b"news") * 500, "gzip", 10_000) == b"news" * 500
    large = os.urandom(300_000)
    assert unpack(gzipped(large) + gzipped(large), "gzip", 1_000_000) == large * 2


def test_hash() -> None:
    """The digest is stable over runs and versions: it is stored."""
    assert body_hash(b"tocsin") == body_hash(b"tocsin") != body_hash(os.urandom(6))
    assert body_hash(b"tocsin") == "3f286e04c934c490273600d6819ee82a"
