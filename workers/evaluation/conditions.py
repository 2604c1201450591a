"""The rows of the evaluation: voices, questions, mode and surroundings, and the spoken calls.

Every family has the same number of questions in a row, so shares are means over families. Rows with
the same voices and split ask the same questions in the same words; noise is their only difference.
A share of the questions is chosen by their digests, the same in all rows of an engine and split.
"""

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from shared.audio import SAMPLE_RATE_HZ, Floats, Pcm16, pcm16_from_floats
from shared.modes import ReplyMode
from workers.training.questions import follow_ups
from workers.training.questions.catalogue import Question, Split, questions
from workers.training.questions.listener_texts import untrained_text
from workers.training.questions.question_families import Language
from workers.training.questions.small_talk import UNKNOWN_REPLY
from workers.training.speech.acoustics import AcousticScene, apply_scene, noise_alone, with_pause
from workers.training.speech.callers import (
    TRAINED_ESPEAK,
    TRAINED_FLITE,
    UNSEEN_ESPEAK,
    UNSEEN_FESTIVAL,
    UNSEEN_FESTIVAL_SPANISH,
    UNSEEN_FLITE,
    UNSEEN_SPANISH,
)
from workers.training.speech.tts import SpeechJob, TtsVoice, speak
from workers.training.speech.waveforms import LEVEL

SEED: Final = 2024
ROOM: Final = AcousticScene(room=1.0, line=0.0, narrow=0.0, noise=0.0, clip=0.0, gain_db=(0.0, 0.0))
ROOM_TAIL_S: Final = 0.4
NOISE_S: Final = 6.0  # of each call's own noise, which repeats
PAUSE_S: Final = 0.5  # of a caller who thinks in mid-question; 600 ms would end the turn


@dataclass(frozen=True, slots=True)
class Condition:
    """A row of the table."""

    name: str
    voices: tuple[TtsVoice, ...]
    split: Split = Split.TRAIN
    mode: ReplyMode = ReplyMode.TURN
    asks: int = 1  # questions of each family
    families: tuple[str, ...] = ()  # empty: all of the split
    noise_db: float | None = None  # noise under the whole call, so far below the speech
    room: bool = False
    pause: bool = False
    follow_up: bool = False  # the judged question is a follow-up to the first
    no_question: bool = False  # random words that training never speaks
    known: bool = False  # unseen voices and words of trained engines, which the goals are about

    @property
    def language(self) -> Language:
        """The language of its callers."""
        return self.voices[0].language


STREAM: Final = ReplyMode.STREAM
SPOKEN: Final = (
    Condition("trained voices", TRAINED_ESPEAK + TRAINED_FLITE),
    Condition("unseen espeak-ng voices", UNSEEN_ESPEAK, asks=2, known=True),
    Condition("unseen flite voice (rms)", UNSEEN_FLITE, asks=2, known=True),
    Condition("unseen phrasing, espeak-ng", UNSEEN_ESPEAK, Split.PHRASING, known=True),
    Condition("unseen phrasing, flite (rms)", UNSEEN_FLITE, Split.PHRASING, known=True),
    Condition("never combined, unseen espeak-ng", UNSEEN_ESPEAK, Split.COMBINATION, asks=4),
    Condition("engine never heard: festival ked", UNSEEN_FESTIVAL[:1]),
    Condition("engine never heard: festival kal", UNSEEN_FESTIVAL[1:]),
    Condition("noise 20 dB, unseen espeak-ng", UNSEEN_ESPEAK, noise_db=20.0),
    Condition("noise 10 dB, unseen espeak-ng", UNSEEN_ESPEAK, noise_db=10.0),
    Condition("noise 5 dB, unseen espeak-ng", UNSEEN_ESPEAK, noise_db=5.0),
    Condition("room, unseen espeak-ng", UNSEEN_ESPEAK, room=True),
    Condition("second question, unseen espeak-ng", UNSEEN_ESPEAK, follow_up=True),
    Condition("repeat a word, unseen espeak-ng", UNSEEN_ESPEAK, asks=60, families=("repeat",)),
    Condition(
        "repeat a word never repeated", UNSEEN_ESPEAK, Split.COMBINATION, asks=60,
        families=("repeat",),
    ),
    Condition("Spanish, unseen espeak-ng", UNSEEN_SPANISH, asks=5),
    Condition("Spanish, unseen phrasing", UNSEEN_SPANISH, Split.PHRASING, asks=5),
    Condition("Spanish, engine never heard: ked", UNSEEN_FESTIVAL_SPANISH, asks=5),
    Condition("no question at all", UNSEEN_ESPEAK, asks=60, no_question=True),
    Condition("stream mode, unseen espeak-ng", UNSEEN_ESPEAK, mode=STREAM),
    Condition("stream mode, a pause inside", UNSEEN_ESPEAK, mode=STREAM, pause=True),
)  # fmt: skip
CLEAN: Final = "unseen espeak-ng voices"  # the row without noise, to compare the noisy rows with
CEILING: Final = (CLEAN, "Spanish, unseen espeak-ng")  # rows with replies that give the ceilings


def rows(taught: Sequence[str]) -> tuple[Condition, ...]:
    """The rows, restricted to taught families; rows that lose all questions are left out."""
    found = []
    for row in SPOKEN:
        families = tuple(name for name in (row.families or taught) if name in taught)
        kept = replace(row, families=families)
        if families and (row.no_question or _picked(kept, random.Random(SEED))):
            found.append(kept)
    return tuple(found)


def named(name: str, among: Sequence[Condition] = SPOKEN) -> Condition:
    """The row of this name."""
    return next(condition for condition in among if condition.name == name)


@dataclass(frozen=True, slots=True)
class CallScript:
    """One call: its questions and their sound. Only the last reply is judged."""

    questions: tuple[Question, ...]
    said: tuple[Pcm16, ...]  # 24 kHz
    background: Pcm16 | None  # under the whole call; None: a quiet room


@cache
def chosen(condition: Condition, share: float) -> tuple[Question, ...]:
    """A share of the row's questions, family by family."""
    rng = random.Random(f"{SEED}/{condition.split}")
    picked = (
        _random_words(condition.asks, rng) if condition.no_question else _picked(condition, rng)
    )
    group = f"{SEED}/{condition.voices[0].engine}/{condition.split}"

    def rank(question: Question) -> str:
        return hashlib.sha256(f"{group}/{question.text}".encode()).hexdigest()

    kept = sorted(picked, key=rank)[: math.ceil(share * len(picked))]
    return tuple(question for question in picked if question in kept)


def _random_words(count: int, rng: random.Random) -> list[Question]:
    texts = [untrained_text(rng) for _ in range(count)]
    return [Question("", "no question", "", text, UNKNOWN_REPLY, (), ()) for text in texts]


def _picked(condition: Condition, rng: random.Random) -> list[Question]:
    by_family: dict[str, dict[str, list[Question]]] = {}
    for question in questions(condition.split, condition.language):
        if not condition.families or question.family in condition.families:
            intents = by_family.setdefault(question.family, {})
            intents.setdefault(question.intent, []).append(question)
    return [
        question
        for intents in by_family.values()
        for question in _of_family(list(intents.values()), condition.asks, rng)
    ]


def _of_family(
    intents: Sequence[Sequence[Question]], count: int, rng: random.Random
) -> Iterator[Question]:
    """Questions of different intents, then the same intents in other words."""
    order = rng.sample(range(len(intents)), len(intents))
    for at in range(count):
        phrasings = intents[order[at % len(intents)]]
        shuffled = random.Random(f"{SEED}/{phrasings[0].intent}").sample(phrasings, len(phrasings))
        yield shuffled[at // len(intents) % len(shuffled)]


def asked(condition: Condition, share: float = 1.0) -> list[CallScript]:
    """The row's calls, at each voice's own pace."""
    turns = [_turns(first, condition) for first in chosen(condition, share)]
    jobs = [
        SpeechJob(random.Random(f"{SEED}/{turn[0].text}").choice(condition.voices), question.text)
        for turn in turns
        for question in turn
    ]
    spoken = iter(speak(jobs))
    found = []
    for number, turn in enumerate(turns):
        rng = np.random.default_rng([SEED, number])
        said = tuple(_recorded(next(spoken), condition, rng) for _ in turn)
        found.append(CallScript(turn, said, _noise(condition.noise_db, rng)))
    return found


def _turns(first: Question, condition: Condition) -> tuple[Question, ...]:
    if not condition.follow_up:
        return (first,)
    return first, follow_ups.trained_follow_up(first, random.Random(f"{SEED}/{first.text}"))


def _recorded(samples: Floats, condition: Condition, rng: np.random.Generator) -> Pcm16:
    if condition.pause:
        samples = with_pause(samples, PAUSE_S, (1 / 3, 2 / 3))
    if condition.room:
        samples = np.pad(samples, (0, round(ROOM_TAIL_S * SAMPLE_RATE_HZ)))
        samples = apply_scene(samples, ROOM, (), rng)
    return pcm16_from_floats(samples)


def _noise(distance_db: float | None, rng: np.random.Generator) -> Pcm16 | None:
    """Noise of a random kind, so far below the speech; None: no noise."""
    if distance_db is None:
        return None
    noise = noise_alone(round(NOISE_S * SAMPLE_RATE_HZ), rng)
    level = LEVEL * 10 ** (-distance_db / 20) / float(np.sqrt(np.mean(noise**2)))
    return pcm16_from_floats(noise * np.float32(level))
