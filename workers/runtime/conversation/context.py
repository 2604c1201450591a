"""Where a session stands, and what the engine has heard in its present turn."""

from dataclasses import dataclass
from enum import IntEnum


class Phase(IntEnum):
    """Where a session stands."""

    ASLEEP = 0  # the engine does nothing; only the VAD listens
    HEARING = 1  # the caller speaks, the engine hears
    REPLYING = 2  # the assistant's reply is being made
    PLAYING = 3  # it is made but the caller has not heard it to its end


@dataclass(slots=True)
class Context:
    """What the engine has heard since the context base: the turn's first step."""

    first: int  # the first input record heard
    chunks: int
    base: int = 0  # the step it starts at
    spoke: bool = False  # real speech was in it
