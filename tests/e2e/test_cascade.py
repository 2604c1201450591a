"""The default engine with its real weights through real processes: calls, memory, a killed worker.

Whisper reads the replies' sound back. Each worker here computes with another instruction set. So a
worker that takes over a call would come to other words if it computed anything again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from client.speaking import speak_file
from shared.audio import SAMPLE_RATE_HZ, floats_from_pcm16, pcm16_from_bytes, pcm16_from_floats
from tests.e2e.client import FAST, Client, calling
from tests.e2e.conftest import running_stack
from tests.e2e.launcher import Stack
from tests.e2e.test_spoken import QUESTIONS, question, stay_silent_until_replies
from workers.evaluation.transcript_errors import word_errors
from workers.models.speech_to_text.whisper import Whisper, load_whisper
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

pytestmark = pytest.mark.e2e

# Of the words of a reply: Whisper itself mishears one in thirty of this voice.
MOST_ERRORS: Final = 0.2
VOICE: Final = TtsVoice("flite", "cmu_us_slt")


@pytest.fixture(scope="module")
def stack(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """A gateway and a worker, for all tests of this module."""
    with running_stack(redis_url, tmp_path_factory.mktemp("cascade"), request) as stack:
        stack.start_worker(ENGINE="cascade", WORKER_SLOTS="4")
        stack.start_gateway()
        yield stack


@pytest.fixture(scope="module")
def judge() -> Whisper:
    return load_whisper()


def reply_of(client: Client, generation: int) -> tuple[str, bytes]:
    """The text and the sound of one reply."""
    text = "".join(e["text"] for e in client.got("text") if e["generation"] == generation)
    return text, b"".join(pcm for _, of, pcm in client.frames if of == generation)


def assert_sounds_like(judge: Whisper, sound: bytes, text: str) -> None:
    samples = floats_from_pcm16(pcm16_from_bytes(sound))[: 29 * SAMPLE_RATE_HZ]
    found = judge.transcribe([samples])[0].text
    assert word_errors(text, found).rate <= MOST_ERRORS, (text, found)


async def test_a_recorded_question_is_answered_in_words_that_the_sound_says(
    stack: Stack, tmp_path: Path, judge: Whisper
) -> None:
    report = await speak_file(
        QUESTIONS / "capital.wav", stack.url, tmp_path / "reply.wav", mode="turn", plain=False
    )
    assert "Paris" in report["transcript"]
    assert "capital of France" in report["heard"]
    assert report["gaps"] == 0


async def test_the_call_is_remembered(stack: Stack) -> None:
    said = ("My name is Oliver.", "What is my name?")
    spoken = [pcm16_from_floats(sound) for sound in speak([SpeechJob(VOICE, s) for s in said])]
    async with calling(stack.url, "turn") as client:
        for count, pcm in enumerate(spoken, 1):
            padded = np.pad(pcm, (0, -pcm.size % 1_920))
            await client.speak(list(padded.reshape(-1, 1_920)), FAST)
            await stay_silent_until_replies(client, count)
            await client.send(type="played", frame=client.frames[-1][0])
    assert all(event["rough"] is False for event in client.got("heard"))
    assert "Oliver" in reply_of(client, client.frames[-1][1])[0]


async def test_nothing_is_lost_or_computed_again_when_the_worker_is_killed(
    stack: Stack, judge: Whisper
) -> None:
    stack.start_worker(ENGINE="cascade", WORKER_SLOTS="4", ATEN_CPU_CAPABILITY="avx2")
    async with calling(stack.url, "turn") as client:
        await client.speak(question("story"), FAST)
        await client.until(lambda: len(client.frames) > 20)
        stack.owner_of(client.ready["session"]).kill()
        await stay_silent_until_replies(client, 1)
        numbers = client.numbers
        await client.speak(question("capital"), FAST)
        await stay_silent_until_replies(client, 2)
    assert client.numbers == list(range(1, len(client.numbers) + 1))
    text, sound = reply_of(client, 1)
    assert len(numbers) * 960 == len(sound)
    assert text.rstrip().endswith((".", "!", "?"))
    assert_sounds_like(judge, sound, text)
    assert "Paris" in reply_of(client, 2)[0]
