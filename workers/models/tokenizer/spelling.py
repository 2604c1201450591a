"""Reads a rough transcript, letter by letter, from the listener's CTC head.

    letters = CtcReader(listener, alphabet)
    text, last = letters.read(states, last)    # last: the last class of the text before

The decoding is greedy, without a dictionary or a language model. Letters: T steps, S sub-frames a
step.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from workers.models.tokenizer.listener import Listener, states_from_bytes

BLANK: Final = 0


def begun(classes: Sequence[int], last: int = BLANK) -> list[int]:
    """The likeliest CTC classes, one a frame -> symbols that begin. `last`: the class before."""
    return [new for old, new in pairwise([last, *classes]) if new not in (BLANK, old)]


class CtcReader:
    """Reads letters from logged states, and depends on them alone."""

    def __init__(self, listener: Listener, alphabet: str) -> None:
        """`alphabet`: the characters of classes 1 and up. Raises ValueError for another number."""
        classes = listener.config.characters
        if len(alphabet) + 1 != classes:
            raise ValueError(f"Expected {classes - 1} characters, got {len(alphabet)}")
        self._head = listener.characters
        self._classes = classes
        self._alphabet = alphabet

    @torch.inference_mode()
    def read(self, logged: Sequence[bytes], last: int = BLANK) -> tuple[str, int]:
        """One or more further states of a turn -> its next letters, and the last class."""
        states = states_from_bytes(logged).to(self._head.weight.device)
        found: Tensor = self._head(states).view(-1, self._classes).argmax(-1)  # (T * S,)
        classes = found.tolist()
        return "".join(self._alphabet[one - 1] for one in begun(classes, last)), classes[-1]
