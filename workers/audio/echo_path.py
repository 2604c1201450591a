"""Tells the caller's speech from the assistant's own voice that the microphone picks up.

A loudspeaker's sound returns after an unknown delay, weaker by an unknown gain in each band, and
smeared by the room. The server knows what it sent. So it compares each 10 ms of the microphone with
what was played one delay earlier, band by band, in decibels. An echo stays near its band's gain. A
caller who speaks over it stands out where the assistant's voice is weak. Nothing is subtracted, so
neither the browser's own processing nor clock drift does harm.

The detector learns the delay and the gains during the call. Until a delay has explained enough, a
sound counts as the caller's only if no delay explains it at any gain. After that it counts as the
caller's if no delay explains it at the learnt gains.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import FRAMES_PER_CHUNK, Pcm16
from workers.audio.bands import BANDS, CHUNK_HOPS, FRAME_HOPS, SILENCE_DB, Bands, Levels, decibels
from workers.audio.playback import Playback

# The delays tried, in hops of 10 ms after the playhead, which is known to within 80 ms.
SOONEST: Final = -10
LATEST: Final = 60
LOOK: Final = 24  # hops of the microphone compared with what was played: 240 ms

AUDIBLE_DB: Final = 10.0  # over the background: a bin that carries information
BACKGROUND_DB: Final = 4.0  # the background's mean over its quietest
BACKGROUND_RISE_DB: Final = 0.2  # a chunk
ACTIVE_DB: Final = 30.0  # a bin further below the loudest played one says nothing about the gain
FAINTEST_DB: Final = -80.0
MARGIN_DB: Final = 6.0  # how far an echo's bins scatter above their band's gain ...
LOOSE_MARGIN_DB: Final = 9.0  # ... and above one gain for all bands
MAX_EXCESS_DB: Final = 15.0  # of a bin
MAX_SCATTER_DB: Final = 12.0
NEAR_DB: Final = 1.5  # a frame with this mean excess is the caller's
MAX_GAIN_DB: Final = 6.0
NO_GAIN_DB: Final = -100.0
GAIN_QUANTILE: Final = 0.4  # the caller adds to bins and takes from none

EXCESS_WEIGHT: Final = 2.0  # relative to the scatter, in the choice of a delay
FEW_BANDS: Final = 5  # a hop with fewer audible bands is weighed as if it had these
FEW_BINS: Final = 40  # of 480 bins; with fewer, nothing is learnt
NEARBY: Final = 2  # hops: the same delay
TRUSTED: Final = 3  # chunks that a delay must have explained
MOST_TRUST: Final = 8
SLOW: Final = 12  # chunks that a band's gain is averaged over

Mask = NDArray[np.bool_]


@dataclass(slots=True)
class _Fit:
    """The delay that best explains the last LOOK hops."""

    delay: int
    gain: NDArray[np.float32]  # (BANDS,), with which it was tried
    ratio: Levels  # (LOOK, BANDS), microphone minus playback
    telling: Mask  # (LOOK, BANDS): played and audible in the microphone
    excess: NDArray[np.float32]  # (LOOK,), mean decibels that the echo does not explain


class EchoPath:
    """The echo of one call."""

    def __init__(self) -> None:
        self.playback = Playback()
        self.trust = 0  # how often the delay has explained the microphone
        self._listening = False
        self._delay = 0
        self._gain = np.zeros(BANDS, np.float32)  # decibels
        self._learnt = np.zeros(BANDS, np.uint8)  # chunks that each gain is the average of
        self._background = np.zeros(BANDS, np.float32)
        self._bands = Bands()
        self._heard = np.zeros((LOOK, BANDS), np.uint8)  # half decibels over SILENCE_DB
        self._state: dict[str, Any] | None = None  # without the playback's, since the last chunk

    def begin(self, first: int) -> None:
        """Begin a reply with this frame: from now on its echo may come."""
        self._state = None
        self.playback.begin(first)
        self._listening = True
        self._bands = Bands()
        self._heard = np.zeros((LOOK, BANDS), np.uint8)

    def hear(self, pcm: Pcm16, *, speech: bool = True) -> tuple[bool, ...]:
        """One chunk of the microphone -> for each of its four frames: may it be the caller?

        `speech`: whether the chunk has any; without speech the comparison is skipped.
        """
        if self._listening:
            self._state = None
            self.playback.tick()
            self._listening = self.playback.lasts(LATEST + LOOK)
        if not self._listening:
            return (True,) * FRAMES_PER_CHUNK
        levels = np.clip(2 * (decibels(self._bands.hear(pcm)) - SILENCE_DB), 0, 255)
        self._heard = np.concatenate([self._heard[CHUNK_HOPS:], np.rint(levels).astype(np.uint8)])
        heard = self._heard * np.float32(0.5) + np.float32(SILENCE_DB)
        quietest = heard[-CHUNK_HOPS:].min(axis=0)
        self._background = np.minimum(self._background + BACKGROUND_RISE_DB, quietest)
        if self.playback.head is None or not speech:
            return (True,) * FRAMES_PER_CHUNK
        fit = self._explain(heard)
        self._learn(fit)
        return _near(fit.excess)

    def _explain(self, heard: Levels) -> _Fit:
        """Try the known delay; if it does not explain the microphone, try all."""
        if self.trust >= TRUSTED:
            fit = self._fit(heard, self._delay - NEARBY, self._delay + NEARBY)
            if not any(_near(fit.excess)):
                return fit
        return self._fit(heard, SOONEST, LATEST)

    def _fit(self, heard: Levels, soonest: int, latest: int) -> _Fit:
        """Compare (LOOK, BANDS) with what was played, at each of these delays."""
        played = self.playback.window(LOOK + latest, -soonest)
        # (delays, LOOK, BANDS), the longest delay first
        windows = np.lib.stride_tricks.sliding_window_view(played, LOOK, axis=0).swapaxes(1, 2)
        floor = self._background + np.float32(BACKGROUND_DB)
        audible = heard > self._background + AUDIBLE_DB
        active = windows > max(float(played.max()) - ACTIVE_DB, FAINTEST_DB)
        ratio = heard - windows
        trusted = self.trust >= TRUSTED
        gain = self._gain[None, None] if trusted else _common_gain(ratio, active)
        echo = np.maximum(windows + gain, floor)
        beyond = heard - echo - (MARGIN_DB if trusted else LOOSE_MARGIN_DB)
        bands = np.maximum(audible.sum(axis=1), FEW_BANDS)
        excess = (np.clip(beyond, 0, MAX_EXCESS_DB) * audible).sum(axis=2) / bands
        telling = active & audible
        cost = EXCESS_WEIGHT * excess.mean(axis=1) + _scatter(ratio, telling)
        best = int(np.argmin(cost))
        tried = np.broadcast_to(gain, (len(windows), 1, BANDS))[best, 0]
        return _Fit(latest - best, tried, ratio[best], telling[best], excess[best])

    def _learn(self, fit: _Fit) -> None:
        """Learn delay and gains from a fit that explains the microphone."""
        over = not self.playback.lasts(fit.delay)  # only the room's reverberation is left
        if over or fit.telling.sum() < FEW_BINS or fit.excess.mean() > NEAR_DB:
            return
        same = self.trust > 0 and abs(fit.delay - self._delay) <= NEARBY
        if same:
            self.trust = min(self.trust + 1, MOST_TRUST)
        elif self.trust >= TRUSTED:
            self.trust -= 1
        else:
            self.trust = 1
            self._gain, self._learnt = fit.gain.copy(), np.zeros(BANDS, np.uint8)
        self._delay = fit.delay
        if same or self.trust >= TRUSTED:
            self._average(fit)

    def _average(self, fit: _Fit) -> None:
        bands = fit.telling.sum(axis=0) >= 3
        if not bands.any():
            return
        ratio = np.where(fit.telling, fit.ratio, np.nan)[:, bands]
        self._learnt[bands] = np.minimum(self._learnt[bands] + 1, SLOW)
        self._gain[bands] += (np.nanmedian(ratio, axis=0) - self._gain[bands]) / self._learnt[bands]

    def state(self) -> dict[str, Any]:
        """What `restore` needs, as msgpack takes it."""
        if self._state is None:
            self._state = self._learned()
        return {**self._state, "playback": self.playback.state()}

    def _learned(self) -> dict[str, Any]:
        window = {"rest": self._bands.rest.tobytes(), "levels": self._heard.tobytes()}
        return {
            "trust": self.trust,
            "delay": self._delay,
            "gain": self._gain.tobytes(),
            "background": self._background.tobytes(),
            "learnt": self._learnt.tobytes(),
            "window": window if self._listening else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from this state; `playback.recall` adds the audio that the log holds."""
        self._state = None
        self.playback.restore(state["playback"])
        self.trust, self._delay = state["trust"], state["delay"]
        self._gain = np.frombuffer(state["gain"], np.float32).copy()
        self._learnt = np.frombuffer(state["learnt"], np.uint8).copy()
        self._background = np.frombuffer(state["background"], np.float32).copy()
        window = state["window"]
        self._listening = window is not None
        if window is not None:
            self._bands = Bands(np.frombuffer(window["rest"], np.int16))
            self._heard = np.frombuffer(window["levels"], np.uint8).reshape(LOOK, BANDS)


def _common_gain(ratio: Levels, active: Mask) -> NDArray[np.float32]:
    """(delays, LOOK, BANDS) -> one gain for all bands of each delay, (delays, 1, 1)."""
    delays = len(ratio)
    ordered = np.sort(np.where(active, ratio, np.inf).reshape(delays, -1), axis=1)
    count = active.sum(axis=(1, 2))
    gain = ordered[np.arange(delays), (GAIN_QUANTILE * count).astype(int)]
    known = np.where(count > 0, np.minimum(gain, MAX_GAIN_DB), NO_GAIN_DB)
    return np.asarray(known[:, None, None], dtype=np.float32)


def _scatter(ratio: Levels, telling: Mask) -> NDArray[np.float32]:
    """(delays, LOOK, BANDS) -> how far bins lie from their band's mean, (delays,) decibels."""
    count = np.maximum(telling.sum(axis=1, keepdims=True), 1)
    mean = (ratio * telling).sum(axis=1, keepdims=True) / count
    off = np.minimum(np.abs(ratio - mean), MAX_SCATTER_DB) * telling
    return np.asarray(off.sum(axis=(1, 2)) / np.maximum(telling.sum(axis=(1, 2)), FEW_BINS))


def _near(excess: NDArray[np.float32]) -> tuple[bool, ...]:
    """(LOOK,) -> for each frame of the last chunk: its 40 ms have too much excess for an echo."""
    starts = range(LOOK - CHUNK_HOPS - FRAME_HOPS, LOOK - FRAME_HOPS, FRAME_HOPS)
    return tuple(bool(excess[at : at + 2 * FRAME_HOPS].mean() > NEAR_DB) for at in starts)
