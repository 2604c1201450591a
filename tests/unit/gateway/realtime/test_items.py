"""Items that the client creates, truncates, retrieves and deletes, and what the model remembers."""

import msgpack

from shared.log.records import Brief, History
from tests.sounds import silence, voice
from tests.unit.gateway.realtime.stage import Stage
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Traits

CASCADE = Traits(duplex=False, burst_frames=20, folds=True, prepares=True, reads=True)
QUESTION = [*voice(12), *silence(12)]
MANUAL = {"audio": {"input": {"turn_detection": None}}}


def message(role: str, text: str, **more: object) -> dict[str, object]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}], **more}


def answered() -> Stage:
    """A session with one spoken turn and its answer."""
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    stage.wait(4)
    return stage


def remembered(stage: Stage) -> list[list[str]]:
    """What the log was last told to remember."""
    histories = [record for _, record in stage.worker.inputs if isinstance(record, History)]
    turns: list[list[str]] = msgpack.unpackb(histories[-1].turns)
    return turns


def test_a_truncated_answer_is_remembered_as_far_as_it_was_heard() -> None:
    stage = answered()
    (item,) = stage.got("response.done")[0]["response"]["output"]
    said = item["content"][0]["transcript"]
    assert said == "word1 word2 word3 word4 word5 word6"
    stage.send("conversation.item.truncate", item_id=item["id"], content_index=0, audio_end_ms=900)
    assert stage.got("conversation.item.truncated")[0]["audio_end_ms"] == 900
    assert [words for _, words in remembered(stage)] == ["word1 word2 word3"]
    stage.say(*QUESTION)
    stage.wait(4)
    engine = stage.worker.engine
    assert isinstance(engine, FakeEngine)
    last = engine.openings[-1]
    assert msgpack.unpackb(last.memory)[0][1] == "word1 word2 word3"
    assert engine.folds == []  # the turn is not remembered twice


def test_a_time_after_the_end_of_an_answer_counts_as_its_end() -> None:
    stage = answered()
    item_id = stage.got("response.done")[0]["response"]["output"][0]["id"]
    stage.send("conversation.item.truncate", item_id=item_id, audio_end_ms=1e6)
    assert stage.got("error") == []
    assert stage.got("conversation.item.truncated")[0]["audio_end_ms"] == 120 * 20


def test_items_are_retrieved_and_deleted_by_their_ids() -> None:
    stage = answered()
    caller, assistant = (e["item"]["id"] for e in stage.got("conversation.item.done"))
    for item_id in (caller, assistant):
        stage.send("conversation.item.retrieve", item_id=item_id)
    shown = [event["item"] for event in stage.got("conversation.item.retrieved")]
    assert [item["role"] for item in shown] == ["user", "assistant"]
    assert shown[0]["content"][0]["transcript"].endswith("tens of chunks")
    stage.send("conversation.item.delete", item_id=caller)
    assert stage.got("conversation.item.deleted")[0]["item_id"] == caller
    assert remembered(stage)[0][0] == ""
    for kind in ("retrieve", "delete", "truncate"):
        stage.send(f"conversation.item.{kind}", item_id=caller, event_id=kind)
        assert stage.error()["code"] == f"item_{kind}_invalid_item_id"
        assert stage.error()["event_id"] == kind


def test_a_history_is_created_in_the_client_s_order() -> None:
    stage = Stage(FakeEngine(CASCADE))
    for item, after in (
        (message("user", "second", id="b"), None),
        (message("user", "first", id="a"), "root"),
        (message("assistant", "third", id="c"), "b"),
        (message("user", "fourth"), "nobody"),
    ):
        stage.send("conversation.item.create", item=item, previous_item_id=after)
    previous = [event["previous_item_id"] for event in stage.got("conversation.item.added")]
    assert previous == [None, None, "b", "c"]
    assert remembered(stage)[0] == ["first second", "third"]
    stage.send("conversation.item.create", item=message("user", "again", id="a"))
    assert stage.error()["code"] == "item_create_duplicate_item_id"


def test_a_system_item_joins_the_instructions() -> None:
    stage = Stage(FakeEngine(CASCADE))
    stage.send("session.update", session={"instructions": "Be kind."})
    stage.send("conversation.item.create", item=message("system", "Speak low.", id="s"))
    stage.send("conversation.item.delete", item_id="s")
    briefs = [r.instructions for _, r in stage.worker.inputs if isinstance(r, Brief)]
    assert briefs == ["Be kind.", "Be kind.\nSpeak low.", "Be kind."]


def test_other_items_are_refused() -> None:
    stage = Stage(FakeEngine(CASCADE))
    for item in (
        {"type": "function_call_output", "call_id": "c", "output": "3"},
        {"type": "message", "role": "wizard", "content": [{"type": "input_text", "text": "a"}]},
        {"type": "message", "role": "user", "content": []},
    ):
        stage.send("conversation.item.create", item=item)
        assert stage.error()["code"] == "invalid_value"
    assert stage.got("conversation.item.added") == []
