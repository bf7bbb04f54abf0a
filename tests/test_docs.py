"""The documentation is complete, and leads somewhere: what the code has, the pages name."""

import re
from pathlib import Path

import pytest
import typer

from bot.chats.manifest import SCOPES
from bot.cli import app
from bot.commands import COMMANDS
from bot.config import Config, example_path
from bot.config.reader import ENVIRONMENT
from tests.pictures import pictures

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def keys_of_the_example() -> set[str]:
    """`section.key` of everything in config.example.toml, commented defaults too; `source.key` for sources."""
    section, keys = "", set()
    for line in example_path().read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[\[?(\w+)\]\]?", line):
            section = header[1]
        elif key := re.match(r"(?:# )?(\w+) = ", line):
            keys.add(f"{section}.{key[1]}")
    return keys


def test_every_setting_is_documented() -> None:
    """A key of the configuration, or a variable of the environment, that operations.md does not name can't be found."""
    text = page("docs/operations.md")
    undocumented = [
        key for key in keys_of_the_example() if not re.search(r"\[+{}\]+ {}`".format(*key.split(".")), text)
    ]
    assert undocumented == []
    assert [name for name in ENVIRONMENT if f"`{name}`" not in text] == []


def test_every_command_of_the_shell_is_in_the_readme() -> None:
    """A command that the README does not name is one that nobody uses."""
    text = page("README.md")
    top = typer.main.get_command(app)
    names = getattr(top, "commands", {})
    assert len(names) > 5
    assert [name for name in names if not re.search(rf"`tocsin {name}\b", text)] == []


def test_every_command_of_the_chat_is_in_the_readme() -> None:
    """Except those that begin a conversation by themselves."""
    text = page("README.md")
    assert [name for name in COMMANDS if name != "start" and f"`/{name}" not in text] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link is a file of the repository, and every anchor a heading there."""
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", path.read_text("utf-8")):
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, target


def test_every_page_can_be_found() -> None:
    """From the README, by links, one reaches every page."""
    found, todo = {ROOT / "README.md"}, [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s#]+)", path.read_text("utf-8")):
            there = (path.parent / target).resolve()
            pages = sorted(there.glob("*.md")) if there.is_dir() else [there]
            for one in pages:
                if one.suffix == ".md" and one not in found:
                    found.add(one)
                    todo.append(one)
    assert [str(one.relative_to(ROOT)) for one in PAGES if one not in found] == []


def test_the_tests_named_by_the_guarantees_exist() -> None:
    """A promise with a test that was renamed away is a promise without one."""
    for name in ("docs/guarantees.md", "docs/guarantees-store.md"):
        text = page(name)
        for target in re.findall(r"`((?:tests|benchmarks)/[\w./]+)", text):
            assert (ROOT / target).exists(), target
        code = "\n".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
        for test in re.findall(r"(?<![\w/])(test_\w+)(?![\w.])", text):
            assert f"def {test}(" in code, test


def test_what_the_configuration_shows_of_itself_holds_no_secret() -> None:
    """Its repr is what ends in tracebacks."""
    assert "token" not in repr(Config()).replace("token=", "")


async def test_the_pictures_are_what_the_code_prints() -> None:
    """A picture of how it was last year is a promise that nobody keeps. New ones: python -m tests.pictures."""
    for name, svg in (await pictures()).items():
        assert (ROOT / "docs" / "pictures" / name).read_text("utf-8") == svg, f"python -m tests.pictures ({name})"


def test_every_permission_on_slack_has_its_reason() -> None:
    """Who pastes the manifest is told what each scope is for."""
    assert [scope for scope in SCOPES if f"`{scope}`" not in page("docs/slack.md")] == []
