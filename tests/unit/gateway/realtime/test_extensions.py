"""Extensions that a client opts in to: playhead reports, and another mode during the session."""

from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

from shared.audio import FRAME_MS
from shared.log.records import Mode, Played
from tests.sounds import joined, noise, silence, voice
from tests.unit.gateway.realtime.stage import SOUND, Stage
from tests.unit.gateway.realtime.test_items import message, remembered
from tests.unit.gateway.realtime.test_turns import CASCADE, QUESTION
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Traits

DUPLEX = Traits(duplex=True, burst_frames=4)
INTERRUPTION = voice(14, pitch_hz=210)


def answering() -> tuple[Stage, str]:
    """A session whose answer was sent, though the client's player is slower; the answer's item."""
    stage = Stage(FakeEngine(CASCADE))
    stage.say(*QUESTION)
    stage.wait(0.1)
    return stage, stage.got("response.output_item.added")[0]["item"]["id"]


def report(stage: Stage, item_id: str, ms: float) -> None:
    stage.send("antiphon.playhead", item_id=item_id, audio_end_ms=ms)


def played(stage: Stage) -> int:
    """How far the log says that the caller has heard."""
    return max(record.frame for _, record in stage.worker.inputs if isinstance(record, Played))


def test_a_reported_playhead_counts_in_place_of_the_estimate() -> None:
    stage, item_id = answering()
    for step in range(20):  # at half the pace
        report(stage, item_id, step * 50)
        stage.say(*silence(1))
    assert played(stage) == 19 * 50 // FRAME_MS
    other = Stage(FakeEngine(CASCADE))
    other.say(*QUESTION, *silence(20))
    assert played(other) > 60


def test_an_interrupted_reply_is_remembered_as_far_as_it_was_heard() -> None:
    stage, item_id = answering()
    for step in range(21):  # 400 ms a word: the caller has heard four words when they begin
        report(stage, item_id, step * 80)
        stage.say(*silence(1))
    for chunk in INTERRUPTION:
        report(stage, item_id, 1_600)  # the player has run dry
        stage.say(chunk)
    assert stage.got("input_audio_buffer.speech_started")[1:]
    hi = message("assistant", "Hi.")
    stage.send("conversation.item.create", item=hi, previous_item_id="root")
    assert remembered(stage)[1][1] == "word1 word2 word3 word4"
    stage.send("conversation.item.retrieve", item_id=item_id)
    (item,) = [event["item"] for event in stage.got("conversation.item.retrieved")]
    assert item["content"][0]["transcript"].strip() == "word1 word2 word3 word4"


def test_a_report_of_another_item_is_refused() -> None:
    stage, _ = answering()
    report(stage, "nobody", 100)
    assert stage.error()["code"] == "item_playhead_invalid_item_id"
    report(stage, stage.got("input_audio_buffer.committed")[0]["item_id"], 100)
    assert stage.error()["param"] == "item_id"


def test_a_client_that_does_not_ask_sees_no_mode() -> None:
    assert "mode" not in Stage().got("session.created")[0]["session"]


def test_the_mode_changes_during_the_session_and_back() -> None:
    stage = Stage()
    sound = noise(20, level=500)
    stage.send("session.update", session={"mode": "stream"})
    assert stage.got("session.updated")[0]["session"]["mode"] == "stream"
    stage.say(*sound)
    stage.wait(1)
    assert stage.got("input_audio_buffer.speech_started") == []
    assert stage.types()[2:] == [
        *("response.created", "response.output_item.added", "conversation.item.added"),
        *("response.content_part.added", SOUND),
    ]
    assert stage.worker.pcm == joined(sound)
    stage.send("session.update", session={"mode": "turn"})
    stage.wait(1)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"]
    stage.say(*QUESTION)
    stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"] * 2
    modes = [record.mode for _, record in stage.worker.inputs if isinstance(record, Mode)]
    assert modes == ["stream", "turn"]
    strict: TypeAdapter[object] = TypeAdapter(RealtimeServerEvent)
    for event in stage.events:
        strict.validate_python(event)


def test_push_to_talk_and_stream_follow_each_other() -> None:
    stage = Stage(FakeEngine(CASCADE))
    detection = {"audio": {"input": {"turn_detection": None}}}
    for session in (detection, {"mode": "stream"}, {"mode": "turn"}):
        stage.send("session.update", session=session)
        stage.say(*QUESTION)
        if session != {"mode": "stream"}:
            stage.send("input_audio_buffer.commit")
            stage.send("response.create")
        stage.wait(4)
    assert [e["response"]["status"] for e in stage.got("response.done")] == ["completed"] * 3


def test_a_duplex_model_decides_in_stream_mode() -> None:
    stage = Stage(FakeEngine(DUPLEX))
    stage.send("session.update", session={"mode": "stream"})
    stage.say(*QUESTION, *silence(4))
    stage.wait(2)
    assert stage.got("input_audio_buffer.speech_started")
    assert stage.got("input_audio_buffer.committed")
    created, done = stage.got("response.created"), stage.got("response.done")
    assert {e["response"]["id"] for e in done} <= {e["response"]["id"] for e in created}
    assert created


def test_an_unknown_mode_is_refused() -> None:
    stage = Stage()
    stage.send("session.update", session={"mode": "loud"})
    assert stage.error()["param"] == "session.mode"
