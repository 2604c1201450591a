"""A session that another gateway goes on with: what its client sees and the model remembers."""

import base64
import json
from typing import Any

import pytest

from gateway.realtime.saved import MAX_BYTES, decode
from shared.audio import FRAME_BYTES
from tests.sounds import joined, noise, silence, voice
from tests.unit.gateway.realtime.stage import SOUND, Stage
from tests.unit.gateway.realtime.test_items import message, remembered
from tests.unit.gateway.realtime.test_turns import CASCADE, QUESTION
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine

WORDS = "conversation.item.input_audio_transcription.completed"
DELTA = "response.output_audio_transcript.delta"
MANUAL = {"audio": {"input": {"turn_detection": None}}}


def last_frame(stage: Stage) -> int:
    return max((event["frame"] for event in stage.got(SOUND)), default=0)


def sound_of(stage: Stage) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in stage.got(SOUND))


def plain(event: dict[str, Any]) -> dict[str, Any]:
    """An event without its id."""
    return {name: value for name, value in event.items() if name != "event_id"}


def story(stage: Stage) -> list[dict[str, Any]]:
    """All events but deltas and the beginning of sessions."""
    skipped = ("session.created", SOUND, DELTA)
    return [plain(event) for event in stage.events if event["type"] not in skipped]


def call(resume_at: int | None) -> Stage:
    """A question and its answer; the socket is lost after so many chunks."""
    stage = Stage(FakeEngine(CASCADE))
    for at, chunk in enumerate([*QUESTION, *silence(40)]):
        if at == resume_at:
            stage.resume(last_frame(stage), event_id=stage.events[-1]["event_id"])
        stage.say(chunk)
    return stage


@pytest.mark.parametrize("at", [2, 6, 14, 18, 20, 22, 25, 30, 36, 50, 60])
def test_a_lost_socket_changes_nothing_for_the_client(at: int) -> None:
    whole, resumed = call(None), call(at)
    assert sound_of(resumed) == sound_of(whole)
    assert [e["delta"] for e in resumed.got(DELTA)] == [e["delta"] for e in whole.got(DELTA)]
    assert story(resumed) == story(whole)
    assert len({event["event_id"] for event in resumed.events}) == len(resumed.events)


@pytest.mark.parametrize("back", [1, 7, 40, 200])
def test_sound_and_words_that_the_client_had_not_received_come_again(back: int) -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION, *silence(15))
    had = max(0, last_frame(stage) - back)
    before = len(sound_of(stage))
    stage.resume(had)
    stage.say(*silence(30))
    assert sound_of(stage)[before:] == stage.worker.pcm[had * FRAME_BYTES :]
    done = stage.got("response.done")[-1]["response"]
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["transcript"].split() == [
        f"word{n}" for n in range(1, 7)
    ]
    assert done["usage"]["output_token_details"]["audio_tokens"] == 2_400 // 50


def test_a_gateway_that_died_before_it_saved_the_last_words_loses_none() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION, *silence(2))
    packed = stage.saved()
    stage.say(*silence(12))
    assert len(stage.got(DELTA)) >= 4
    stage.resume(last_frame(stage), packed)
    stage.say(*silence(30))
    done = stage.got("response.done")[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"].split() == [
        f"word{n}" for n in range(1, 7)
    ]


def test_the_configuration_and_the_items_are_what_they_were() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.send("session.update", session={"instructions": "Be brief.", "tracing": "auto"})
    stage.send("conversation.item.create", item=message("assistant", "Hi.", id="mine"))
    stage.say(*QUESTION)
    stage.wait(4)
    before = stage.got("session.updated")[0]["session"]
    ids = [event["item"]["id"] for event in stage.got("conversation.item.added")]
    stage.resume(last_frame(stage))
    created = stage.got("session.created")[-1]["session"]
    assert {k: v for k, v in created.items() if k != "resume"} == before
    assert created["resume"].endswith(".token")
    for item_id in ids:
        stage.send("conversation.item.retrieve", item_id=item_id)
    items = [event["item"] for event in stage.got("conversation.item.retrieved")]
    assert [item["id"] for item in items] == ids
    heard = stage.got(WORDS)[0]["transcript"]
    assert [item["content"][0].get("transcript") for item in items[1:]] == [
        heard,
        "word1 word2 word3 word4 word5 word6",
    ]


def test_items_changed_after_the_resume_reach_the_model() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    stage.wait(4)
    stage.resume(last_frame(stage))
    item_id = stage.got("response.done")[0]["response"]["output"][0]["id"]
    stage.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=900)
    assert remembered(stage)[0][1] == "word1 word2 word3"


def test_a_committed_turn_waits_across_a_lost_socket() -> None:
    stage = Stage()
    stage.send("session.update", session=MANUAL)
    sound = noise(10, level=20)
    stage.say(*sound[:5])
    stage.resume(0)
    stage.say(*sound[5:])
    stage.send("input_audio_buffer.commit")
    stage.resume(0)
    stage.send("response.create", response={"metadata": {"a": "b"}})
    stage.resume(0)
    stage.wait(3)
    done = stage.got("response.done")[-1]["response"]
    assert (done["status"], done["metadata"]) == ("completed", {"a": "b"})
    assert stage.worker.pcm == joined(sound)


@pytest.mark.parametrize("written", [False, True])
def test_the_end_of_a_turn_that_a_dying_gateway_may_not_have_written_comes_again(
    written: bool,
) -> None:
    stage = Stage()
    stage.send("session.update", session=MANUAL)
    sound = noise(10, level=20)
    stage.say(*sound)
    stage.stuck = not written
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.stuck = False
    stage.resume(0, event_id=stage.events[-1]["event_id"])
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]
    assert stage.worker.pcm == joined(sound)


def test_a_turn_that_a_dying_gateway_had_not_stored_is_reported() -> None:
    stage = Stage()
    stage.send("session.update", session=MANUAL)
    stage.stuck = True
    stage.say(*noise(10, level=20))
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.stuck = False
    stage.resume(0, event_id=stage.events[-1]["event_id"])
    assert stage.error()["code"] == "turn_lost"
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["failed"]
    again = noise(10, level=20)
    stage.say(*again)
    stage.send("input_audio_buffer.commit")
    stage.send("response.create")
    stage.wait(4)
    assert stage.got("response.done")[-1]["response"]["status"] == "completed"
    assert stage.worker.pcm == joined(again)


def test_turns_of_the_caller_after_a_resume_have_new_ids() -> None:
    stage = Stage(FakeEngine(CASCADE))
    for _ in range(3):
        stage.say(*QUESTION)
        stage.wait(4)
        stage.resume(last_frame(stage), event_id=stage.events[-1]["event_id"])
    added = stage.got("conversation.item.added")
    ids = [event["item"]["id"] for event in added]
    assert len(set(ids)) == len(ids) == 6
    assert [event["previous_item_id"] for event in added] == [None, *ids[:-1]]
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"] * 3


def test_what_is_kept_is_bounded_and_the_newest_items_stay() -> None:
    stage = Stage(FakeEngine(CASCADE))
    for n in range(100):
        stage.send("conversation.item.create", item=message("assistant", "x" * 900, id=f"i{n}"))
    packed = stage.saved()
    assert len(packed) <= MAX_BYTES
    saved = decode(packed)
    assert saved is not None
    assert 20 < len(saved.conversation.items) < 40
    stage.resume(0)
    stage.send("conversation.item.retrieve", item_id="i99")
    assert stage.got("conversation.item.retrieved")
    stage.send("conversation.item.retrieve", item_id="i0")
    assert stage.error()["code"] == "item_retrieve_invalid_item_id"
    stage.send("session.update", session={"prompt": {"id": "x" * 20_000}})
    assert stage.error()["param"] == "session"


def test_a_session_of_which_nothing_is_kept_still_goes_on() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION, *silence(10))
    stage.resume(last_frame(stage), packed=b"?")
    stage.say(*silence(30), *voice(12), *silence(40))
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"] * 2
    assert json.loads(json.dumps(stage.events))
