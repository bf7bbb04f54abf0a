"""Feed documents that are wrong, huge or hostile: the bodies behind the shapes of `server`."""

import gzip
import zlib


def rss(items: str, head: str = "<title>Hostile Herald</title>") -> bytes:
    """An RSS 2.0 document around these items."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>{head}{items}</channel></rss>'.encode()


def item(number: int, title: str = "", *, guid: str | None = None, date: str = "", more: str = "") -> str:
    """One item; `guid` "" leaves it out."""
    name = f"item-{number}" if guid is None else guid
    return (
        f"<item><title>{title or f'Report number {number}'}</title><link>https://example.org/{number}</link>"
        + (f"<guid isPermaLink='false'>{name}</guid>" if name else "")
        + (f"<pubDate>{date}</pubDate>" if date else "")
        + f"{more}</item>"
    )


OK = rss(item(1) + item(2) + item(3))

CYRILLIC = "Ракетный удар по Идлибу, сообщают местные жители и журналисты"
GERMAN = "Größere Überschwemmungen in der Küstenstadt – „höchste Gefahr“"


def comments(n: int) -> bytes:
    """Row 6: escaped comment openers; quadratic in feedparser's sanitiser."""
    return rss(f"<item><title>bomb</title><description>{'&lt;!--' * n}</description></item>")


def author(n: int) -> bytes:
    """Row 6: quadratic in feedparser's e-mail expression."""
    return rss(f"<item><title>bomb</title><author>{'a' * n}</author></item>")


def deep_markup(n: int) -> bytes:
    """Row 6: nested elements inside a description."""
    return rss(f"<item><title>bomb</title><description>{'&lt;a&gt;' * n}</description></item>")


def deep_xml(n: int) -> bytes:
    """Row 6: nested unknown elements that never close."""
    return b"<rss version='2.0'><channel><item>" + b"<a>" * n


def laughs(levels: int = 12) -> bytes:
    """Row 4: entities that double ten times over at each level."""
    entities = '<!ENTITY l0 "ha">\n' + "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">\n' for i in range(1, levels))
    return f"<?xml version='1.0'?>\n<!DOCTYPE rss [\n{entities}]>\n<rss version='2.0'><channel><item><title>&l{levels - 1};</title></item></channel></rss>".encode()


def quadratic(n: int = 50_000) -> bytes:
    """Row 4: one long entity, repeated."""
    return f"<!DOCTYPE rss [\n<!ENTITY big \"{'x' * n}\">\n]>\n<rss version='2.0'><channel><item><title>{'&big;' * n}</title></item></channel></rss>".encode()


def xxe(target: str) -> bytes:
    """Row 5: external entity, external DTD and parameter entity, all leading to `target`."""
    return (
        f'<?xml version="1.0"?>\n<!DOCTYPE rss SYSTEM "{target}/dtd" [\n<!ENTITY file SYSTEM "file:///etc/passwd">\n'
        f'<!ENTITY http SYSTEM "{target}/entity">\n<!ENTITY % param SYSTEM "{target}/param">\n%param;\n]>\n'
        "<rss version='2.0'><channel><title>&file;</title><item><title>&http;&file;</title></item></channel></rss>"
    ).encode()


def items(n: int) -> bytes:
    """Row 7: far more items than anyone reads, newest first."""
    return rss("".join(item(i) for i in range(n)))


def gzip_bomb(size: int = 1 << 30) -> bytes:
    """Row 1: about a thousandth of `size` bytes that unpack to it."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


def gzipped(body: bytes) -> bytes:
    """The same bytes each time."""
    return gzip.compress(body, mtime=0)


def encoded(encoding: str, text: str, declared: str = "") -> bytes:
    """Row 16: a document in `encoding`, declaring another one or none."""
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else '<?xml version="1.0"?>'
    return f"{declaration}<rss version='2.0'><channel><item><title>{text}</title></item></channel></rss>".encode(
        encoding
    )
