"""The Live dialect against a worker's conversation, without I/O; every event parses strictly."""

import base64
import json
from itertools import pairwise
from typing import Any, Final, get_args

import numpy as np
import pytest
from openai.types.live import ServerEvent, SessionStartEvent

from gateway.live.client_events import SessionConfig, StartSession, parse
from gateway.live.config import history_of, instructions_of, session_of, start_of
from gateway.live.dialect import LiveDialect
from gateway.live.endpoint import LEAD_FRAMES
from gateway.protocol.client_messages import Start
from gateway.realtime.errors import RealtimeError
from gateway.realtime.session import new_uplink
from shared.audio import CHUNK_MS
from shared.log.records import Brief, History
from shared.modes import ReplyMode
from tests.sounds import joined, noise, silence, voice
from tests.unit.gateway.realtime.stage import SID, Exchange
from tests.unit.workers.runtime.conversation.fake_engine import FakeEngine
from workers.engines.base import Engine, Traits

CASCADE: Final = Traits(duplex=False, burst_frames=20, folds=True, prepares=True, reads=True)
QUESTION: Final = [*voice(12), *silence(12)]
SOUND: Final = "session.output_audio.delta"
MODELS: Final = {
    get_args(model.model_fields["type"].annotation)[0]: model
    for model in get_args(get_args(ServerEvent)[0])
}


class Live(Exchange):
    """One Live client; `events` holds all that it got, each as openai-python's model has it."""

    lead_frames = LEAD_FRAMES

    def __init__(self, engine: Engine | None = None, **session: Any) -> None:
        super().__init__(engine, ReplyMode.STREAM)
        text = json.dumps(
            {"type": "session.start", "session": {"model": "m", **session}, "event_id": "first"}
        )
        started = parse(text)
        assert isinstance(started, StartSession)
        config = {**session_of(started.session, "", 1), "id": f"live_{SID}"}
        SessionStartEvent.model_validate_json(text)
        self.start: Start = start_of(started.session, ("low",))
        uplink = new_uplink(self.now)
        self.dialect = LiveDialect(
            SID,
            uplink.sample_of,
            config=config,
            instructions=instructions_of(started.session),
            history=history_of(started.session),
            answers=started.event_id,
        )
        self.begin(self.dialect, uplink)
        self.work()

    def saved(self) -> bytes:
        """What Redis would have of the session now."""
        return self.dialect.saved(self.session.position)

    def resume(self, packed: bytes | None = None) -> None:
        """Lose the socket; another gateway goes on after the client's last frame.

        `packed`: what Redis has of the session, by default all.
        """
        frame = max((event["frame"] for event in self.got(SOUND)), default=0)
        place = self.place_after(frame, self.saved() if packed is None else packed)
        uplink = new_uplink(self.now, n=place.n, samples=place.samples)
        config = session_of(SessionConfig(model=""), "", 0)
        self.dialect = LiveDialect(
            SID, uplink.sample_of, config=config, samples=place.samples, connection=2
        )
        known = self.dialect.restore(place.client, place.has_frame, place.delivered)
        self.go_on(place, uplink, self.dialect, known)

    def collect(self, message: dict[str, Any]) -> None:
        MODELS[message["type"]].model_validate(message)
        super().collect(message)

    def say(self, *chunks: Any, size: int | None = None) -> None:
        """Send sound in real time, 80 ms an event; `size`: bytes of it, for other formats."""
        for chunk in chunks:
            audio = base64.b64encode(np.asarray(chunk, "<i2").tobytes()[:size]).decode()
            self.send("session.input_audio.append", audio=audio)
            self.wait(CHUNK_MS / 1_000)


def sound_of(live: Live) -> bytes:
    return b"".join(base64.b64decode(event["delta"]) for event in live.got(SOUND))


def test_a_session_starts_with_its_resolved_configuration() -> None:
    live = Live(instructions="Be brief.", audio={"output": {"voice": "low"}}, store=False)
    (started,) = live.events
    assert started["client_event_id"] == "first"
    assert started["session"] == {
        "id": f"live_{SID}",
        "status": "active",
        "model": "m",
        "expires_at": 1,
        "audio": {"format": {"type": "audio/pcm", "rate": 24_000}, "output": {"voice": "low"}},
        "delegation": None,
        "store": False,
        "instructions": "Be brief.",
    }
    assert (live.start.mode, live.start.voice, live.start.instructions) == (
        *("stream", "low", "Be brief."),
    )


def test_sound_goes_both_ways_without_turns() -> None:
    live = Live()
    sent = noise(10, level=500)
    live.say(*sent)
    live.wait(1)
    assert sound_of(live) == joined(sent)
    assert {event["type"] for event in live.events} == {"session.started", SOUND}
    assert len({event["event_id"] for event in live.events}) == len(live.events)


@pytest.mark.parametrize(
    ("kind", "rate", "size"),
    [("audio/pcm", 16_000, 2_560), ("audio/pcmu", 8_000, 640), ("audio/pcma", 8_000, 640)],
)
def test_a_format_holds_for_both_directions(kind: str, rate: int, size: int) -> None:
    live = Live(audio={"format": {"type": kind, "rate": rate}})
    live.say(*noise(10, level=500), size=size)
    live.wait(1)
    assert size * 9 <= len(sound_of(live)) <= size * 10


def test_words_of_both_sides_have_their_place() -> None:
    live = Live(FakeEngine(CASCADE))
    for _ in range(2):
        live.say(*QUESTION)
        live.wait(4)
    heard = live.got("session.input_transcript.delta")
    assert len(heard) == 2
    assert not heard[0]["delta"].startswith(" ")
    assert heard[1]["delta"].startswith(" ")
    assert 0 <= heard[0]["start_ms"] < heard[0]["end_ms"] <= 24 * 80 <= heard[1]["start_ms"]
    said = live.got("session.output_transcript.delta")
    words = [f"word{n}" for n in range(1, 7)]
    assert "".join(event["delta"] for event in said).split() == words * 2
    places = [(event["start_ms"], event["end_ms"]) for event in said]
    assert all(end == start for (_, end), (start, _) in pairwise(places[:6]))
    assert [end - start for start, end in places] == [400] * 12
    assert places == sorted(places)
    assert heard[0]["end_ms"] <= places[0][0]


def test_an_interrupted_reply_stops_soon_and_nothing_announces_it() -> None:
    live = Live(FakeEngine(CASCADE))
    live.say(*QUESTION)
    live.wait(1.7)  # later than a turn is reopened
    before = len(sound_of(live))
    live.say(*voice(14, pitch_hz=210))
    stopped = len(sound_of(live))
    assert before <= stopped < before + 24_000 * 2 * 14 * 0.08
    live.say(*silence(3))
    assert len(sound_of(live)) == stopped
    kinds = {event["type"] for event in live.events}
    assert kinds <= {
        *("session.started", SOUND),
        *("session.input_transcript.delta", "session.output_transcript.delta"),
    }


def test_a_muted_caller_is_silent() -> None:
    live = Live()
    live.send("session.input_audio.mute", event_id="m")
    live.say(*noise(5, level=500))
    live.send("session.input_audio.unmute", event_id="u")
    sent = noise(5, seed=1, level=500)
    live.say(*sent)
    live.wait(1)
    assert live.got("session.input_audio.muted")[0]["client_event_id"] == "m"
    assert live.got("session.input_audio.unmuted")[0]["client_event_id"] == "u"
    assert sound_of(live) == bytes(5 * 3_840) + joined(sent)


def test_instructions_grow_during_the_session() -> None:
    live = Live(
        FakeEngine(CASCADE),
        instructions="Be brief.",
        input=[{"role": "developer", "content": [{"text": "Be kind."}]}],
    )
    assert live.start.instructions == "Be brief.\nBe kind."
    for kind, text in (("instructions", "Say please."), ("thinking", "It rains.")):
        live.send(f"session.{kind}.append", content=text, delegation_id=None, event_id=kind)
        assert live.got(f"session.{kind}.appended")[0]["client_event_id"] == kind
    briefs = [record.instructions for _, record in live.worker.inputs if isinstance(record, Brief)]
    assert briefs == [
        "Be brief.\nBe kind.\nSay please.",
        "Be brief.\nBe kind.\nSay please.\nIt rains.",
    ]
    live.send("session.instructions.append", content="x" * 2_000, delegation_id=None)
    assert live.error()["param"] == "content"
    live.send("session.instructions.append", content="x", delegation_id="d")
    assert live.error()["param"] == "delegation_id"


def test_the_model_remembers_what_was_said_before_the_session() -> None:
    live = Live(
        FakeEngine(CASCADE),
        input=[
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "Hello."}]},
        ],
    )
    live.say(*silence(1))
    (history,) = [record for _, record in live.worker.inputs if isinstance(record, History)]
    assert b"Hi" in history.turns
    assert b"Hello." in history.turns


def test_closing_reports_the_usage_and_ends_the_session() -> None:
    live = Live()
    live.say(*noise(20, level=500))
    live.send("session.close", event_id="bye")
    closed = live.events[-1]
    assert (closed["reason"], closed["client_event_id"]) == ("close_requested", "bye")
    assert closed["usage"] == {"seconds": 2}
    assert closed["session"] == live.events[0]["session"]
    assert live.session.closing
    assert live.session.ended


@pytest.mark.parametrize(
    ("event", "code", "param"),
    [
        (
            {"type": "session.update", "session": {"model": "x"}},
            "unknown_parameter",
            "session.model",
        ),
        ({"type": "session.input_audio.append"}, "missing_required_parameter", "audio"),
        ({"type": "session.input_audio.append", "audio": "?"}, "invalid_value", "audio"),
        ({"type": "session.mute"}, "invalid_value", "type"),
        ({"type": "response.create", "response": {}}, "not_supported", "type"),
        ({"type": "session.commentary.append", "content": "x"}, "not_supported", "type"),
        (
            {"type": "session.update", "session": {"delegation": {"type": "responses"}}},
            *("not_supported", "session.delegation.type"),
        ),
        (
            {"type": "session.start", "session": {"model": "x"}},
            *("session_already_started", "type"),
        ),
        ({}, "missing_required_parameter", "type"),
        ({"type": "session.close", "now": True}, "unknown_parameter", "now"),
    ],
)
def test_a_wrong_event_is_refused_and_the_session_goes_on(
    event: dict[str, Any], code: str, param: str
) -> None:
    live = Live()
    live.raw(json.dumps({**event, "event_id": "e"}))
    found = live.error()
    assert (found["code"], found["param"], found["client_event_id"]) == (code, param, "e")
    live.raw("{")
    assert live.error()["code"] == "invalid_json"
    live.send("session.update", session={"delegation": {"type": "client"}})
    assert live.got("session.updated")[0]["session"]["delegation"] == {"type": "client"}


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        (
            {"audio": {"format": {"type": "audio/opus"}}},
            "invalid_value",
            "session.audio.format.type",
        ),
        (
            {"audio": {"format": {"type": "audio/pcm", "rate": 48_000}}},
            *("invalid_value", "session.audio.format.rate"),
        ),
        ({"voice": "x"}, "unknown_parameter", "session.voice"),
        ({"store": True}, "not_supported", "session.store"),
        ({"triggers": [{}]}, "not_supported", "session.triggers"),
        ({"client": {}}, "not_supported", "session.client"),
        ({"model": None}, "invalid_value", "session.model"),
        (
            {"input": [{"role": "user", "content": []}]},
            *("invalid_value", "session.input[0].content"),
        ),
    ],
)
def test_a_wrong_start_is_refused(session: dict[str, Any], code: str, param: str) -> None:
    with pytest.raises(RealtimeError) as found:
        Live(**session)
    assert (found.value.code, found.value.param) == (code, param)


def words_of(live: Live) -> list[tuple[str, int, int]]:
    kinds = ("session.input_transcript.delta", "session.output_transcript.delta")
    found = [event for event in live.events if event["type"] in kinds]
    return [(event["delta"], event["start_ms"], event["end_ms"]) for event in found]


@pytest.mark.parametrize("at", [14, 18, 22, 26, 41])
def test_a_lost_socket_costs_no_sound_and_no_word(at: int) -> None:
    calls = [Live(FakeEngine(CASCADE), instructions="Be brief.") for _ in range(2)]
    for number, chunk in enumerate([*QUESTION, *silence(40)] * 2):
        if number == at:
            calls[1].resume()
        for live in calls:
            live.say(chunk)
    whole, resumed = calls
    assert sound_of(resumed) == resumed.worker.pcm
    assert words_of(resumed) == words_of(whole)
    sessions = [event["session"] for event in resumed.got("session.started")]
    assert sessions[1] == {**sessions[0], "resume": f"{SID}.token"}


@pytest.mark.parametrize("at", [14, 18, 26, 41, 48])
def test_a_gateway_that_died_before_it_saved_loses_no_sound_and_no_word(at: int) -> None:
    calls = [Live(FakeEngine(CASCADE)) for _ in range(2)]
    packed = b""
    for number, chunk in enumerate([*QUESTION, *silence(40)] * 2):
        if number == at - 2:
            packed = calls[1].saved()
        if number == at:
            calls[1].resume(packed)
        for live in calls:
            live.say(chunk)
    whole, resumed = calls
    assert sound_of(resumed) == resumed.worker.pcm
    # Words may come again, with the same times.
    assert list(dict.fromkeys(words_of(resumed))) == words_of(whole)
    assert len(words_of(resumed)) <= len(words_of(whole)) + 1
