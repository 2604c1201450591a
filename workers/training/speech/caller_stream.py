"""Broad caller speech without end: synthesised as training goes, heard in a new place each time.

Each kind of voice has a ring of utterances. Drawing from it pays for new ones, which replace the
oldest: a fast engine's utterance is heard about twice before it goes, a slow one's eight times,
and each hearing has its own speaker size, tempo, room, microphone, noise and level. Memory is
bounded by the rings; nothing is written to disk.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.models.mel import LogMel
from workers.training.questions.listener_texts import broad_text
from workers.training.speech import acoustics
from workers.training.speech.callers import VOICE_GROUPS, CallerUtterance, VoiceGroup, varied
from workers.training.speech.tts import speak
from workers.training.speech.utterances import ListenerBatch, collate, split_by_length

FIRST: Final = 24  # utterances with which a ring begins
TOGETHER: Final = 6  # batches drawn together and split by length
# Silence before and after speech, in seconds; a turn has about .4 before and .6 after.
LEAD_S: Final = (0.0, 0.5)
TAIL_S: Final = (0.15, 0.75)
LONGEST_S: Final = 7.0


class HasText(Protocol):
    """What is to be said: anything with a text."""

    @property
    def text(self) -> str:
        """Its words; '' says nothing."""


TextT = TypeVar("TextT", bound=HasText)


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text and nothing more."""

    text: str


@dataclass(frozen=True, slots=True)
class SynthesisedUtterance(Generic[TextT]):
    """An utterance as synthesised: float32 at 24 kHz and `tts.LEVEL`."""

    what: TextT
    voice: str
    samples: Floats


class UtteranceRing(Generic[TextT]):
    """Utterances of one kind of voice; `draw` renews them."""

    def __init__(self, kind: VoiceGroup, draw: Callable[[], TextT], rng: random.Random) -> None:
        self._kind, self._next, self._rng = kind, draw, rng
        self._held: deque[SynthesisedUtterance[TextT]] = deque(maxlen=kind.capacity)
        self._owed = float(FIRST)

    def _renew(self, count: int) -> None:
        wanted = [self._next() for _ in range(count)]
        spoken = [what for what in wanted if what.text]
        for what in wanted:
            if not what.text:
                count = round(self._rng.uniform(0.2, 2.5) * SAMPLE_RATE_HZ)
                sound = acoustics.sound_alone(
                    count, np.random.default_rng(self._rng.getrandbits(32))
                )
                self._held.append(SynthesisedUtterance(what, "nobody", sound))
        voices = self._rng.choices(self._kind.voices, self._kind.weights, k=len(spoken))
        jobs = [varied(v, w.text, self._rng) for v, w in zip(voices, spoken, strict=True)]
        for what, job, samples in zip(spoken, jobs, speak(jobs), strict=True):
            if len(samples) < LONGEST_S * SAMPLE_RATE_HZ:
                self._held.append(SynthesisedUtterance(what, str(job.voice), samples))

    def draw(self, count: int) -> list[SynthesisedUtterance[TextT]]:
        """`count` utterances, after making as many new ones as that pays for."""
        self._owed += count / self._kind.reuse
        self._renew(int(self._owed))
        self._owed -= int(self._owed)
        return self._rng.choices(self._held, k=count)


class VoiceMix(Generic[TextT]):
    """All kinds of voices, mixed by their shares."""

    def __init__(
        self,
        draw: Callable[[], TextT],
        rng: random.Random,
        kinds: Sequence[VoiceGroup] = VOICE_GROUPS,
    ) -> None:
        self._rings = [(kind, UtteranceRing(kind, draw, rng)) for kind in kinds]

    def draw(self, count: int) -> list[SynthesisedUtterance[TextT]]:
        """About `count` utterances (each kind's share is rounded, to one at least)."""
        parts = [ring.draw(max(1, round(count * kind.share))) for kind, ring in self._rings]
        return [said for part in parts for said in part]


class SceneRenderer:
    """Puts utterances into places and takes their log-mels."""

    def __init__(self, scene: acoustics.AcousticScene, seed: int) -> None:
        self.scene = scene
        self._rng = np.random.default_rng(seed)
        self._front = LogMel()

    @torch.no_grad()
    def hear(
        self,
        samples: Floats,
        others: Sequence[Floats],
        lead_s: tuple[float, float],
        tail_s: tuple[float, float],
    ) -> tuple[Tensor, int]:
        """One utterance with silence around it, in a place of its own.

        `others` may babble behind. -> log-mels (T, 80), and the frame after its last.
        """
        before = round(self._rng.uniform(*lead_s) * SAMPLE_RATE_HZ)
        after = round(self._rng.uniform(*tail_s) * SAMPLE_RATE_HZ)
        placed = acoustics.apply_scene(
            np.pad(samples, (before, after)), self.scene, others, self._rng
        )
        hop = self._front.config.hop
        mels = self._front(torch.from_numpy(placed)[None])[0]
        return mels, min(len(mels), -(-(before + len(samples)) // hop))


def other_voices(
    spoken: Sequence[SynthesisedUtterance[TextT]], but: SynthesisedUtterance[TextT]
) -> list[Floats]:
    """What the others say."""
    return [said.samples for said in spoken if said is not but and said.what.text]


def batches(seed: int, scene: acoustics.AcousticScene, frames: int) -> Iterator[ListenerBatch]:
    """Endless batches of about `frames` mel frames, each of utterances of similar length."""
    rng = random.Random(seed)
    speech, ear = VoiceMix(lambda: PlainText(broad_text(rng)), rng), SceneRenderer(scene, seed)
    while True:
        spoken = speech.draw(TOGETHER * frames // 400)
        heard = []
        for said in spoken:
            mels, _ = ear.hear(said.samples, other_voices(spoken, said), LEAD_S, TAIL_S)
            heard.append(CallerUtterance(said.what.text, said.voice, mels.numpy()))
        found = list(split_by_length(heard, frames))
        rng.shuffle(found)
        for part in found:
            yield collate(part, [0] * len(part), [0] * len(part))


class CallerBatches(IterableDataset[ListenerBatch]):
    """`batches` for a DataLoader: each producer process speaks for itself."""

    def __init__(self, seed: int, scene: acoustics.AcousticScene, frames: int) -> None:
        self._seed, self._scene, self._frames = seed, scene, frames

    def __iter__(self) -> Iterator[ListenerBatch]:
        producer = get_worker_info()
        own = 0 if producer is None else producer.id
        return batches(1000 * self._seed + own, self._scene, self._frames)


def load(
    seed: int, scene: acoustics.AcousticScene, producers: int, frames: int
) -> Iterator[ListenerBatch]:
    """Batches made by `producers` processes; 0: made in this one, as they are wanted."""
    return iter(
        DataLoader(CallerBatches(seed, scene, frames), batch_size=None, num_workers=producers)
    )
