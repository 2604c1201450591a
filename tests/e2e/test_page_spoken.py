"""A spoken question gets the right spoken answer from the page."""

import struct
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Playwright, expect

from client.resampling import resample
from tests.e2e.browser import (
    MICROPHONE_HZ,
    SECOND,
    WHOLE,
    Complaints,
    chromium,
    connected,
    likeness,
)
from tests.e2e.caller import await_shown, keep_history, saved
from tests.e2e.launcher import Stack
from tests.e2e.test_spoken import ANSWERS, QUESTIONS, plain_words
from tests.e2e.wire import Wire
from workers.evaluation.judge import judge_of, says

pytestmark = [pytest.mark.browser, pytest.mark.e2e]

HEADER: Final = "<IIHH"  # of each frame: number, generation, flags, zero


def write_question(file: Path, name: str) -> None:
    """A WAV for the microphone that says the question once in half a minute."""
    samples, rate_hz = soundfile.read(QUESTIONS / f"{name}.wav", dtype="float32")
    # Repeated samples have images, above 12 kHz: the page takes the microphone at 24 kHz.
    pcm = np.repeat(resample(samples, rate_hz), MICROPHONE_HZ // SECOND)
    whole = np.pad(pcm, (2 * MICROPHONE_HZ, 28 * MICROPHONE_HZ))
    soundfile.write(file, whole, MICROPHONE_HZ, subtype="PCM_16")


def test_a_spoken_question_gets_its_answer(
    playwright: Playwright, stack: Stack, tmp_path: Path
) -> None:
    stack.start_worker(ENGINE="hybrid")
    stack.start_gateway()
    write_question(tmp_path / "question.wav", "sum")
    (tmp_path / "profile").mkdir()
    with (
        chromium(tmp_path / "profile", tmp_path / "question.wav") as devtools,
        connected(playwright, devtools) as browser,
    ):
        page, complaints = browser.new_page(), Complaints()
        wire = Wire(page)
        complaints.watch(page)
        keep_history(page)
        page.goto(f"{stack.http}/web?processing=off")
        page.click("#call")
        # A starved browser may break the question off; the microphone asks it again.
        reply = page.locator(".reply .line").last
        expect(reply).to_contain_text("seven")
        assert plain_words(reply.inner_text()) == plain_words(ANSWERS["sum"])
        await_shown(page, "#headline", "Speaking", "Listening")
        played = saved(page)[:, 1]
    assert complaints.lines == []
    frames = [(struct.unpack(HEADER, frame[:12])[1], frame[12:]) for frame in wire.down]
    answer = np.frombuffer(b"".join(pcm for of, pcm in frames if of == frames[-1][0]), "<i2")
    assert says(answer, ANSWERS["sum"]), judge_of(ANSWERS["sum"]).recognise(answer)
    assert likeness(answer / 32_768, played) >= WHOLE  # where a starved browser did not break off
