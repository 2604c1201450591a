"""Silero's VAD network (MIT, v6, 16 kHz) in numpy: batched over callers, without torch.

It reads the weights once from the package's TorchScript (its safetensors come from another
training). A window takes 0.7 million products. Letters: B callers, W = 512 samples a window
(32 ms), K frames of its short-time spectrum, C channels. A window also reads the 64 samples before.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats
from shared.errors import ConfigError

WINDOW: Final = 512  # samples at 16 kHz
CONTEXT: Final = 64
WIDTH: Final = 128  # of the LSTM
_FFT: Final = 256
_HOP: Final = 128
_EDGE: Final = 64  # samples mirrored at the end
_FILE: Final = "silero_vad/data/silero_vad.jit"
_NAMES: Final = {
    "stft": "_model.stft.forward_basis_buffer",
    **{
        f"conv{i + 1}.{part}": f"_model.encoder.{i}.reparam_conv.{part}"
        for i in range(4)
        for part in ("weight", "bias")
    },
    **{
        name: f"_model.decoder.rnn.{name}"
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    },
    "out.weight": "_model.decoder.decoder.2.weight",
    "out.bias": "_model.decoder.decoder.2.bias",
}


@dataclass(frozen=True, slots=True)
class _Convolution:
    """Kernel 3, one sample of zeros at both ends, then ReLU; weight (3 * inputs, outputs)."""

    weight: Floats
    bias: Floats
    stride: int

    def __call__(self, x: Floats) -> Floats:
        """(B, K, C) -> (B, K / stride, C')."""
        padded = np.pad(x, ((0, 0), (1, 1), (0, 0)))
        starts = np.arange(0, x.shape[1], self.stride)
        near = padded[:, starts[:, None] + np.arange(3)]  # (B, K / stride, 3, C)
        y = near.reshape(len(x), len(starts), -1) @ self.weight + self.bias
        return np.asarray(np.maximum(y, 0), dtype=np.float32)


class Silero:
    """The network. Callers keep its state: (B, 2, 128), hidden and cell, zeros at first."""

    def __init__(self, tensors: dict[str, Floats]) -> None:
        """`tensors` by the names of `_NAMES`."""
        self._basis = np.ascontiguousarray(tensors["stft"][:, 0].T)  # (256, 258)
        strides = {"conv1": 1, "conv2": 2, "conv3": 2, "conv4": 1}
        self._convolutions = [
            _Convolution(_flat(tensors[f"{name}.weight"]), tensors[f"{name}.bias"], stride)
            for name, stride in strides.items()
        ]
        parts = tensors["weight_ih"], tensors["weight_hh"]
        self._gates = np.ascontiguousarray(np.concatenate(parts, axis=1).T)  # (256, 512)
        self._gates_bias = tensors["bias_ih"] + tensors["bias_hh"]
        self._out = tensors["out.weight"][0, :, 0]
        self._out_bias = tensors["out.bias"][0]

    def __call__(self, samples: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Samples (B, 64 + 512) in [-1, 1], state (B, 2, 128) -> P(speech) (B,), state."""
        return self._recall(self._features(samples), state)

    def chances(self, sound: Floats) -> Floats:
        """One whole sound (N,) in [-1, 1] -> P(speech) of each window, (ceil(N / 512),).

        The convolutions take all windows at once: 4 ms for 2.5 s on one core.
        """
        padded = np.pad(sound, (CONTEXT, -len(sound) % WINDOW))
        both = CONTEXT + WINDOW
        windows = np.lib.stride_tricks.sliding_window_view(padded, both)[::WINDOW]
        state = np.zeros((1, 2, WIDTH), dtype=np.float32)
        found = np.zeros(len(windows), dtype=np.float32)
        for at, features in enumerate(self._features(windows)):
            found[at : at + 1], state = self._recall(features[None], state)
        return found

    def _features(self, samples: Floats) -> Floats:
        """(B, 576) -> (B, 128)."""
        x = self._spectrum(samples)
        for convolution in self._convolutions:
            x = convolution(x)
        return x[:, 0]

    def _recall(self, features: Floats, state: Floats) -> tuple[Floats, Floats]:
        """Features (B, 128), state (B, 2, 128) -> P(speech) (B,), state."""
        joined = np.concatenate([features, state[:, 0]], axis=1)
        gates = joined @ self._gates + self._gates_bias
        into, forget, new, out = np.split(gates, 4, axis=1)
        cell = _sigmoid(forget) * state[:, 1] + _sigmoid(into) * np.tanh(new)
        hidden = _sigmoid(out) * np.tanh(cell)
        chance = _sigmoid(np.maximum(hidden, 0) @ self._out + self._out_bias)
        return chance, np.stack([hidden, cell], axis=1)

    def _spectrum(self, samples: Floats) -> Floats:
        """(B, 576) -> magnitudes (B, 4, 129)."""
        padded = np.concatenate([samples, samples[:, -2 : -2 - _EDGE : -1]], axis=1)
        frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT, axis=1)[:, ::_HOP]
        both = frames @ self._basis
        half = _FFT // 2 + 1
        power = both[..., :half] ** 2 + both[..., half:] ** 2
        return np.asarray(np.sqrt(power), dtype=np.float32)


def _flat(weight: Floats) -> Floats:
    """(outputs, inputs, 3) -> (3 * inputs, outputs)."""
    return np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(weight)))


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)), dtype=np.float32)


@cache
def load_silero() -> Silero:
    """The installed package's network. Raises ConfigError if the package is missing."""
    try:
        # Found, not imported: the package's own code would bring torch.
        path = Path(str(distribution("silero-vad").locate_file(_FILE)))
    except PackageNotFoundError as error:
        raise ConfigError(
            "Expected the package silero-vad for VAD=silero or ENGINE=cascade, got none: "
            "pip install 'silero-vad>=6.2.3,<7'"
        ) from error
    if not path.exists():
        raise ConfigError(f"Expected {path} of silero-vad 6, got none: install silero-vad>=6.2.3")
    return Silero(_weights(path))


def _weights(path: Path) -> dict[str, Floats]:
    import torch  # to read them; importing the runtime must not bring it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript as such
        state = torch.jit.load(str(path), map_location="cpu").state_dict()  # type: ignore[no-untyped-call]
    missing = set(_NAMES.values()) - set(state)
    if missing:
        raise ConfigError(f"Expected {sorted(missing)} in {path}: install silero-vad>=6.2.3,<7")
    return {name: state[theirs].numpy().astype(np.float32) for name, theirs in _NAMES.items()}
