"""What passes between a caller and the log: acknowledgements, the playhead, events, errors."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gateway.call.outbox import MAX_BEHIND_BYTES, Close, Message, Outbox
from gateway.call.playhead import REPORTS_WITHIN_S
from gateway.call.playout import Playout
from gateway.call.session import (
    ACK_EVERY_S,
    BUSY_EVERY_S,
    PROBE_EVERY_S,
    Session,
)
from gateway.call.uplink import BUSY_RECORDS, Uplink
from gateway.protocol.errors import CallError, ErrorCode
from gateway.protocol.server_messages import Error
from shared.beats import SIGN_OF_LIFE_S
from shared.log.records import (
    Audio,
    Clear,
    OutputRecord,
    Played,
    ReplyStarted,
    Skip,
    Speech,
    SpeechStarted,
    Typed,
)
from shared.log.writes import Answer, Append, Receipt

CHUNK = bytes(3_840)


def new_session(*, native: bool = True) -> Session:
    playout = Playout(lead_frames=10)
    return Session("s", "1:g:n", native=native, uplink=Uplink(0.0), playout=playout, now=0.0)


async def waiting(next_message: Callable[[], Awaitable[Message]]) -> list[Message]:
    """All messages that wait to be sent."""
    found: list[Message] = []
    while True:
        try:
            async with asyncio.timeout(0):
                found.append(await next_message())
        except TimeoutError:
            return found


async def events(session: Session) -> list[dict[str, Any]]:
    return [
        json.loads(item) for item in await waiting(session.next_message) if isinstance(item, str)
    ]


def append(session: Session, now: float) -> Append:
    found = session.next_append(now)
    assert found is not None
    return found


async def test_audio_becomes_one_append_with_the_fence() -> None:
    session = new_session()
    session.receive(CHUNK * 2, 0.0)
    assert append(session, 0.0) == Append(
        sid="s", conn="1:g:n", first=1, records=(Audio(CHUNK), Audio(CHUNK))
    )


async def test_acknowledgements_are_cumulative_and_not_too_many() -> None:
    session = new_session()
    for n in range(1, 5):
        session.receive(CHUNK, 0.0)
        session.take_receipt(Receipt(Answer.STORED, n), n * ACK_EVERY_S / 2)
    assert [e["samples"] for e in await events(session)] == [2 * 1_920, 4 * 1_920]


async def test_a_silent_connection_probes_whether_it_was_replaced() -> None:
    session = new_session()
    assert session.next_append(PROBE_EVERY_S / 2) is None
    assert append(session, PROBE_EVERY_S) == Append(sid="s", conn="1:g:n", first=1, records=())
    assert session.next_append(PROBE_EVERY_S * 1.5) is None


async def test_a_full_log_is_not_tried_at_every_tick() -> None:
    session = new_session()
    session.receive(CHUNK * 17, 0.0)
    session.receive(CHUNK * 8, 0.0)
    assert len(append(session, 0.0).records) == 25
    session.take_receipt(Receipt(Answer.BUSY, 5), 0.0)
    assert session.next_append(BUSY_EVERY_S / 2) is None
    again = append(session, BUSY_EVERY_S)
    assert (again.first, len(again.records)) == (6, BUSY_RECORDS)


async def test_a_silent_caller_still_logs_a_sign_of_life() -> None:
    session = new_session()
    assert append(session, SIGN_OF_LIFE_S).records == (Played(0),)


async def test_the_playhead_is_estimated_until_the_client_reports_it() -> None:
    session = new_session()
    session.take_records([(1, ReplyStarted(1, 1)), (2, Speech(1, 1, bytes(3_840)))], 10.0)
    session.send_due(10.0)
    session.receive(CHUNK, 10.0)
    assert Played(2) in append(session, 10.05).records
    session.receive('{"type":"played","frame":1}', 10.1)
    assert append(session, 10.5).records[-1] == Played(1)


async def test_the_playhead_is_logged_right_before_a_chunk() -> None:
    session = new_session()
    session.take_records([(1, ReplyStarted(1, 1)), (2, Speech(1, 1, bytes(3_840)))], 10.0)
    session.send_due(10.0)
    session.receive(CHUNK[:960], 10.05)
    assert not session.unwritten, "no chunk is whole that could take it along"
    session.receive(CHUNK, 10.05)
    assert append(session, 10.05).records == (Played(2), Audio(CHUNK))


async def test_a_client_that_stops_reporting_its_playhead_is_estimated_again() -> None:
    session = new_session()
    session.take_records([(1, ReplyStarted(1, 1)), (2, Speech(1, 1, bytes(3_840)))], 10.0)
    session.send_due(10.0)
    session.receive('{"type":"played","frame":1}', 10.0)
    assert append(session, 10.1).records[-1] == Played(1)
    assert append(session, 10.1 + REPORTS_WITHIN_S).records[-1] == Played(4)


async def test_events_carry_positions_in_the_callers_audio() -> None:
    session = new_session()
    session.receive(CHUNK * 2, 0.0)
    session.take_records(
        [(1, SpeechStarted(2)), (2, Clear(1, 7)), (3, Skip(7, 9, "caught up"))], 0.0
    )
    session.send_due(0.0)
    assert await events(session) == [
        {"type": "speech_started", "sample": 1_920},
        {"type": "clear", "generation": 1, "next_frame": 7},
        {"type": "skip", "first": 7, "last": 9, "reason": "caught up"},
    ]


async def test_a_flood_of_controls_is_too_fast_and_stays_bounded() -> None:
    session = new_session()
    for _ in range(100):
        session.receive('{"type":"cancel"}', 0.0)
    with pytest.raises(CallError) as caught:
        session.receive('{"type":"cancel"}', 0.0)
    assert caught.value.code is ErrorCode.TOO_FAST
    assert session.unwritten == 100


async def test_a_plain_client_gets_samples_and_nothing_else() -> None:
    session = new_session(native=False)
    records: list[OutputRecord] = [
        SpeechStarted(1),
        ReplyStarted(1, 1),
        Speech(1, 1, b"\1\2" * 480),
    ]
    session.take_records(list(enumerate(records)), 0.0)
    session.send_due(0.0)
    session.receive('{"type":"ping"}', 0.0)
    assert await waiting(session.next_message) == [b"\1\2" * 480]


@pytest.mark.parametrize(
    ("code", "lost"), [(ErrorCode.REPLACED, True), (ErrorCode.TOO_FAST, False)]
)
async def test_the_first_error_ends_the_socket(code: ErrorCode, lost: bool) -> None:
    session = new_session()
    error = CallError(code, "why")
    session.fail(error)
    session.fail(CallError(ErrorCode.INTERNAL, "later"))
    assert await waiting(session.next_message) == [
        Error.of(error).to_json(),
        Close(error.code.close_code, error.close_reason),
    ]
    session.receive(CHUNK, 0.0)
    assert (session.next_append(0.0) is None) is lost


async def test_a_client_that_reads_too_slowly_is_refused_more() -> None:
    outbox = Outbox()
    for _ in range(MAX_BEHIND_BYTES // 972):
        outbox.put(bytes(972))
    with pytest.raises(CallError) as caught:
        outbox.put(bytes(972))
    assert caught.value.code is ErrorCode.TOO_SLOW
    outbox.close(caught.value.code.close_code, last_message="bye")
    assert await waiting(outbox.next) == ["bye", Close(4430)]
    assert MAX_BEHIND_BYTES == 240_000


async def test_nothing_is_sent_after_the_last_message() -> None:
    outbox = Outbox()
    outbox.put("hello")
    outbox.close(1000, last_message="bye")
    outbox.put("more")
    assert await waiting(outbox.next) == ["hello", "bye", Close(1000)]


async def test_a_typed_turn_goes_to_the_log_where_the_engine_takes_it() -> None:
    session = new_session()
    session.takes_text = True
    session.receive('{"type":"text","text":"hello"}', 0.0)
    assert append(session, 0.1).records[-1] == Typed("hello")


async def test_a_typed_turn_that_no_engine_takes_is_refused_and_the_call_goes_on() -> None:
    session = new_session()
    for text in ("hello", ""):
        session.receive(json.dumps({"type": "text", "text": text}), 0.0)
    sent = [json.loads(message) for message in session.more_messages()]
    assert [(m["type"], m["code"], m["closes"]) for m in sent] == [
        ("error", "unsupported", False),
        ("error", "bad_message", False),
    ]
    assert not session.closing
    assert session.error is None
    assert not session.unwritten
