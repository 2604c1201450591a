"""Spoken turns without end, as the listener hears them.

Producers speak what `Asker` draws and put it into places (`stream`); the trainer's process listens
and keeps the states in a bounded memory, each used a few times before newer ones replace it. A
language model that meets each rendition often learns the rendition.

Letters: B turns, F mel frames, T steps, W width of a heard state.
"""

import random
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from shared.audio import Floats
from workers.models.tokenizer.listener import Listener, States
from workers.training.questions.caller_texts import CallerText, samplers
from workers.training.questions.catalogue import Question
from workers.training.questions.families import Language
from workers.training.speech.acoustics import AcousticScene, with_pause
from workers.training.speech.augment import SILENCE, Augmenter, Strength
from workers.training.speech.caller_stream import SceneRenderer, VoiceMix, other_voices
from workers.training.speech.callers import SPANISH_VOICE_GROUPS, VOICE_GROUPS

KINDS_IN: Final = {Language.ENGLISH: VOICE_GROUPS, Language.SPANISH: SPANISH_VOICE_GROUPS}
STEP: Final = 8  # mel frames
BATCH: Final = 24
TOGETHER: Final = 96  # spoken together, then cut by length
CAPACITY: Final = 60_000  # turns, about 1.5 GB
SECONDS_EACH: Final = 6  # renditions kept of each second question
LEAD_S: Final = (0.2, 0.64)  # heard before speech: the runtime's pre-roll is about 400 ms
TAIL: Final = 12  # steps heard after the end of speech
# ... of a fifth, since stream mode hears on while it speaks; and of what breaks off: GO comes late.
LONG_TAIL: Final = 36
LONG_SHARE: Final = 0.2
PAUSED: Final = 0.12  # share of turns in the middle of which the caller thinks
PAUSE_S: Final = (0.15, 0.8)
PAUSE_FROM: Final = (0.15, 0.6)  # of the utterance; at the quietest place of the next PAUSE_WITHIN
PAUSE_WITHIN: Final = 0.3
# Milder than the listener's own training: what it cannot hear, the model cannot learn.
SCENE: Final = AcousticScene(noise=0.5, noise_db=(8.0, 30.0), room=0.3, narrow=0.08, clip=0.04)
STRENGTH: Final = Strength(
    warp=(0.9, 1.12),
    stretch=(0.88, 1.15),
    stretch_rows=False,
    gain_db=(0.0, 0.0),
    channel_db=0.0,
    narrow=0.0,
    quiet=1.0,
    room=0.0,
    masks=1,
    mask_frames=6,
    mask_bins=6,
)


@dataclass(frozen=True, slots=True)
class EncodedTurn:
    """One rendition as heard: `end` is the first step after speech."""

    ask: CallerText
    states: States  # (T, W)
    end: int


@dataclass(frozen=True, slots=True)
class TurnBatch:
    """Mels of one batch, padded: what a producer hands over."""

    asks: list[CallerText]
    mels: Tensor  # (B, F, 80) float16
    steps: list[int]
    ends: list[int]


def turn_batches(seed: int, families: Sequence[str]) -> Iterator[TurnBatch]:
    """Endless batches of placed turns of similar length."""
    rng = random.Random(seed)
    tongues: list[VoiceMix[CallerText]] = [
        VoiceMix(asker, rng, KINDS_IN[language])
        for language, asker in samplers(rng, families).items()
    ]
    ear, augment = SceneRenderer(SCENE, seed), Augmenter(STRENGTH, seed)
    while True:
        heard = []
        said_together = [said for speech in tongues for said in speech.draw(TOGETHER)]
        for said in said_together:
            tail = LONG_TAIL if said.what.unfinished or rng.random() < LONG_SHARE else TAIL
            tail_s = ((tail + 2) * STEP / 100,) * 2
            others = other_voices(said_together, said)
            heard.append(
                (
                    said.what,
                    *ear.hear(_with_thinking_pause(said.samples, rng), others, LEAD_S, tail_s),
                )
            )
        heard.sort(key=lambda one: len(one[1]))
        for start in range(0, len(heard), BATCH):
            yield _together(heard[start : start + BATCH], augment)


def _with_thinking_pause(samples: Floats, rng: random.Random) -> Floats:
    """As it is said, now and then with a pause inside."""
    if rng.random() >= PAUSED:
        return samples
    start = rng.uniform(*PAUSE_FROM)
    return with_pause(samples, rng.uniform(*PAUSE_S), (start, start + PAUSE_WITHIN))


def _together(heard: Sequence[tuple[CallerText, Tensor, int]], augment: Augmenter) -> TurnBatch:
    lengths = torch.tensor([len(mels) for _, mels, _ in heard])
    mels = torch.nn.utils.rnn.pad_sequence(
        [mels for _, mels, _ in heard], batch_first=True, padding_value=SILENCE
    )
    mels, stretched = augment(mels, lengths)
    share = stretched / lengths
    ends = [-(-round(end * float(s)) // STEP) for (_, _, end), s in zip(heard, share, strict=True)]
    steps = (stretched // STEP).tolist()
    whole = mels[:, : max(steps) * STEP].half()
    return TurnBatch([ask for ask, _, _ in heard], whole, steps, ends)


class _Producers(IterableDataset[TurnBatch]):
    """`turn_batches` for a DataLoader."""

    def __init__(self, seed: int, families: Sequence[str]) -> None:
        self._seed, self._families = seed, families

    def __iter__(self) -> Iterator[TurnBatch]:
        producer = get_worker_info()
        own = 0 if producer is None else producer.id
        return turn_batches(1000 * self._seed + own, self._families)


def load(seed: int, producers: int, families: Sequence[str]) -> Iterator[TurnBatch]:
    """`turn_batches` made by `producers` processes; 0: in this one, as they are wanted."""
    source = _Producers(seed, families)
    return iter(DataLoader(source, batch_size=None, num_workers=producers))


@torch.no_grad()
def encode_turns(listener: Listener, batch: TurnBatch) -> list[EncodedTurn]:
    """What the listener makes of a batch; each turn's states are its own copy."""
    device = next(listener.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16):
        states = listener(batch.mels.to(device).float()).states
    found = states.float().cpu().numpy().astype(np.float16)
    rows = zip(batch.asks, found, batch.steps, batch.ends, strict=True)
    return [EncodedTurn(ask, row[:steps].copy(), min(end, steps)) for ask, row, steps, end in rows]


class TurnPool:
    """The turns heard of late; `hear` renews them."""

    def __init__(
        self, listener: Listener, seed: int, producers: int, families: Sequence[str] = ()
    ) -> None:
        self._listener = listener.eval()
        self._source = load(seed, producers, families)
        self._firsts: deque[EncodedTurn] = deque(maxlen=CAPACITY)
        self._seconds: dict[str, deque[EncodedTurn]] = defaultdict(
            lambda: deque(maxlen=SECONDS_EACH)
        )

    def __len__(self) -> int:
        return len(self._firsts)

    def hear(self, turns: int) -> None:
        """Take in at least so many new turns."""
        heard = 0
        while heard < turns:
            for turn in encode_turns(self._listener, next(self._source)):
                heard += 1
                if turn.ask.second:
                    self._seconds[turn.ask.text].append(turn)
                else:
                    self._firsts.append(turn)

    def first(self, rng: random.Random) -> EncodedTurn:
        """Any turn."""
        return self._firsts[rng.randrange(len(self._firsts))]

    def second(self, question: Question, rng: random.Random) -> EncodedTurn | None:
        """A rendition of a second question, if one was heard."""
        found = self._seconds.get(question.text)
        return found[rng.randrange(len(found))] if found else None

    def spread(self) -> Floats:
        """The standard deviation of the states, (W,)."""
        some = [self._firsts[i].states for i in range(0, len(self._firsts), 7)][:2000]
        spread: Floats = np.concatenate(some).astype(np.float32).std(axis=0)
        return spread
