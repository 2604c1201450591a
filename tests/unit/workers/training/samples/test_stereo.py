"""Reading recorded conversations, and the errors that name what is wrong in each file."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.unit.workers.training.tuning.people import conversation
from workers.training.samples.stereo import DataError, plain_words, read_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    conversation(tmp_path, "a", [90.0, 300.0])
    return tmp_path


def test_a_folder_is_read(folder: Path) -> None:
    (recording,) = read_folder(folder)
    assert [word.text for word in recording.words] == ["yes", "zebra", "crossing"]
    assert recording.words[0].start_s == 2.0
    assert len(recording.assistant) == len(recording.caller)
    asked = slice(round(0.5 * 24_000), round(1.1 * 24_000))
    assert np.abs(recording.caller[asked]).max() > 0.05 > np.abs(recording.assistant[asked]).max()


def test_another_rate_is_resampled(folder: Path) -> None:
    samples, rate = soundfile.read(folder / "a.wav")
    soundfile.write(folder / "a.wav", samples, 2 * rate)
    (folder / "data.jsonl").write_text('{"path": "a.wav"}\n')
    alignments = json.loads((folder / "a.json").read_text())["alignments"][:1]
    (folder / "a.json").write_text(json.dumps({"alignments": alignments}))
    assert len(read_folder(folder)[0].caller) == len(samples) // 2


def test_words_become_plain_in_any_alphabet() -> None:
    assert plain_words("Don’t, ÜBER-all: привет 42!") == ["don't", "über", "all", "привет", "42"]


def index(folder: Path, text: str) -> None:
    (folder / "data.jsonl").write_text(text)


def words(folder: Path, *entries: object) -> None:
    (folder / "a.json").write_text(json.dumps({"alignments": entries}))


def test_every_fault_is_named_with_its_file_and_remedy(folder: Path) -> None:
    def fault(match: str) -> None:
        with pytest.raises(DataError, match=match):
            read_folder(folder)

    words(folder, ["a", [3.0, 3.1], "SPEAKER_MAIN"], ["b", [2.0, 2.1], "SPEAKER_MAIN"])
    fault(r"a\.json alignment 1 \('b'\): Expected times in order")
    words(folder, ["a", [1.0, 99.0], "SPEAKER_MAIN"])
    fault(r"between 0\.00 and 7\.40 s, got 1\.0 to 99\.0")
    words(folder, ["a", [1.0, 2.0], "caller"])
    fault("Expected words of SPEAKER_MAIN, got none")
    words(folder, {"word": "a"})
    fault(r'Expected \["word", \[start_s, end_s\], "SPEAKER"\], got')
    (folder / "a.json").write_text("{")
    fault(r"a\.json: Expected JSON")
    (folder / "a.json").unlink()
    fault("transcribe it with word times")
    index(folder, '{"path": "a.wav", "duration": 3}\n')
    words(folder, ["a", [1.0, 2.0], "SPEAKER_MAIN"])
    fault(r"line 1: Expected the duration of a\.wav, 7\.40 s, got 3")
    soundfile.write(folder / "a.wav", np.zeros(9_600), 24_000)
    fault(r"Expected 2 channels .* got 1: record the two sides separately")
    index(folder, '{"path": "b.wav"}\nnot JSON\n{"file": 1}\n')
    fault(r"(?s)line 1.*b\.wav, got no such file.*line 2: Expected JSON.*line 3: Expected an obj")
    index(folder, "\n")
    fault("at least one line")
    (folder / "data.jsonl").unlink()
    fault(r"Expected .*data\.jsonl, got none: write one line for each conversation")
