"""Turns from text alone: heard states put together from a book of phones, no speech, no listener.

A real state says above all which phone was just heard. So the book holds, for each phone, states
in which the listener heard just that one; a text becomes a walk through the book with the pace and
the slips of real hearing. What numbers and names mean can be learned from such turns at a fraction
of the cost of speech; afterwards the model goes on with real states, which look the same.
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
from workers.training.questions.families import Language
from workers.training.questions.listener_texts import phones, spanish_phones
from workers.training.samples.sequences import GO_LATE
from workers.training.samples.spoken_turns import EncodedTurn, TurnBatch
from workers.training.speech.spanish_pronunciation import ACCENTS

KEPT: Final = 600  # states of each phone
QUIET_STEPS: Final = (3, 9)  # before speech, and at least so many after it
AFTER_STEPS: Final = 12
BREAK: Final = 0.12  # share of phones followed by a step that brings none
JOIN: Final = 0.16  # ... that share their step with the next
SLIP: Final = 0.06  # ... that are heard as another, or not at all
PAUSED: Final = 0.1  # share of turns with a pause inside
PAUSE_STEPS: Final = (3, 10)


def _said(ask: CallerText, rng: random.Random) -> list[int]:
    """The phones of what is said, if Spanish in any accent."""
    if ask.question.language is Language.SPANISH:
        return spanish_phones(ask.text, rng.choice(ACCENTS))
    return phones(ask.text)


class PhoneStates:
    """States (n, W) of each phone class; class 0: none."""

    def __init__(self, states: dict[int, States]) -> None:
        missing = [phone for phone, held in states.items() if not len(held)]
        if missing or 0 not in states:
            raise ValueError(f"Expected states of every phone, got none of {missing}")
        self._states = states
        self._phones = sorted(set(states) - {0})

    def turn(self, ask: CallerText, rng: random.Random) -> EncodedTurn:
        """A text as it might be heard."""
        walk = [0] * rng.randint(*QUIET_STEPS)
        begin = len(walk)
        said = _said(ask, rng)
        for phone in said:
            luck = rng.random()
            if luck < SLIP:
                phone = rng.choice(self._phones) if luck < SLIP / 2 else 0
            elif luck < SLIP + JOIN and walk[-1]:
                walk[-1] = rng.choice((walk[-1], phone))
                continue
            walk.append(phone)
            if rng.random() < BREAK:
                walk.append(0)
        if len(walk) > begin + 1 and rng.random() < PAUSED:
            at = rng.randrange(begin + 1, len(walk))
            walk[at:at] = [0] * rng.randint(*PAUSE_STEPS)
        end = len(walk)
        walk += [0] * (GO_LATE + AFTER_STEPS if ask.unfinished else AFTER_STEPS)
        rows = [self._states[p][rng.randrange(len(self._states[p]))] for p in walk]
        return EncodedTurn(ask, np.stack(rows), end)


@torch.no_grad()
def collect(listener: Listener, batches: list[TurnBatch]) -> PhoneStates:
    """A book of what the listener hears in these batches."""
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
        rows = rows or anything  # a phone that did not come alone, or an untrained listener
        chosen = rng.permutation(len(rows))[:KEPT]
        picked[phone] = np.stack([rows[i] for i in chosen])
    return PhoneStates(picked)


class TextTurns:
    """Draws turns from the book: what `turns.Memory` is for speech."""

    def __init__(self, book: PhoneStates, asker: Callable[[], CallerText]) -> None:
        self._book, self._asker = book, asker

    def first(self, rng: random.Random) -> EncodedTurn:
        """A turn that is no second question."""
        ask = self._asker()
        while ask.second:
            ask = self._asker()
        return self._book.turn(ask, rng)

    def second(self, question: Question, rng: random.Random) -> EncodedTurn:
        """A second question."""
        return self._book.turn(CallerText(question.text, question, second=True), rng)
