"""OpenAI's Live protocol as a state machine, sans I/O: a call in stream mode, without turns.

Client events and the log's output come in. Events for the client and records for the log go out.
The session's timeline counts the caller's sound. The assistant's words have their place where their
sound begins.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from gateway.call.playout import Event, TextAt
from gateway.call.wire_audio import wire_audio
from gateway.live import client_events as asked
from gateway.live import config as configs
from gateway.live import server_events as out
from gateway.live.words import OutputWords
from gateway.protocol.audio_format import Codec
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime import errors
from gateway.realtime.audio_codecs import check_length
from gateway.realtime.config import cut
from gateway.realtime.effects import AudioIn, Effects, Hangup, ReplySound
from gateway.realtime.errors import RealtimeError
from gateway.realtime.event_ids import EventIds
from gateway.realtime.requests import answer
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import (
    Brief,
    Clear,
    Heard,
    History,
    ReplyDone,
    ReplyStarted,
    SpeechStarted,
    SpeechStopped,
)

CLOSE_REQUESTED: Final = "close_requested"


class StartRefused(CallError):
    """The client's first event cannot begin a session."""

    def __init__(self, problem: RealtimeError, event_id: str | None) -> None:
        super().__init__(ErrorCode.BAD_MESSAGE, str(problem))
        self.problem = problem
        self.event_id = event_id


def ending(error: CallError) -> tuple[str, int]:
    """The `error` event for an error that ends a session, and the socket's close code."""
    known = errors.ending_of(error.code)
    problem = out.Problem(type=known.kind, code=known.code, message=str(error))
    if isinstance(error, StartRefused):
        problem.code, problem.param = error.problem.code, error.problem.param
        problem.client_event_id = error.event_id
    event = out.Error(event_id="event_end", error=problem)
    return event.to_json(), known.close_code


class SavedLive(msgspec.Struct):
    """What Redis keeps of a session; `position`: the last record of the log that it had read."""

    position: int
    config: dict[str, Any]
    instructions: str
    muted: bool
    spoke_ms: tuple[int, int]
    heard: bool
    words: OutputWords


class LiveDialect:
    """One session. `config`: as the client sees it. `sample_of`: input record n -> its sample.

    `history`: what was said before the session, as a `History` record has it. `answers`: the id of
    the event that starts the session. `samples`: what the log has of the caller's sound.
    `connection`: counts the session's sockets.
    """

    def __init__(
        self,
        sid: str,
        sample_of: Callable[[int], int],
        *,
        config: configs.Session,
        instructions: str = "",
        history: bytes = b"",
        answers: str | None = None,
        samples: int = 0,
        connection: int = 1,
    ) -> None:
        self.config = config
        self._ids = EventIds(sid[:12], connection)
        self._answers = answers
        self._history = history
        self._sample_of = sample_of
        self._audio = wire_audio(configs.format_of(config))
        self._instructions = instructions
        self._muted = False
        self._samples = samples
        self._words = OutputWords()
        self._missed: Effects = []  # words that a client that resumes may lack
        self._spoke_ms = (0, 0)  # the caller's last turn
        self._heard = False  # some words of the caller were sent
        self._last_frame = 0

    ending = staticmethod(ending)

    def created(self) -> Effects:
        """The first event, and what the model is to remember from before the session."""
        effects: Effects = [History(0, self._history)] if self._history else []
        started = out.SessionStarted(session=self.config, client_event_id=self._answers)
        return self._ids.give([*effects, started, *self._missed])

    def saved(self, position: int) -> bytes:
        """The session for the next connection; `position`: the last record of the log read."""
        config = {name: value for name, value in self.config.items() if name != "resume"}
        return msgspec.msgpack.encode(
            SavedLive(
                position,
                config,
                self._instructions,
                self._muted,
                self._spoke_ms,
                self._heard,
                self._words,
            )
        )

    def restore(
        self, packed: bytes, frame: int, delivered: Sequence[tuple[int, Event]]
    ) -> int | None:
        """Go on with what `saved` packed; up to which record of the log that knows all.

        `frame`: the client's last one. `delivered`: the events that it has for sure. None: there is
        nothing that this release can read.
        """
        try:
            saved = msgspec.msgpack.decode(packed, type=SavedLive)
        except msgspec.MsgspecError:
            return None
        self.config, self._instructions = saved.config, saved.instructions
        self._audio = wire_audio(configs.format_of(self.config))
        self._muted, self._spoke_ms, self._heard = saved.muted, saved.spoke_ms, saved.heard
        self._words, self._last_frame = saved.words, frame
        for number, event in delivered:  # what was sent after the session was saved
            new = event.frame > self._words.newest if isinstance(event, TextAt) else False
            if new or number > saved.position:
                self._taken(event)
        self._missed = self._words.return_to(frame)
        return saved.position

    def receive(self, text: str) -> Effects:
        """Take a text message of the client."""
        return self._ids.give(
            answer(text, parse=asked.parse, handle=self._handle, refuse=out.refusal)
        )

    def take(self, event: Event | ReplySound) -> Effects:
        """Take what the log has, when the client may have it."""
        return self._ids.give(self._taken(event))

    def _handle(self, event: asked.AnyClientEvent) -> Effects:
        answers = event.event_id
        match event:
            case asked.AppendAudio(audio=audio):
                return self._append(audio)
            case asked.Mute():
                self._muted = True
                return [out.Muted(client_event_id=answers)]
            case asked.Unmute():
                self._muted = False
                return [out.Unmuted(client_event_id=answers)]
            case asked.AppendInstructions() | asked.AppendThinking():
                return self._instruct(event)
            case asked.UpdateSession(session=changes):
                self.config = configs.changed(self.config, changes)
                return [out.SessionUpdated(session=self.config, client_event_id=answers)]
            case asked.CloseSession():
                return self._close(answers)
            case asked.StartSession():
                raise RealtimeError(
                    "session_already_started", "Expected 'session.start' once and first.", "type"
                )

    def _append(self, audio: bytes) -> Effects:
        sent = self._audio.format
        sample_bytes = SAMPLE_BYTES if sent.codec is Codec.PCM16 else 1
        check_length(len(audio), sample_bytes * sent.rate_hz)
        pcm = self._audio.decode(audio)
        self._samples += len(pcm) // SAMPLE_BYTES
        return [AudioIn(bytes(len(pcm)) if self._muted else pcm)] if pcm else []

    def _instruct(self, event: asked.AppendInstructions | asked.AppendThinking) -> Effects:
        if event.delegation_id is not None:
            raise RealtimeError(
                "invalid_value", "Expected null: this server delegates nothing.", "delegation_id"
            )
        whole = "\n".join(filter(None, (self._instructions, event.content)))
        if cut(whole) != whole:
            raise RealtimeError(
                "invalid_value", "The session's instructions would become too long.", "content"
            )
        self._instructions = whole
        at = self._position_ms
        thinks = isinstance(event, asked.AppendThinking)
        kind = out.ThinkingAppended if thinks else out.InstructionsAppended
        done = kind(start_ms=at, end_ms=at, client_event_id=event.event_id)
        return [Brief(instructions=whole), done]

    def _close(self, answers: str | None) -> Effects:
        closed = out.SessionClosed(
            reason=CLOSE_REQUESTED,
            session=self.config,
            usage={"seconds": math.ceil(self._position_ms / 1_000)},
            client_event_id=answers,
        )
        return [*self._words.end(self._last_frame + 1), closed, Hangup()]

    # From the log.

    def _taken(self, event: Event | ReplySound) -> Effects:
        match event:
            case ReplySound():
                return self._sound(event)
            case ReplyStarted(frame=frame):
                return self._words.begin(frame, self._position_ms)
            case TextAt(frame=frame, text=text):
                return self._words.say(frame, text, self._position_ms)
            case ReplyDone(frame=frame):
                return self._words.end(frame)
            case Clear():
                return self._words.end(self._last_frame + 1)
            case SpeechStarted(n=n):
                self._spoke_ms = (self._ms(n), 0)
            case SpeechStopped(n=n):
                self._spoke_ms = (self._spoke_ms[0], self._ms(n))
            case Heard(text=text, final=True):
                return self._hear(text)
        return []

    def _sound(self, sound: ReplySound) -> Effects:
        self._last_frame = sound.last_frame
        data = self._audio.encode(sound.pcm, sound.generation)
        return [out.AudioDelta(delta=data, frame=sound.last_frame)] if data else []

    def _hear(self, text: str) -> Effects:
        started, stopped = self._spoke_ms
        delta, self._heard = (" " if self._heard else "") + text, True
        stopped = max(started, stopped or self._position_ms)
        return [out.InputTranscript(delta=delta, start_ms=started, end_ms=stopped)]

    @property
    def _position_ms(self) -> int:
        return self._samples * 1_000 // SAMPLE_RATE_HZ

    def _ms(self, n: int) -> int:
        return self._sample_of(n) * 1_000 // SAMPLE_RATE_HZ
