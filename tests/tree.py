"""Keep the tree in docs/architecture.md complete: `python -m tests.tree` writes missing lines.

The picture has a line for each package and module of the product, and `(pure)` marks modules whose
imports do no I/O. A new line takes its text from the module's docstring; edit it as you like.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ARCHITECTURE: Final = ROOT / "docs" / "architecture.md"
PARTS: Final = ("client", "gateway", "shared", "workers")
# Packages that the picture shows without their modules.
FOLDED: Final = ("workers/evaluation", "workers/training")
HEADING: Final = "## The tree"
TEXT_COLUMN: Final = 34
MAX_TEXT: Final = 64
PURE: Final = "(pure)"

_BLOCK: Final = re.compile(rf"(?<={re.escape(HEADING)}\n)(.*?\n```\n)(.*?)(\n```)", re.DOTALL)
_LINE: Final = re.compile(r"( *)(\S+)(.*)")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the picture: a package (as "gateway/call/") or a module, and its text."""

    path: str
    text: str
    pure: bool = False

    def __str__(self) -> str:
        depth = self.path.rstrip("/").count("/")
        name = self.path.rstrip("/").rpartition("/")[2] + "/" * self.path.endswith("/")
        mark = f"  {PURE}" * self.pure
        return f"{'  ' * depth + name:<{TEXT_COLUMN}}{self.text}{mark}".rstrip()


def picture() -> dict[str, Line]:
    """The lines that docs/architecture.md has, by their paths."""
    lines: dict[str, Line] = {}
    folders: list[str] = []
    for drawn in _block().group(2).splitlines():
        found = _LINE.fullmatch(drawn)
        if found is None:
            raise ValueError(f"Expected an indented name and its text, got {drawn!r}")
        indent, name, text = found.groups()
        folders = folders[: len(indent) // 2]
        path = "".join(folders) + name
        if name.endswith("/"):
            folders.append(name)
        text = text.strip()
        lines[path] = Line(path, text.removesuffix(PURE).strip(), text.endswith(PURE))
    return lines


def tree() -> list[str]:
    """The packages and modules that exist, each package before its modules."""
    return [path for part in PARTS for path in _walk(ROOT / part)]


def _walk(folder: Path) -> Iterator[str]:
    name = folder.relative_to(ROOT).as_posix()
    if not (folder / "__init__.py").exists():
        return
    yield f"{name}/"
    if not name.startswith(FOLDED):
        modules = sorted(folder.glob("*.py"))
        yield from (m.relative_to(ROOT).as_posix() for m in modules if m.name != "__init__.py")
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield from _walk(inner)


def _block() -> re.Match[str]:
    found = _BLOCK.search(ARCHITECTURE.read_text())
    if found is None:
        raise ValueError(f"Expected a fenced block below {HEADING!r} in {ARCHITECTURE.name}")
    return found


def _described(path: str) -> str:
    """The first clause of a module's docstring, short enough for a line."""
    file = ROOT / path / "__init__.py" if path.endswith("/") else ROOT / path
    doc = (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0]
    clause = re.split(r"[:;.] |\.$", doc)[0]
    return clause if len(clause) <= MAX_TEXT else clause[:MAX_TEXT].rpartition(" ")[0] + " ..."


def main() -> None:
    """Rewrite the picture: add lines of new modules, remove lines of modules that are gone."""
    drawn = picture()
    lines = [str(drawn.get(path) or Line(path, _described(path))) for path in tree()]
    text, block = ARCHITECTURE.read_text(), _block()
    ARCHITECTURE.write_text(text[: block.start(2)] + "\n".join(lines) + text[block.end(2) :])


if __name__ == "__main__":
    main()
