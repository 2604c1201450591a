"""Any sequence of client events keeps the grammar: no crash, no hang, every event parses.

`python -m tests.unit.gateway.realtime.test_grammar N` runs N sequences.
"""

import base64
import json
import sys
from typing import Any, Final, get_args

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from openai.types.realtime import RealtimeServerEvent

from tests.sounds import noise, silence, voice
from tests.unit.gateway.realtime.stage import Stage
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Output, Traits

TRAITS: Final = Traits(duplex=False, burst_frames=20, folds=True, prepares=True, reads=True)
# openai-python's own models, every field checked.
MODELS: Final = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(RealtimeServerEvent)[0])
}
IDS: Final = st.sampled_from(
    ["a", "b", "root", "nobody", "item_0123456789aba1", "item_0123456789abc1"]
)
DETECTIONS: Final = st.sampled_from(
    [
        None,
        {"type": "server_vad"},
        {"type": "semantic_vad", "eagerness": "low"},
        {"interrupt_response": False},
        {"type": "server_vad", "create_response": False},
        {"threshold": "loud"},
    ]
)
FORMATS: Final = st.sampled_from(["audio/pcm", "audio/pcmu", "audio/pcma", "audio/opus"])
SCALARS: Final = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JUNK: Final = st.dictionaries(
    st.sampled_from(
        ["type", "session", "item", "audio", "item_id", "response", "event_id", "audio_end_ms"]
    ),
    SCALARS
    | st.sampled_from(
        [
            "session.update",
            "response.create",
            "conversation.item.create",
            "input_audio_buffer.append",
        ]
    )
    | st.dictionaries(st.sampled_from(["type", "role", "content", "audio", "id"]), SCALARS),
)


class Grammar(RuleBasedStateMachine):
    """One client, who sends anything at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage(FakeEngine(TRAITS))
        self.parsed = 0
        self.open: set[str] = set()  # responses without their `done`
        self.closed: set[str] = set()

    def send(self, kind: str, **fields: Any) -> None:
        self.stage.send(kind, **fields)

    @rule(chunks=st.integers(1, 16), kind=st.sampled_from([voice, noise, silence]))
    def speak(self, chunks: int, kind: Any) -> None:
        self.stage.say(*kind(chunks))

    @rule(size=st.integers(0, 5_000))
    def append(self, size: int) -> None:
        audio = base64.b64encode(bytes(size)).decode()
        self.send("input_audio_buffer.append", audio=audio)

    @rule(seconds=st.sampled_from([0.02, 0.3, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.stage.wait(seconds)

    @rule(kind=st.sampled_from(["commit", "clear"]))
    def buffer(self, kind: str) -> None:
        self.send(f"input_audio_buffer.{kind}")

    @rule(
        instructions=st.none() | st.just("Be brief."),
        conversation=st.sampled_from([None, "auto", "none"]),
    )
    def create(self, instructions: str | None, conversation: str | None) -> None:
        response = {"instructions": instructions, "conversation": conversation}
        self.send("response.create", response=response)

    @rule(response_id=st.none() | st.just("resp_0123456789ab1"))
    def cancel(self, response_id: str | None) -> None:
        self.send("response.cancel", response_id=response_id)

    @rule()
    def clear_output(self) -> None:
        self.send("output_audio_buffer.clear")

    @rule(
        role=st.sampled_from(["user", "assistant", "system", "tool"]),
        text=st.sampled_from(["", "hello", "ü" * 900]),
        item_id=st.none() | IDS,
        after=st.none() | IDS,
    )
    def create_item(self, role: str, text: str, item_id: str | None, after: str | None) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": "message", "role": role, "id": item_id, "content": content}
        self.send("conversation.item.create", item=item, previous_item_id=after)

    @rule(kind=st.sampled_from(["retrieve", "delete", "truncate"]), item_id=IDS, ms=st.integers())
    def edit_item(self, kind: str, item_id: str, ms: int) -> None:
        fields = {"audio_end_ms": ms} if kind == "truncate" else {}
        self.send(f"conversation.item.{kind}", item_id=item_id, **fields)

    @rule(detection=DETECTIONS, kind=FORMATS, text=st.booleans())
    def update(self, detection: Any, kind: str, text: bool) -> None:
        form = {"format": {"type": kind}}
        audio = {"input": {"turn_detection": detection, **form}, "output": form}
        modalities = {"output_modalities": ["text"]} if text else {}
        self.send("session.update", session={"audio": audio, **modalities})

    @rule(event=JUNK)
    def junk(self, event: dict[str, Any]) -> None:
        self.stage.raw(json.dumps(event))

    @rule(text=st.text(max_size=40))
    def no_event(self, text: str) -> None:
        self.stage.raw(text)

    @rule(silent=st.booleans())
    def engine_without_words(self, silent: bool) -> None:
        engine = self.stage.worker.engine
        assert isinstance(engine, FakeEngine)
        if self.stage.worker.conversation.state.reply is None:
            engine.script = [Output(0, ended=True)] if silent else ()

    @invariant()
    def every_event_parses_and_responses_end_once(self) -> None:
        for event in self.stage.events[self.parsed :]:
            kind = event["type"]
            MODELS[kind].model_validate(event)
            if kind == "response.created":
                assert event["response"]["id"] not in self.open | self.closed
                assert not self.open, "two responses at a time"
                self.open.add(event["response"]["id"])
            elif kind == "response.done":
                self.open.remove(event["response"]["id"])
                self.closed.add(event["response"]["id"])
            elif kind.startswith("response."):
                assert event["response_id"] in self.open
        self.parsed = len(self.stage.events)

    def teardown(self) -> None:
        """Every response ends, and a session that nobody closed still answers."""
        self.stage.say(*silence(14))
        self.stage.wait(6)
        self.every_event_parses_and_responses_end_once()
        assert not self.open
        before = len(self.stage.got("session.updated"))
        self.send("session.update", session={})
        assert len(self.stage.got("session.updated")) == before + 1


def test_any_sequence_of_events_keeps_the_grammar() -> None:
    run(30)


def run(sequences: int) -> None:
    """Run so many sequences."""
    run_state_machine_as_test(
        Grammar,
        settings=settings(
            max_examples=sequences,
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=sequences < 1_000,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


if __name__ == "__main__":
    run(int(sys.argv[1]))
