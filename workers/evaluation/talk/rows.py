"""Spoken calls of the written questions, row by row: who asks, under what noise, in which mode."""

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.audio import SAMPLE_RATE_HZ, Floats, Pcm16, pcm16_from_floats
from shared.modes import ReplyMode
from workers.evaluation.talk.cases import Case
from workers.training.speech.acoustics import noise_alone
from workers.training.speech.callers import UNSEEN_ESPEAK, UNSEEN_FESTIVAL, UNSEEN_FLITE
from workers.training.speech.tts import SpeechJob, TtsVoice, speak
from workers.training.speech.waveforms import LEVEL

SEED: Final = 7
NOISE_S: Final = 6.0  # of each call's own noise, which goes round
VOICES: Final = (*UNSEEN_FLITE, *UNSEEN_FESTIVAL, TtsVoice("flite", "cmu_us_slt"), *UNSEEN_ESPEAK)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    name: str
    kinds: tuple[str, ...]
    voices: tuple[TtsVoice, ...] = VOICES
    mode: ReplyMode = ReplyMode.TURN
    noise_db: float | None = None  # under the whole call, so far below the speech
    share: float = 1.0  # of its cases, evenly

    def picked(self, cases: Sequence[Case]) -> list[Case]:
        """The row's share of the cases of its kinds."""
        mine = [case for case in cases if case.kind in self.kinds]
        count = max(1, round(self.share * len(mine)))
        return [mine[at * len(mine) // count] for at in range(count)] if mine else []


ROWS: Final = (
    Row("open questions", ("open",)),
    Row("open questions that the corpus asks too", ("known",)),
    Row("memory over turns", ("memory",)),
    Row("sums, differences, products", ("sum",)),
    Row("families, unseen phrasings", ("family",)),
    Row("open, stream mode", ("open", "known"), mode=ReplyMode.STREAM, share=0.3),
    Row("families and sums, noise 20 dB", ("family", "sum"), noise_db=20.0, share=0.3),
    Row("families and sums, noise 10 dB", ("family", "sum"), noise_db=10.0, share=0.3),
)


@dataclass(frozen=True, slots=True)
class SpokenCase:
    """A case as sound."""

    case: Case
    voice: TtsVoice
    said: tuple[Pcm16, ...]
    background: Pcm16 | None


def spoken(row: Row, cases: Sequence[Case]) -> list[SpokenCase]:
    """The row's calls; a case has the same voice in every row that may choose it."""
    picked = row.picked(cases)
    voices = [_voice(case, row.voices) for case in picked]
    jobs = [
        SpeechJob(voice, words)
        for case, voice in zip(picked, voices, strict=True)
        for words in case.say
    ]
    sounds = iter(speak(jobs))
    return [
        SpokenCase(
            case,
            voice,
            tuple(pcm16_from_floats(next(sounds)) for _ in case.say),
            _noise(row.noise_db, zlib.crc32(case.name.encode())),
        )
        for case, voice in zip(picked, voices, strict=True)
    ]


def _voice(case: Case, voices: Sequence[TtsVoice]) -> TtsVoice:
    """Each engine speaks about as often as the others, however many voices it has."""
    rng = random.Random(f"{SEED}/{case.name}")
    engine = rng.choice(sorted({voice.engine for voice in voices}))
    return rng.choice([voice for voice in voices if voice.engine == engine])


def _noise(distance_db: float | None, seed: int) -> Pcm16 | None:
    if distance_db is None:
        return None
    sound: Floats = noise_alone(round(NOISE_S * SAMPLE_RATE_HZ), np.random.default_rng(seed))
    level = LEVEL * 10 ** (-distance_db / 20) / float(np.sqrt(np.mean(sound**2)))
    return pcm16_from_floats(sound * np.float32(level))
