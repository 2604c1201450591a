"""Spoken questions to the shipped model through real processes; a recogniser reads the answers.

Training never saw these voices and phrasings (tests/e2e/questions/README.md).
"""

import asyncio
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile

from client.resampling import resample
from client.speaking import speak_file
from shared.audio import CHUNK_SAMPLES, Pcm16, pcm16_from_bytes
from tests.e2e.client import FAST, Client, calling
from tests.e2e.conftest import running_stack
from tests.e2e.launcher import Stack
from tests.sounds import silence
from workers.evaluation.judge import judge_of, says

pytestmark = pytest.mark.e2e

QUESTIONS: Final = Path(__file__).parent / "questions"
TURN_END: Final = silence(10)  # 800 ms; 600 end a turn
ANSWERS: Final = {
    "sum": "three plus four is seven.",
    "day": "the day after monday is tuesday.",
    "capital": "the capital of france is paris.",
    "story": "a long time ago, a small voice lived in a machine. "
    "it answered every question, and then it slept.",
}


def question(name: str) -> list[Pcm16]:
    """A recording as chunks (1920,) int16, and the silence that ends its turn."""
    samples, rate_hz = soundfile.read(QUESTIONS / f"{name}.wav", dtype="float32")
    pcm = resample(samples, rate_hz)
    pcm = np.pad(pcm, (0, -pcm.size % CHUNK_SAMPLES))
    return [*pcm.reshape(-1, CHUNK_SAMPLES), *TURN_END]


def plain_words(text: str) -> str:
    return "".join(c for c in text if c.isalpha() or c in " '").strip()


async def ask(
    stack: Stack, name: str, folder: Path, *, mode: str | None = "turn", plain: bool = False
) -> dict[str, Any]:
    """Speak a question with `make talk`'s client; its report. The reply is in the folder."""
    wav, reply = QUESTIONS / f"{name}.wav", folder / f"{name}.wav"
    return await speak_file(wav, stack.url, reply, mode=mode, plain=plain)


def assert_says(folder: Path, name: str) -> None:
    pcm, rate_hz = soundfile.read(folder / f"{name}.wav", dtype="int16")
    assert rate_hz == 24_000
    assert says(pcm, ANSWERS[name]), judge_of(ANSWERS[name]).recognise(pcm)


@pytest.fixture(scope="module")
def spoken(
    redis_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Stack]:
    """A gateway and a worker with the shipped model, for all tests of this module."""
    with running_stack(redis_url, tmp_path_factory.mktemp("spoken"), request) as stack:
        stack.start_worker(ENGINE="hybrid")
        stack.start_gateway()
        yield stack


@pytest.fixture
def two_workers(spoken: Stack) -> Stack:
    """The same with a second worker, if an earlier test has not left it."""
    if len(spoken.workers) < 2:
        spoken.start_worker(ENGINE="hybrid")
    return spoken


def transcript(client: Client, generation: int) -> str:
    return plain_words(
        "".join(e["text"] for e in client.got("text") if e["generation"] == generation)
    )


def any_of_generation(client: Client, kind: str, generation: int) -> bool:
    """Whether an event of this type and generation has come."""
    return any(event["generation"] == generation for event in client.got(kind))


async def stay_silent_until(client: Client, condition: Callable[[], bool]) -> None:
    """Send silence until the condition is true."""
    silent = asyncio.create_task(client.speak(silence(1_000)))
    await client.until(condition)
    silent.cancel()
    await asyncio.gather(silent, return_exceptions=True)


async def stay_silent_until_replies(client: Client, count: int) -> None:
    """Send silence until the server has completed so many replies."""
    await stay_silent_until(client, lambda: len(client.got("reply_done")) >= count)


async def test_four_callers_at_once_get_the_right_answers(spoken: Stack, tmp_path: Path) -> None:
    reports = await asyncio.gather(*(ask(spoken, name, tmp_path) for name in ANSWERS))
    for name, report in zip(ANSWERS, reports, strict=True):
        assert plain_words(report["transcript"]) == plain_words(ANSWERS[name])
        assert report["gaps"] == 0
        assert_says(tmp_path, name)
    assert reports[-1]["reply_seconds"] > 4


async def test_a_plain_client_gets_its_answer_too(spoken: Stack, tmp_path: Path) -> None:
    report = await ask(spoken, "sum", tmp_path, mode=None, plain=True)
    assert report["frames"] > 0
    assert_says(tmp_path, "sum")


async def test_in_stream_mode_the_model_itself_knows_when_to_answer(
    spoken: Stack, tmp_path: Path
) -> None:
    report = await ask(spoken, "sum", tmp_path, mode="stream")
    assert plain_words(report["transcript"]) == plain_words(ANSWERS["sum"])
    assert report["gaps"] == 0
    assert_says(tmp_path, "sum")


async def test_speaking_over_an_answer_stops_it_and_the_next_is_right(spoken: Stack) -> None:
    async with calling(spoken.url, "turn") as client:
        await client.speak(question("story"), FAST)
        # Speech in the first 1.5 s of the answer would go on with the question.
        await client.until(lambda: len(client.frames) > 120)
        await client.speak(question("sum"))
        # A reply that was made in full before the interruption ends with its `clear`.
        done = partial(any_of_generation, client, "reply_done", 2)
        await stay_silent_until(client, done)
    (clear,) = client.got("clear")
    old = [number for number, generation, _ in client.frames if generation == 1]
    new = [number for number, generation, _ in client.frames if generation == 2]
    assert old == list(range(1, len(old) + 1))
    assert new == list(range(clear["next_frame"], clear["next_frame"] + len(new)))
    assert transcript(client, 2) == plain_words(ANSWERS["sum"])


async def test_the_caller_s_words_come_roughly_and_survive_a_worker(two_workers: Stack) -> None:
    said = question("capital")
    async with calling(two_workers.url, "turn") as client:
        await client.speak(said[: len(said) // 2], FAST)
        await client.until(lambda: bool(client.got("heard")))
        two_workers.owner_of(client.ready["session"]).kill()
        await client.speak(said[len(said) // 2 :], FAST)
        await stay_silent_until_replies(client, 1)
    events = client.got("heard")
    assert [event["final"] for event in events] == [*[False] * (len(events) - 1), True]
    assert all(event["rough"] for event in events[:-1])
    partial = [event["text"] for event in events[:-1]]
    assert all(more.startswith(less) for less, more in pairwise(partial))
    likeness = SequenceMatcher(None, events[-1]["text"], "do you know the capital of france")
    assert likeness.ratio() > 0.7


async def test_a_caller_does_not_notice_a_worker_s_death_in_mid_answer(
    two_workers: Stack,
) -> None:
    async with calling(two_workers.url, "turn") as client:
        await client.speak(question("story"), FAST)
        await client.until(lambda: len(client.frames) > 20)
        two_workers.owner_of(client.ready["session"]).kill()
        await stay_silent_until_replies(client, 1)
        await client.speak(question("sum"), FAST)
        await stay_silent_until_replies(client, 2)
    assert client.numbers == list(range(1, len(client.numbers) + 1))
    for generation, name in ((1, "story"), (2, "sum")):
        pcm = b"".join(pcm for _, g, pcm in client.frames if g == generation)
        assert transcript(client, generation) == plain_words(ANSWERS[name])
        assert says(pcm16_from_bytes(pcm), ANSWERS[name])
