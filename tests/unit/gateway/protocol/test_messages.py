"""The wire: what the server takes, refuses and sends."""

import json

import pytest

from gateway.protocol.messages import (
    CLOSE_CODES,
    HEADER,
    MAX_AUDIO_BYTES,
    Codec,
    ErrorCode,
    HangUp,
    Ping,
    Resume,
    Start,
    WireError,
    check_audio,
    pack_frame,
    parse,
    ready,
)
from shared.log.records import Cancel, Commit, Mode, Options, Played
from shared.voices import Persona

SID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('{"type":"start"}', Start()),
        (
            '{"type":"start","mode":"stream","options":{"manual":true,"vad_threshold":0.01}}',
            Start("stream", Options(manual=True, vad_threshold=0.01)),
        ),
        (
            f'{{"type":"start","resume":{{"session":"{SID}","token":"t","frame":7}}}}',
            Resume(SID, "t", 7),
        ),
        ('{"type":"start","auth":"a.b.c"}', Start(auth="a.b.c")),
        ('{"type":"mode","mode":"turn"}', Mode("turn")),
        ('{"type":"commit"}', Commit()),
        ('{"type":"cancel"}', Cancel()),
        ('{"type":"played","frame":12}', Played(12)),
        ('{"type":"options","silence_ms":300}', Options(silence_ms=300)),
        ('{"type":"ping","t":[1.5,"x"]}', Ping([1.5, "x"])),
        ('{"type":"end"}', HangUp()),
    ],
)
def test_every_message_is_understood(text: str, meaning: object) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[1]",
        "{}",
        "NaN",
        '{"type":"played","frame":NaN}',
        '{"type":"start","auth":1}',
        f'{{"type":"start","auth":"a","resume":{{"session":"{SID}","token":"t","frame":7}}}}',
        '{"type":"sing"}',
        '{"type":["start"]}',
        '{"type":"end","now":true}',
        '{"type":"played"}',
        '{"type":"played","frame":-1}',
        '{"type":"played","frame":true}',
        '{"type":"played","frame":4294967296}',
        '{"type":"played","frame":' + "9" * 5_000 + "}",
        '{"type":"played","frame":' + "9" * 4_000 + "}",
        '{"type":"options","silence_ms":' + "9" * 4_000 + "}",
        '{"type":"options","vad_threshold":' + "9" * 4_000 + "}",
        '{"type":"mode","mode":"karaoke"}',
        '{"type":"mode","mode":1}',
        '{"type":"options","silence_ms":5}',
        '{"type":"options","silence_ms":300.5}',
        '{"type":"options","colour":"red"}',
        '{"type":"start","options":[]}',
        '{"type":"start","mode":"turn","resume":{}}',
        '{"type":"start","resume":{"session":"a","token":"b"}}',
        '{"type":"start","hello":1}',
        "[" * 8_000,
    ],
)
def test_what_breaks_the_rules_is_refused(text: str) -> None:
    with pytest.raises(WireError) as caught:
        parse(text)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("session", ["", "ABC", "*" * 32, "../x", SID[:-1], f"{SID}0"])
def test_a_foreign_session_name_never_reaches_a_key(session: str) -> None:
    wish = {"session": session, "token": "t", "frame": 0}
    with pytest.raises(WireError) as caught:
        parse(json.dumps({"type": "start", "resume": wish}))
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_token_that_has_no_bytes_is_wrong() -> None:
    wish = {"session": SID, "token": "\ud800", "frame": 0}
    with pytest.raises(WireError) as caught:
        parse(json.dumps({"type": "start", "resume": wish}))
    assert caught.value.code is ErrorCode.BAD_TOKEN


def test_sizes_are_limited() -> None:
    check_audio(bytes(MAX_AUDIO_BYTES))
    with pytest.raises(WireError, match="65538") as caught:
        check_audio(bytes(MAX_AUDIO_BYTES + 2))
    assert caught.value.close_code == 4413
    with pytest.raises(WireError) as caught:
        parse(json.dumps({"type": "ping", "t": "x" * 9_000}))
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(WireError, match="got 3 bytes") as caught:
        check_audio(b"abc")
    assert caught.value.close_code == 4400


def test_an_error_tells_code_message_and_when_to_come_back() -> None:
    error = WireError(ErrorCode.NO_CAPACITY, "full", retry_after_ms=2_000)
    assert json.loads(error.text()) == {
        "type": "error",
        "code": "no_capacity",
        "message": "full",
        "retry_after_ms": 2_000,
    }
    assert error.close_code == 4503


def test_every_error_has_a_close_code_of_its_own() -> None:
    assert set(CLOSE_CODES) == set(ErrorCode)
    assert len(set(CLOSE_CODES.values())) == len(ErrorCode)


def test_a_frame_has_a_twelve_byte_header() -> None:
    packed = pack_frame(0x01020304, 5, 3, b"\x07\x08")
    assert packed == bytes.fromhex("04030201 05000000 0300 0000 0708")
    assert HEADER.size == 12


def test_ready_names_the_audio_format() -> None:
    names = {"session": "s", "token": "t", "outcome": "new", "mode": "turn"}
    text = ready(**names, codec=Codec.OPUS, next_sample=0, next_frame=1)
    assert json.loads(text)["sample_rate"] == 24_000
    assert json.loads(text)["frame_samples"] == 480
    assert json.loads(text)["codec"] == "opus"


def test_a_start_or_resume_may_wish_a_codec() -> None:
    assert parse('{"type":"start"}') == Start(codec=Codec.PCM16)
    assert parse('{"type":"start","codec":"opus"}') == Start(codec=Codec.OPUS)
    resume = {"session": "0" * 32, "token": "t", "frame": 0}
    found = parse(json.dumps({"type": "start", "resume": resume, "codec": "opus"}))
    assert isinstance(found, Resume)
    assert found.codec is Codec.OPUS


def test_a_start_may_name_voice_and_style() -> None:
    found = parse('{"type":"start","voice":"baritone","style":"calm"}')
    assert isinstance(found, Start)
    assert found.persona == Persona("baritone", "calm")
    with pytest.raises(WireError, match="'voice' as str"):
        parse('{"type":"start","voice":["alto"]}')


@pytest.mark.parametrize("wish", ["mp3", "", None, ["opus"], {"opus": 1}, 1])
def test_an_unknown_codec_is_refused_by_name(wish: object) -> None:
    with pytest.raises(WireError, match="pcm16 or opus"):
        parse(json.dumps({"type": "start", "codec": wish}))
