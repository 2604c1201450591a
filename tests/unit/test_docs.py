"""The documents: generated pages are current, links lead somewhere, and named things exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import pytest

from docs import generate
from docs.command_line import PAGE, PROGRAMS, page
from docs.meanings import MEANINGS
from gateway.call.resume import Outcome
from gateway.protocol import client_messages, server_messages
from gateway.protocol.errors import ErrorCode
from shared.settings import reference
from tests.sdk.pages import PAGES as SDK_PAGES
from tests.sdk.pages import program_in

ROOT: Final = Path(__file__).parents[2]
MAX_README_LINES: Final = 150
SOUND_WITHIN_LINES: Final = 30
MAX_COLUMNS: Final = 100
PAGES: Final = ("*.md", "docs/*.md", "docs/deploy/*.md", "docs/runbook/*.md", "examples/*.md")
GUIDES: Final = sorted(
    path for pattern in PAGES for path in ROOT.glob(pattern) if path.name != "CHANGELOG.md"
)
ALL: Final = [*GUIDES, ROOT / "CHANGELOG.md", *sorted(ROOT.glob("docs/reference/*.md"))]
# Names in capitals that are no settings of ours.
OTHERS: Final = {
    *(
        "ARGS",
        "CALLERS",
        "CONFIG",
        "CLIENT",
        "DATA",
        "FAULTS",
        "MINUTES",
        "NAME",
        "PARTS",
        "PID",
        "SID",
    ),
    *("SPEAKER_MAIN", "TOKEN", "WAV"),
    *("BASE", "FRONT_SUBNET", "GATEWAY_IMAGE", "GATEWAY_REDIS_URL", "GRAFANA_PASSWORD", "IMAGES"),
    *("PING", "POD", "REDIS_MAXMEMORY", "SITE", "SLOWLOG", "WORKER_IMAGE", "WORKER_REDIS_URL"),
}
SESSION: Final = f'"session": "{"0" * 32}"'

_FENCE: Final = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")
_PATH: Final = re.compile(r"(?:client|deploy|docs|examples|gateway|shared|tests|workers)/[\w./-]*")
_SETTING: Final = re.compile(r"\b[A-Z][A-Z_]{2,}(?==)|(?<=`)[A-Z][A-Z_]{2,}(?=`)")


def prose(path: Path) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", path.read_text())


def anchors(path: Path) -> set[str]:
    """What a link to a page may have after its `#`."""
    titles = re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def links(path: Path) -> Iterator[tuple[Path, str]]:
    """A page's links within the repository: the file and the anchor."""
    for link in _LINK.findall(prose(path)):
        if not link.startswith(("http:", "https:")):
            target, _, anchor = link.partition("#")
            yield (path.parent / target).resolve() if target else path, anchor


def code_names(path: Path) -> set[str]:
    """Everything that a page sets as code."""
    return set(_CODE.findall(prose(path)))


def targets() -> set[str]:
    """The Makefile's targets."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_generated_pages_say_what_the_code_says() -> None:
    assert not generate.stale(), "run `python -m docs.generate`"


def test_the_readme_is_short_and_begins_with_sound() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    assert len(lines) <= MAX_README_LINES
    assert any("make run" in line for line in lines[:SOUND_WITHIN_LINES])
    assert any("make talk" in line for line in lines[:SOUND_WITHIN_LINES])


@pytest.mark.parametrize("path", ALL, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_internal_link_leads_somewhere(path: Path) -> None:
    for target, anchor in links(path):
        assert target.exists(), target
        if anchor:
            assert anchor in anchors(target), f"{target.name}#{anchor}"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_file_exists(path: Path) -> None:
    for name in code_names(path):
        # Without the wildcards and words around it.
        found = _PATH.fullmatch(name.removesuffix("/"))
        if found and "NAME" not in name:
            assert (ROOT / name).exists(), f"{path.name} names {name}"


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_setting_exists(path: Path) -> None:
    known = {entry.name for entry in reference()} | OTHERS
    assert set(_SETTING.findall(path.read_text())) <= known


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_named_make_target_exists(path: Path) -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", path.read_text(), re.MULTILINE))
    assert named <= targets()


def test_the_page_of_flags_says_what_the_programs_that_make_passes_flags_to_say() -> None:
    recipes = re.findall(r"python -m (\S+).*\$\(ARGS\)", (ROOT / "Makefile").read_text())
    programs = {name.removesuffix(".__main__") for name in PROGRAMS}
    assert set(recipes) - {"pytest"} <= programs
    assert PAGE.read_text() == page(), "run `python -m docs.command_line`"
    assert set(PROGRAMS.values()) <= targets()


@pytest.mark.parametrize("name", sorted(SDK_PAGES.values()))
def test_the_program_of_an_sdk_has_under_ten_lines_or_its_page_says_why(name: str) -> None:
    text = (ROOT / "docs" / "sdk" / f"{name}.md").read_text()
    lines = [line for line in program_in(text).splitlines() if line.strip()]
    assert max(map(len, lines)) <= MAX_COLUMNS
    assert len(lines) < 10 or f"It takes {len(lines)} lines" in text


def test_the_guide_explains_every_message_and_the_fields_that_a_client_needs() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text()
    for module in (client_messages, server_messages):
        for tag in generate.tags(module):
            if tag not in ("ping", "pong"):  # they need no guide
                assert re.search(rf"\b{tag}\b", text), f"docs/protocol.md does not name {tag}"


def test_every_code_and_field_that_the_guide_names_exists() -> None:
    names = {code.value for code in ErrorCode} | {outcome.value for outcome in Outcome}
    for module in (client_messages, server_messages):
        names |= set(generate.tags(module))
        names |= {name.partition(".")[2] for name in generate.field_names(module)}
    named = {
        n for n in code_names(ROOT / "docs" / "protocol.md") if re.fullmatch("[a-z]+(_[a-z]+)+", n)
    }
    assert named <= names


def test_the_examples_of_messages_in_the_guide_are_valid() -> None:
    text = (ROOT / "docs" / "protocol.md").read_text().replace('"session": "..."', SESSION)
    examples = re.findall(r'\{"type": .*\}', text)
    assert len(examples) >= 3
    for example in examples:
        client_messages.parse(example.strip("`"))  # raises CallError where it is wrong


def test_every_field_of_the_protocol_has_a_meaning_and_no_other() -> None:
    sides = (client_messages, server_messages)
    assert set(MEANINGS) == {name for side in sides for name in generate.field_names(side)}


def test_the_reference_lists_every_error_code() -> None:
    listed = (ROOT / "docs" / "reference" / "protocol.md").read_text()
    assert all(f"| `{code}` | {code.close_code} |" in listed for code in ErrorCode)


def test_the_picture_keeps_its_text_as_text_and_has_a_dark_variant() -> None:
    source = (ROOT / "docs" / "how-it-works.svg").read_text()
    picture = ElementTree.fromstring(source)  # noqa: S314 # our own file
    words = " ".join(
        "".join(node.itertext()) for node in picture.iter() if node.tag.endswith("text")
    )
    assert all(name in words for name in ("Browser", "Gateway", "Redis Streams", "Worker"))
    assert "prefers-color-scheme: dark" in source
