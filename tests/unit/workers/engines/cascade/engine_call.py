"""One call of a cascade of toy parts, stepped as the runtime does it, with what it logs."""

from collections.abc import Iterable, Sequence

import numpy as np

from shared.audio import Pcm16
from tests.unit.workers.engines.cascade.toys import ToyHear, ToyModel, ToyVoice, word
from workers.engines.base import Opening, Output, Past, Speak, Work
from workers.engines.cascade.engine import CascadeEngine
from workers.engines.cascade.log import LoggedStep
from workers.engines.cascade.think import LocalThinker
from workers.models.llama.chat import Chat
from workers.models.llama.sampling import Sampling

QUESTION = (1, 1, 2, 3, 4, 5, 6)  # "what is the moon made of"
FINISHED = (*QUESTION, 10)
SILENCE = word(0)


class Call:
    """One slot of an engine, stepped as the runtime does it, with what it logs."""

    def __init__(self, engine: CascadeEngine, slot: int, opening: Opening | None = None) -> None:
        self.engine, self.slot = engine, slot
        self.opening = opening or Opening(7)
        self.past: list[Past] = []
        self.outputs: list[Output] = []
        engine.open(slot, self.opening)

    def work(self, hear: Iterable[Pcm16] = (), speak: Speak = Speak.NONE, **more: int) -> Work:
        return Work(self.slot, tuple(hear), speak, **more)  # type: ignore[arg-type]

    def note(self, work: Work, output: Output) -> Output:
        flags = (work.speak, output.began, output.ended)
        self.past.append(Past(work.hear, output.heard, output.said, *flags))
        self.outputs.append(output)
        return output

    def step(self, hear: Iterable[Pcm16] = (), speak: Speak = Speak.NONE, **more: bool) -> Output:
        work = self.work(hear, speak, **more)
        return self.note(work, self.engine.step([work])[0])

    def ask(self, words: Sequence[int]) -> None:
        for number in words:
            self.step([word(number)])

    def answer(self) -> None:
        """Until the reply has ended."""
        speak = Speak.BEGIN
        for _ in range(2_000):
            if self.step(speak=speak).ended:
                return
            speak = Speak.CONTINUE
        raise AssertionError("the reply does not end")

    @property
    def spoken(self) -> str:
        return " ".join(text for output in self.outputs for _, text in output.words_at)

    @property
    def sound(self) -> Pcm16:
        parts = [np.asarray(o.pcm) for o in self.outputs if o.pcm is not None]
        return np.concatenate([np.zeros(0, np.int16), *parts])

    @property
    def logged(self) -> list[LoggedStep]:
        return [LoggedStep.from_bytes(p.said) for p in self.past if p.said is not None]


def made(slots: int = 4, hear: ToyHear | None = None) -> CascadeEngine:
    model = ToyModel(slots)
    thinker = LocalThinker(model, Chat(model.tokenizer), Sampling(temperature=0.0))  # type: ignore[arg-type]
    return CascadeEngine(hear or ToyHear(), thinker, ToyVoice(), slots)
