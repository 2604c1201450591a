"""HybridS2S, the language model of speech: listener states in, text and codes out, 12.5 a second.

A position's input is a sum. It adds the listener's state (or a learned mask if there is none) and
the assistant's previous text token. With `sees_codes` it also adds the previous codes. A causal
temporal transformer gives the position's state. The text token (the inner monologue) comes from the
state, and the depth transformer makes the step's codes from state and text.

Letters: B rows, T positions, D width, Q codebooks, S codes a codebook.
"""

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor, nn

from workers.models.layers.transformer import KvCache, Transformer, TransformerConfig, norm
from workers.models.speech_to_speech.depth_transformer import DepthTransformer
from workers.models.speech_to_speech.sampling import TokenChoice

# The most positions that one streaming step may add. The cache keeps this much room in its rings.
PIECE: Final = 32


@dataclass(frozen=True, slots=True)
class S2SConfig:
    """Sizes of a HybridS2S. `texts` is the size of the text vocabulary."""

    heard_width: int
    texts: int
    codebooks: int = 8
    codes: int = 1024
    temporal: TransformerConfig = field(
        default=TransformerConfig(width=256, layers=6, heads=8, window=256, expansion=3)
    )
    depth_width: int = 128
    depth_layers: int = 2
    depth_heads: int = 4
    # Whether the temporal transformer takes the codes that it made. If training has one recording
    # of each reply, its first codes identify the reply, and the model follows them instead of the
    # question: 98 % of slot words right with true codes, 10 % of replies with its own codes. The
    # text alone is enough.
    sees_codes: bool = False
    # How many turns a training sequence held. A model trained on single turns would answer an
    # earlier turn instead of the present one.
    turns: int = 1
    # How many of the callers' words the lower half of the blocks was trained to recognise; or 0.
    caller_words: int = 0

    @property
    def middle(self) -> int:
        """The last block of the lower half, from 0. Its output gives the caller's words."""
        return (self.temporal.layers - 1) // 2

    @property
    def quiet(self) -> int:
        """The input code of a step without sound."""
        return self.codes

    @property
    def hidden(self) -> int:
        """The input code of a step that training hides from the model."""
        return self.codes + 1


def tiny(heard_width: int, texts: int, codebooks: int = 8, caller_words: int = 0) -> S2SConfig:
    """The shipped size: about 7 M parameters."""
    return S2SConfig(heard_width, texts, codebooks, turns=2, caller_words=caller_words)


def base(heard_width: int, texts: int, caller_words: int = 0) -> S2SConfig:
    """512 wide, 8 layers, 8 heads; 8 codebooks of 1,024 codes."""
    temporal = TransformerConfig(width=512, layers=8, heads=8, window=512)
    return S2SConfig(
        heard_width, texts, temporal=temporal, depth_width=256, turns=2, caller_words=caller_words
    )


@dataclass(frozen=True, slots=True)
class Inputs:
    """One or more positions of a batch of rows."""

    heard: Tensor  # (B, T, heard width) listener states; unused where `hears` is False
    hears: Tensor  # (B, T) bool: False puts the learned mask of a position without a state
    text: Tensor  # (B, T) int64: the assistant's text token of the position before
    codes: Tensor  # (B, T, Q) int64: its codes of the position before, or quiet, or hidden


class HybridS2S(nn.Module):
    """The temporal and the depth transformer and their embeddings."""

    def __init__(self, config: S2SConfig) -> None:
        super().__init__()
        self.config = config
        width, depth_width = config.temporal.width, config.depth_width
        self.from_heard = nn.Linear(config.heard_width, width)
        self.unheard = nn.Parameter(torch.randn(width) * 0.02)
        self.text = nn.Embedding(config.texts, width)
        # One table for the temporal and the depth transformer: codes, then quiet and hidden.
        self.codes = nn.Embedding(config.codebooks * (config.codes + 2), depth_width)
        self.from_codes = nn.Linear(depth_width, width, bias=False)
        self.temporal = Transformer(config.temporal)
        self.to_text = nn.Linear(width, config.texts)
        if config.caller_words:
            self.to_caller = nn.Sequential(norm(width), nn.Linear(width, config.caller_words + 1))
        self.depth = DepthTransformer(
            width,
            depth_width,
            config.depth_layers,
            config.depth_heads,
            config.codebooks,
            config.codes,
            config.texts,
        )
        offsets = torch.arange(config.codebooks) * (config.codes + 2)
        self.register_buffer("offsets", offsets, persistent=False)
        self.offsets: Tensor
        nn.init.normal_(self.text.weight, std=0.3)
        nn.init.normal_(self.codes.weight, std=0.3)

    def embed(self, inputs: Inputs) -> Tensor:
        """The summed input of each position, (B, T, D)."""
        heard = self.from_heard(inputs.heard.to(self.unheard.dtype))
        heard = torch.where(inputs.hears[..., None], heard, self.unheard.to(heard.dtype))
        summed: Tensor = heard + self.text(inputs.text)
        if self.config.sees_codes:
            said = self.codes(inputs.codes + self.offsets).sum(dim=-2)  # (B, T, depth width)
            summed = summed + self.from_codes(said)
        return summed

    def forward(self, inputs: Inputs) -> Tensor:
        """Whole sequences -> temporal states (B, T, D)."""
        return self.layered(inputs)[-1]

    def layered(self, inputs: Inputs) -> list[Tensor]:
        """The output of each block, each (B, T, D). The last one is `forward`'s result."""
        return self.temporal.layered(self.embed(inputs))

    def cache(self, slots: int) -> KvCache:
        """An empty cache for `slots` streams. A step may add up to PIECE positions to each."""
        return self.temporal.cache(slots, self.config.temporal.window + PIECE - 1)

    def stream(
        self, inputs: Inputs, cache: KvCache, rows: Tensor, kept: Tensor | None = None
    ) -> Tensor:
        """The next T positions of the slots `rows` (B,) -> states (B, T, D).

        `kept` (B,) is how many of the T positions of each row are real, if rows differ.
        """
        return self.temporal.stream(self.embed(inputs), cache, rows, kept)

    def stream_layered(
        self, inputs: Inputs, cache: KvCache, rows: Tensor, kept: Tensor | None = None
    ) -> list[Tensor]:
        """The output of each block, each (B, T, D). The last one is `stream`'s result."""
        return self.temporal.stream_layered(self.embed(inputs), cache, rows, kept)

    def caller_logits(self, middle: Tensor) -> Tensor:
        """Output of block `config.middle` (..., D) -> logits (..., caller words + 1), for CTC.

        Class 0 means that no word begins. Only a model with `caller_words` has this head.
        """
        logits: Tensor = self.to_caller(middle)
        return logits

    def text_logits(self, states: Tensor) -> Tensor:
        """States (..., D) -> text logits (..., texts)."""
        logits: Tensor = self.to_text(states)
        return logits

    def code_logits(self, states: Tensor, text: Tensor, codes: Tensor) -> Tensor:
        """Teacher-forced: states (N, D), text (N,) and codes (N, Q) of a step -> (N, Q, S)."""
        before = self.codes(codes[:, :-1] + self.offsets[:-1])
        logits: Tensor = self.depth(self.depth.start(states, text), before)
        return logits

    def sample_codes(self, states: Tensor, text: Tensor, choose: TokenChoice) -> Tensor:
        """States (N, D) and the text tokens (N,) chosen for them -> codes (N, Q)."""
        condition = self.depth.start(states, text)
        cache = self.depth.cache(len(states))
        chosen: list[Tensor] = []
        embedded = None
        for q in range(self.config.codebooks):
            logits = self.depth.step(q, condition, embedded, cache)
            chosen.append(choose(logits, q + 1))
            embedded = self.codes(chosen[-1] + self.offsets[q])
        return torch.stack(chosen, dim=-1)
