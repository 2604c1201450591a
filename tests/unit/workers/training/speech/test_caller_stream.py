"""The rings of utterances: bounded, renewed as they are drawn from, mixed by the stated shares."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.audio import Floats
from workers.training.speech import acoustics, caller_stream
from workers.training.speech.caller_stream import Ear, Plain, Ring, Speech
from workers.training.speech.callers import KINDS
from workers.training.speech.tts import Job


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """An engine that notes what it was asked to say."""
    jobs: list[Job] = []

    def speak(wanted: Sequence[Job]) -> list[Floats]:
        jobs.extend(wanted)
        return [np.full(2400, 0.1, np.float32) for _ in wanted]

    monkeypatch.setattr(caller_stream, "speak", speak)
    return jobs


def test_a_ring_says_new_things_at_the_rate_of_its_reuse(spoken: list[Job]) -> None:
    count = iter(range(10_000))
    ring = Ring(KINDS[1], lambda: Plain(f"text {next(count)}"), random.Random(0))
    for _ in range(50):
        ring.draw(9)
    assert len(spoken) == pytest.approx(caller_stream.FIRST + 50 * 9 / KINDS[1].reuse, abs=2)
    assert len({job.text for job in spoken}) == len(spoken)


def test_a_ring_is_bounded(spoken: list[Job]) -> None:
    count = iter(range(10_000))
    ring = Ring(replace(KINDS[0], capacity=40), lambda: Plain(str(next(count))), random.Random(0))
    for _ in range(30):
        drawn = ring.draw(10)
    assert len(spoken) > 100
    assert min(int(said.what.text) for said in drawn) >= len(spoken) - 40


def test_nothing_said_is_a_sound_by_nobody(spoken: list[Job]) -> None:
    said = Ring(KINDS[0], lambda: Plain(""), random.Random(0)).draw(40)
    assert not spoken
    assert all(one.voice == "nobody" and len(one.samples) for one in said)
    assert {bool(one.samples.any()) for one in said} == {True, False}


def test_kinds_of_voices_are_mixed_by_their_shares(spoken: list[Job]) -> None:
    speech = Speech(lambda: Plain("a"), random.Random(0))
    voices = [said.voice for _ in range(20) for said in speech.draw(100)]
    espeak = sum(voice.startswith("espeak") for voice in voices) / len(voices)
    assert espeak == pytest.approx(KINDS[0].share, abs=0.02)


def test_an_ear_says_where_speech_ends() -> None:
    ear = Ear(acoustics.Scene(noise=0, room=0, line=0, narrow=0, clip=0), seed=1)
    voice = np.random.default_rng(0).normal(0, 0.07, 12_000).astype(np.float32)
    mels, end = ear.hear(voice, [], (0.3, 0.3), (0.5, 0.5))
    assert mels.shape == (130, 80)
    assert end == 80
    assert mels[end - 1].mean() > mels[end + 6].mean() + 3
