"""The sheet of prompts that a person reads to adapt the listener: writing, reading and checking it.

prompts.tsv    a line a recording: 01.wav <tab> what is three plus four?
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.errors import ConfigError
from workers.training.questions.catalogue import Split, questions, words
from workers.training.questions.listener_texts import phones

SHEET: Final = "prompts.tsv"


def sheet(count: int, seed: int = 1) -> list[str]:
    """Prompts to read: questions of as many families as possible, in a fixed order."""
    rng = random.Random(seed)
    families: dict[str, list[str]] = {}
    for question in questions(Split.TRAIN):
        families.setdefault(question.family, []).append(question.text)
    pools = [rng.sample(texts, len(texts)) for texts in families.values()]
    rng.shuffle(pools)
    most = max(map(len, pools))
    return [pool[i] for i in range(most) for pool in pools if i < len(pool)][:count]


def write_sheet(folder: Path, texts: Sequence[str]) -> None:
    """Write the sheet, with a file name for each recording."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{number:02d}.wav\t{text}" for number, text in enumerate(texts, 1)]
    (folder / SHEET).write_text("\n".join(lines) + "\n")


def read_sheet(folder: Path) -> list[tuple[str, str]]:
    """The (file, text) of each line. Raises ConfigError naming a line that does not work."""
    path = folder / SHEET
    if not path.exists():
        raise ConfigError(
            f"Expected {path}, got none: `python -m workers.training prompts {folder}` writes one"
        )
    rows = [line.split("\t") for line in path.read_text().splitlines() if line.strip()]
    wrong = [row for row in rows if len(row) != 2]
    if wrong:
        raise ConfigError(f"Expected `file<tab>text` in every line of {path}, got {wrong[0]}")
    return [(name, _readable(path, text)) for name, text in rows]


def check_enough(folder: Path, count: int, train: int) -> None:
    """Raises ConfigError if training would leave no prompt for judging."""
    if count <= train:
        raise ConfigError(
            f"Expected more than {train} prompts in {folder}, the others for judging, got {count}: "
            "read more, or lower --train"
        )


def _readable(path: Path, text: str) -> str:
    plain = " ".join(words(text))
    unknown = [word for word in plain.split() if not phones(word)]
    if unknown or not plain:
        raise ConfigError(
            f"Expected words of the pronunciation dictionary in {path}, got {unknown or text!r}: "
            "take another prompt"
        )
    return plain
