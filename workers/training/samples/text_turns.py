"""Turns from text alone: listener states composed phone by phone, without speech or listener.

A real state mostly encodes the last phone. `PhoneStates` therefore keeps, for each phone, states of
steps in which the listener recognised only that phone. A text becomes a sequence of such states,
with the pace and the errors of real recognition. These turns teach what numbers and names mean at a
fraction of the cost of speech. Training then continues with real states, which look the same.
"""

import random
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from workers.models.tokenizer.listener import Listener, States
from workers.training.questions.caller_texts import CallerText
from workers.training.questions.catalogue import Question
from workers.training.questions.listener_texts import phones, spanish_phones
from workers.training.questions.question_families import Language
from workers.training.samples.sequences import GO_LATE
from workers.training.samples.spoken_turns import EncodedTurn, TurnBatch
from workers.training.speech.spanish_pronunciation import ACCENTS

KEPT: Final = 600  # states of each phone
QUIET_STEPS: Final = (3, 9)  # steps before speech
AFTER_STEPS: Final = 12  # steps after speech
BREAK: Final = 0.12  # share of phones followed by a step without a phone
JOIN: Final = 0.16  # share of phones that share their step with the next one
SLIP: Final = 0.06  # share of phones recognised as another phone, or not at all
PAUSED: Final = 0.1  # share of turns with a pause inside
PAUSE_STEPS: Final = (3, 10)


def _phones_of(said: CallerText, rng: random.Random) -> list[int]:
    """The phones of a text; a Spanish text gets a random accent."""
    if said.question.language is Language.SPANISH:
        return spanish_phones(said.text, rng.choice(ACCENTS))
    return phones(said.text)


class PhoneStates:
    """States (n, W) of each phone class; class 0: no phone."""

    def __init__(self, states: dict[int, States]) -> None:
        missing = [phone for phone, held in states.items() if not len(held)]
        if missing or 0 not in states:
            raise ValueError(f"Expected states of every phone, got none of {missing}")
        self._states = states
        self._phones = sorted(set(states) - {0})

    def turn(self, said: CallerText, rng: random.Random) -> EncodedTurn:
        """A text as the listener might encode it."""
        steps = [0] * rng.randint(*QUIET_STEPS)
        begin = len(steps)
        for phone in _phones_of(said, rng):
            luck = rng.random()
            if luck < SLIP:
                phone = rng.choice(self._phones) if luck < SLIP / 2 else 0
            elif luck < SLIP + JOIN and steps[-1]:
                steps[-1] = rng.choice((steps[-1], phone))
                continue
            steps.append(phone)
            if rng.random() < BREAK:
                steps.append(0)
        if len(steps) > begin + 1 and rng.random() < PAUSED:
            at = rng.randrange(begin + 1, len(steps))
            steps[at:at] = [0] * rng.randint(*PAUSE_STEPS)
        end = len(steps)
        steps += [0] * (GO_LATE + AFTER_STEPS if said.unfinished else AFTER_STEPS)
        rows = [self._states[p][rng.randrange(len(self._states[p]))] for p in steps]
        return EncodedTurn(said, np.stack(rows), end)


@torch.no_grad()
def collect(listener: Listener, batches: list[TurnBatch]) -> PhoneStates:
    """The states of each phone, as the listener recognises them in these batches."""
    held: dict[int, list[NDArray[np.float16]]] = {p: [] for p in range(listener.config.phones)}
    anything: list[NDArray[np.float16]] = []
    for batch in batches:
        hearing = listener.eval()(batch.mels.float())
        B, T, _ = hearing.states.shape
        best = hearing.phones.argmax(-1).view(B, T, -1)
        states = hearing.states.numpy().astype(np.float16)
        anything += [row[: batch.steps[0]][-1] for row in states]
        for row, steps in enumerate(batch.steps):
            for t in range(steps):
                found = {int(p) for p in best[row, t] if p}
                if len(found) < 2:
                    held[found.pop() if found else 0].append(states[row, t])
    rng = np.random.default_rng(0)
    picked = {}
    for phone, rows in held.items():
        rows = rows or anything  # a phone that never occurred alone, or an untrained listener
        chosen = rng.permutation(len(rows))[:KEPT]
        picked[phone] = np.stack([rows[i] for i in chosen])
    return PhoneStates(picked)


class TextTurns:
    """Draws turns from text, as `spoken_turns.TurnPool` does from speech."""

    def __init__(self, phone_states: PhoneStates, next_text: Callable[[], CallerText]) -> None:
        self._phone_states, self._next_text = phone_states, next_text

    def first(self, rng: random.Random) -> EncodedTurn:
        """A turn that needs no earlier turn."""
        said = self._next_text()
        while said.is_follow_up:
            said = self._next_text()
        return self._phone_states.turn(said, rng)

    def second(self, question: Question, rng: random.Random) -> EncodedTurn:
        """A follow-up."""
        said = CallerText(question.text, question, is_follow_up=True)
        return self._phone_states.turn(said, rng)
