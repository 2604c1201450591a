"""Sound that a Realtime client sends faster than it was spoken: how much, and what the log gets."""

import base64

import pytest

from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.audio_codecs import MAX_APPEND_BYTES, MAX_APPEND_S
from gateway.realtime.endpoint import MAX_MESSAGE_BYTES
from gateway.realtime.session import BURST_EVENTS, EVENT_BYTES
from shared.audio import CHUNK_BYTES, SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.g711 import G711_RATE_HZ
from shared.log.records import Audio, Commit
from tests.sounds import joined, noise
from tests.unit.gateway.realtime.stage import Stage

BYTES_PER_S = SAMPLE_RATE_HZ * SAMPLE_BYTES


def manual(**audio: str) -> Stage:
    stage = Stage()
    wanted = {"turn_detection": None, **({"format": audio} if audio else {})}
    stage.send("session.update", session={"audio": {"input": wanted}})
    return stage


def append(stage: Stage, sound: bytes) -> None:
    stage.send("input_audio_buffer.append", audio=base64.b64encode(sound).decode())


def logged(stage: Stage) -> bytes:
    """The sound that the log has."""
    return b"".join(r.pcm for _, r in stage.worker.inputs if isinstance(r, Audio))


def test_an_event_of_15_mib_enters_the_log_whole_at_twice_the_speed_of_speech() -> None:
    stage = manual()
    stage.tick_s = 0.5
    sound = joined(noise(64, level=300)) * (MAX_APPEND_BYTES // 64 // CHUNK_BYTES)
    assert len(sound) == MAX_APPEND_BYTES
    append(stage, sound)
    assert len(logged(stage)) <= 12 * BYTES_PER_S
    stage.wait(10)
    assert len(logged(stage)) <= 32 * BYTES_PER_S
    append(stage, b"\1" * CHUNK_BYTES)  # live sound waits its turn
    stage.wait(MAX_APPEND_S / 2)
    assert logged(stage) == sound + b"\1" * CHUNK_BYTES
    assert not stage.got("error")


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("audio/pcm", MAX_APPEND_BYTES + 2),
        ("audio/pcmu", int(MAX_APPEND_S * G711_RATE_HZ) + 1),
    ],
)
def test_a_longer_event_is_refused_and_the_session_goes_on(kind: str, size: int) -> None:
    stage = manual(type=kind)
    append(stage, bytes(size))
    assert (stage.error()["code"], stage.error()["param"]) == ("invalid_value", "audio")
    stage.send("input_audio_buffer.commit")
    assert stage.error()["code"] == "input_audio_buffer_commit_empty"
    assert not any(isinstance(record, Commit) for _, record in stage.worker.inputs)


def test_a_client_that_never_waits_for_the_log_is_cut_off() -> None:
    stage = manual()
    stage.now += 60
    append(stage, bytes(MAX_APPEND_BYTES))
    for _ in range(26):  # 12 s enter the log at once
        append(stage, bytes(5 * BYTES_PER_S))
    with pytest.raises(CallError) as raised:
        append(stage, bytes(5 * BYTES_PER_S))
    assert raised.value.code is ErrorCode.TOO_FAST


def test_large_events_count_as_several() -> None:
    assert MAX_MESSAGE_BYTES // EVENT_BYTES < BURST_EVENTS, "the largest may come at once"
    stage = manual()
    junk = "x" * (MAX_MESSAGE_BYTES - 1)
    stage.raw(junk)
    assert stage.error()["code"] == "invalid_json"
    with pytest.raises(CallError) as raised:
        stage.raw(junk)
    assert raised.value.code is ErrorCode.TOO_FAST
