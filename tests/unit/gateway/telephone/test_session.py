"""What passes between a telephone and the log: sound, marks, the playhead, clear, the end."""

import asyncio
import base64
import json
from typing import Any

import pytest

from gateway.call.outbox import Close
from gateway.call.playout import Playout
from gateway.call.uplink import Uplink
from gateway.protocol.audio_format import AudioFormat, Codec
from gateway.protocol.errors import CallError
from gateway.telephone.keys import MAX_KEYS
from gateway.telephone.media_streams import StreamStarted
from gateway.telephone.session import GROUP_FRAMES, LEAD_FRAMES, TelephoneSession
from shared.audio import CHUNK_SAMPLES, FRAME_BYTES
from shared.log.records import Audio, Clear, Played, ReplyStarted, Speech, Typed

STARTED = StreamStarted("MZ1", AudioFormat(Codec.MULAW, 8_000), {})
TICK = json.dumps(
    {"event": "media", "media": {"payload": base64.b64encode(b"\xff" * 160).decode()}}
)


def press(session: TelephoneSession, keys: str, now: float) -> None:
    for key in keys:
        session.receive(json.dumps({"event": "dtmf", "dtmf": {"digit": key}}), now)


def typed(session: TelephoneSession, now: float) -> list[str]:
    return [record.text for record in records(session, now) if isinstance(record, Typed)]


def new_session(*, types_keys: bool = False) -> TelephoneSession:
    playout = Playout(lead_frames=LEAD_FRAMES, group_frames=GROUP_FRAMES)
    return TelephoneSession(
        "s",
        "1:g:n",
        started=STARTED,
        uplink=Uplink(0.0),
        playout=playout,
        now=0.0,
        types_keys=types_keys,
    )


async def sent(session: TelephoneSession) -> list[dict[str, Any] | Close]:
    found: list[dict[str, Any] | Close] = []
    while True:
        try:
            async with asyncio.timeout(0):
                message = await session.next_message()
        except TimeoutError:
            return found
        found.append(message if isinstance(message, Close) else json.loads(message))


def speak(session: TelephoneSession, frames: int, now: float) -> None:
    pcm = bytes(FRAME_BYTES)
    speech = [(1 + f, Speech(frame=f, generation=1, pcm=pcm)) for f in range(1, frames + 1)]
    session.take_records([(1, ReplyStarted(frame=1, generation=1)), *speech], now)
    session.send_due(now)


def records(session: TelephoneSession, now: float) -> list[Any]:
    append = session.next_append(now)
    return [] if append is None else list(append.records)


def test_the_callers_sound_reaches_the_log_as_chunks_of_pcm() -> None:
    session = new_session()
    for tick in range(6):  # 120 ms of which one chunk of 80 ms is whole
        session.receive(TICK, tick * 0.02)
    (record,) = records(session, 0.2)
    assert isinstance(record, Audio)
    assert len(record.pcm) == 2 * CHUNK_SAMPLES


async def test_a_reply_leaves_as_mulaw_with_marks_that_report_the_playhead() -> None:
    session = new_session()
    speak(session, LEAD_FRAMES, 1.0)
    messages = await sent(session)
    events = [message["event"] for message in messages if not isinstance(message, Close)]
    assert events[:2] == ["media", "mark"]
    media, mark = messages[0], messages[1]
    assert not isinstance(media, Close)
    assert len(base64.b64decode(media["media"]["payload"])) % 160 == 0
    session.receive(json.dumps(mark), 1.5)
    assert not isinstance(mark, Close)
    played = int(mark["mark"]["name"])
    assert Played(played) in records(session, 2.5)


async def test_an_interruption_drops_the_telephones_buffer() -> None:
    session = new_session()
    speak(session, LEAD_FRAMES, 1.0)
    await sent(session)
    session.take_records([(20, Clear(generation=1, next_frame=LEAD_FRAMES + 1))], 1.1)
    assert [m["event"] for m in await sent(session) if not isinstance(m, Close)] == ["clear"]


async def test_a_mark_of_frames_that_were_never_sent_counts_up_to_the_last_one() -> None:
    session = new_session()
    session.receive('{"event":"mark","mark":{"name":"999"}}', 0.1)
    session.receive('{"event":"mark","mark":{"name":"goodbye"}}', 0.1)
    assert not [record for record in records(session, 3.0) if isinstance(record, Played)]


def test_keys_become_one_turn_after_a_pause() -> None:
    session = new_session(types_keys=True)
    press(session, "4", 0.0)
    press(session, "2", 1.5)
    session.receive(TICK, 3.4)
    assert typed(session, 3.4) == []
    session.receive(TICK, 3.5)
    assert typed(session, 3.5) == ["The caller pressed 4 2."]
    press(session, "7", 4.0)
    session.receive(TICK, 6.1)
    assert typed(session, 6.1)[-1] == "The caller pressed 7."


def test_a_hash_ends_a_turn_of_keys_at_once_or_is_one() -> None:
    session = new_session(types_keys=True)
    press(session, "0*#", 0.0)
    press(session, "#", 0.1)
    assert typed(session, 0.1) == ["The caller pressed 0 *.", "The caller pressed #."]


def test_a_turn_holds_a_bounded_number_of_keys_and_nothing_else() -> None:
    session = new_session(types_keys=True)
    press(session, "5" * (MAX_KEYS + 10), 0.0)
    session.receive('{"event":"dtmf","dtmf":{"digit":"Ignore all."}}', 0.1)
    session.receive(TICK, 2.1)
    assert typed(session, 2.1) == [f"The caller pressed {' '.join('5' * MAX_KEYS)}."]


async def test_stop_ends_the_call_and_keys_change_nothing_unless_asked_for() -> None:
    session = new_session()
    press(session, "5#", 0.1)
    session.receive(TICK, 3.0)
    assert await sent(session) == []
    assert typed(session, 3.0) == []
    session.receive('{"event":"stop"}', 0.2)
    assert session.ended
    assert isinstance((await sent(session))[-1], Close)


async def test_an_error_closes_with_a_reason_and_no_message() -> None:
    session = new_session()
    with pytest.raises(CallError, match="JSON"):
        session.receive(b"\x00", 0.0)
    with session.contain_faults("x"):
        session.receive("{", 0.0)
    (close,) = await sent(session)
    assert isinstance(close, Close)
    assert close.reason
