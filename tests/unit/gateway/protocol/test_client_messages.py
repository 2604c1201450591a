"""The JSON messages of clients: what the gateway accepts, and what it refuses."""

import json

import pytest

from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.client_messages import (
    EndCall,
    Ping,
    Resume,
    ResumePoint,
    Start,
    parse,
    start_of_query,
)
from gateway.protocol.errors import CallError, ErrorCode, Refusal
from shared.log.records import Cancel, Commit, Mode, Options, Played, Typed
from shared.voices import Persona

SID = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('{"type":"start"}', Start()),
        (
            '{"type":"start","mode":"stream","options":{"manual":true,"vad_threshold":0.01}}',
            Start(mode="stream", options=Options(manual=True, vad_threshold=0.01)),
        ),
        (
            f'{{"type":"start","resume":{{"session":"{SID}","token":"t","frame":7}}}}',
            Resume(resume=ResumePoint(session=SID, token="t", frame=7)),  # noqa: S106 # no secret
        ),
        ('{"type":"start","auth":"a.b.c"}', Start(auth="a.b.c")),
        ('{"type":"start","instructions":"Be a pirate."}', Start(instructions="Be a pirate.")),
        ('{"type":"mode","mode":"turn"}', Mode("turn")),
        ('{"type":"commit"}', Commit()),
        ('{"type":"cancel"}', Cancel()),
        ('{"type":"played","frame":12}', Played(12)),
        ('{"type":"options","silence_ms":300}', Options(silence_ms=300)),
        ('{"type":"ping","t":[1.5,"x"]}', Ping(t=[1.5, "x"])),
        ('{"type":"end"}', EndCall()),
    ],
)
def test_every_message_is_parsed(text: str, meaning: object) -> None:
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
        '{"type":"start","instructions":1}',
        '{"type":"start","instructions":"\\ud800"}',
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
        '{"type":"start","sample_rate":"8000"}',
        '{"type":"start","sample_rate":8000.0}',
        '{"type":"start","sample_rate":true}',
        '{"type":"start","sample_rate":' + "9" * 4_000 + "}",
        f'{{"type":"start","sample_rate":1,"resume":{{"session":"{SID}","token":"t","frame":7}}}}',
        f'{{"type":"start","resume":{{"session":"{SID}","token":"t","frame":7,"type":"x"}}}}',
        '{"type":"start","options":{"type":"options"}}',
        "[" * 8_000,
    ],
)
def test_a_message_that_breaks_the_protocol_is_refused(text: str) -> None:
    with pytest.raises(CallError) as caught:
        parse(text)
    assert caught.value.code is ErrorCode.BAD_MESSAGE
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("session", ["", "ABC", "*" * 32, "../x", SID[:-1], f"{SID}0"])
def test_a_malformed_session_id_is_not_found(session: str) -> None:
    wish = {"session": session, "token": "t", "frame": 0}
    with pytest.raises(CallError) as caught:
        parse(json.dumps({"type": "start", "resume": wish}))
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_token_that_is_not_ascii_is_a_bad_token() -> None:
    wish = {"session": SID, "token": "\ud800", "frame": 0}
    with pytest.raises(CallError) as caught:
        parse(json.dumps({"type": "start", "resume": wish}))
    assert caught.value.code is ErrorCode.BAD_TOKEN


def test_the_size_of_a_message_is_limited() -> None:
    with pytest.raises(CallError) as caught:
        parse(json.dumps({"type": "ping", "t": "x" * 9_000}))
    assert caught.value.code is ErrorCode.TOO_LARGE


def test_start_and_resume_may_request_a_codec() -> None:
    assert parse('{"type":"start"}') == Start(codec=Codec.PCM16)
    assert parse('{"type":"start","codec":"opus"}') == Start(codec=Codec.OPUS)
    resume = {"session": "0" * 32, "token": "t", "frame": 0}
    found = parse(json.dumps({"type": "start", "resume": resume, "codec": "opus"}))
    assert isinstance(found, Resume)
    assert found.codec is Codec.OPUS


@pytest.mark.parametrize(
    ("fields", "codec", "rate_hz"),
    [
        ({}, Codec.PCM16, 24_000),
        *(({"sample_rate": hz}, Codec.PCM16, hz) for hz in (8_000, 16_000, 24_000, 48_000)),
        ({"codec": "mulaw"}, Codec.MULAW, 8_000),
        ({"codec": "alaw", "sample_rate": 8_000}, Codec.ALAW, 8_000),
        ({"codec": "opus", "sample_rate": 24_000}, Codec.OPUS, 24_000),
    ],
)
def test_a_start_may_choose_the_format(
    fields: dict[str, str | int], codec: Codec, rate_hz: int
) -> None:
    found = parse(json.dumps({"type": "start", **fields}))
    assert isinstance(found, Start)
    assert found.audio_format == AudioFormat(codec, rate_hz)
    query = {name: str(value) for name, value in fields.items()}
    assert start_of_query(query).audio_format == AudioFormat(codec, rate_hz)


@pytest.mark.parametrize(
    ("codec", "rate", "message"),
    [
        ("pcm16", 44_100, "8000 or 16000 or 24000 or 48000 with the codec pcm16, got 44100"),
        ("pcm16", 0, "with the codec pcm16, got 0"),
        ("mulaw", 16_000, "'sample_rate' as 8000 with the codec mulaw, got 16000"),
        ("opus", 48_000, "'sample_rate' as 24000 with the codec opus, got 48000"),
    ],
)
def test_a_rate_that_the_codec_does_not_have_is_refused(
    codec: str, rate: int, message: str
) -> None:
    with pytest.raises(CallError, match=message):
        parse(json.dumps({"type": "start", "codec": codec, "sample_rate": rate}))


def test_a_resume_keeps_the_format_unless_it_names_another() -> None:
    first = AudioFormat(Codec.MULAW, 8_000)
    resume = {"type": "start", "resume": {"session": SID, "token": "t", "frame": 0}}
    same, other = parse(json.dumps(resume)), parse(json.dumps({**resume, "sample_rate": 16_000}))
    assert isinstance(same, Resume)
    assert isinstance(other, Resume)
    assert same.audio_format_after(first) == first
    assert other.audio_format_after(first) == AudioFormat(Codec.PCM16, 16_000)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"sample_rate": "8k"}, "'sample_rate' as int or null, got '8k'"),
        ({"sample_rate": "11025"}, "got 11025"),
        ({"codec": "mp3"}, "'codec' as pcm16 or opus"),
        ({"mode": "karaoke"}, "karaoke"),
    ],
)
def test_a_wrong_query_of_a_plain_client_is_refused(query: dict[str, str], message: str) -> None:
    with pytest.raises(CallError, match=message) as caught:
        start_of_query(query)
    assert caught.value.code is ErrorCode.BAD_MESSAGE


def test_a_start_may_name_voice_and_style() -> None:
    found = parse('{"type":"start","voice":"baritone","style":"calm"}')
    assert isinstance(found, Start)
    assert found.persona == Persona("baritone", "calm")
    with pytest.raises(CallError, match="'voice' as str"):
        parse('{"type":"start","voice":["alto"]}')


@pytest.mark.parametrize("wish", ["mp3", "", None, ["opus"], {"opus": 1}, 1])
def test_an_unknown_codec_is_refused_by_name(wish: object) -> None:
    with pytest.raises(CallError, match="pcm16 or opus or mulaw or alaw"):
        parse(json.dumps({"type": "start", "codec": wish}))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"type":"sing"}', "Expected 'type' as start or mode or commit or .* got 'sing'"),
        ('{"type":"played"}', r"Expected the field 'frame', got \['type'\]"),
        ('{"type":"played","frame":1.0}', "Expected 'frame' as int from 0 to 4294967295, got 1.0"),
        ('{"type":"commit","now":1}', "Expected no fields but type, got \\['now'\\]"),
        ('{"type":"start","options":[]}', r"Expected 'options' as object, got \[\]"),
        ('{"type":"options","silence_ms":5}', "Expected silence_ms from 100 to 5000, got 5"),
        ("null", "Expected a JSON object, got null"),
        ("", "Expected a JSON object, got no JSON: "),
    ],
)
def test_a_refusal_says_what_was_expected_and_got(text: str, message: str) -> None:
    with pytest.raises(CallError, match=message):
        parse(text)


def test_instructions_are_bounded_and_never_shown() -> None:
    with pytest.raises(CallError, match="2000 characters, got 2001") as caught:
        parse(json.dumps({"type": "start", "instructions": "x" * 2_001}))
    assert caught.value.code is ErrorCode.TOO_LARGE
    start = parse(json.dumps({"type": "start", "instructions": "a secret plan"}))
    assert "secret" not in repr(start)


def test_a_typed_turn_becomes_a_record() -> None:
    assert parse('{"type":"text","text":" Hello,\\n there "}') == Typed("Hello, there")
    assert parse(json.dumps({"type": "text", "text": "x" * 1_000})) == Typed("x" * 1_000)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.BAD_MESSAGE),
        (" \n", ErrorCode.BAD_MESSAGE),
        ("\ud800", ErrorCode.BAD_MESSAGE),
        ("x" * 1_001, ErrorCode.TOO_LARGE),
    ],
)
def test_a_typed_turn_without_words_or_with_too_many_ends_no_call(text: str, code: str) -> None:
    with pytest.raises(Refusal) as caught:
        parse(json.dumps({"type": "text", "text": text}))
    assert caught.value.code == code
