"""OpenAI's Realtime protocol as a state machine, sans I/O: events in, effects out.

Client events and the log's output come in. Events for the client and records for the log go out.
Each reply of the log is one response, whose id and item follow from the reply's number.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from gateway.call.playout import Event, TextAt
from gateway.realtime import client_events as asked
from gateway.realtime import config as configs
from gateway.realtime import errors
from gateway.realtime import server_events as out
from gateway.realtime.audio_codecs import InputFormat
from gateway.realtime.caller import Caller
from gateway.realtime.conversation import Conversation
from gateway.realtime.effects import Effects, PlayedTo, ReplySound
from gateway.realtime.event_ids import EventIds
from gateway.realtime.items import Item
from gateway.realtime.replies import Replies
from gateway.realtime.requests import answer
from gateway.realtime.response import STATUS_AFTER, TURN_DETECTED, Response
from gateway.realtime.saved import SavedSession, decode, encode
from shared.log.records import (
    Brief,
    Cancel,
    Clear,
    Heard,
    History,
    Mode,
    NoReply,
    Played,
    ReplyDone,
    ReplyStarted,
    Skip,
    SpeechStarted,
    SpeechStopped,
    Typed,
)
from shared.voices import DEFAULT

CLIENT_CANCELLED: Final = "client_cancelled"
Delivered = Sequence[tuple[int, Event]]


class Dialect:
    """`voices`: the names that the workers offer; others get the default voice.

    `takes_text`: the engine answers what is typed. `resumed`: the newest reply that an earlier
    connection had; None: a new session. `samples`: those of the caller that the log has.
    """

    def __init__(
        self,
        sid: str,
        model: str,
        sample_of: Callable[[int], int],
        *,
        voices: Collection[str] = (),
        takes_text: bool = False,
        resumed: int | None = None,
        samples: int = 0,
        connection: int = 1,
    ) -> None:
        self._prefix = sid[:12]
        self._resumed = resumed is not None
        self._forgot = self._resumed  # what the connection before knew is not there
        self._takes_text = takes_text
        self._voices = voices
        self.config = configs.initial(f"sess_{sid}", model)
        self.items = Conversation(f"item_{self._prefix}")
        self._caller = Caller(f"item_{self._prefix}", self.items, sample_of, samples)
        self._input = InputFormat("audio/pcm")
        self._replies = Replies(self._prefix, self.items, resumed or 0)
        self._played = 0  # as the log was told, beside the playhead
        self._heard: tuple[Item, float] | None = None  # how far the client has played, in ms
        self._owed: Effects = []  # records that the gateway before may not have written
        self._briefed = False  # the log has the instructions of one response
        self._ids = EventIds(self._prefix, connection)

    def configure(self, session: Mapping[str, Any]) -> None:
        """Begin with this configuration. Raises RealtimeError."""
        self.config = configs.merged(self.config, session)
        self._set_formats()

    def created(self) -> Effects:
        """The first event; what the log is to know of the configuration."""
        if self._resumed:  # the log has the session's options
            created = out.SessionCreated(session=self.config)
            return self._numbered([*self._owed, created, *self._turn_again()])
        effects: Effects = [configs.options_of(self.config)]
        if configs.streams(self.config):
            effects.append(Mode(configs.mode_of(self.config)))
        if (brief := self._brief(self.config)) != Brief(instructions="", voice=""):
            effects.append(brief)
        return self._numbered([*effects, out.SessionCreated(session=self.config)])

    def _turn_again(self) -> Effects:
        """The end of a turn that the gateway before was to answer, and perhaps did not write."""
        waiting = self._replies.current
        if waiting is None or waiting.generation or configs.streams(self.config):
            return []
        end = self._caller.commit_again()
        if not self._caller.cut:
            return end
        return [*end, out.refusal(errors.turn_lost(), None), *self._close("failed")]

    def saved(self, position: int) -> bytes:
        """The session for the next connection; `position`: the last record of the log read."""
        return encode(
            SavedSession(
                position=position,
                config={name: value for name, value in self.config.items() if name != "resume"},
                conversation=self.items.saved(),
                caller=self._caller.saved(),
                replies=self._replies.saved(),
                played=self._played,
                briefed=self._briefed,
                item_begun=self._ids.begun,
                done=self._ids.done,
            )
        )

    def restore(self, packed: bytes, frame: int, delivered: Delivered, event_id: str) -> int | None:
        """Go on with what `saved` packed; up to which record of the log that knows all.

        `frame`: the client's last one. `delivered`: the events that the client has for sure.
        `event_id`: of its last event, if it says so. None: there is nothing.
        """
        saved = decode(packed)
        if saved is None:
            return None
        self.config, self._forgot = saved.config, False
        self._set_formats()
        self.items.restore(saved.conversation)
        self._caller.restore(saved.caller)
        self._replies.restore(saved.replies, self.config)
        self._played, self._briefed = saved.played, saved.briefed
        begun, done = self._ids.restore(saved.item_begun, saved.done, event_id)
        self._replies.note_received(begun=begun, done=done)
        self._catch_up(delivered, saved.position)
        self._replies.return_to(frame)
        return saved.position

    def _catch_up(self, delivered: Delivered, known: int) -> None:
        """Take what the gateway before sent after it had saved the session."""
        for number, event in delivered:
            if number <= known and isinstance(event, SpeechStarted | SpeechStopped | Heard | Clear):
                continue
            if not self._replies.knows(event):
                effects = self._taken(event)
                self._owed += [e for e in effects if not isinstance(e, out.ServerEvent)]

    def receive(self, text: str) -> Effects:
        """Take a text message of the client. Raises CallError when the session must end."""
        return self._numbered(
            answer(text, parse=asked.parse, handle=self._handle, refuse=out.refusal)
        )

    def _handle(self, event: asked.AnyClientEvent) -> Effects:
        match event:
            case asked.AppendAudio(audio=audio):
                return self._append(audio)
            case asked.UpdateSession():
                return self._update(event)
            case asked.CommitAudio():
                return self._commit()
            case asked.ClearAudio():
                return self._caller.clear()
            case asked.CreateResponse(response=params):
                return self._create_response(params or asked.ResponseParams())
            case asked.CancelResponse(response_id=response_id):
                return self._cancel(response_id)
            case asked.CreateItem():
                return self._create_item(event.item, event.previous_item_id)
            case asked.TruncateItem():
                return self._truncate(event)
            case asked.RetrieveItem(item_id=item_id):
                return self.items.retrieve(item_id)
            case asked.DeleteItem(item_id=item_id):
                return self._delete(item_id)
            case asked.ClearOutput():
                return self._cancel(None) if self._replies.current else [Cancel()]
            case asked.ReportPlayhead(item_id=item_id, audio_end_ms=end_ms):
                item = self.items.played(item_id)
                self._heard = (item, end_ms)
                return [PlayedTo(item.frame_at(end_ms))] if item.first_frame else []

    def _append(self, audio: bytes) -> Effects:
        pcm = self._input.to_pcm(audio)
        config = self.config
        automatic = configs.detects_turns(config) or configs.answers_turns(config)
        manual = not (automatic or self._replies.current)
        return [*(self._report_played() if manual else []), *self._caller.append(pcm)]

    def _commit(self) -> Effects:
        self._caller.check_commit()
        if configs.answers_turns(self.config):
            return self._caller.end_turn()
        if configs.detects_turns(self.config):
            return self._caller.commit_found()
        return self._caller.commit()

    def _report_played(self) -> Effects:
        """Before a turn of the client: the reply before it is over for the log."""
        if self._heard is not None:  # the client itself says how far it is
            return []
        old, self._played = self._played, self._replies.last_frame
        return [Played(self._replies.last_frame)] if self._replies.last_frame > old else []

    def _update(self, event: asked.UpdateSession) -> Effects:
        old, new = self.config, configs.merged(self.config, event.session)
        self.config = new
        effects: Effects = []
        if (options := configs.options_of(new)) != configs.options_of(old):
            effects.append(options)
        if configs.mode_of(new) is not configs.mode_of(old):
            effects.append(Mode(configs.mode_of(new)))
        if configs.answers_turns(new):
            effects += self._caller.release()
        if (brief := self._brief(new)) != self._brief(old):
            effects.append(brief)
        self._set_formats()
        effects.append(out.SessionUpdated(session=new))
        if configs.asks_for_tools(event.session):
            effects.append(out.refusal(configs.no_tools(), event.event_id))
        return effects

    def _set_formats(self) -> None:
        audio = self.config["audio"]
        if (kind := audio["input"]["format"]["type"]) != self._input.kind:
            self._input = InputFormat(kind)
        self._replies.set_format(audio["output"]["format"]["type"])

    def _brief(self, config: configs.Config) -> Brief:
        voice = config["audio"]["output"]["voice"]
        return Brief(
            instructions=self._instructions(config["instructions"]),
            voice=voice if voice in self._voices and voice != DEFAULT else "",
        )

    def _instructions(self, text: str) -> str:
        """The session's own instructions, and the words of system items."""
        return configs.cut("\n".join(filter(None, (text, self.items.system_text()))))

    def _create_response(self, params: asked.ResponseParams) -> Effects:
        self._replies.check_idle()
        turn = self._turn_to_answer(params)
        response, number = self._replies.create(self.config, params)
        if isinstance(turn[-1], Typed):
            self._answers_text(response, number, typed=self.items.typed_last)
        brief: Effects = []
        if params.instructions is not None:
            self._briefed = True
            brief = [Brief(instructions=self._instructions(configs.cut(params.instructions)))]
        return [*brief, *self._report_played(), *turn, response.created()]

    def _turn_to_answer(self, params: asked.ResponseParams) -> Effects:
        """What lets the log answer. Raises RealtimeError when there is nothing."""
        if self._caller.committed:
            history = [self._history()] if self.items.take_typed() else []
            return [*history, *self._caller.answer_committed()]
        if not self._takes_text:
            raise errors.nothing_to_answer()
        given = " ".join(text for item in params.input or () for text in item.texts)
        text = given or self.items.take_typed() or self.items.prompt
        return [Typed(configs.cut(text))]

    def _answers_text(self, response: Response, number: int, *, typed: bool) -> None:
        """A typed turn has no end that the log reports, unless the caller speaks meanwhile."""
        response.corrects_memory = not typed
        if not self._caller.speaks:
            response.generation = self._replies.begun = number

    def _cancel(self, response_id: str | None) -> Effects:
        response = self._replies.current
        if response is None or response_id not in (None, response.id):
            raise errors.RealtimeError(
                "response_cancel_not_active", "Cancellation failed: no active response found"
            )
        self._replies.withdraw(response)
        return [Cancel(), *self._close("cancelled", CLIENT_CANCELLED)]

    def _close(self, status: str, reason: str | None = None) -> Effects:
        """End the response in progress."""
        response = self._replies.close()
        if response is None:
            return []
        previous = self.items.previous_of(response.item) if response.item else None
        effects: Effects = [*response.close(status, reason, previous)]
        if self._briefed:
            self._briefed = False
            effects.insert(0, Brief(instructions=self._instructions(self.config["instructions"])))
        if response.generation and (response.corrects_memory or not response.in_conversation):
            effects.insert(0, self._history())
        return effects

    def _create_item(self, new: asked.NewItem, after: str | None) -> Effects:
        if new.role == "user" and not self._takes_text:
            raise errors.reads_no_text()
        item, events = self.items.create(new, after)
        return events if item.role == "user" else [*self._remember(item), *events]

    def _truncate(self, event: asked.TruncateItem) -> Effects:
        item, events = self.items.truncate(event)
        return [*(self._remember(item) if item else []), *events]

    def _delete(self, item_id: str) -> Effects:
        item, events = self.items.delete(item_id)
        return [*self._remember(item), *events]

    def _remember(self, changed: Item) -> Effects:
        if changed.role == "system":
            return [Brief(instructions=self._instructions(self.config["instructions"]))]
        return [self._history()]

    def _history(self) -> History:
        """All that the model is to remember, the present response included."""
        return History(self._replies.begun, self.items.folded(self._caller.unanswered))

    ending = staticmethod(out.ending)

    def take(self, event: Event | ReplySound) -> Effects:
        """Take what the log has, when the client may have it."""
        return self._numbered(self._taken(event))

    def _taken(self, event: Event | ReplySound) -> Effects:
        match event:
            case ReplySound():
                return self._replies.sound(event, self.config)
            case TextAt(generation=generation, frame=frame, text=text):
                response = self._replies.of(generation, self.config)
                return [*response.say(frame, text)] if response else []
            case SpeechStarted(n=n):
                return self._speech_started(n)
            case SpeechStopped(n=n, goes_on=True):
                return self._caller.turn_found(n)
            case SpeechStopped(n=n):
                return self._speech_stopped(n)
            case Heard(text=text, final=True):
                return self._caller.heard(text)
            case ReplyStarted(generation=generation, frame=frame):
                return self._replies.started(generation, frame, self.config)
            case ReplyDone(generation=generation, reason=reason):
                return self._reply_done(generation, reason)
            case NoReply(generation=generation):
                if self._replies.unsaid(generation, self.config) is None:
                    return []
                return [*self._caller.not_heard(), *self._close("completed")]
            case Clear(generation=generation):
                return self._cleared(generation)
            case Skip() | Heard():
                return []

    def _cleared(self, generation: int) -> Effects:
        """Speech interrupted a reply, which may have been sent as a whole."""
        opened = self._replies.of(generation, self.config) is not None
        ended = self._close("cancelled", TURN_DETECTED) if opened else []
        if self._heard is not None and self._heard[0] is self.items.last_said:
            self._heard[0].truncate(int(self._heard[1]))
        return ended

    def _speech_started(self, n: int) -> Effects:
        if not configs.detects_turns(self.config):
            return []
        # The log interrupts a reply for speech; its `clear` follows.
        typed = [self._history()] if self.items.take_typed() else []
        # In stream mode both may speak at once; a `clear` ends the response there.
        over = configs.streams(self.config)
        ended = [] if over else self._close("cancelled", TURN_DETECTED)
        return [*typed, *self._caller.speech_started(n), *ended]

    def _speech_stopped(self, n: int) -> Effects:
        if configs.streams(self.config):
            return self._caller.speech_stopped(n) if self._caller.speaks else []
        if self._replies.expects_end():
            return self._turn_answered(n)
        asked_for = not configs.answers_turns(self.config)
        turn = self._caller.turn_cut(n) if asked_for else self._caller.speech_stopped(n)
        ended = self._close("cancelled", TURN_DETECTED)
        return [*ended, *turn, self._replies.begin(self.config, self._replies.begun).created()]

    def _turn_answered(self, n: int) -> Effects:
        """A turn ended because the client asked for its answer."""
        if self._caller.speaks and configs.detects_turns(self.config):
            return self._caller.speech_stopped(n)
        self._caller.forget_turn()
        return []

    def _reply_done(self, generation: int, reason: str) -> Effects:
        if self._replies.of(generation, self.config) is None:
            return []
        return self._close(*STATUS_AFTER.get(reason, ("completed", None)))

    def _numbered(self, effects: Effects) -> Effects:
        if self._forgot:  # its items lack what the connection before had
            effects = [effect for effect in effects if not isinstance(effect, History)]
        return self._ids.give(effects)
