"""session.update as a deep merge, and texts that are no events."""

from typing import Any

import pytest

from gateway.realtime import config as configs
from gateway.realtime.errors import RealtimeError
from shared.log.records import Brief, Options
from tests.unit.gateway.realtime.stage import Stage

CONFIG = configs.initial("sess_1", "gpt-realtime-2.1")


def merged(**audio_input: Any) -> Any:
    return configs.merged(CONFIG, {"audio": {"input": audio_input}})["audio"]["input"]


def test_a_new_session_shows_every_default() -> None:
    stage = Stage(model="gpt-realtime-2.1")
    session = stage.got("session.created")[0]["session"]
    assert session["model"] == "gpt-realtime-2.1"
    detection = session["audio"]["input"]["turn_detection"]
    assert (detection["create_response"], detection["interrupt_response"]) == (True, True)
    assert session["audio"]["output"]["format"] == {"type": "audio/pcm", "rate": 24_000}


def test_an_update_changes_only_what_it_names() -> None:
    found = merged(turn_detection={"threshold": 0.7})
    assert found["turn_detection"]["type"] == "server_vad"
    assert found["turn_detection"]["threshold"] == 0.7
    assert found["turn_detection"]["create_response"] is True
    assert found["transcription"] == {"model": "antiphon"}
    assert CONFIG["audio"]["input"]["turn_detection"]["threshold"] == 0.5


def test_null_turns_a_part_off_and_an_object_turns_it_on_again() -> None:
    off = configs.merged(CONFIG, {"audio": {"input": {"turn_detection": None}}})
    assert not configs.detects_turns(off)
    again = configs.merged(off, {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}})
    detection = again["audio"]["input"]["turn_detection"]
    assert detection == {
        "type": "semantic_vad",
        "eagerness": "auto",
        "create_response": True,
        "interrupt_response": True,
    }


def test_what_only_openai_has_is_accepted() -> None:
    update = {"tracing": "auto", "reasoning": {"effort": "low"}, "parallel_tool_calls": True}
    found = configs.merged(CONFIG, {**update, "unheard_of": 1, "type": "realtime"})
    assert {name: found[name] for name in update} == update
    assert "unheard_of" not in found


def test_long_instructions_are_cut_where_the_client_sees_it() -> None:
    stage = Stage()
    stage.send("session.update", session={"instructions": "ü" * 5_000})
    assert stage.got("session.updated")[0]["session"]["instructions"] == "ü" * 2_000
    (brief,) = [r for _, r in stage.worker.inputs if isinstance(r, Brief)]
    assert brief.instructions == "ü" * 2_000


def test_a_voice_of_ours_is_used_and_any_other_name_accepted() -> None:
    stage = Stage()
    for voice in ("low", "marin", {"id": "voice_1"}):
        stage.send("session.update", session={"audio": {"output": {"voice": voice}}})
    assert [r.voice for _, r in stage.worker.inputs if isinstance(r, Brief)] == ["low", ""]
    assert stage.got("error") == []


def test_turn_detection_reaches_the_log() -> None:
    stage = Stage()
    detection = {"type": "server_vad", "silence_duration_ms": 20, "interrupt_response": False}
    stage.send("session.update", session={"audio": {"input": {"turn_detection": detection}}})
    stage.send("session.update", session={"audio": {"input": {"turn_detection": None}}})
    options = [record for _, record in stage.worker.inputs if isinstance(record, Options)]
    assert options == [
        Options(manual=False, interrupts=True, reports=False),
        Options(manual=False, interrupts=False, silence_ms=100, reports=False),
        Options(manual=True, interrupts=False, reports=False),
    ]


def test_tools_are_left_out_and_the_client_learns_it() -> None:
    stage = Stage()
    tool = {"type": "function", "name": "look"}
    stage.send("session.update", session={"tools": [tool], "instructions": "x"}, event_id="e")
    assert stage.got("session.updated")[0]["session"]["tools"] == []
    assert stage.got("session.updated")[0]["session"]["instructions"] == "x"
    assert (stage.error()["code"], stage.error()["event_id"]) == ("tools_not_supported", "e")


@pytest.mark.parametrize(
    ("update", "param"),
    [
        ({"type": "transcription"}, "session.type"),
        ({"instructions": 3}, "session.instructions"),
        ({"audio": []}, "session.audio"),
        (
            {"audio": {"input": {"format": {"type": "audio/opus"}}}},
            "session.audio.input.format.type",
        ),
        (
            {"audio": {"output": {"format": {"type": "audio/pcm", "rate": 16_000}}}},
            "session.audio.output.format.rate",
        ),
        (
            {"audio": {"input": {"turn_detection": {"type": "none"}}}},
            "session.audio.input.turn_detection.type",
        ),
        ({"audio": {"output": {"speed": "fast"}}}, "session.audio.output.speed"),
        ({"output_modalities": ["video"]}, "session.output_modalities"),
    ],
)
def test_an_update_with_a_wrong_value_changes_nothing(update: Any, param: str) -> None:
    with pytest.raises(RealtimeError) as found:
        configs.merged(CONFIG, {"instructions": "new", **update})
    assert (found.value.code, found.value.param) == ("invalid_value", param)
    stage = Stage()
    stage.send("session.update", session={**update, "model": "other"}, event_id="e")
    assert (stage.error()["param"], stage.error()["event_id"]) == (param, "e")
    assert stage.dialect.config["model"] == "antiphon"


@pytest.mark.parametrize(
    ("text", "code", "param", "event_id"),
    [
        ("", "invalid_json", None, None),
        ("[1]", "invalid_value", None, None),
        ('{"type":"dance","event_id":"e"}', "invalid_value", "type", "e"),
        ('{"event_id":"e"}', "missing_required_parameter", "type", "e"),
        (
            '{"type":"conversation.item.retrieve","event_id":"e"}',
            "missing_required_parameter",
            "item_id",
            "e",
        ),
        (
            '{"type":"input_audio_buffer.append","audio":"~","event_id":"e"}',
            "invalid_value",
            "audio",
            "e",
        ),
        ('{"type":"input_audio_buffer.append","audio":"YWJj"}', "invalid_value", "audio", None),
        ('{"type":"response.create","response":3}', "invalid_value", "response", None),
    ],
)
def test_a_text_that_is_no_event_is_refused_and_the_session_goes_on(
    text: str, code: str, param: str | None, event_id: str | None
) -> None:
    stage = Stage()
    stage.raw(text)
    error = stage.error()
    assert (error["code"], error["param"], error["event_id"]) == (code, param, event_id)
    assert error["type"] == "invalid_request_error"
    stage.send("session.update", session={})
    assert stage.got("session.updated")


def test_an_error_says_what_was_expected() -> None:
    stage = Stage()
    stage.raw('{"type":"dance"}')
    message = stage.error()["message"]
    assert message.startswith("Invalid value: 'dance'. Supported values are: 'session.update', ")
    stage.raw("")
    assert stage.error()["message"].startswith("Expected a JSON object, got no JSON: ")
    stage.send("session.update", session={"tool_choice": 7})
    assert (
        "'session.tool_choice': expected a string or an object, got 7" in stage.error()["message"]
    )


def test_a_transcription_without_fields_changes_none_and_no_object_is_refused() -> None:
    stage = Stage()
    before = stage.dialect.config["audio"]["input"]["transcription"]
    stage.send("session.update", session={"audio": {"input": {"transcription": {}}}})
    assert stage.dialect.config["audio"]["input"]["transcription"] == before
    stage.send("session.update", session={"audio": {"input": {"transcription": False}}})
    assert stage.error()["param"] == "session.audio.input.transcription"
