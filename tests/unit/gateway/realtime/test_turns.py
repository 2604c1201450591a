"""Whole turns of a Realtime client: the events, their order, and what the model hears of them."""

import base64

import pytest

from shared.audio import CHUNK_BYTES
from shared.g711 import mulaw_encode
from tests.sounds import joined, noise, silence, talking, voice
from tests.unit.gateway.realtime.stage import SOUND, Stage
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Output, Traits

CASCADE = Traits(duplex=False, burst_frames=20, folds=True, prepares=True)
READING = Traits(duplex=False, burst_frames=20, folds=True, prepares=True, reads=True)
QUESTION = [*voice(12), *silence(12)]
RESPONSE = """response.created
response.output_item.added
conversation.item.added
response.content_part.added
response.output_audio.delta
response.output_audio.done
response.output_audio_transcript.done
response.content_part.done
response.output_item.done
conversation.item.done
response.done""".split()
TURN = """input_audio_buffer.speech_started
input_audio_buffer.speech_stopped
input_audio_buffer.committed
conversation.item.added
conversation.item.done""".split()
COMMITTED = TURN[2:]


def manual() -> Stage:
    stage = Stage()
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    return stage


def test_a_spoken_turn_has_all_events_in_order() -> None:
    stage = Stage()
    stage.say(*QUESTION)
    stage.wait(4)
    assert stage.types() == ["session.created", *TURN, *RESPONSE]
    turn = [stage.got(kind)[0] for kind in TURN]
    ids = {e["item_id"] if "item_id" in e else e["item"]["id"] for e in turn}
    assert len(ids) == 1
    assert len({event["event_id"] for event in stage.events}) == len(stage.events)
    started, stopped = turn[0]["audio_start_ms"], turn[1]["audio_end_ms"]
    assert 0 <= started < 80 * 3 < 80 * 12 < stopped <= 80 * len(QUESTION)


def test_the_assistant_s_item_follows_the_caller_s() -> None:
    stage = Stage()
    stage.say(*QUESTION)
    stage.wait(4)
    first, second = stage.got("conversation.item.added")
    assert first["previous_item_id"] is None
    assert second["previous_item_id"] == first["item"]["id"]
    assert (second["item"]["status"], second["item"]["content"]) == ("in_progress", [])


def test_sound_comes_in_pieces_of_100_ms_at_the_pace_of_the_playhead() -> None:
    stage = Stage()
    stage.say(*QUESTION)
    stage.wait(0.02)
    sizes = [len(base64.b64decode(event["delta"])) // 960 for event in stage.got(SOUND)]
    assert sum(sizes[:-1]) <= 40  # half a second ahead, and what was played meanwhile
    stage.wait(4)
    sizes = [len(base64.b64decode(event["delta"])) // 960 for event in stage.got(SOUND)]
    assert all(size == 5 for size in sizes[2:-1])
    assert stage.frames == 4 * round(sum(sizes) / 4)


def test_words_of_both_sides_are_reported() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    stage.wait(4)
    (heard,) = stage.got("conversation.item.input_audio_transcription.completed")
    assert heard["transcript"].endswith("tens of chunks")
    assert heard["usage"]["type"] == "duration"
    assert 1 <= heard["usage"]["seconds"] <= 2
    said = "".join(event["delta"] for event in stage.got("response.output_audio_transcript.delta"))
    (done,) = stage.got("response.done")
    (item,) = done["response"]["output"]
    assert item["content"] == [{"type": "output_audio", "transcript": said}]
    assert done["response"]["usage"]["output_token_details"]["text_tokens"] == 6


def test_speech_over_a_response_cancels_it_exactly_once() -> None:
    stage = Stage()
    stage.say(*talking(60), *silence(12))
    stage.wait(1.6)  # later than a turn is reopened
    since, frames = len(stage.events), stage.frames
    stage.say(*silence(2), *voice(14, pitch_hz=210))
    types = stage.types(since)
    assert types[types.index(TURN[0]) :][:7] == [TURN[0], *RESPONSE[5:]]
    assert types.count(SOUND) == 1
    (done,) = stage.got("response.done")
    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    assert done["response"]["output"][0]["status"] == "incomplete"
    assert frames < stage.frames < 200
    stage.say(*silence(12))
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == [
        "cancelled",
        "completed",
    ]


def test_a_client_that_wants_no_interruption_gets_none() -> None:
    stage = Stage(FakeEngine(CASCADE))
    detection = {"interrupt_response": False}
    stage.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    stage.say(*QUESTION)
    stage.say(*voice(10), *silence(20))
    stage.wait(2)
    assert {e["response"]["status"] for e in stage.got("response.done")} == {"completed"}


def test_push_to_talk_answers_when_it_is_asked_to() -> None:
    stage = manual()
    faint = noise(10, level=20)  # nothing that a VAD would hear
    stage.say(*faint)
    since = len(stage.events)
    stage.send("input_audio_buffer.commit")
    assert stage.types(since) == COMMITTED
    stage.wait(1)
    assert stage.got("response.created") == []
    stage.send("response.create", response={"metadata": {"client_event_id": "x1"}})
    stage.wait(2)
    assert stage.types(since) == [*COMMITTED, *RESPONSE]
    assert stage.got("response.created")[0]["response"]["metadata"] == {"client_event_id": "x1"}
    assert stage.worker.pcm == joined(faint)
    assert stage.got("input_audio_buffer.speech_started") == []


def test_sound_after_a_commit_belongs_to_the_next_turn() -> None:
    stage = manual()
    first, second = noise(10, level=20), noise(10, seed=1, level=20)
    stage.say(*first)
    stage.send("input_audio_buffer.commit")
    stage.say(*second)
    stage.send("response.create")
    stage.wait(2)
    assert stage.worker.pcm == joined(first)
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(2)
    assert stage.worker.pcm == joined(first) + joined(second)
    assert len(stage.got("response.done")) == 2


@pytest.mark.parametrize("over", [-1, 0, 1, 2])
def test_a_turn_that_grows_too_long_is_answered_unasked(over: int) -> None:
    """However near its commit is: each response ends, and each has an id of its own."""
    stage = Stage(FakeEngine(READING))
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.say(*voice(READING.context_chunks + over))
    for _ in range(3):
        stage.send("input_audio_buffer.commit")
        stage.send("response.create")
        stage.wait(4)
        stage.say(*voice(3))
    ids = [event["response"]["id"] for event in stage.got("response.created")]
    assert len(set(ids)) == len(ids) >= 3
    assert [event["response"]["id"] for event in stage.got("response.done")] == ids
    committed = [event["item_id"] for event in stage.got("input_audio_buffer.committed")]
    assert len(set(committed)) == len(committed)


def test_sound_committed_in_stream_mode_is_not_committed_again() -> None:
    stage = Stage()
    stage.send("session.update", session={"mode": "stream"})
    stage.say(*voice(3))
    stage.send("input_audio_buffer.commit")
    stage.wait(2)
    manually = {"mode": "turn", "audio": {"input": {"turn_detection": None}}}
    stage.send("session.update", session=manually)
    stage.send("input_audio_buffer.commit")
    assert stage.error()["code"] == "input_audio_buffer_commit_empty"


def test_what_is_cleared_is_not_answered() -> None:
    stage = manual()
    stage.say(*noise(10, level=20))
    stage.send("input_audio_buffer.clear")
    assert stage.got("input_audio_buffer.cleared")
    stage.send("input_audio_buffer.commit")
    assert stage.error()["code"] == "input_audio_buffer_commit_empty"
    second = noise(10, seed=1, level=20)
    stage.say(*second)
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(2)
    assert stage.worker.pcm == joined(second)


def test_a_response_is_cancelled_at_once_and_the_next_one_is_whole() -> None:
    stage = manual()
    stage.say(*voice(40))
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(0.5)
    stage.send("response.create", event_id="again")
    assert stage.error()["code"] == "conversation_already_has_active_response"
    assert stage.error()["event_id"] == "again"
    stage.send("response.cancel", response_id="resp_of_another")
    assert stage.error()["code"] == "response_cancel_not_active"
    stage.send("response.cancel")
    (done,) = stage.got("response.done")
    assert done["response"]["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    frames = stage.frames
    stage.wait(1)
    assert stage.frames == frames
    stage.say(*voice(10))
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(2)
    assert stage.got("response.done")[1]["response"]["status"] == "completed"


def test_a_response_that_is_cancelled_before_it_begins_takes_no_other_with_it() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.say(*voice(10))
    stage.send("input_audio_buffer.commit")
    for event in ({"type": "response.create"}, {"type": "response.cancel"}):
        stage.session.receive(str(event).replace("'", '"'), stage.now)
    stage.work()
    stage.say(*voice(10))
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == [
        "cancelled",
        "completed",
    ]


def test_a_cancel_while_idle_is_refused_in_openai_s_words() -> None:
    stage = Stage()
    stage.send("response.cancel", event_id="e1")
    assert stage.error()["code"] == "response_cancel_not_active"
    assert stage.error()["message"].startswith("Cancellation failed")
    assert stage.error()["event_id"] == "e1"


def test_a_turn_without_words_ends_its_response() -> None:
    stage = Stage(FakeEngine(CASCADE, [Output(0, ended=True)]))
    stage.say(*QUESTION)
    stage.wait(2)
    (done,) = stage.got("response.done")
    assert (done["response"]["status"], done["response"]["output"]) == ("completed", [])


def test_a_caller_who_goes_on_early_withdraws_the_response() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*voice(12), *silence(13), *voice(12), *silence(14))
    stage.wait(4)
    statuses = [e["response"]["status"] for e in stage.got("response.done")]
    assert statuses == ["cancelled", "completed"]
    first, second = stage.got("conversation.item.input_audio_transcription.completed")
    assert first["item_id"] != second["item_id"]


def test_text_alone_is_possible() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.send("session.update", session={"output_modalities": ["text"]})
    stage.say(*QUESTION)
    stage.wait(4)
    assert stage.got(SOUND) == []
    said = "".join(event["delta"] for event in stage.got("response.output_text.delta"))
    assert stage.got("response.output_text.done")[0]["text"] == said
    (item,) = stage.got("response.done")[0]["response"]["output"]
    assert item["content"] == [{"type": "output_text", "text": said}]


def test_instructions_of_one_response_count_for_it_alone() -> None:
    engine = FakeEngine(CASCADE)
    stage = Stage(engine)
    detection = {"audio": {"input": {"turn_detection": None}}, "instructions": "always"}
    stage.send("session.update", session=detection)
    for response in ({"instructions": "once"}, {}):
        stage.say(*voice(10))
        stage.send("input_audio_buffer.commit")
        stage.send("response.create", response=response)
        stage.wait(4)
    told = [opening.instructions for opening in engine.openings if opening.instructions]
    assert told == ["always", "once", "always"]


def test_a_response_outside_the_conversation_is_not_remembered() -> None:
    engine = FakeEngine(CASCADE)
    stage = Stage(engine)
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.say(*voice(10))
    stage.send("input_audio_buffer.commit")
    stage.send("response.create", response={"conversation": "none"})
    stage.wait(4)
    assert stage.got("response.done")[0]["response"]["conversation_id"] is None
    assert len(stage.got("conversation.item.added")) == 1
    stage.say(*voice(10))
    assert engine.folds == []


@pytest.mark.parametrize("kind", ["audio/pcmu", "audio/pcma"])
def test_telephone_formats_go_both_ways(kind: str) -> None:
    stage = Stage()
    form = {"format": {"type": kind}}
    audio = {"input": {**form, "turn_detection": None}, "output": form}
    stage.send("session.update", session={"audio": audio})
    for _ in range(12):
        sound = base64.b64encode(mulaw_encode(voice(1)[0][:640])).decode()
        stage.send("input_audio_buffer.append", audio=sound)
        stage.wait(0.08)
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(3)
    size = sum(len(base64.b64decode(event["delta"])) for event in stage.got(SOUND))
    assert size == len(stage.worker.pcm) // 6 >= 640 * 11


def test_a_recording_may_come_at_once() -> None:
    stage = manual()
    sound = noise(200, level=20)  # 16 s
    for at in range(0, 200, 25):
        audio = base64.b64encode(joined(sound[at : at + 25])).decode()
        stage.send("input_audio_buffer.append", audio=audio)
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(4)
    heard = [record for _, record in stage.worker.inputs if hasattr(record, "pcm")]
    assert sum(len(record.pcm) for record in heard) == 200 * CHUNK_BYTES
    assert stage.got("response.output_item.added")


def test_a_response_that_ends_a_spoken_turn_without_a_commit_ends() -> None:
    stage = Stage(FakeEngine(READING))
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.say(*voice(2))
    stage.send("response.create")
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_a_turn_that_the_server_heard_first_may_end_by_push_to_talk() -> None:
    stage = Stage(FakeEngine(READING, [Output(0, ended=True)]))  # it finds no words
    stage.say(*voice(10))
    assert stage.types()[-1] == "input_audio_buffer.speech_started"
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.send("input_audio_buffer.commit")
    for responses in (1, 2):
        stage.send("response.create")
        stage.wait(4)
        assert len(stage.got("response.done")) == responses


def test_an_item_that_the_client_has_deleted_gets_no_transcript() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    stage.say(*voice(10))
    stage.send("input_audio_buffer.commit")
    (done,) = stage.got("conversation.item.done")
    stage.send("conversation.item.delete", item_id=done["item"]["id"])
    stage.send("response.create")
    stage.wait(4)
    assert stage.got("response.done")
    assert not stage.got("conversation.item.input_audio_transcription.completed")
