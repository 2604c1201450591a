"""Turns that a Realtime client types, and responses before anybody spoke."""

import msgpack

from shared.log.records import Brief, History, Typed
from tests.unit.gateway.realtime.stage import Stage
from tests.unit.gateway.realtime.test_turns import QUESTION, READING
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine


def text_item(text: str) -> dict[str, object]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def test_a_typed_turn_is_answered() -> None:
    stage = Stage(FakeEngine(READING))
    stage.send("conversation.item.create", item=text_item("what is two"))
    since = len(stage.events)
    stage.wait(1)
    assert stage.types(since) == []
    stage.send("response.create")
    stage.wait(4)
    assert [r.text for _, r in stage.worker.inputs if isinstance(r, Typed)] == ["what is two"]
    (done,) = stage.got("response.done")
    assert done["response"]["status"] == "completed"
    assert not [record for _, record in stage.worker.inputs if isinstance(record, History)]
    stage.say(*QUESTION)
    stage.wait(4)
    assert [e["response"]["id"] for e in stage.got("response.done")] == [
        e["response"]["id"] for e in stage.got("response.created")
    ]
    assert len(stage.got("response.done")) == 2


def test_a_response_before_anybody_spoke_is_a_greeting_that_leaves_no_words_of_the_caller() -> None:
    stage = Stage(FakeEngine(READING))
    stage.send("response.create", response={"instructions": "Greet the caller."})
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]
    history = [record for _, record in stage.worker.inputs if isinstance(record, History)][-1]
    assert msgpack.unpackb(history.turns) == [["", "word1 word2 word3 word4 word5 word6"]]
    briefs = [r.instructions for _, r in stage.worker.inputs if isinstance(r, Brief)]
    assert briefs == ["Greet the caller.", ""]


def test_text_is_refused_where_the_engine_cannot_read() -> None:
    stage = Stage()
    stage.send("conversation.item.create", item=text_item("what is two"))
    assert stage.error()["code"] == "text_not_supported"
    stage.send("response.create")
    assert stage.error()["code"] == "nothing_to_answer"


def test_typed_words_that_nobody_asked_to_answer_join_the_next_spoken_turn() -> None:
    stage = Stage(FakeEngine(READING))
    stage.send("conversation.item.create", item=text_item("my name is Ann"))
    stage.say(*QUESTION)
    stage.wait(4)
    history = [record for _, record in stage.worker.inputs if isinstance(record, History)][-1]
    assert msgpack.unpackb(history.turns) == [["my name is Ann", ""]]
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]


def test_an_item_of_the_server_never_has_an_id_that_the_client_has_chosen() -> None:
    stage = Stage(FakeEngine(READING))
    item = {**text_item("what is two"), "id": "item_0123456789aba1"}
    stage.send("conversation.item.create", item=item)
    stage.send("response.create")
    stage.wait(4)
    asked, answered = (e["item"]["id"] for e in stage.got("conversation.item.done"))
    assert asked != answered
