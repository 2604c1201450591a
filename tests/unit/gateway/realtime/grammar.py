"""A Realtime client who sends anything at any time, and the checks of every event that it gets.

`make fuzz` runs many sequences; `test_grammar.py` runs some.
"""

import base64
import json
from typing import Any, Final, get_args

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from openai.types.realtime import RealtimeServerEvent

from shared.audio import CHUNK_MS, FRAMES_PER_CHUNK, Pcm16
from tests.sounds import noise, silence
from tests.unit.gateway.realtime.stage import Stage
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.audio.echo_path import EchoPath
from workers.audio.energy_vad import Vad
from workers.engines.base import Output, Traits
from workers.runtime.conversation.speech_detector import SpeechDetector

READING: Final = Traits(duplex=False, burst_frames=20, folds=True, prepares=True, reads=True)
HEARING: Final = Traits(duplex=False, burst_frames=4, folds=True)
# openai-python's own models, every field checked.
MODELS: Final = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(RealtimeServerEvent)[0])
}
# Fields of ours that those models do not know.
EXTENSIONS: Final = {"frame"}
NEW_IDS: Final = st.sampled_from([None, "a", "b", "root", "item_0123456789aba1"])
PLACES: Final = st.integers(0, 3)  # of an item in the conversation
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
FIELDS: Final = ["type", "session", "item", "audio", "item_id", "response", "audio_end_ms"]
KINDS: Final = [
    "session.update",
    "response.create",
    "conversation.item.create",
    "conversation.item.truncate",
    "input_audio_buffer.append",
]
JUNK: Final = st.dictionaries(
    st.sampled_from([*FIELDS, "event_id"]),
    SCALARS
    | st.sampled_from(KINDS)
    | st.dictionaries(st.sampled_from(["type", "role", "content", "audio", "id"]), SCALARS)
    | st.lists(SCALARS, max_size=2),
)


WAITS: Final = 60  # s: 3.84 kB of mu-law are 480 ms of sound, so a client may be far ahead


class LoudnessVad(Vad):
    """Takes any sound for speech, which costs little: VADs have tests of their own."""

    def hear(self, pcm: Pcm16, threshold: float) -> tuple[bool, ...]:
        """See `Vad`."""
        return tuple(bool(frame.any()) for frame in pcm.reshape(FRAMES_PER_CHUNK, -1))


class NoEcho(EchoPath):
    """Takes no sound for an echo, which costs nothing."""

    def begin(self, first: int) -> None:
        """See `EchoPath`."""


def new_stage(traits: Traits) -> Stage:
    """A stage that runs fast."""
    stage = Stage(FakeEngine(traits))
    stage.tick_s = CHUNK_MS / 1_000
    detector = SpeechDetector(LoudnessVad())
    detector.echo = NoEcho()
    stage.worker.conversation.state.detector = detector
    return stage


class View:
    """What a client that believes every event knows: responses and the order of items."""

    def __init__(self) -> None:
        self.ids: set[str] = set()  # of events
        self.open: str | None = None  # the response in progress
        self.responses: set[str] = set()
        self.items: list[str] = []
        self.frame = 0

    def take(self, event: dict[str, Any]) -> None:
        """Check one event and note it."""
        kind = event["type"]
        parsed = MODELS[kind].model_validate_json(json.dumps(event), strict=True)
        assert set(parsed.model_extra or ()) <= EXTENSIONS, parsed.model_extra
        assert event["event_id"] not in self.ids
        self.ids.add(event["event_id"])
        if kind.startswith("response."):
            self._take_response(kind, event)
        elif kind.startswith("conversation.item."):
            self._take_item(kind.removeprefix("conversation.item."), event)

    def _take_response(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "response.created":
            assert self.open is None, "two responses at a time"
            self.open = event["response"]["id"]
            assert self.open not in self.responses
            self.responses.add(self.open)
        elif kind == "response.done":
            assert event["response"]["id"] == self.open
            self.open = None
        else:
            assert event["response_id"] == self.open
        if kind == "response.output_text.delta":
            self.frame = max(self.frame, event["frame"])
        elif kind == "response.output_audio.delta":
            assert event["frame"] > self.frame
            self.frame = event["frame"]

    def _take_item(self, kind: str, event: dict[str, Any]) -> None:
        if kind == "added":
            before = event["previous_item_id"]
            assert event["item"]["id"] not in self.items
            self.items.insert(self.items.index(before) + 1 if before else 0, event["item"]["id"])
        elif kind == "deleted":
            self.items.remove(event["item_id"])
        elif kind != "done":  # a response's item may be deleted before it is done
            assert (event.get("item_id") or event["item"]["id"]) in self.items


class Grammar(RuleBasedStateMachine):
    """One client, who sends anything at any time."""

    sequences = events = 0  # of all machines: what the client sent and how many events it got
    got: dict[str, int] = {}  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__()
        self.stage = new_stage(READING)
        self.view = View()
        self.parsed = 0
        self.sane = True  # no check has failed
        Grammar.sequences += 1

    @initialize(reads=st.booleans())
    def begin(self, reads: bool) -> None:
        if not reads:
            self.stage, self.parsed, self.view = new_stage(HEARING), 0, View()

    def send(self, kind: str, answer: str = "", **fields: Any) -> None:
        """Send an event. `answer`: the type of the event that answers it, unless an error does."""
        Grammar.events += 1
        since, event_id = len(self.stage.events), f"e{Grammar.events}"
        self.stage.send(kind, event_id=event_id, **fields)
        new = self.stage.events[since:]
        refused = [e for e in new if e["type"] == "error"]
        assert all(error["error"]["event_id"] == event_id for error in refused)
        if answer:
            assert refused or answer in {event["type"] for event in new}, f"no answer to {kind}"

    @rule(chunks=st.integers(1, 16), kind=st.sampled_from([noise, silence]))
    def speak(self, chunks: int, kind: Any) -> None:
        self.stage.say(*kind(chunks))

    @rule(cut_short=st.booleans())
    def ask(self, cut_short: bool) -> None:
        self.stage.say(*noise(6), *silence(4 if cut_short else 11))

    @rule(mode=st.sampled_from(["turn", "stream", "loud"]))
    def switch(self, mode: str) -> None:
        self.send("session.update", "session.updated", session={"mode": mode})

    @rule()
    def lose_socket(self) -> None:
        """Another gateway goes on with all that the client has."""
        self.every_event_parses_and_fits_what_the_client_knows()
        self.stage.resume(self.view.frame, event_id=self.stage.events[-1]["event_id"])

    @rule(ms=st.integers(-100, 5_000))
    def report_playhead(self, ms: int) -> None:
        said = [e["item"]["id"] for e in self.stage.got("response.output_item.added")]
        self.send("antiphon.playhead", item_id=(said or ["nobody"])[-1], audio_end_ms=ms)

    @rule(cancelled=st.booleans())
    def push_to_talk(self, cancelled: bool) -> None:
        manual = {"audio": {"input": {"turn_detection": None}}}
        self.send("session.update", "session.updated", session=manual)
        self.stage.say(*noise(3))
        self.send("input_audio_buffer.commit")
        self.send("response.create", "response.created")
        if cancelled:
            self.cancel(None)
        self.stage.wait(0.5)

    @rule(size=st.integers(0, 5_000))
    def append(self, size: int) -> None:
        audio = base64.b64encode(bytes(size)).decode()
        self.send("input_audio_buffer.append", audio=audio)

    @rule(seconds=st.sampled_from([0.02, 0.3, 1.0, 3.0]))
    def wait(self, seconds: float) -> None:
        self.stage.wait(seconds)

    @rule()
    def commit(self) -> None:
        self.send("input_audio_buffer.commit")

    @rule()
    def clear(self) -> None:
        self.send("input_audio_buffer.clear", "input_audio_buffer.cleared")

    @rule(
        instructions=st.none() | st.just("Be brief."),
        conversation=st.sampled_from([None, "auto", "none"]),
        extras=st.sampled_from(
            [
                {},
                {"output_modalities": ["text"]},
                {"output_modalities": ["smell"]},
                {"metadata": {"client_event_id": "x"}},
                {"metadata": {"a": 1}},
                {"input": []},
                {"input": [{"type": "message", "content": [{"type": "input_text", "text": "hi"}]}]},
            ]
        ),
    )
    def create(self, instructions: str | None, conversation: str | None, extras: Any) -> None:
        response = {"instructions": instructions, "conversation": conversation, **extras}
        self.send("response.create", "response.created", response=response)

    @rule(response_id=st.none() | st.just("resp_0123456789ab1"))
    def cancel(self, response_id: str | None) -> None:
        self.send("response.cancel", "response.done", response_id=response_id)

    @rule()
    def clear_output(self) -> None:
        self.send("output_audio_buffer.clear")

    @rule(
        role=st.sampled_from(["user", "assistant", "system", "tool"]),
        text=st.sampled_from(["", "hello", "ü" * 900]),
        item_id=NEW_IDS,
        after=st.sampled_from([None, "root"]) | PLACES,
        kind=st.sampled_from(["message", "message", "function_call_output"]),
    )
    def create_item(
        self, role: str, text: str, item_id: str | None, after: str | int | None, kind: str
    ) -> None:
        content = [{"type": "input_text", "text": text}]
        item = {"type": kind, "role": role, "id": item_id, "content": content}
        answer = "conversation.item.added"
        previous = self.item_at(after) if isinstance(after, int) else after
        self.send("conversation.item.create", answer, item=item, previous_item_id=previous)

    @rule(kind=st.sampled_from(["retrieve", "delete", "truncate"]), place=PLACES, ms=st.integers())
    def edit_item(self, kind: str, place: int, ms: int) -> None:
        fields = {"audio_end_ms": ms, "content_index": 0} if kind == "truncate" else {}
        answer = f"conversation.item.{kind.rstrip('e')}ed"
        self.send(f"conversation.item.{kind}", answer, item_id=self.item_at(place), **fields)

    def item_at(self, place: int) -> str:
        """The id of the item there, counted from the newest; else an id that no item has."""
        return self.view.items[-1 - place] if place < len(self.view.items) else "nobody"

    @rule(detection=DETECTIONS, kind=FORMATS, text=st.booleans(), tools=st.booleans())
    def update(self, detection: Any, kind: str, text: bool, tools: bool) -> None:
        form = {"format": {"type": kind}}
        session: dict[str, Any] = {
            "audio": {"input": {"turn_detection": detection, **form}, "output": form}
        }
        if text:
            session["output_modalities"] = ["text"]
        if tools:
            session["tools"] = [{"type": "function", "name": "f"}]
        self.send("session.update", "session.updated", session=session)

    @rule(event=JUNK | st.text(max_size=40))
    def junk(self, event: dict[str, Any] | str) -> None:
        Grammar.events += 1
        since = len(self.stage.events)
        self.stage.raw(event if isinstance(event, str) else json.dumps(event))
        if isinstance(event, str):
            assert "error" in {answer["type"] for answer in self.stage.events[since:]}

    @rule(silent=st.booleans())
    def engine_without_words(self, silent: bool) -> None:
        engine = self.stage.worker.engine
        assert isinstance(engine, FakeEngine)
        if self.stage.worker.conversation.state.reply is None:
            engine.script = [Output(0, ended=True)] if silent else ()

    @invariant()
    def every_event_parses_and_fits_what_the_client_knows(self) -> None:
        self.sane = False
        for event in self.stage.events[self.parsed :]:
            Grammar.got[event["type"]] = Grammar.got.get(event["type"], 0) + 1
            self.view.take(event)
        self.parsed, self.sane = len(self.stage.events), True

    def teardown(self) -> None:
        """Every response ends, and a session that nobody closed still answers."""
        if not self.sane:
            return
        self.stage.say(*silence(14))
        for _ in range(WAITS):
            self.stage.wait(1)
            self.every_event_parses_and_fits_what_the_client_knows()
            if self.view.open is None:
                break
        assert self.view.open is None, "a response without an end"
        self.send("session.update", "session.updated", session={})
        assert self.stage.events[-1]["type"] == "session.updated"
