"""Counts false answers in an hour of sounds without speech.

The runtime's VAD and turn logic decide what reaches the model, as in service. Each kind of sound
has a call of its own, at levels from a quiet room's to that of speech.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.signal import lfilter

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Floats, Pcm16, pcm16_from_floats
from shared.log.records import Audio, Played, Speech, SpeechStarted
from shared.modes import VadName
from workers.audio.silero_vad import SileroVad, listen_ahead
from workers.engines.base import Engine, Output
from workers.evaluation.calls import OfflineCall, run_calls
from workers.evaluation.figures import Measures
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.vad_comparison import NOISES
from workers.evaluation.verdicts import head_s
from workers.runtime.conversation.step import Plan
from workers.runtime.conversation.tuning import Tuning

LEVELS_DB: Final = (-60.0, -45.0, -35.0, -25.0)  # RMS of full scale; speech is at -23
LEVEL_S: Final = 15.0  # seconds at one level, then the next

SoundMaker = Callable[[int, np.random.Generator], Floats]


def _hush(count: int, rng: np.random.Generator) -> Floats:
    """The noise of a microphone in a quiet room."""
    return 1e-4 * rng.standard_normal(count).astype(np.float32)


def _music(count: int, rng: np.random.Generator) -> Floats:
    """Chords of two notes of a few harmonics, one after the other."""
    sound = np.zeros(count, np.float32)
    at = 0
    while at < count:
        length = min(count - at, int(rng.uniform(0.12, 0.7) * SAMPLE_RATE_HZ))
        t = np.arange(length) / SAMPLE_RATE_HZ
        fall = np.exp(-t * rng.uniform(1, 6)) * np.minimum(1, t / 0.01)
        for semitone in rng.integers(-12, 24, size=2):
            hz = 220 * 2 ** (semitone / 12)
            waves = [np.sin(2 * np.pi * k * hz * t) / k**1.5 for k in range(1, 6)]
            sound[at : at + length] += (fall * np.sum(waves, axis=0)).astype(np.float32)
        at += length
    return sound


def _taps(count: int, rng: np.random.Generator) -> Floats:
    """Knocks, cups and doors: random bursts through a resonance."""
    sound = 0.003 * rng.standard_normal(count).astype(np.float32)
    for at in np.cumsum(rng.uniform(0.2, 2.5, count // 2_000)) * SAMPLE_RATE_HZ:
        length = int(rng.uniform(0.03, 0.3) * SAMPLE_RATE_HZ)
        if at + length < count:
            t = np.arange(length) / SAMPLE_RATE_HZ
            ring = np.sin(2 * np.pi * rng.uniform(90, 1500) * t) + 0.5 * rng.standard_normal(length)
            sound[int(at) : int(at) + length] += ring * np.exp(-t / rng.uniform(0.005, 0.06))
    return sound


def _breath(count: int, rng: np.random.Generator) -> Floats:
    """Breathing near the microphone: hiss that swells and fades."""
    t = np.arange(count) / SAMPLE_RATE_HZ
    swell = np.maximum(0, np.sin(2 * np.pi * 0.28 * t + rng.uniform(0, 6))) ** 2
    hiss = lfilter([1.0, -0.6], [1.0, -0.5, 0.2], rng.standard_normal(count))
    return np.asarray(swell * hiss + 0.01 * rng.standard_normal(count), dtype=np.float32)


def _ring(count: int, rng: np.random.Generator) -> Floats:
    """Telephones, alarms and chimes: tones in a pattern."""
    t = np.arange(count) / SAMPLE_RATE_HZ
    on = (t % rng.uniform(2, 4)) < 1.0
    trill = np.where((t * 20).astype(int) % 2 == 0, 853.0, 960.0)
    tone = np.sin(2 * np.pi * np.cumsum(trill) / SAMPLE_RATE_HZ)
    return np.asarray(on * tone + 0.002 * rng.standard_normal(count), dtype=np.float32)


def _wind(count: int, rng: np.random.Generator) -> Floats:
    """Rumble that comes and goes."""
    t = np.arange(count) / SAMPLE_RATE_HZ
    rumble = lfilter([0.01], [1.0, -0.99], rng.standard_normal(count))
    gusts = 10 ** (0.6 * np.sin(2 * np.pi * 0.15 * t) + 0.3 * np.sin(2 * np.pi * 0.9 * t))
    return np.asarray(rumble * gusts, dtype=np.float32)


def _beeps(count: int, rng: np.random.Generator) -> Floats:
    """Microwaves, alarm clocks and phones: beeps and trills, pure or square."""
    sound = 0.002 * rng.standard_normal(count).astype(np.float32)
    at = 0
    while at < count:
        t = np.arange(round(rng.uniform(0.06, 1.2) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
        hz, other = rng.uniform(400, 3_000), rng.uniform(1, 1.5) * (rng.random() < 0.5) or 1.0
        pitch = np.where((t * rng.uniform(8, 30)).astype(int) % 2 == 0, hz, other * hz)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE_HZ)
        tone = np.sign(tone) * 0.6 if rng.random() < 0.3 else tone
        for start in range(at, count - len(t), round(len(t) * rng.uniform(1.2, 3)))[
            : rng.integers(1, 6)
        ]:
            sound[start : start + len(t)] += tone.astype(np.float32)
            at = start
        at += len(t) + round(rng.uniform(0.3, 3) * SAMPLE_RATE_HZ)
    return sound


def _birds(count: int, rng: np.random.Generator) -> Floats:
    """Birds and whistles: short sweeps of one tone."""
    sound = 0.002 * rng.standard_normal(count).astype(np.float32)
    for at in np.cumsum(rng.uniform(0.08, 0.9, count // 2_000)) * SAMPLE_RATE_HZ:
        length = round(rng.uniform(0.05, 0.4) * SAMPLE_RATE_HZ)
        if at + length < count:
            t = np.linspace(0, 1, length)
            sweep = rng.uniform(1_200, 4_000) * (1 + rng.uniform(-0.4, 0.4) * t)
            tone = np.sin(2 * np.pi * np.cumsum(sweep) / SAMPLE_RATE_HZ) * np.sin(np.pi * t)
            sound[int(at) : int(at) + length] += tone.astype(np.float32)
    return sound


def _crowd(count: int, rng: np.random.Generator) -> Floats:
    """A dozen people who talk at once, none of them to the assistant."""
    sound = sum((NOISES["babble"](count, rng) for _ in range(2)), start=np.zeros(count, np.float32))
    return np.asarray(sound, dtype=np.float32)


SOUNDS: Final[dict[str, SoundMaker]] = {
    "hush": _hush,
    **{name: noise for name, noise in NOISES.items() if name != "babble"},
    "music": _music,
    "taps": _taps,
    "breath": _breath,
    "ring": _ring,
    "beeps": _beeps,
    "birds": _birds,
    "crowd": _crowd,
    "wind": _wind,
}


def sound_of(kind: str, minutes: float, seed: int) -> Pcm16:
    """So much of one kind, at one level after the other; `hush` keeps its faint level."""
    rng = np.random.default_rng([seed, *kind.encode()])
    count = round(minutes * 60 * SAMPLE_RATE_HZ) // CHUNK_SAMPLES * CHUNK_SAMPLES
    sound = SOUNDS[kind](count, rng)
    if kind != "hush":
        sound = sound / np.float32(np.sqrt(np.mean(sound.astype(np.float64) ** 2)))
        which = np.arange(count) // round(LEVEL_S * SAMPLE_RATE_HZ) % len(LEVELS_DB)
        sound = sound * (10 ** (np.array(LEVELS_DB) / 20))[which].astype(np.float32)
    return pcm16_from_floats(np.clip(sound, -1, 1).astype(np.float32))


class NonSpeechCall(OfflineCall):
    """A call without speech that counts its replies."""

    def __init__(self, sound: Pcm16, vad: VadName, engine: Engine | None = None) -> None:
        super().__init__([sound], tuning=Tuning(vad=vad), engine=engine)
        self.turns = 0  # times that the VAD took a sound for speech
        self._audible: set[int] = set()  # generations

    @property
    def replies(self) -> int:
        """Audible answers."""
        return len(self._audible)

    @property
    def done(self) -> bool:
        """Whether the whole sound was played, and every reply has ended."""
        return self._next >= len(self._ready) and self.conversation.state.reply is None

    def plan(self) -> Plan | None:
        """The engine's next work, after the next 80 ms; the caller plays replies at once."""
        if self.conversation.state.frame > self.conversation.state.played:
            self.offer(Played(self.conversation.state.frame))
        if self.conversation.lead is None:
            self.offer(Audio(self._chunk()))
        return self.conversation.plan()

    def settle(self, output: Output | None) -> None:
        """Count turns and audible replies."""
        for record in self.conversation.settle(output).outputs:
            self.turns += isinstance(record, SpeechStarted)
            if isinstance(record, Speech) and head_s(np.frombuffer(record.pcm, "<i2")) is not None:
                self._audible.add(record.generation)

    @property
    def batched_vad(self) -> tuple[SileroVad, list[Pcm16]] | None:
        """The trained VAD and all its input, to compute ahead; None for the energy VAD."""
        vad = self.conversation.state.detector.batched_vad
        return (vad, [np.frombuffer(c, "<i2") for c in self._ready]) if vad else None


def false_answers(
    engine: Engine, minutes: float, vads: tuple[VadName, ...], progress: ProgressBar
) -> Measures:
    """False answers an hour by VAD and kind of sound, in so many minutes of all kinds together."""
    found: Measures = {"minutes": minutes}
    for vad in vads:
        progress.say(f"no speech, VAD {vad}")
        each = minutes / len(SOUNDS)
        calls = {kind: NonSpeechCall(sound_of(kind, each, 7), vad, engine) for kind in SOUNDS}
        trained = [ahead for call in calls.values() if (ahead := call.batched_vad) is not None]
        listen_ahead(trained)  # as one batch, in a quarter of the time
        run_calls(engine, list(calls.values()))
        progress.add(round(minutes))
        found[str(vad)] = {
            "answers": sum(call.replies for call in calls.values()),
            "answers_an_hour": round(60 / minutes * sum(c.replies for c in calls.values()), 1),
            "turns": sum(call.turns for call in calls.values()),
            "kinds": {k: {"turns": c.turns, "answers": c.replies} for k, c in calls.items()},
        }
    return found
