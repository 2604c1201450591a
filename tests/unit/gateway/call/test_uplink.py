"""The uplink: messages of any size give the same records, and none is lost."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.call.uplink import (
    BURST_SAMPLES,
    KEEP_RECORDS,
    MAX_WAITING_RECORDS,
    PIECE_SAMPLES,
    STALL_SAMPLES,
    Uplink,
)
from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES
from shared.log.records import Audio, Cancel, Commit, Played
from shared.log.writes import Answer, Receipt

CHUNK = bytes(range(256)) * 15


def stored(last: int) -> Receipt:
    return Receipt(Answer.STORED, last)


@settings(deadline=None)
@given(st.lists(st.integers(0, 5_000), max_size=12))
def test_any_message_sizes_give_the_same_chunks(sizes: list[int]) -> None:
    data = bytes(i % 251 for i in range(2 * sum(sizes)))
    uplink = Uplink(0.0)
    at = 0
    for size in sizes:
        uplink.push_audio(data[at : at + 2 * size], 100.0)
        at += 2 * size
    first, records = uplink.pending()
    chunks = [r.pcm for r in records if isinstance(r, Audio)]
    assert first == 1
    assert b"".join(chunks) == data[: len(data) // CHUNK_BYTES * CHUNK_BYTES]
    assert uplink.samples == len(chunks) * CHUNK_SAMPLES


def test_controls_keep_their_place_among_the_audio() -> None:
    uplink = Uplink(0.0)
    uplink.push_audio(CHUNK, 0.0)
    uplink.push(Cancel())
    uplink.push_audio(CHUNK, 0.0)
    assert uplink.pending() == (1, (Audio(CHUNK), Cancel(), Audio(CHUNK)))


def test_a_commit_pads_the_chunk_and_counts_only_the_callers_samples() -> None:
    uplink = Uplink(0.0)
    uplink.push_audio(CHUNK + b"\1\0" * 20, 0.0)
    uplink.push(Commit())
    padded = Audio((b"\1\0" * 20).ljust(CHUNK_BYTES, b"\0"))
    assert uplink.pending()[1] == (Audio(CHUNK), padded, Commit(padding=1_900))
    assert uplink.samples == CHUNK_SAMPLES + 20
    uplink.take_receipt(stored(3))
    assert uplink.acked_samples == CHUNK_SAMPLES + 20


def test_the_padding_of_commits_counts_against_the_rate() -> None:
    uplink = Uplink(0.0)
    for _ in range(25):  # 2 s of padding for the model, from 25 samples
        uplink.push_audio(b"\1\0", 0.0)
        uplink.push(Commit())
        uplink.take_receipt(stored(uplink.n))
    with pytest.raises(CallError) as caught:
        uplink.push_audio(b"\1\0", 0.0)
    assert caught.value.code is ErrorCode.TOO_FAST


def test_a_flood_of_tiny_messages_is_too_fast_and_a_worklets_pieces_are_not() -> None:
    uplink = Uplink(0.0)
    for quantum in range(2_000):  # 128 samples at a time, as a page's audio thread delivers them
        now = quantum * 128 / 24_000
        uplink.push_audio(bytes(256), now)
        uplink.take_receipt(stored(uplink.n))
    for _ in range(int(uplink.spare_samples) // PIECE_SAMPLES):
        uplink.push_audio(b"", now)
    with pytest.raises(CallError) as caught:
        uplink.push_audio(b"", now)
    assert caught.value.code is ErrorCode.TOO_FAST


def test_unstored_records_are_sent_again() -> None:
    uplink = Uplink(0.0)
    for _ in range(3):
        uplink.push_audio(CHUNK, 0.0)
    uplink.take_receipt(Receipt(Answer.BUSY, 1))
    assert uplink.busy
    assert uplink.pending() == (2, (Audio(CHUNK), Audio(CHUNK)))
    assert uplink.acked_samples == CHUNK_SAMPLES
    uplink.take_receipt(Receipt(Answer.DUPLICATE, 3))
    assert uplink.pending() == (4, ())


def test_a_log_that_lost_its_tail_is_repaired_from_the_ring() -> None:
    uplink = Uplink(0.0)
    for frame in range(KEEP_RECORDS + 10):
        uplink.push(Played(frame))
        uplink.take_receipt(stored(frame + 1))
    uplink.take_receipt(Receipt(Answer.GAP, 20))
    first, records = uplink.pending()
    assert (first, records[0]) == (21, Played(20))
    assert len(records) == KEEP_RECORDS + 10 - 20


def test_a_log_that_lost_more_than_the_ring_ends_the_session() -> None:
    uplink = Uplink(0.0)
    for frame in range(KEEP_RECORDS + 10):
        uplink.push(Played(frame))
        uplink.take_receipt(stored(frame + 1))
    with pytest.raises(CallError, match="cannot be repaired") as caught:
        uplink.take_receipt(Receipt(Answer.GAP, 5))
    assert caught.value.code is ErrorCode.SESSION_LOST


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer.FENCED, ErrorCode.REPLACED),
        (Answer.GONE, ErrorCode.SESSION_LOST),
        (Answer.POISONED, ErrorCode.POISONED),
    ],
)
def test_an_answer_that_ends_the_session_raises_its_error(answer: Answer, code: ErrorCode) -> None:
    with pytest.raises(CallError) as caught:
        Uplink(0.0).take_receipt(Receipt(answer, 0))
    assert caught.value.code is code


def send_a_minute(uplink: Uplink, speed: float, *, stored_at_once: bool = True) -> None:
    """Send audio at a multiple of real time, from second 0 on."""
    for chunk in range(750):
        uplink.push_audio(CHUNK, chunk * 0.08 / speed)
        if stored_at_once:
            uplink.take_receipt(stored(uplink.n))


def flood(uplink: Uplink, now: float) -> None:
    """Send far too much audio at once."""
    while True:
        uplink.push_audio(CHUNK, now)
        uplink.take_receipt(stored(uplink.n))


def test_twice_real_time_passes_and_more_does_not() -> None:
    send_a_minute(Uplink(0.0), 2.0)
    uplink = Uplink(0.0)
    with pytest.raises(CallError, match="real time") as caught:
        send_a_minute(uplink, 2.7)
    assert caught.value.code is ErrorCode.TOO_FAST


@pytest.mark.parametrize(("waited_s", "most"), [(0.0, BURST_SAMPLES), (3_600.0, STALL_SAMPLES)])
def test_a_client_may_catch_up_after_a_stall_within_a_bound(waited_s: float, most: int) -> None:
    uplink = Uplink(0.0)
    with pytest.raises(CallError, match="real time"):
        flood(uplink, waited_s)
    assert uplink.samples == most // CHUNK_SAMPLES * CHUNK_SAMPLES


@pytest.mark.parametrize(
    ("busy", "speed", "code"),
    [
        (True, 2.0, ErrorCode.TOO_FAST),
        (True, 1.0, ErrorCode.NO_CAPACITY),
        (False, 1.0, ErrorCode.INTERNAL),
    ],
)
def test_the_ring_is_bounded_and_its_error_names_the_cause(
    busy: bool, speed: float, code: ErrorCode
) -> None:
    uplink = Uplink(0.0)
    if busy:
        uplink.take_receipt(Receipt(Answer.BUSY, 0))
    with pytest.raises(CallError) as caught:
        send_a_minute(uplink, speed, stored_at_once=False)
    assert caught.value.code is code
    assert uplink.waiting == MAX_WAITING_RECORDS


def test_the_first_sample_of_a_record_is_known() -> None:
    uplink = Uplink(0.0, n=10, samples=1_000)
    uplink.push_audio(CHUNK, 0.0)  # n = 11
    uplink.push(Cancel())  # n = 12
    uplink.push_audio(CHUNK, 0.0)  # n = 13
    assert [uplink.sample_of(n) for n in (5, 11, 12, 13, 14)] == [1_000, 1_000, 2_920, 2_920, 4_840]
