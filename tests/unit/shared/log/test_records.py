from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import SchemaError
from shared.log import records as messages
from shared.log.records import (
    Audio,
    Base,
    Cancel,
    Clear,
    Commit,
    Detach,
    End,
    Heard,
    Mode,
    Options,
    Played,
    Record,
    ReplyDone,
    ReplyStarted,
    Skip,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Step,
    Text,
    Truncate,
)

EVERY_RECORD: list[Record] = [
    Audio(bytes(3840)),
    Mode("stream"),
    Commit(),
    Cancel(),
    Played(7),
    Options(vad_threshold=0.01, manual=True),
    Detach(),
    End(),
    Step(cursor=3, generation=1, hear=(2, 3), heard=(b"a", b"b"), said=b"c", speak=2, began=True),
    Step(cursor=4, generation=1),
    Truncate(1, 5),
    Base(9),
    Speech(1, 1, bytes(960)),
    Text(1, "grüße"),
    SpeechStarted(5),
    SpeechStopped(6),
    Heard("what is two", final=True),
    ReplyStarted(1, 1),
    ReplyDone(1, 5, "end"),
    Clear(1, 6),
    Skip(6, 9, "held"),
]


def test_the_examples_cover_every_type() -> None:
    assert {type(record) for record in EVERY_RECORD} == set(messages._NAMES)


@pytest.mark.parametrize("record", EVERY_RECORD, ids=lambda r: type(r).__name__)
def test_a_record_survives_the_log(record: Record) -> None:
    name, value = messages.encode(record)
    assert name == messages.type_name(record)
    assert messages.decode(name, value) == record


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("audio", {"pcm": "text"}, "audio.pcm"),
        ("audio", {"pcm": b"12"}, "3840 bytes"),
        ("audio", {}, "fields"),
        ("audio", {"pcm": bytes(3840), "more": 1}, "fields"),
        ("played", {"frame": True}, "played.frame"),
        ("played", {"frame": 1.5}, "played.frame"),
        ("mode", {"mode": "loud"}, "'stream' or 'turn'"),
        (
            "options",
            {**dict.fromkeys(("silence_ms", "min_speech_ms", "manual")), "vad_threshold": 9},
            "vad_threshold",
        ),
        ("speech", {"frame": 1, "generation": 1, "pcm": bytes(961)}, "1 to 4 frames"),
        ("speech", {"frame": 1, "generation": 1, "pcm": bytes(5 * 960)}, "1 to 4 frames"),
        ("dance", {}, "record type"),
        ("cancel", [], "msgpack map"),
    ],
)
def test_a_record_outside_the_schema_is_refused(name: str, body: Any, expected: str) -> None:
    with pytest.raises(SchemaError, match=expected):
        messages.decode(name, msgpack.packb(body))


def test_a_bomb_of_empty_maps_is_refused_before_it_unfolds() -> None:
    with pytest.raises(SchemaError):
        messages.decode("audio", b"\xdd\x00\x0f\xff\xff" + b"\x80" * 60_000)
    with pytest.raises(SchemaError, match="at most"):
        messages.decode("audio", bytes(messages.MAX_RECORD_BYTES + 1))


@settings(deadline=None)
@given(name=st.sampled_from(sorted(messages._TYPES)), value=st.binary(max_size=200))
def test_any_bytes_give_a_record_or_a_schema_error(name: str, value: bytes) -> None:
    try:
        record = messages.decode(name, value)
    except SchemaError:
        return
    assert messages.type_name(record) == name
