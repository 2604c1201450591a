"""Snapshots and records of the release before: this one reads them, and writes them as well.

`tests/unit/workers/recorded_release.json` was written by that release itself.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np
import pytest

from shared.errors import NewerFormat, SchemaError
from shared.log import formats, records
from shared.log.meta import Meta, parse_meta
from shared.log.records import Brief, Detach, NoReply, Options, Record, Text
from shared.modes import ReplyMode
from tests.recorded_release import FILE
from tests.sounds import talking
from workers.runtime.conversation import snapshot
from workers.runtime.conversation.state import State
from workers.runtime.conversation.step import Chunk
from workers.runtime.conversation.tuning import Tuning

RECORDED: Final[dict[str, Any]] = json.loads(Path(FILE).read_text())
SNAPSHOTS: Final = [
    pytest.param(mode, bytes.fromhex(state), id=f"{mode}-{number}")
    for mode, found in RECORDED.items()
    for number, state in enumerate(found["snapshots"])
]
ENTRIES: Final = [
    pytest.param(name, bytes.fromhex(value), id=f"{mode}-{name}")
    for mode, found in RECORDED.items()
    for name, value in found["records"].items()
]


def meta(mode: str) -> Meta:
    found = parse_meta("s", {b"state": b"live", b"mode": mode.encode()})
    assert found is not None
    return found


def test_the_recorded_release_is_the_one_before() -> None:
    versions = {msgpack.unpackb(state.values[1])["version"] for state in SNAPSHOTS}
    assert versions == {formats.PREVIOUS}
    assert set(RECORDED) == set(ReplyMode)


@pytest.mark.parametrize(("mode", "state"), SNAPSHOTS)
def test_a_snapshot_of_the_release_before_is_read_and_written_alike(
    mode: str, state: bytes
) -> None:
    restored = snapshot.unpack(state, meta(mode), {})
    again = msgpack.unpackb(snapshot.pack(restored, formats.PREVIOUS))
    # The ring's audio is in the input log, which this test does not have.
    assert {**again, "ring": []} == {**msgpack.unpackb(state), "ring": []}
    current = msgpack.unpackb(snapshot.pack(restored))
    assert current["version"] == formats.CURRENT
    assert snapshot.unpack(snapshot.pack(restored), meta(mode), {}) is not None


def test_a_snapshot_takes_an_opinion_that_is_one_of_numpy_s_numbers() -> None:
    state = State.new(Tuning())
    state.finished = np.float64(0.5)
    for version in formats.READS:
        packed = snapshot.pack(state, version)
        assert snapshot.unpack(packed, meta("turn"), {}).finished == 0.5
    state.finished = np.float32(0.5)  # type: ignore[assignment]
    with pytest.raises(TypeError, match="float32"):
        snapshot.pack(state)


def test_a_snapshot_follows_a_detector_that_goes_on_hearing() -> None:
    state = State.new(Tuning())
    for n, pcm in enumerate(talking(6), 1):
        state.detector.hear(Chunk(n, pcm), state.tuning.vad_threshold)
        restored = snapshot.unpack(snapshot.pack(state), meta("turn"), {}).detector
        assert (restored.phrase_ms, restored.run_n) == (
            state.detector.phrase_ms,
            state.detector.run_n,
        )
    assert state.detector.phrase_ms > 0
    state.detector.echo.begin(1)
    state.detector.echo.playback.played(3)
    state.detector.forget_run()
    restored = snapshot.unpack(snapshot.pack(state), meta("turn"), {}).detector
    assert (restored.phrase_ms, restored.echo.playback.head) == (0, 3)


@pytest.mark.parametrize(("name", "value"), ENTRIES)
def test_a_record_of_the_release_before_is_read_and_written_alike(name: str, value: bytes) -> None:
    record = records.decode(name, value)
    assert formats.encode(record, formats.PREVIOUS) == (name, value)
    assert records.decode(*formats.encode(record, formats.CURRENT)) == record


def test_what_the_release_before_does_not_know_becomes_what_it_does() -> None:
    options = Options(silence_ms=400, interrupts=False)
    new: list[Record] = [options, Brief(instructions="Be brief."), NoReply(2)]
    found = [records.decode(*formats.encode(record, formats.PREVIOUS)) for record in new]
    assert found == [Options(silence_ms=400), Detach(), Text(0, "")]
    assert "interrupts" not in formats.fields(options, formats.PREVIOUS)
    assert [records.decode(*formats.encode(record, formats.CURRENT)) for record in new] == new


def test_every_process_must_read_what_is_written() -> None:
    new, old = {"reads": [*formats.READS]}, {"beat": 3}
    assert formats.common([new, new]) == formats.CURRENT
    assert formats.common([new, old]) == formats.PREVIOUS
    later = {"reads": [formats.CURRENT, formats.CURRENT + 1]}
    assert formats.common([new, later]) == formats.CURRENT
    assert formats.common([]) == formats.CURRENT


@pytest.mark.parametrize(
    ("version", "error"),
    [(formats.CURRENT + 1, NewerFormat), (formats.PREVIOUS - 1, SchemaError), (None, SchemaError)],
)
def test_a_format_that_nobody_migrates_is_refused(
    version: int | None, error: type[SchemaError]
) -> None:
    with pytest.raises(error) as caught:
        snapshot.unpack(msgpack.packb({"version": version}), meta("turn"), {})
    assert type(caught.value) is error
