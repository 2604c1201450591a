"""Written conversations from JSON lines, and which of them are held out."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from shared.errors import ConfigError

HELD_OUT_OF_1000: Final = 30


class Exchange(NamedTuple):
    """What the caller says and what Antiphon answers."""

    caller: str
    answer: str


@dataclass(frozen=True, slots=True)
class Conversation:
    """Exchanges in order, with the topic under which a corpus counts them."""

    topic: str
    turns: tuple[Exchange, ...]

    @property
    def opening(self) -> str:
        """The caller's first words without case and end marks."""
        return self.turns[0].caller.lower().strip(" .?!")

    @property
    def held_out(self) -> bool:
        """Whether it is kept from training; by its first words, so that files may grow."""
        digest = hashlib.blake2b(self.opening.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "little") % 1000 < HELD_OUT_OF_1000


def single(topic: str, caller: str, answer: str) -> Conversation:
    """A conversation of one exchange."""
    return Conversation(topic, (Exchange(caller, answer),))


def several(topic: str, *turns: tuple[str, str]) -> Conversation:
    """A conversation of these exchanges."""
    return Conversation(topic, tuple(Exchange(caller, answer) for caller, answer in turns))


def read(files: Iterable[Path]) -> list[Conversation]:
    """All conversations of files, or of folders of *.jsonl, each once. Raises ConfigError.

    A last line without a line feed is still being written, and is left out.
    """
    found: dict[Conversation, None] = {}
    for path in sorted(file for given in files for file in _files(given)):
        if not path.exists():
            raise ConfigError(f"Expected a file of conversations, but {path} is missing")
        for number, line in enumerate(path.read_text().splitlines(keepends=True), 1):
            if line.strip() and line.endswith("\n"):
                found[_parse(line, f"{path}:{number}")] = None
    return list(found)


def write(path: Path, conversations: Sequence[Conversation]) -> None:
    """Write JSON lines as `read` takes them, atomically."""
    lines = [
        json.dumps({"topic": one.topic, "turns": one.turns}, ensure_ascii=False) + "\n"
        for one in conversations
    ]
    partial = path.with_name(path.name + ".partial")
    partial.write_text("".join(lines), encoding="utf-8")
    partial.replace(path)


def _files(given: Path) -> list[Path]:
    return sorted(given.glob("*.jsonl")) if given.is_dir() else [given]


def _parse(line: str, where: str) -> Conversation:
    try:
        told = json.loads(line)
        turns = tuple(
            Exchange(str(said).strip(), str(reply).strip()) for said, reply in told["turns"]
        )
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f'Expected {{"topic": ..., "turns": [[caller, answer], ...]}} at {where}: {error}'
        ) from error
    if not turns or not all(said and reply for said, reply in turns):
        raise ConfigError(f"Expected words in every turn at {where}, got {line.strip()[:80]}")
    return Conversation(str(told.get("topic", "")), turns)
