"""Detects speech with Silero's trained network, as a replacement for `energy_vad.Vad`.

    listen_ahead([(vad, chunks), ...])       # all callers' new audio as one batch; optional
    speech = vad.hear(pcm, threshold)        # (1920,) -> four frames, as `Vad.hear`

A causal filter (0.5 ms late) converts 24 kHz to 16 kHz. Windows of 32 ms follow, alternately two
and three in a chunk. The log carries the state between chunks, some 700 to 1,200 bytes. The live
call also rounds samples to 16 bits and the network's memory to float16. So a worker that takes a
session over computes what the dead one would have computed.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from shared.audio import CHUNK_SAMPLES, FRAMES_PER_CHUNK, Floats, Pcm16
from workers.audio.silero_network import CONTEXT, WIDTH, WINDOW, Silero, load_silero

SPEECH: Final = 0.5  # a probability from which speech begins ...
SILENCE: Final = 0.35  # ... and below which it ends, as its authors chose
_TAPS: Final = 48  # at 48 kHz, the rate that both 24 and 16 divide
_CUTOFF_HZ: Final = 7_400
_PAST: Final = _TAPS // 2  # input samples that the next chunk's first output still needs
# The window that decides for each frame: the one that covers most of it, or the last one.
_WINDOW_OF: Final = {2: (0, 0, 1, 1), 3: (0, 1, 2, 2)}


def _filter() -> Floats:
    """(25, 2): 24 input samples and the newest -> two outputs; the next two are three inputs on."""
    at = np.arange(_TAPS) - (_TAPS - 1) / 2
    taps = np.sinc(2 * _CUTOFF_HZ / 48_000 * at) * np.kaiser(_TAPS, 6.0)
    taps *= 2 / taps.sum()
    pair = np.zeros((_PAST + 1, 2))
    pair[1:, 1] = taps[1::2][::-1]
    pair[:-1, 0] = taps[0::2][::-1]
    return pair.astype(np.float32)


_FILTER: Final = _filter()


def resampled(samples: Floats) -> Floats:
    """(B, 24 + 1920) at 24 kHz -> (B, 1280) at 16 kHz, both of int16 scale, whole numbers."""
    windows = np.lib.stride_tricks.sliding_window_view(samples, _PAST + 1, axis=1)[:, 1::3]
    y = np.rint(windows @ _FILTER).clip(-32_768, 32_767)
    return np.asarray(y.reshape(len(samples), -1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Memory:
    """Everything that the next chunk's result depends on."""

    past: Pcm16  # (24,) at 24 kHz
    rest: Pcm16  # (64,) or (320,) at 16 kHz: the context, and what fills no window yet
    network: Floats  # (2, 128), float16 values

    @classmethod
    def fresh(cls) -> "_Memory":
        none = np.zeros(_PAST + CONTEXT, dtype=np.int16)
        return cls(none[:_PAST], none[_PAST:], np.zeros((2, WIDTH), dtype=np.float32))

    def to_bytes(self) -> bytes:
        network = self.network.astype("<f2").tobytes()
        return network + np.concatenate([self.past, self.rest]).astype("<i2").tobytes()

    @classmethod
    def from_bytes(cls, state: bytes) -> "_Memory":
        network = np.frombuffer(state, "<f2", 2 * WIDTH).astype(np.float32)
        pcm = np.frombuffer(state, "<i2", offset=4 * WIDTH).astype(np.int16)
        return cls(pcm[:_PAST], pcm[_PAST:], network.reshape(2, WIDTH))


@dataclass(frozen=True, slots=True)
class _Heard:
    """A chunk and the network's result for it."""

    pcm: Pcm16
    chances: tuple[float, ...]  # of its windows, two or three
    after: _Memory


class SileroVad:
    """One caller's VAD; `listen_ahead` computes several as one batch."""

    def __init__(self, network: Silero | None = None) -> None:
        self._network = network or load_silero()
        self._memory = _Memory.fresh()
        self._speaking = False
        self._ahead: deque[_Heard] = deque()  # chunks computed ahead of `hear`

    def hear(self, pcm: Pcm16, threshold: float) -> tuple[bool, ...]:
        """One chunk of shape (1920,) -> for each of its four frames: is it speech?

        `threshold`: the RMS (full scale is 1) below which nothing is speech.
        """
        if not self._ahead or not np.array_equal(self._ahead[0].pcm, pcm):
            self._ahead.clear()
            listen_ahead([(self, [pcm])])
        heard = self._ahead.popleft()
        self._memory = heard.after
        frames = pcm.astype(np.float32).reshape(FRAMES_PER_CHUNK, -1) / np.float32(32_768)
        loud = np.sqrt(np.mean(frames**2, axis=1)) > threshold
        chances = (heard.chances[i] for i in _WINDOW_OF[len(heard.chances)])
        return tuple(
            self._speech(chance) and bool(is_loud)
            for chance, is_loud in zip(chances, loud, strict=True)
        )

    def _speech(self, chance: float) -> bool:
        self._speaking = chance >= (SILENCE if self._speaking else SPEECH)
        return self._speaking

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it."""
        return {"memory": self._memory.to_bytes(), "speaking": self._speaking}

    @classmethod
    def restore(cls, state: Mapping[str, Any], network: Silero | None = None) -> "SileroVad":
        """The VAD with this state."""
        vad = cls(network)
        vad._memory, vad._speaking = _Memory.from_bytes(state["memory"]), state["speaking"]
        return vad


def listen_ahead(batch: Sequence[tuple[SileroVad, Sequence[Pcm16]]]) -> None:
    """Compute the chunks that each VAD takes next, oldest first, batched over the VADs."""
    longest = max((len(chunks) for _, chunks in batch), default=0)
    for i in range(longest):
        rows = [(vad, chunks[i]) for vad, chunks in batch if i < len(chunks)]
        pending = [(v, p) for v, p in rows if i >= len(v._ahead)]
        if pending:
            _hear([vad for vad, _ in pending], [pcm for _, pcm in pending])


def _hear(vads: Sequence[SileroVad], pcm: Sequence[Pcm16]) -> None:
    """Compute one more chunk of each VAD, after those computed ahead."""
    before = [vad._ahead[-1].after if vad._ahead else vad._memory for vad in vads]
    joined = [np.concatenate([m.past, chunk]) for m, chunk in zip(before, pcm, strict=True)]
    low = resampled(np.stack(joined).astype(np.float32))
    sound = [np.concatenate([m.rest, y]) for m, y in zip(before, low, strict=True)]
    states = np.stack([m.network for m in before])
    chances: list[list[float]] = [[] for _ in vads]
    for i in range(3):
        start, end = i * WINDOW, (i + 1) * WINDOW + CONTEXT
        rows = [row for row, samples in enumerate(sound) if len(samples) >= end]
        if not rows:
            break
        windows = np.stack([sound[row][start:end] for row in rows]) / np.float32(32_768)
        found, states[rows] = vads[0]._network(windows.astype(np.float32), states[rows])
        for row, chance in zip(rows, found.tolist(), strict=True):
            chances[row].append(chance)
    for row, vad in enumerate(vads):
        rest = sound[row][len(chances[row]) * WINDOW :].astype(np.int16)
        network = states[row].astype(np.float16).astype(np.float32)
        after = _Memory(pcm[row][CHUNK_SAMPLES - _PAST :].astype(np.int16), rest, network)
        vad._ahead.append(_Heard(pcm[row], tuple(chances[row]), after))
