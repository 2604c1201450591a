"""Turns that the server finds and answers only when it is asked to (`create_response: false`)."""

from typing import Any

import msgpack
import pytest

from shared.log.records import Commit, History
from tests.sounds import joined, silence, talking, voice
from tests.unit.gateway.realtime.stage import Stage
from tests.unit.gateway.realtime.test_turns import CASCADE, QUESTION, RESPONSE, TURN
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Engine
from workers.engines.echo import EchoEngine

WORDS = "conversation.item.input_audio_transcription.completed"


def waiting(engine: Engine | None = None, **detection: Any) -> Stage:
    stage = Stage(engine)
    given = {"create_response": False, **detection}
    stage.send("session.update", session={"audio": {"input": {"turn_detection": given}}})
    return stage


@pytest.mark.parametrize("engine", [EchoEngine(1), FakeEngine(CASCADE)])
def test_a_turn_is_reported_and_waits_for_its_answer(engine: Engine) -> None:
    stage = waiting(engine)
    since = len(stage.events)
    stage.say(*QUESTION)
    stage.wait(4)
    assert [kind for kind in stage.types(since) if "transcription" not in kind] == TURN
    turn = [stage.got(kind)[0] for kind in TURN]
    assert len({e["item_id"] if "item_id" in e else e["item"]["id"] for e in turn}) == 1
    assert 0 <= turn[0]["audio_start_ms"] < turn[1]["audio_end_ms"] <= 80 * len(QUESTION)
    since = len(stage.events)
    stage.send("response.create")
    stage.wait(4)
    kinds = [kind for kind in stage.types(since) if "transcript.delta" not in kind]
    assert list(dict.fromkeys(kinds)) == RESPONSE
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_a_turn_that_waits_has_its_transcript() -> None:
    stage = waiting(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    stage.wait(1)
    (heard,) = stage.got(WORDS)
    assert heard["transcript"].endswith("tens of chunks")
    assert heard["item_id"] == stage.got(TURN[0])[0]["item_id"]
    stage.worker.die()
    stage.send("response.create")
    stage.wait(4)
    assert len(stage.got(WORDS)) == 1


def test_several_turns_are_answered_together() -> None:
    stage = waiting()
    first, second = voice(12), voice(12, pitch_hz=210)
    stage.say(*first, *silence(12), *second, *silence(12))
    committed = stage.got("input_audio_buffer.committed")
    assert [event["previous_item_id"] for event in committed] == [None, committed[0]["item_id"]]
    assert len({event["item_id"] for event in committed}) == 2
    starts = [event["audio_start_ms"] for event in stage.got(TURN[0])]
    assert starts[0] < starts[1] == pytest.approx(24 * 80, abs=240)
    stage.send("response.create")
    stage.wait(6)
    assert joined(first)[-960:] in stage.worker.pcm
    assert joined(second)[-960:] in stage.worker.pcm
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]
    stage.send("response.create")
    assert stage.error()["code"] == "nothing_to_answer"


def test_an_answer_may_be_asked_for_while_the_caller_speaks() -> None:
    stage = waiting(FakeEngine(CASCADE))
    stage.say(*QUESTION, *voice(8))
    assert len(stage.got(TURN[0])) == 2
    stage.send("response.create")
    stage.wait(4)
    assert len(stage.got(TURN[1])) == len(stage.got("input_audio_buffer.committed")) == 2
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_the_client_may_commit_before_the_silence() -> None:
    stage = waiting(FakeEngine(CASCADE))
    stage.say(*voice(12))
    stage.send("input_audio_buffer.commit")
    (committed,) = stage.got("input_audio_buffer.committed")
    assert committed["item_id"] == stage.got(TURN[0])[0]["item_id"]
    stage.say(*silence(12))
    assert len(stage.got("input_audio_buffer.committed")) == 1
    assert stage.got(WORDS)[0]["item_id"] == committed["item_id"]
    stage.send("response.create")
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_speech_over_the_answer_still_interrupts_it() -> None:
    stage = waiting()
    stage.say(*talking(60), *silence(12))
    stage.send("response.create")
    stage.wait(1.6)  # later than a turn is reopened
    stage.say(*silence(2), *voice(14, pitch_hz=210), *silence(12))
    (done,) = stage.got("response.done")
    assert done["response"]["status_details"] == {"type": "cancelled", "reason": "turn_detected"}
    stage.wait(2)
    assert len(stage.got("response.created")) == 1
    assert len(stage.got("input_audio_buffer.committed")) == 2
    stage.send("response.create")
    stage.wait(4)
    assert stage.got("response.done")[1]["response"]["status"] == "completed"


def test_a_turn_of_two_minutes_that_nobody_asks_about_is_forgotten_and_not_answered() -> None:
    stage = waiting(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    for _ in range(16):
        stage.say(*silence(100))
    assert stage.worker.speech == []
    stage.say(*QUESTION)
    stage.send("response.create")
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_a_turn_that_waits_is_not_remembered_twice() -> None:
    stage = waiting(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    item = {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]}
    stage.send("conversation.item.create", item=item, previous_item_id="root")
    (history,) = [record for _, record in stage.worker.inputs if isinstance(record, History)]
    assert msgpack.unpackb(history.turns) == [["", "Hi."]]


def test_turns_are_answered_again_after_an_update() -> None:
    stage = waiting()
    stage.say(*QUESTION)
    detection = {"create_response": True}
    stage.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    stage.say(*QUESTION)
    stage.wait(4)
    assert len(stage.got("response.done")) == 1
    assert not [record for _, record in stage.worker.inputs if isinstance(record, Commit)]
