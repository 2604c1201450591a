"""Runs Moshi on tensors: a step of many slots as one function of fixed shapes, and replays.

A step encodes 80 ms of each caller, reads one position, draws text and codes, and decodes the frame
that they complete. All of it is one function of one tensor. A GPU replays it as one graph, with one
copy to the device, one launch and one copy back. It takes the first N slots, N one of a few sizes;
slots that do not step are inactive and keep their state.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.audio import CHUNK_SAMPLES, Floats
from workers.engines.cuda_graphs import FixedSizes
from workers.models.moshi.config import CODES, Sampling
from workers.models.moshi.depth import Depth
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.positions import Tokens, frames, initial, positions
from workers.models.moshi.sampling import PARTS, sampler
from workers.models.moshi.streaming import Rows
from workers.models.moshi.temporal import Temporal

# Columns of the packed input of a step: sound, the draw's numbers, whether the slot steps.
INPUTS: Final = CHUNK_SAMPLES + PARTS + 1
# The packed output: codes heard, text and codes said, sound.
SAID: Final = slice(CODES, CODES + PARTS)
SOUND: Final = slice(CODES + PARTS, CODES + PARTS + CHUNK_SAMPLES)


class Stepper:
    """The models with the state of `slots` calls, on one device."""

    def __init__(
        self,
        temporal: Temporal,
        depth: Depth,
        mimi: Mimi,
        *,
        slots: int,
        capacity: int,
        read_piece: int,
        codec_piece: int,
        used_grain: int,
        sampling: Sampling,
    ) -> None:
        """`capacity`: positions of a call. Pieces: of a replay, in positions and in frames.

        `used_grain`: a step reads the caches up to a multiple of this many positions; each multiple
        has graphs of its own.
        """
        self.slots, self.capacity, self.sampling = slots, capacity, sampling
        self._temporal, self._depth, self._mimi = temporal, depth, mimi
        self._read_piece, self._codec_piece, self._grain = read_piece, codec_piece, used_grain
        self._cache = temporal.cache(slots, read_piece, capacity)
        mimi.allot(slots, codec_piece)
        device = self._cache.length.device
        config = temporal.config
        self.config, self._device = config, device
        self.lag = max(config.delays)
        self._initial = torch.from_numpy(initial(config)).to(device)
        self._said = torch.zeros(slots, PARTS, dtype=torch.long, device=device)
        self._heard = torch.zeros(slots, CODES, dtype=torch.long, device=device)
        self._delays = torch.tensor(config.delays, device=device)
        self._held = [0] * slots  # positions in each slot's cache, as the host knows them
        self._steps: dict[int, FixedSizes] = {}
        self._pool = torch.cuda.graph_pool_handle() if device.type == "cuda" else None

    def reset(self, slot: int, *, codec: bool) -> None:
        """Empty a slot's context; with `codec`, its two streams of sound as well."""
        self._cache.reset(slot)
        self._held[slot] = 0
        if codec:
            self._mimi.reset(slot)

    @property
    def sizes(self) -> list[int]:
        """The numbers of used places at which steps run."""
        return [*range(self._grain, self.capacity, self._grain), self.capacity]

    def step(self, inputs: Floats, used: int | None = None) -> Floats:
        """Packed inputs of the first N slots (N, INPUTS) -> packed outputs (N, ...).

        `used`: at least so many places; only a warm-up gives it.
        """
        rows = len(inputs)
        most = 1 + max(self._held[:rows], default=0) if used is None else used
        size = next(size for size in self.sizes if size >= min(most, self.capacity))
        if size not in self._steps:
            run = partial(self._step, used=size)
            self._steps[size] = FixedSizes(run, (0.0,), self.slots, self._pool)
        out = self._steps[size](torch.from_numpy(inputs).to(self._device, non_blocking=True))
        for slot in np.flatnonzero(inputs[:, -1]):
            self._held[slot] += 1
        found: Floats = out.cpu().numpy()
        return found

    def _step(self, inputs: Tensor, *, used: int) -> Tensor:
        """The function that a graph holds."""
        count = len(inputs)
        active = inputs[:, -1] > 0
        rows = Rows(0, active)
        sounding = Rows(0, active & (self._cache.length[:count] >= self.lag))
        heard = self._mimi.encode(inputs[:, :CHUNK_SAMPLES], rows)[:, :, 0]
        tokens = self._tokens(heard)
        span = self._cache.span(0, count, 1, used)
        state = self._temporal.read(tokens[..., None], self._cache, span, active.long())[:, 0]
        choose = sampler(self.sampling, inputs[:, CHUNK_SAMPLES : CHUNK_SAMPLES + PARTS])
        text = choose(self._temporal.text(state), 0)
        said = torch.cat([text[:, None], self._depth.codes(state, text, choose)], dim=1)
        late = self._delays[1:PARTS] == self.lag
        frame = torch.where(late, said[:, 1:], self._said[:count, 1:])
        sound = self._mimi.decode(frame[..., None], sounding)
        rows.store(self._said, said)
        rows.store(self._heard, heard)
        return torch.cat([heard.float(), said.float(), sound], dim=1)

    def _tokens(self, heard: Tensor) -> Tensor:
        """What each row's next position reads, (N, 17), as `positions` has it."""
        count = len(heard)
        callers = torch.where(self._delays[PARTS:] == 0, heard, self._heard[:count])
        rows = torch.cat([self._said[:count], callers], dim=1)
        return torch.where(self._cache.length[:count, None] <= self._delays, self._initial, rows)

    # Replays, in pieces: after each `yield` other slots may step.

    def read(
        self,
        slot: int,
        said: Tokens,
        heard: Tokens,
        first: int,
        embeddings: Tensor | None = None,
    ) -> Iterator[None]:
        """Read the steps from `first` on of a context (T, 9), (T, 8); the slot holds the others.

        `embeddings` (E, D) replace those of the first E steps that are read.
        """
        rows = torch.from_numpy(positions(said, heard, self.config)[first:]).to(self._device)
        for at in range(0, len(rows), self._read_piece):
            piece = rows[at : at + self._read_piece].T[None]
            kept = torch.tensor([piece.shape[-1]], device=self._device)
            span = self._cache.span(slot, 1, piece.shape[-1])
            x = self._temporal.embed(piece)
            if embeddings is not None and (given := embeddings[at : at + x.shape[1]]).shape[0]:
                x[0, : len(given)] = given.to(x)
            self._temporal.read_embedded(x, self._cache, span, kept)
            self._held[slot] += piece.shape[-1]
            yield
        if len(said):
            self._said[slot] = torch.from_numpy(said[-1]).to(self._device)
            self._heard[slot] = torch.from_numpy(heard[-1]).to(self._device)

    def hear(self, slot: int, sound: NDArray[np.float32]) -> Iterator[None]:
        """Encode a replay's sound (T, 1920), only for the encoder's state."""
        rows = Rows(slot, torch.ones(1, dtype=torch.bool, device=self._device))
        for at in range(0, len(sound), self._codec_piece):
            piece = torch.from_numpy(sound[at : at + self._codec_piece].reshape(1, -1))
            self._mimi.encode(piece.to(self._device), rows)
            yield

    def say(self, slot: int, said: Tokens) -> Iterator[None]:
        """Decode a replay's tokens (T, 9), only for the decoder's state."""
        rows = Rows(slot, torch.ones(1, dtype=torch.bool, device=self._device))
        codes = frames(said, self.config) if len(said) > self.lag else said[:0, 1:]
        for at in range(0, len(codes), self._codec_piece):
            piece = torch.from_numpy(codes[at : at + self._codec_piece].T[None].copy())
            self._mimi.decode(piece.to(self._device), rows)
            yield
