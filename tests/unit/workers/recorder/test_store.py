"""Recordings on disk: parts, the stereo WAV and its transcript, deletion."""

import json
from pathlib import Path

import fsspec
import numpy as np
import pytest
import soundfile

from shared.audio import SAMPLE_RATE_HZ
from shared.errors import ConfigError
from workers.recorder.assembly import Assembly, PlacedSound, Side, Word
from workers.recorder.store import RecordingStore
from workers.training.samples.stereo import read_folder

SID = "0" * 32


def recorded(store: RecordingStore, sid: str = SID) -> None:
    """One second of the caller, in which the assistant says a word from .5 s on."""
    second, half = SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 2
    caller = np.full(second, 1_000, "<i2").tobytes()
    assistant = np.full(half, -2_000, "<i2").tobytes()
    assembly = Assembly(n=3, m=2, samples=second)
    assembly.spoken, assembly.runs = [("Hello.", half)], [(half, second)]
    assembly.caller_words = [Word("hi", 0, half, Side.CALLER)]
    part = store.part(sid)
    part.save(assembly, [PlacedSound(Side.CALLER, 0, caller)], {"session": sid})
    part.save(assembly, [PlacedSound(Side.ASSISTANT, half, assistant)], {"session": sid})


def test_a_recording_is_what_fine_tuning_reads(tmp_path: Path) -> None:
    store = RecordingStore(str(tmp_path))
    recorded(store)
    assert store.unfinished() == [SID]
    store.finish(SID)
    assert store.unfinished() == []
    (found,) = read_folder(tmp_path)
    assert [(word.text, word.start_s, word.end_s) for word in found.words] == [("hello", 0.5, 1.0)]
    samples, rate_hz = soundfile.read(tmp_path / "calls" / f"{SID}.wav", dtype="int16")
    assert rate_hz == SAMPLE_RATE_HZ
    assert (samples[:, 1] == 1_000).all()  # right: the caller
    assert set(samples[: rate_hz // 2, 0]) == {0}
    assert set(samples[rate_hz // 2 :, 0]) == {-2_000}
    about = json.loads((tmp_path / "calls" / f"{SID}.json").read_text())
    assert about["session"] == SID
    assert about["lost_records"] == 0


def test_deleting_a_call_leaves_nothing_of_it_and_the_others_whole(tmp_path: Path) -> None:
    store = RecordingStore(str(tmp_path))
    for sid in (SID, "1" * 32):
        recorded(store, sid)
        store.finish(sid)
    recorded(store, "2" * 32)
    assert store.delete(SID)
    assert not store.delete(SID)
    assert store.delete("2" * 32)  # one that is still being recorded
    assert [recording.name for recording in read_folder(tmp_path)] == [f"calls/{'1' * 32}.wav"]
    kept = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert kept == {"data.jsonl", f"calls/{'1' * 32}.wav", f"calls/{'1' * 32}.json"}


def test_a_url_works_like_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    store = RecordingStore("memory://calls")
    recorded(store)
    store.finish(SID)
    files = fsspec.filesystem("memory")
    assert files.exists(f"/calls/calls/{SID}.wav")
    assert json.loads(files.cat_file("/calls/data.jsonl"))["duration"] == 1.0
    assert store.delete(SID)
    assert not files.exists(f"/calls/calls/{SID}.wav")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="RECORD: Expected a folder or URL"):
        RecordingStore(str(tmp_path / "file" / "calls"))
    with pytest.raises(ConfigError, match="nosuch://place"):
        RecordingStore("nosuch://place")
