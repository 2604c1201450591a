"""The JSON messages of the gateway, byte for byte."""

import pytest

from gateway.protocol import server_messages as messages
from gateway.protocol.audio_format import Codec
from gateway.protocol.errors import CallError, ErrorCode, NoCapacity, Refusal
from gateway.protocol.server_messages import ServerMessage

READY = messages.Ready(
    session="s",
    token="t",  # noqa: S106 # no secret
    outcome="new",
    mode="turn",
    codec=Codec.OPUS,
    sample_rate=24_000,
    frame_samples=480,
    next_sample=0,
    next_frame=1,
)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (
            READY,
            '{"type":"ready","session":"s","token":"t","outcome":"new","mode":"turn",'
            '"codec":"opus","sample_rate":24000,"frame_samples":480,"next_sample":0,'
            '"next_frame":1,"text":false}',
        ),
        (
            messages.Error.of(Refusal(ErrorCode.UNSUPPORTED, "no text")),
            '{"type":"error","code":"unsupported","message":"no text","closes":false}',
        ),
        (
            messages.Error.of(CallError(ErrorCode.TOO_FAST, "slow down")),
            '{"type":"error","code":"too_fast","message":"slow down"}',
        ),
        (
            messages.Error.of(NoCapacity("full")),
            '{"type":"error","code":"no_capacity","message":"full","retry_after_ms":2000}',
        ),
        (
            messages.Goaway(resume_in_ms=4),
            '{"type":"goaway","reason":"shutdown","resume_in_ms":4}',
        ),
        (messages.Ack(samples=1_920), '{"type":"ack","samples":1920}'),
        (messages.Pong(t=None), '{"type":"pong","t":null}'),
        (messages.Pong(t={"a": [1.5, "x"]}), '{"type":"pong","t":{"a":[1.5,"x"]}}'),
        (messages.SpeechStarted(sample=5), '{"type":"speech_started","sample":5}'),
        (messages.SpeechStopped(sample=5), '{"type":"speech_stopped","sample":5}'),
        (
            messages.Heard(text="qué", final=False, rough=True),
            '{"type":"heard","text":"qu\\u00e9","final":false,"rough":true}',
        ),
        (
            messages.ReplyStarted(generation=1, frame=2),
            '{"type":"reply_started","generation":1,"frame":2}',
        ),
        (
            messages.ReplyDone(generation=1, frame=2, reason="end"),
            '{"type":"reply_done","generation":1,"frame":2,"reason":"end"}',
        ),
        (
            messages.Text(generation=1, frame=2, text="four "),
            '{"type":"text","generation":1,"frame":2,"text":"four "}',
        ),
        (
            messages.Clear(generation=1, next_frame=7),
            '{"type":"clear","generation":1,"next_frame":7}',
        ),
        (
            messages.Skip(first=7, last=9, reason="trimmed"),
            '{"type":"skip","first":7,"last":9,"reason":"trimmed"}',
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, ServerMessage) else "",
)
def test_a_message_is_the_json_that_clients_know(message: ServerMessage, text: str) -> None:
    assert message.to_json() == text
