"""Small talk: single questions with their own phrasings and a fixed answer, some of it long."""

import tomllib
from pathlib import Path
from typing import Final

from workers.training.questions.families import Family, Form

WEIGHT: Final = 1.2


def _read() -> tuple[Family, ...]:
    table = tomllib.loads(Path(__file__).with_name("chat.toml").read_text())
    return tuple(
        Family(
            row["name"],
            ({},),
            (Form(row["reply"], tuple(row["seen"]), tuple(row["unseen"])),),
            weight=WEIGHT,
        )
        for row in table["chat"]
    )


CHAT: Final = _read()

# What the model says to speech it cannot make sense of.
UNKNOWN_REPLY: Final = "sorry, i did not catch that. please say it again."
# What it says to noise that the VAD took for speech.
NO_REPLY: Final = ""
