"""Declares the cascade's state of one slot: its turn, its reply, and its share of a step."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.audio import Pcm16
from shared.voices import Persona
from workers.engines.base import Work
from workers.engines.cascade.script import Script
from workers.engines.cascade.think import Delta

NO_ANSWER: Final = "I'm sorry, I have no answer to that. Could you ask it another way?"


@dataclass(slots=True)
class Slot:
    """One slot's turn and reply."""

    seed: int
    persona: Persona
    chunks: list[Pcm16] = field(default_factory=list)  # of the present turn, not settled
    settled: int = 0  # earlier chunks of the turn
    settled_text: str = ""  # their words
    typed: str = ""  # words that the caller typed, after what they said
    partial_at: int = 0  # chunks that the last partial transcript covered
    transcript: str | None = None  # of the turn as far as it was transcribed for a reply
    prepared_at: int | None = None  # chunks that `transcript` covers; None: nothing is prepared
    paused: int = 0  # chunks since the present pause was noticed
    replying: bool = False
    waits: bool = False  # the turn has ended and is not transcribed yet
    script: Script = field(default_factory=Script)
    pieces: int = 0  # spoken in this reply: with the seed it fixes the voice's draws
    sounded: bool = False  # the reply has had sound
    rest: Pcm16 = field(default_factory=lambda: np.zeros(0, np.int16))  # made, no whole frame yet

    @property
    def over(self) -> bool:
        """Whether the turn was answered."""
        return not self.replying and self.script.complete

    def heard_of(self, work: Work) -> str:
        """The transcript of the turn with which the aside must be read; "": it is read alone."""
        return (self.transcript or "") if work.aside_joins else ""

    def apologise(self, draft: "Draft") -> bool:
        """Answer words to which the model or the voice gave nothing; False: that was tried."""
        if self.script.text.endswith(NO_ANSWER):
            return False
        self.script.write(NO_ANSWER, complete=True)
        draft.delta = draft.delta._replace(text=draft.delta.text + NO_ANSWER)
        return True


@dataclass(slots=True)
class Draft:
    """What one slot's share of a step gave so far."""

    transcript: str | None = None
    delta: Delta = field(default_factory=Delta)
    pcm: Pcm16 | None = None  # whole frames
    words_at: tuple[tuple[int, str], ...] = ()
    words: str = ""  # to report, of a turn that goes on
    settled: str = ""  # words that were settled in this step
    aside: str = ""  # the words of `Work.aside`
