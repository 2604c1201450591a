"""Spoken turns without end, encoded by the listener.

Producer processes synthesise what `caller_texts.py` draws and place it in acoustic scenes
(`caller_stream.py`). The training process encodes it and keeps the states in a bounded pool; each
turn is used a few times before newer ones replace it. A language model that meets each rendition
often would learn the rendition.

Letters: B turns, F mel frames, T steps, W width of a listener state.
"""

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shared.audio import Floats
from workers.models.tokenizer.listener import Listener, States
from workers.training.questions.caller_texts import CallerText, samplers
from workers.training.questions.catalogue import Question
from workers.training.questions.question_families import Language
from workers.training.speech.acoustics import AcousticScene, with_pause
from workers.training.speech.augment import SILENCE, SPEAKER_AND_TEMPO, Augmenter
from workers.training.speech.caller_stream import SceneRenderer, VoiceMix, other_voices
from workers.training.speech.callers import SPANISH_VOICE_GROUPS, VOICE_GROUPS
from workers.training.speech.producers import produced

GROUPS_OF: Final = {Language.ENGLISH: VOICE_GROUPS, Language.SPANISH: SPANISH_VOICE_GROUPS}
STEP: Final = 8  # mel frames
BATCH: Final = 24
TOGETHER: Final = 96  # turns synthesised together, then split by length
CAPACITY: Final = 60_000  # turns in the pool, about 1.5 GB
FOLLOW_UPS_EACH: Final = 6  # renditions kept of each follow-up
LEAD_S: Final = (0.2, 0.64)  # before speech; the runtime's pre-roll is about 400 ms
TAIL: Final = 12  # steps after the end of speech
# The tail of a share of the turns, since stream mode listens while it speaks. Turns that break off
# have it too, since their GO comes late.
LONG_TAIL: Final = 36
LONG_SHARE: Final = 0.2
PAUSED: Final = 0.12  # share of turns with a thinking pause inside
PAUSE_S: Final = (0.15, 0.8)
PAUSE_FROM: Final = (0.15, 0.6)  # share of the utterance after which the pause may come, ...
PAUSE_WITHIN: Final = 0.3  # ... at the quietest place of the next share
# Milder than the listener's own training: the model cannot learn what the listener cannot
# recognise.
SCENE: Final = AcousticScene(noise=0.5, noise_db=(8.0, 30.0), room=0.3, narrow=0.08, clip=0.04)
STRENGTH: Final = replace(
    SPEAKER_AND_TEMPO, warp=(0.9, 1.12), stretch=(0.88, 1.15), mask_frames=6, mask_bins=6
)


@dataclass(frozen=True, slots=True)
class EncodedTurn:
    """One rendition as the listener encodes it; `end` is the first step after speech."""

    said: CallerText
    states: States  # (T, W)
    end: int


@dataclass(frozen=True, slots=True)
class TurnBatch:
    """Padded mels of one batch, as a producer hands them over."""

    texts: list[CallerText]
    mels: Tensor  # (B, F, 80) float16
    steps: list[int]
    ends: list[int]


def turn_batches(seed: int, families: Sequence[str]) -> Iterator[TurnBatch]:
    """Endless batches of placed turns of similar length."""
    rng = random.Random(seed)
    mixes: list[VoiceMix[CallerText]] = [
        VoiceMix(sampler, rng, GROUPS_OF[language])
        for language, sampler in samplers(rng, families).items()
    ]
    renderer, augment = SceneRenderer(SCENE, seed), Augmenter(STRENGTH, seed)
    while True:
        placed = []
        utterances = [said for mix in mixes for said in mix.draw(TOGETHER)]
        for said in utterances:
            long = said.content.unfinished or rng.random() < LONG_SHARE
            tail_s = (((LONG_TAIL if long else TAIL) + 2) * STEP / 100,) * 2
            others = other_voices(utterances, said)
            samples = _with_thinking_pause(said.samples, rng)
            mels, end = renderer.render(samples, others, LEAD_S, tail_s)
            placed.append((said.content, mels, end))
        placed.sort(key=lambda one: len(one[1]))
        for start in range(0, len(placed), BATCH):
            yield _batch(placed[start : start + BATCH], augment)


def _with_thinking_pause(samples: Floats, rng: random.Random) -> Floats:
    """The utterance, in a share of the cases with a pause inside."""
    if rng.random() >= PAUSED:
        return samples
    start = rng.uniform(*PAUSE_FROM)
    return with_pause(samples, rng.uniform(*PAUSE_S), (start, start + PAUSE_WITHIN))


def _batch(placed: Sequence[tuple[CallerText, Tensor, int]], augment: Augmenter) -> TurnBatch:
    lengths = torch.tensor([len(mels) for _, mels, _ in placed])
    mels = torch.nn.utils.rnn.pad_sequence(
        [mels for _, mels, _ in placed], batch_first=True, padding_value=SILENCE
    )
    mels, stretched = augment(mels, lengths)
    share = stretched / lengths
    ends = [-(-round(end * float(s)) // STEP) for (_, _, end), s in zip(placed, share, strict=True)]
    steps = (stretched // STEP).tolist()
    whole = mels[:, : max(steps) * STEP].half()
    return TurnBatch([said for said, _, _ in placed], whole, steps, ends)


def load(seed: int, producers: int, families: Sequence[str]) -> Iterator[TurnBatch]:
    """`turn_batches` from so many processes; 0: from this one."""
    return produced(partial(turn_batches, families=families), seed, producers)


@torch.no_grad()
def encode_turns(listener: Listener, batch: TurnBatch) -> list[EncodedTurn]:
    """The turns of a batch; each has its own copy of its states."""
    device = next(listener.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16):
        states = listener(batch.mels.to(device).float()).states
    found = states.float().cpu().numpy().astype(np.float16)
    rows = zip(batch.texts, found, batch.steps, batch.ends, strict=True)
    return [
        EncodedTurn(said, row[:steps].copy(), min(end, steps)) for said, row, steps, end in rows
    ]


class TurnPool:
    """The most recent turns; `refill` adds new ones in place of the oldest."""

    def __init__(
        self, listener: Listener, seed: int, producers: int, families: Sequence[str] = ()
    ) -> None:
        self._listener = listener.eval()
        self._source = load(seed, producers, families)
        self._firsts: deque[EncodedTurn] = deque(maxlen=CAPACITY)
        self._follow_ups: dict[str, deque[EncodedTurn]] = defaultdict(
            lambda: deque(maxlen=FOLLOW_UPS_EACH)
        )

    def __len__(self) -> int:
        return len(self._firsts)

    def refill(self, turns: int) -> None:
        """Add at least so many new turns."""
        added = 0
        while added < turns:
            for turn in encode_turns(self._listener, next(self._source)):
                added += 1
                if turn.said.is_follow_up:
                    self._follow_ups[turn.said.text].append(turn)
                else:
                    self._firsts.append(turn)

    def first(self, rng: random.Random) -> EncodedTurn:
        """A turn that needs no earlier turn."""
        return self._firsts[rng.randrange(len(self._firsts))]

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A rendition of a follow-up, or None if the pool has none."""
        found = self._follow_ups.get(question.text)
        return found[rng.randrange(len(found))] if found else None

    def spread(self) -> Floats:
        """The standard deviation of the states, (W,)."""
        some = [self._firsts[i].states for i in range(0, len(self._firsts), 7)][:2000]
        spread: Floats = np.concatenate(some).astype(np.float32).std(axis=0)
        return spread
