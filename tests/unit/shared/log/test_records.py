"""The log's records: their bytes, their limits, and what the schema refuses."""

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
    Brief,
    Cancel,
    Clear,
    Commit,
    Detach,
    Discard,
    End,
    Heard,
    History,
    Mode,
    NoReply,
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
    Typed,
)

EVERY_RECORD: list[Record] = [
    Audio(bytes(3840)),
    Mode("stream"),
    Commit(),
    Cancel(),
    Discard(),
    Brief(instructions="Be brief."),
    Typed("Grüße"),
    History(3, b"\x90"),
    Played(7),
    Options(vad_threshold=0.01, manual=True),
    Detach(),
    End(),
    Step(cursor=3, generation=1, hear=(2, 3), heard=(b"a", b"b"), said=b"c", speak=2, began=True),
    Step(cursor=4, generation=1),
    Truncate(1, 5),
    Truncate(1, 5, reopened=True),
    Base(9),
    Base(10, b"so far"),
    Speech(1, 1, bytes(960)),
    Text(1, "grüße"),
    SpeechStarted(5),
    SpeechStopped(6),
    Heard("what is two", final=True),
    Heard("wot", final=False, rough=True),
    ReplyStarted(1, 1),
    ReplyDone(1, 5, "end"),
    NoReply(2),
    Clear(1, 6),
    Skip(6, 9, "held"),
]


def test_the_examples_cover_every_type() -> None:
    assert {type(record) for record in EVERY_RECORD} == set(messages._NAMES)


# The name and the msgpack bytes of each example, in hexadecimal. `..` is audio of zeros.
# Processes of two releases share a log, so these bytes must not change unnoticed.
GOLDEN = """
audio 81 a370636d c50f00..
mode 81 a46d6f6465 a673747265616d
commit 81 a770616464696e67 00
cancel 80
discard 80
brief 83 ac696e737472756374696f6e73 a9 42652062726965662e a5766f696365 c0 a57374796c65 c0
typed 81 a474657874 a74772c3bcc39f65
history 82 aa67656e65726174696f6e 03 a57475726e73 c40190
played 81 a56672616d65 07
options 85 ad7661645f7468726573686f6c64 cb3f847ae147ae147b aa73696c656e63655f6d73 c0
    ad6d696e5f7370656563685f6d73 c0 ac696e746572727570745f6d73 c0 a66d616e75616c c3
detach 80
end 80
step 89 a6637572736f72 03 aa67656e65726174696f6e 01 a468656172 920203 a56865617264 92c40161c40162
    a473616964 c40163
    a5737065616b 02 a5626567616e c3 a5656e646564 c2 a57374617465 c400
step 89 a6637572736f72 04 aa67656e65726174696f6e 01 a468656172 90 a56865617264 90
    a473616964 c0
    a5737065616b 00 a5626567616e c2 a5656e646564 c2 a57374617465 c400
truncate 83 aa67656e65726174696f6e 01 a96b6565705f73746570 05 a872656f70656e6564 c2
truncate 83 aa67656e65726174696f6e 01 a96b6565705f73746570 05 a872656f70656e6564 c3
base 82 a473746570 09 a66d656d6f7279 c400
base 82 a473746570 0a a66d656d6f7279 c406736f20666172
speech 83 a56672616d65 01 aa67656e65726174696f6e 01 a370636d c503c0..
text 82 aa67656e65726174696f6e 01 a474657874 a7 6772c3bcc39f65
speech_started 81 a16e 05
speech_stopped 81 a16e 06
heard 83 a474657874 ab776861742069732074776f a566696e616c c3 a5726f756768 c2
heard 83 a474657874 a3776f74 a566696e616c c2 a5726f756768 c3
reply_started 82 aa67656e65726174696f6e 01 a56672616d65 01
reply_done 83 aa67656e65726174696f6e 01 a56672616d65 05 a6726561736f6e a3656e64
no_reply 81 aa67656e65726174696f6e 02
clear 82 aa67656e65726174696f6e 01 aa6e6578745f6672616d65 06
skip 83 a56669727374 06 a46c617374 09 a6726561736f6e a468656c64
"""


def golden_entries() -> list[tuple[str, bytes]]:
    entries = []
    for line in GOLDEN.replace("\n    ", " ").strip().splitlines():
        name, body = line.split(" ", 1)
        value = bytes.fromhex(body.removesuffix(".."))
        audio_bytes = int.from_bytes(value[-2:], "big") if body.endswith("..") else 0
        entries.append((name, value + bytes(audio_bytes)))
    return entries


def test_the_bytes_of_every_record_do_not_change() -> None:
    golden = golden_entries()
    assert [messages.encode(record) for record in EVERY_RECORD] == golden
    assert [messages.decode(name, value) for name, value in golden] == EVERY_RECORD


@pytest.mark.parametrize("record", EVERY_RECORD, ids=lambda r: type(r).__name__)
def test_a_record_survives_encoding(record: Record) -> None:
    name, value = messages.encode(record)
    assert name == messages.type_name(record)
    assert messages.decode(name, value) == record


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("audio", {"pcm": "text"}, "Expected audio.pcm: bytes, got 'text'"),
        ("audio", {"pcm": b"12"}, "3840 bytes"),
        ("audio", {}, "fields"),
        ("audio", {"pcm": bytes(3840), "more": 1}, "fields"),
        ("played", {"frame": True}, "played.frame"),
        ("played", {"frame": 1.5}, "Expected played.frame: int, got 1.5"),
        ("mode", {"mode": "loud"}, "'stream' or 'turn'"),
        (
            "options",
            {
                **dict.fromkeys(
                    ("silence_ms", "min_speech_ms", "interrupt_ms", "manual", "interrupts")
                ),
                "vad_threshold": 9,
            },
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
