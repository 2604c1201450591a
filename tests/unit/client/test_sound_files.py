"""Each way in which a file cannot be read or written has a sentence, before the call."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from client.failure import CallFailed
from client.sound_files import ReplyFile, read_question

SOUND = np.full((2_400, 2), 0.25)


@pytest.fixture
def question(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "question.wav", SOUND, 24_000)
    return tmp_path / "question.wav"


def test_a_question_becomes_mono(question: Path) -> None:
    samples, rate_hz = read_question(question)
    assert rate_hz == 24_000
    assert np.allclose(samples, 0.25, atol=1e-3)


def test_a_question_that_cannot_be_spoken_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "empty.wav", SOUND[:0], 24_000)
    soundfile.write(tmp_path / "headless.raw", SOUND, 24_000, subtype="PCM_16")
    (tmp_path / "text.wav").write_text("hello")
    (tmp_path / "nothing.wav").touch()
    for name, reason in {
        "missing.wav": "got no file at",
        ".": "got a folder at",
        "empty.wav": "got a file without a sample",
        "headless.raw": "that says its sample rate",
        "text.wav": "Expected a sound file, got",
        "nothing.wav": "Expected a sound file, got",
    }.items():
        with pytest.raises(CallFailed, match=reason):
            read_question(tmp_path / name)


def test_a_reply_that_could_not_be_saved_is_found_before_the_call(
    question: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder.wav").mkdir()
    for name, reason in {
        "nowhere/reply.wav": "Expected a folder for the reply",
        "folder.wav": "Expected to write the reply to .*Is a directory",
        "reply.xyz": "such as .wav, .flac, .ogg, .mp3, got",
        "reply": "such as .wav",
        "question.wav": "Expected another file for the reply",
    }.items():
        with pytest.raises(CallFailed, match=reason):
            ReplyFile(tmp_path / name, question)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.wav", "question.wav"]


def test_an_unwritable_reply_is_found_and_an_old_one_kept(question: Path, tmp_path: Path) -> None:
    with pytest.raises(CallFailed, match="Expected to write the reply"):
        ReplyFile(Path("/proc/reply.wav"), question)
    (tmp_path / "reply.wav").write_bytes(b"old")
    ReplyFile(tmp_path / "reply.wav", question)
    assert (tmp_path / "reply.wav").read_bytes() == b"old"


def test_a_full_disk_is_reported(question: Path, tmp_path: Path) -> None:
    (tmp_path / "full.wav").symlink_to("/dev/full")
    with pytest.raises(CallFailed, match="Expected to write the reply to"):
        ReplyFile(tmp_path / "full.wav", question).save(np.zeros(99_999, dtype=np.int16), 24_000)


@pytest.mark.parametrize("name", ["reply.wav", "reply.WAV", "reply.flac", "reply.ogg", "reply.raw"])
def test_a_reply_is_saved_in_the_format_of_its_name(
    question: Path, tmp_path: Path, name: str
) -> None:
    ReplyFile(tmp_path / name, question).save(np.ones(2_400, dtype=np.int16), 8_000)
    assert (tmp_path / name).stat().st_size > 50
