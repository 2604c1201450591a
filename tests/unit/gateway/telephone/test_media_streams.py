"""The messages of Twilio's and Telnyx's media streams."""

import base64
import json

import pytest

from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.errors import CallError
from gateway.telephone.media_streams import (
    MAX_CHARACTERS,
    CallerAudio,
    DigitPressed,
    MarkPlayed,
    Outgoing,
    StreamStarted,
    StreamStopped,
    parse,
)

MULAW = AudioFormat(Codec.MULAW, 8_000)


def test_twilios_messages() -> None:
    assert parse('{"event":"connected","protocol":"Call","version":"1.0.0"}') is None
    start = {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": "AC1",
            "streamSid": "MZ1",
            "callSid": "CA1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": "t", "mode": "stream"},
        },
        "streamSid": "MZ1",
    }
    found = parse(json.dumps(start))
    assert found == StreamStarted("MZ1", MULAW, {"token": "t", "mode": "stream"})
    payload = base64.b64encode(b"\x7f\xff").decode()
    media = {"track": "inbound", "chunk": "1", "timestamp": "5", "payload": payload}
    message = {"event": "media", "sequenceNumber": "3", "media": media, "streamSid": "MZ1"}
    assert parse(json.dumps(message)) == CallerAudio(b"\x7f\xff")
    message["media"] = media | {"track": "outbound"}
    assert parse(json.dumps(message)) is None
    assert parse('{"event":"mark","mark":{"name":"0:7"},"streamSid":"MZ1"}') == MarkPlayed("0:7")
    assert parse('{"event":"dtmf","dtmf":{"track":"inbound_track","digit":"#"}}') == DigitPressed(
        "#"
    )
    assert parse('{"event":"stop","stop":{"callSid":"CA1"}}') == StreamStopped()


@pytest.mark.parametrize(("encoding", "codec"), [("PCMU", Codec.MULAW), ("PCMA", Codec.ALAW)])
def test_telnyxs_spelling(encoding: str, codec: Codec) -> None:
    start = {
        "event": "start",
        "sequence_number": "1",
        "start": {
            "call_control_id": "v2:T02",
            "media_format": {"encoding": encoding, "sample_rate": 8000, "channels": 1},
        },
        "stream_id": "32de",
    }
    assert parse(json.dumps(start)) == StreamStarted("32de", AudioFormat(codec, 8_000), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "media stream's message"),
        ("[]", "media stream's message"),
        ('{"event":"x","more":' + 30_000 * "[", "recursion depth"),
        ('{"event":3}', "media stream's message"),
        ('{"event":"media"}', "Expected 'media' to hold its fields"),
        ('{"event":"media","media":{"payload":"*"}}', "Expected base64"),
        (f'{{"event":"{"x" * MAX_CHARACTERS}"}}', "at most"),
        (
            '{"event":"start","start":{"mediaFormat":{"encoding":"L16","sampleRate":16000}}}',
            "'L16' at 16000",
        ),
    ],
)
def test_a_wrong_message_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(CallError, match=said):
        parse(text)


def test_what_the_telephone_gets() -> None:
    to_caller = Outgoing("MZ1")
    assert json.loads(to_caller.media(b"\x01\x02")) == {
        "event": "media",
        "streamSid": "MZ1",
        "media": {"payload": "AQI="},
    }
    assert json.loads(to_caller.mark("0:9"))["mark"] == {"name": "0:9"}
    assert json.loads(to_caller.clear()) == {"event": "clear", "streamSid": "MZ1"}
