"""Measures which inputs of a layer are large, so that 8 bits suit inputs and weights.

Some numbers of a layer's input are always far larger than the rest. With one scale for each token
they would leave few of the 127 levels for the others. So each input is divided by a factor, and its
weights are multiplied by it (SmoothQuant, arXiv 2211.10438, with its exponent 0.5). Divergence from
float32 on the tuned SmolLM2-135M: 0.06 without this, 0.012 with it, 0.004 for 8-bit weights alone.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from workers.models.llama.chat import Chat
from workers.models.llama.tokenizer import Tokenizer

_LEAST: Final = 1e-4  # of an input or a weight, so that no factor is 0
# The model reads these once at a worker's start. They sample what callers and the assistant say.
TALKS: Final = (
    ("What's the capital of Peru?", "The capital of Peru is Lima, on the Pacific coast."),
    ("um I had a terrible day", "I'm sorry to hear that. Do you want to tell me what happened?"),
    ("What is 12 plus 7?", "Twelve plus seven is nineteen."),
    ("Tell me a joke about a cat.", "What is a cat's favorite color? Purr-ple, of course."),
    ("How do I boil an egg?", "Put it in boiling water for eight minutes, then cool it."),
    ("who are you", "I'm Antiphon, a voice assistant: a program, but a friendly one."),
    ("Why is the sky blue?", "Air scatters blue light more than red light."),
    ("Spell the word chair.", "Chair is spelled C, H, A, I, R."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The divisors (in,) of a matrix's inputs."""

    factors: Tensor

    def weight(self, weight: Tensor) -> Tensor:
        """The matrix (out, in) that divided inputs need."""
        return weight * self.factors


def smoothing_of(weight: Tensor, most: Tensor) -> Smoothing:
    """The smoothing of a matrix (out, in) whose inputs were at most `most` (in,)."""
    largest = weight.abs().amax(dim=0).clamp(min=_LEAST)
    return Smoothing((most.clamp(min=_LEAST) / largest).sqrt())


def talk_tokens(chat: Chat, tokenizer: Tokenizer) -> list[int]:
    """The sample conversation in tokens."""
    found = chat.system("You are a friendly voice assistant.")
    for said, reply in TALKS:
        found += chat.user(said) + chat.assistant_start()
        found += tokenizer.encode(reply) + chat.assistant_end()
    return found


class InputRecorder:
    """A kernel (see kernels.py) that multiplies in float32 and records the largest inputs."""

    def __init__(self, weight: Tensor) -> None:
        self.weight = weight
        self.most = torch.zeros(weight.shape[1], device=weight.device)

    def __call__(self, x: Tensor) -> Tensor:
        self.most = torch.maximum(self.most, x.abs().amax(dim=0))
        return torch.nn.functional.linear(x, self.weight)

    @property
    def smoothing(self) -> Smoothing:
        """The smoothing for the recorded inputs."""
        return smoothing_of(self.weight, self.most)
