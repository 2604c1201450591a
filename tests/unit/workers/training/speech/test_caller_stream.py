"""The rings of utterances: bounded, renewed by drawing, mixed by the stated shares."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from shared.audio import Floats
from workers.training.speech import acoustics, caller_stream
from workers.training.speech.caller_stream import PlainText, SceneRenderer, UtteranceRing, VoiceMix
from workers.training.speech.callers import VOICE_GROUPS
from workers.training.speech.tts import SpeechJob


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> list[SpeechJob]:
    """The jobs that a fake engine gets."""
    jobs: list[SpeechJob] = []

    def speak(wanted: Sequence[SpeechJob]) -> list[Floats]:
        jobs.extend(wanted)
        return [np.full(2400, 0.1, np.float32) for _ in wanted]

    monkeypatch.setattr(caller_stream, "speak", speak)
    return jobs


def test_a_ring_makes_new_utterances_at_the_rate_of_its_reuse(spoken: list[SpeechJob]) -> None:
    count = iter(range(10_000))
    ring = UtteranceRing(
        VOICE_GROUPS[1], lambda: PlainText(f"text {next(count)}"), random.Random(0)
    )
    for _ in range(50):
        ring.draw(9)
    assert len(spoken) == pytest.approx(caller_stream.FIRST + 50 * 9 / VOICE_GROUPS[1].reuse, abs=2)
    assert len({job.text for job in spoken}) == len(spoken)


def test_a_ring_is_bounded(spoken: list[SpeechJob]) -> None:
    count = iter(range(10_000))
    ring = UtteranceRing(
        replace(VOICE_GROUPS[0], capacity=40), lambda: PlainText(str(next(count))), random.Random(0)
    )
    for _ in range(30):
        drawn = ring.draw(10)
    assert len(spoken) > 100
    assert min(int(said.content.text) for said in drawn) >= len(spoken) - 40


def test_an_empty_text_becomes_a_sound_without_a_voice(spoken: list[SpeechJob]) -> None:
    said = UtteranceRing(VOICE_GROUPS[0], lambda: PlainText(""), random.Random(0)).draw(40)
    assert not spoken
    assert all(one.voice == "nobody" and len(one.samples) for one in said)
    assert {bool(one.samples.any()) for one in said} == {True, False}


def test_voice_groups_are_mixed_by_their_shares(spoken: list[SpeechJob]) -> None:
    mix = VoiceMix(lambda: PlainText("a"), random.Random(0))
    voices = [said.voice for _ in range(20) for said in mix.draw(100)]
    espeak = sum(voice.startswith("espeak") for voice in voices) / len(voices)
    assert espeak == pytest.approx(VOICE_GROUPS[0].share, abs=0.02)


def test_a_rendition_has_the_frame_at_which_speech_ends() -> None:
    renderer = SceneRenderer(
        acoustics.AcousticScene(noise=0, room=0, line=0, narrow=0, clip=0), seed=1
    )
    voice = np.random.default_rng(0).normal(0, 0.07, 12_000).astype(np.float32)
    mels, end = renderer.render(voice, [], (0.3, 0.3), (0.5, 0.5))
    assert mels.shape == (130, 80)
    assert end == 80
    assert mels[end - 1].mean() > mels[end + 6].mean() + 3
