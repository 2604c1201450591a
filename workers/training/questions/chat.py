"""Families of small talk: one question each, with its phrasings and a fixed reply."""

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

# The reply to speech that makes no sense.
UNKNOWN_REPLY: Final = "sorry, i did not catch that. please say it again."
# The reply to noise that the VAD took for speech.
NO_REPLY: Final = ""
