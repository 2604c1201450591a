"""The listener encodes the caller's speech: one continuous state for each 80 ms step.

Log-mel -> three causal stride-2 convolutions -> transformer -> (its phone guess, fed back)
-> transformer -> state. Training uses CTC and is separate from the codec: an encoder shared with
reconstruction made both worse.

Letters: B rows, F mel frames (8 a step), T steps, M mel bins, D state width, S sub-frames a step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.audio import CHUNK_SAMPLES
from workers.models import checkpoint
from workers.models.layers.transformer import CausalConv1d, Transformer, TransformerConfig
from workers.models.mel import LogMel, MelConfig

States = NDArray[np.float16]

# Log-mel frames are shifted and scaled to about zero mean and unit variance.
MEL_MEAN: Final = -6.0
MEL_SCALE: Final = 2.5
STREAM_STEPS: Final = 16  # the most steps of one pass; `ListenerStream` splits longer input


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """The listener's size. One state is `width` float16 values: 512 bytes at 256."""

    bins: int = 80
    channels: tuple[int, int, int] = (128, 192, 256)
    kernels: tuple[int, int, int] = (6, 4, 4)
    width: int = 256
    layers: int = 6  # half of them below the phones, half above
    heads: int = 4
    window: int = 40  # steps: 3.2 s
    dropout: float = 0.0  # masks took a tenth of a step; the distorted audio regularises enough
    phones: int = 40  # CTC classes, the blank included
    characters: int = 29
    subframes: int = 4  # CTC frames a step

    @property
    def half(self) -> TransformerConfig:
        """Each of the two transformers."""
        return TransformerConfig(
            self.width, self.layers // 2, self.heads, self.window, dropout=self.dropout
        )


LISTENERS: Final = {
    "tiny": ListenerConfig(),
    "base": ListenerConfig(width=512, channels=(128, 256, 512), layers=8, heads=8),
}


@dataclass(frozen=True, slots=True)
class ListenerOutput:
    """The listener's outputs for a batch. Only training uses the logits."""

    states: Tensor  # (B, T, D)
    phones: Tensor  # (B, T * S, phones), logits
    characters: Tensor  # (B, T * S, characters), logits


@dataclass(frozen=True, slots=True)
class ListenerState:
    """The streaming state of a fixed number of slots."""

    samples: Tensor  # (slots, window - hop) of the mel front end
    convolutions: tuple[Tensor, ...]  # one (slots, channels, past) each


class Listener(nn.Module):
    """The network. `forward` takes whole recordings; `ListenerStream` takes chunks."""

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        self.config = config
        inputs = (config.bins, *config.channels[:2])
        self.convolutions = nn.ModuleList(
            CausalConv1d(i, o, k, stride=2)
            for i, o, k in zip(inputs, config.channels, config.kernels, strict=True)
        )
        self.into = nn.Linear(config.channels[-1], config.width)
        self.lower = Transformer(config.half)
        self.phones = nn.Linear(config.width, config.subframes * config.phones)
        self.feedback = nn.Linear(config.subframes * config.phones, config.width)
        self.upper = Transformer(config.half)
        self.characters = nn.Linear(config.width, config.subframes * config.characters)

    def guess(self, lower: Tensor) -> tuple[Tensor, Tensor]:
        """The lower half's states (B, T, D) -> phone logits (B, T * S, phones), upper's input."""
        B, T, _ = lower.shape
        logits = self.phones(lower).float().view(B, T * self.config.subframes, -1)
        chance = logits.softmax(-1).view(B, T, -1)
        return logits, lower + self.feedback(chance)

    def forward(self, mels: Tensor) -> ListenerOutput:
        """Log-mels (B, F, M), F a multiple of 8 -> states and logits."""
        x = ((mels - MEL_MEAN) / MEL_SCALE).transpose(1, 2)  # (B, F, M) -> (B, M, F)
        for convolution in self.convolutions:
            x = convolution(x).relu()
        # float32 keeps the residual stream precise when the products run in bfloat16.
        x = self.into(x.transpose(1, 2)).float()  # (B, C, T) -> (B, T, D)
        phones, x = self.guess(self.lower(x))
        states = self.upper(x)
        B, T, _ = states.shape
        characters = self.characters(states).float().view(B, T * self.config.subframes, -1)
        return ListenerOutput(states, phones, characters)


class ListenerStream:
    """Listens to `slots` callers, any subset of them in a call. The states equal `forward`'s."""

    def __init__(self, listener: Listener, slots: int, mel: MelConfig | None = None) -> None:
        self.listener = listener.eval()
        device = next(listener.parameters()).device
        self.front = LogMel(mel).to(device)
        capacity = listener.config.window + STREAM_STEPS - 1
        self._lower = listener.lower.cache(slots, capacity)
        self._upper = listener.upper.cache(slots, capacity)
        self._state = ListenerState(
            self.front.initial(slots),
            tuple(c.initial(slots) for c in listener.convolutions),  # type: ignore[operator]
        )

    def reset(self, rows: Sequence[int] | Tensor) -> None:
        """Reset the named slots to new streams, with silence before the first sample."""
        index = torch.as_tensor(rows, dtype=torch.long)
        self._lower.reset(index)
        self._upper.reset(index)
        self._state.samples[index] = 0.0
        for past in self._state.convolutions:
            past[index] = 0.0

    @torch.no_grad()
    def hear(self, samples: Tensor, rows: Sequence[int] | Tensor) -> Tensor:
        """The next N chunks (B, N * 1920), in [-1, 1], of slots `rows` -> states (B, N, D)."""
        if samples.shape[-1] % CHUNK_SAMPLES:
            raise ValueError(
                f"Expected whole chunks of {CHUNK_SAMPLES} samples, got {samples.shape[-1]}"
            )
        index = torch.as_tensor(rows, dtype=torch.long)
        pieces = torch.split(samples, STREAM_STEPS * CHUNK_SAMPLES, dim=-1)
        return torch.cat([self._hear(piece, index) for piece in pieces], dim=1)

    def _hear(self, samples: Tensor, rows: Tensor) -> Tensor:
        mels, self._state.samples[rows] = self.front.stream(samples, self._state.samples[rows])
        x = ((mels - MEL_MEAN) / MEL_SCALE).transpose(1, 2)
        for convolution, past in zip(
            self.listener.convolutions, self._state.convolutions, strict=True
        ):
            y, past[rows] = convolution.stream(x, past[rows])  # type: ignore[operator]
            x = y.relu()
        x = self.listener.into(x.transpose(1, 2))
        _, x = self.listener.guess(self.listener.lower.stream(x, self._lower, rows))
        return self.listener.upper.stream(x, self._upper, rows)


def load_listener(folder: Path) -> Listener:
    """The listener of a weights folder, in evaluation mode. Raises ConfigError."""
    part = checkpoint.read_part(folder, "listener")
    listener = Listener(checkpoint.config_of(ListenerConfig, part))
    checkpoint.fill(listener, part)
    return listener


def states_to_bytes(states: Tensor) -> list[bytes]:
    """States (T, D) -> one string of little-endian float16 a step, as the log stores it."""
    return [row.tobytes() for row in states.float().cpu().numpy().astype("<f2")]


def states_from_bytes(logged: Sequence[bytes]) -> Tensor:
    """One or more logged states -> (T, D) float32, with exactly the logged values."""
    return torch.from_numpy(np.stack([np.frombuffer(b, "<f2") for b in logged])).float()


@torch.no_grad()
def encode(listener: Listener, mels: Sequence[NDArray[np.float16]]) -> list[States]:
    """Log-mels of recordings, each (F, M) -> states, each (F // 8, D) float16, as a stream's.

    It makes one padded pass, so the recordings should have similar lengths. The padding on the
    right changes nothing, since the listener is causal.
    """
    step = MelConfig().frames_per_step
    lengths = [len(mel) // step for mel in mels]
    batch = torch.zeros(len(mels), max(lengths) * step, mels[0].shape[1])
    for row, (mel, length) in enumerate(zip(mels, lengths, strict=True)):
        batch[row, : length * step] = torch.from_numpy(mel[: length * step].astype(np.float32))
    states = listener.eval()(batch).states.numpy().astype(np.float16)
    return [states[row, :length] for row, length in enumerate(lengths)]
