"""What the caller seems to have said: the letters of the listener's CTC head, greedily, as heard.

    letters = Spelling(listener, alphabet)
    text, last = letters.read(states, last)    # last: the class that the text before ended with

Rough: no dictionary and no language model stand behind it. Letters: T steps, S sub-frames a step.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor

from workers.models.tokenizer.listener import Listener, states_from_bytes

BLANK: Final = 0


def begun(classes: Sequence[int], last: int = BLANK) -> list[int]:
    """CTC's likeliest classes, one a frame -> the symbols that begin; `last`: the class before."""
    return [new for old, new in pairwise([last, *classes]) if new not in (BLANK, old)]


class CtcReader:
    """Reads logged states; what it gives is a function of them alone."""

    def __init__(self, listener: Listener, alphabet: str) -> None:
        """`alphabet`: the characters of classes 1 and up. Raises ValueError where they differ."""
        classes = listener.config.characters
        if len(alphabet) + 1 != classes:
            raise ValueError(f"Expected {classes - 1} characters, got {len(alphabet)}")
        self._head = listener.characters
        self._classes = classes
        self._alphabet = alphabet

    @torch.inference_mode()
    def read(self, logged: Sequence[bytes], last: int = BLANK) -> tuple[str, int]:
        """More states of a turn (one at least) -> its next letters, and the last class."""
        states = states_from_bytes(logged).to(self._head.weight.device)
        found: Tensor = self._head(states).view(-1, self._classes).argmax(-1)  # (T * S,)
        classes = found.tolist()
        return "".join(self._alphabet[one - 1] for one in begun(classes, last)), classes[-1]
