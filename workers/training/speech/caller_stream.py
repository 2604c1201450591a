"""Endless caller speech, synthesised as training goes and placed in a new acoustic scene each time.

Each voice group has a ring of utterances. Drawing from a ring also adds new utterances, which
replace the oldest. Training draws an utterance of a fast engine about twice, one of a slow engine
nine times. Each rendition has its own speaker size, tempo, room, microphone, noise and level. The
rings bound the memory, and nothing is written to disk.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.models.mel import LogMel
from workers.training.questions.listener_texts import broad_text
from workers.training.speech.acoustics import AcousticScene, apply_scene, sound_alone
from workers.training.speech.callers import VOICE_GROUPS, CallerUtterance, VoiceGroup, varied
from workers.training.speech.producers import produced
from workers.training.speech.tts import speak
from workers.training.speech.utterances import ListenerBatch, collate, split_by_length

FIRST: Final = 24  # utterances in a new ring
TOGETHER: Final = 6  # batches drawn together and split by length
FRAMES_EACH: Final = 400  # mel frames of an utterance, roughly
# Silence before and after speech, in seconds; a turn has about .4 before and .6 after.
LEAD_S: Final = (0.0, 0.5)
TAIL_S: Final = (0.15, 0.75)
LONGEST_S: Final = 7.0
SOUND_S: Final = (0.2, 2.5)  # length of a sound without speech


class HasText(Protocol):
    """Anything with a text to speak."""

    @property
    def text(self) -> str:
        """Its words; '' for a sound without speech."""


TextT = TypeVar("TextT", bound=HasText)


@dataclass(frozen=True, slots=True)
class PlainText:
    """A text and nothing more."""

    text: str


@dataclass(frozen=True, slots=True)
class SynthesisedUtterance(Generic[TextT]):
    """An utterance as synthesised: float32 at 24 kHz and `waveforms.LEVEL`."""

    content: TextT
    voice: str
    samples: Floats


class UtteranceRing(Generic[TextT]):
    """The most recent utterances of one voice group; `draw` renews them."""

    def __init__(
        self, group: VoiceGroup, next_text: Callable[[], TextT], rng: random.Random
    ) -> None:
        self._group, self._next_text, self._rng = group, next_text, rng
        self._held: deque[SynthesisedUtterance[TextT]] = deque(maxlen=group.capacity)
        self._owed = float(FIRST)

    def _renew(self, count: int) -> None:
        wanted = [self._next_text() for _ in range(count)]
        spoken = [content for content in wanted if content.text]
        for content in wanted:
            if not content.text:
                samples = round(self._rng.uniform(*SOUND_S) * SAMPLE_RATE_HZ)
                draws = np.random.default_rng(self._rng.getrandbits(32))
                sound = sound_alone(samples, draws)
                self._held.append(SynthesisedUtterance(content, "nobody", sound))
        voices = self._rng.choices(self._group.voices, self._group.weights, k=len(spoken))
        jobs = [varied(v, c.text, self._rng) for v, c in zip(voices, spoken, strict=True)]
        for content, job, said in zip(spoken, jobs, speak(jobs), strict=True):
            if len(said) < LONGEST_S * SAMPLE_RATE_HZ:
                self._held.append(SynthesisedUtterance(content, str(job.voice), said))

    def draw(self, count: int) -> list[SynthesisedUtterance[TextT]]:
        """`count` utterances, after adding `count / reuse` new ones."""
        self._owed += count / self._group.reuse
        self._renew(int(self._owed))
        self._owed -= int(self._owed)
        return self._rng.choices(self._held, k=count)


class VoiceMix(Generic[TextT]):
    """All voice groups, mixed by their shares."""

    def __init__(
        self,
        next_text: Callable[[], TextT],
        rng: random.Random,
        groups: Sequence[VoiceGroup] = VOICE_GROUPS,
    ) -> None:
        self._rings = [(group, UtteranceRing(group, next_text, rng)) for group in groups]

    def draw(self, count: int) -> list[SynthesisedUtterance[TextT]]:
        """About `count` utterances: each group's share is rounded, to at least one."""
        parts = [ring.draw(max(1, round(count * group.share))) for group, ring in self._rings]
        return [utterance for part in parts for utterance in part]


class SceneRenderer:
    """Places utterances in acoustic scenes and computes their log-mels."""

    def __init__(self, scene: AcousticScene, seed: int) -> None:
        self.scene = scene
        self._rng = np.random.default_rng(seed)
        self._log_mel = LogMel()

    @torch.no_grad()
    def render(
        self,
        samples: Floats,
        others: Sequence[Floats],
        lead_s: tuple[float, float],
        tail_s: tuple[float, float],
    ) -> tuple[Tensor, int]:
        """One utterance with silence around it, in a new scene, where `others` may babble.

        Returns log-mels (T, 80), and the frame after the utterance's last.
        """
        before = round(self._rng.uniform(*lead_s) * SAMPLE_RATE_HZ)
        after = round(self._rng.uniform(*tail_s) * SAMPLE_RATE_HZ)
        placed = apply_scene(np.pad(samples, (before, after)), self.scene, others, self._rng)
        hop = self._log_mel.config.hop
        mels = self._log_mel(torch.from_numpy(placed)[None])[0]
        return mels, min(len(mels), -(-(before + len(samples)) // hop))


def other_voices(
    utterances: Sequence[SynthesisedUtterance[TextT]], own: SynthesisedUtterance[TextT]
) -> list[Floats]:
    """The samples of all speech among the utterances but `own`."""
    return [one.samples for one in utterances if one is not own and one.content.text]


def batches(seed: int, scene: AcousticScene, frames: int) -> Iterator[ListenerBatch]:
    """Endless batches of about `frames` mel frames, each of utterances of similar length."""
    rng = random.Random(seed)
    mix, renderer = VoiceMix(lambda: PlainText(broad_text(rng)), rng), SceneRenderer(scene, seed)
    while True:
        utterances = mix.draw(TOGETHER * frames // FRAMES_EACH)
        placed = []
        for said in utterances:
            others = other_voices(utterances, said)
            mels, _ = renderer.render(said.samples, others, LEAD_S, TAIL_S)
            placed.append(CallerUtterance(said.content.text, said.voice, mels.numpy()))
        found = list(split_by_length(placed, frames))
        rng.shuffle(found)
        for part in found:
            yield collate(part, [0] * len(part), [0] * len(part))


def load(seed: int, scene: AcousticScene, producers: int, frames: int) -> Iterator[ListenerBatch]:
    """`batches` from so many processes; 0: from this one."""
    return produced(partial(batches, scene=scene, frames=frames), seed, producers)
