"""Catalogues for tests: the messages of the code, written as tocsin.pot, and as the .po of a language."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[1]
TEMPLATE = ROOT / "bot" / "locale" / "tocsin.pot"
MARKERS = ("_", "N_", "ngettext")

_HEAD = """# What Tocsin says to people. How to translate it: docs/translating.md.
# Written by TOCSIN_WRITE_POT=1 python -m pytest tests/test_i18n.py
msgid ""
msgstr ""
"Project-Id-Version: tocsin\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""


class Marked(NamedTuple):
    """A message in the code; `many` is "" where it counts nothing."""

    one: str
    many: str


def called(node: ast.AST) -> str:
    """The name of the function or method that is called, "" for anything else."""
    if not isinstance(node, ast.Call):
        return ""
    return getattr(node.func, "id", "") or getattr(node.func, "attr", "")


def modules() -> list[Path]:
    return sorted((ROOT / "bot").rglob("*.py"))


def templates() -> list[Path]:
    return sorted((ROOT / "bot").rglob("templates/*.html"))


def _marked_in_template(path: Path) -> Iterator[Marked]:
    for node in Environment(autoescape=True).parse(path.read_text("utf-8")).find_all(nodes.Call):
        if isinstance(node.node, nodes.Name) and node.node.name in MARKERS:
            texts = [arg.value for arg in node.args if isinstance(arg, nodes.Const) and isinstance(arg.value, str)]
            assert len(texts) == (2 if node.node.name == "ngettext" else 1), f"{path}:{node.lineno}"
            yield Marked(texts[0], texts[1] if len(texts) > 1 else "")


def messages() -> dict[Marked, list[str]]:
    """Every message of the code, in order of appearance, with the files that have it."""
    found: dict[Marked, list[str]] = {}
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
        for node in sorted(calls, key=lambda node: (node.lineno, node.col_offset)):
            for message in _marked(node, f"{name}:{node.lineno}"):
                files = found.setdefault(message, [])
                files += [] if name in files else [name]
    for path in templates():
        name = path.relative_to(ROOT).as_posix()
        for message in _marked_in_template(path):
            files = found.setdefault(message, [])
            files += [] if name in files else [name]
    return found


def _marked(node: ast.Call, place: str) -> Iterator[Marked]:
    texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if called(node) == "ngettext":
        assert len(texts) == 2, f"{place}: both forms must stand here, as plain strings"
        yield Marked(texts[0], texts[1])
    elif called(node) == "N_" or (
        called(node) == "_" and not isinstance(node.args[0], ast.Name | ast.Subscript | ast.Attribute)
    ):
        assert len(texts) == 1, f"{place}: a message must be a plain string; what changes goes into named places"
        yield Marked(texts[0], "")


def template() -> str:
    """The text of tocsin.pot."""
    parts = [_HEAD]
    for message, files in messages().items():
        lines = (
            [f"#: {' '.join(files)}", "#, python-brace-format"]
            if "{" in "".join(message)
            else [f"#: {' '.join(files)}"]
        )
        lines.append(f"msgid {_quoted(message.one)}")
        lines += (
            [f"msgid_plural {_quoted(message.many)}", 'msgstr[0] ""', 'msgstr[1] ""'] if message.many else ['msgstr ""']
        )
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def write_po(folder: Path, language: str, texts: Mapping[Marked, tuple[str, ...]], plural_forms: str) -> None:
    """A translator's file (gettext manual, "The Format of PO Files")."""
    parts = [f'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: {plural_forms}\\n"\n']
    for message, forms in texts.items():
        lines = [f"msgid {_quoted(message.one)}"]
        if message.many:
            lines.append(f"msgid_plural {_quoted(message.many)}")
            lines += [f"msgstr[{n}] {_quoted(form)}" for n, form in enumerate(forms)]
        else:
            lines.append(f"msgstr {_quoted(forms[0])}")
        parts.append("\n".join(lines) + "\n")
    path = folder / language / "LC_MESSAGES" / "tocsin.po"
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(parts), "utf-8")
