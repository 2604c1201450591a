"""Families of small talk: one question each, with its phrasings and a fixed reply."""

import tomllib
from pathlib import Path
from typing import Final

from workers.training.questions.question_families import Form, QuestionFamily

WEIGHT: Final = 1.2


def _read() -> tuple[QuestionFamily, ...]:
    table = tomllib.loads(Path(__file__).with_name("small_talk.toml").read_text())
    return tuple(
        QuestionFamily(
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
