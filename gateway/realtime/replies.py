"""Which reply of the log is the response in progress. Sans I/O.

Each reply of the log is one response. Its id and item follow from the reply's number.
"""

from gateway.call.playout import Event, TextAt
from gateway.realtime import config as configs
from gateway.realtime.audio_codecs import OutputFormat
from gateway.realtime.client_events import ResponseParams
from gateway.realtime.config import Config
from gateway.realtime.conversation import Conversation
from gateway.realtime.effects import Effects, ReplySound
from gateway.realtime.errors import RealtimeError
from gateway.realtime.items import Item
from gateway.realtime.response import Response
from gateway.realtime.saved import SavedReplies
from shared.log.records import ReplyStarted


class Replies:
    """`resumed`: the newest reply that an earlier connection had."""

    def __init__(self, prefix: str, items: Conversation, resumed: int = 0) -> None:
        self._prefix = prefix
        self._items = items
        self._resumed = resumed
        self._output = OutputFormat("audio/pcm")
        self._unbegun = 0  # responses that were cancelled before their turn had ended
        self.begun = resumed  # the reply whose turn ended last
        self.current: Response | None = None  # in progress
        self._last: Response | None = None  # that ended
        self._begun_received = False  # the client knows what an earlier connection began
        self.last_frame = 0  # that the client has

    def set_format(self, kind: str) -> None:
        """The sound's format from now on."""
        if kind != self._output.kind:
            self._output = OutputFormat(kind)

    def check_idle(self) -> None:
        """Raises RealtimeError while a response is in progress."""
        if self.current is not None:
            raise RealtimeError(
                "conversation_already_has_active_response",
                "Conversation already has an active response in progress: "
                f"{self.current.id}. Wait until the response is finished before creating a new "
                "one.",
            )

    def create(self, config: Config, params: ResponseParams) -> tuple[Response, int]:
        """The response that the client asks for, and the number that its reply will have."""
        number = self.begun + self._unbegun + 1
        modalities = params.output_modalities
        self.current = Response(
            self._new_id(number),
            config,
            metadata=params.metadata,
            modalities=configs.modalities(modalities) if modalities else None,
            in_conversation=params.conversation != "none",
        )
        return self.current, number

    def begin(self, config: Config, generation: int) -> Response:
        """The response of this reply, for which nobody asked."""
        self.current = Response(self._new_id(generation), config, generation=generation)
        return self.current

    def _new_id(self, number: int) -> str:
        """The id of the response with this number, or of the next that none has had."""
        prefix, last = f"resp_{self._prefix}", self._last
        used = int(last.id.removeprefix(prefix)) if last else 0
        return f"{prefix}{max(number, used + 1)}"

    def close(self) -> Response | None:
        """The response in progress, which ends."""
        response, self.current = self.current, None
        self._last = response or self._last
        return response

    def withdraw(self, response: Response) -> None:
        """The client cancels a response; its turn may not have ended yet."""
        if not response.generation:
            self._unbegun += 1

    def saved(self) -> SavedReplies:
        """All of it, for the next connection."""
        last = self.current or self._last
        return SavedReplies(
            begun=self.begun,
            unbegun=self._unbegun,
            last_frame=self.last_frame,
            last=last.saved(closed=self.current is None) if last else None,
        )

    def restore(self, saved: SavedReplies, config: Config) -> None:
        """Go on from there."""
        self.begun, self._unbegun, self._resumed = saved.begun, saved.unbegun, 0
        self.last_frame = saved.last_frame
        if saved.last is None:
            return
        self._last = last = Response.restored(saved.last, config)
        if last.item is not None:
            last.item = self._items.find(last.item.id) or last.item
        if saved.last.closed:
            self._resumed = last.generation
        else:
            self.current = last

    def knows(self, event: Event) -> bool:
        """Whether this event of a reply is in its response already."""
        generation: int = getattr(event, "generation", 0)
        if not generation or generation > self.begun:
            return False
        response = self.current
        if response is None or response.generation != generation:
            return True  # its response is over
        item = response.item
        if item is None:
            return False
        newest = item.words[-1][0] + item.first_frame if item.words else 0
        return isinstance(event, ReplyStarted) or (
            isinstance(event, TextAt) and event.frame <= newest
        )

    def return_to(self, frame: int) -> None:
        """The client has no later frame than this."""
        self.last_frame = frame
        for response in (self.current, self._last):
            if response is not None and response.item is not None:
                response.item.return_to(frame)

    def note_received(self, *, begun: bool, done: bool) -> None:
        """Whether the client has the beginning of the last item, and the end of its response."""
        self._begun_received = begun
        if done:
            self._resumed = 0

    def of(self, generation: int, config: Config) -> Response | None:
        """The response in progress, if it is this reply."""
        response = self.current or self._adopted(generation, config)
        return response if response is not None and response.generation == generation else None

    def _adopted(self, generation: int, config: Config) -> Response | None:
        """The response that was in progress when the connection before this one was lost."""
        if not self._resumed or generation != self._resumed:
            return None
        self._resumed = 0  # once
        last = self._last
        if last is not None and last.generation == generation:  # its end may be lost
            self.current = last
            if last.item is not None:
                last.item.status = "in_progress"
            return last
        response = self.begin(config, generation)
        self._items.add(response.adopt(f"item_{self._prefix}a{generation}"))
        return response

    def expects_end(self) -> bool:
        """Count the end of a turn; whether a response waits for it already."""
        waiting = self.current
        if waiting is not None and waiting.item is None and waiting.generation:
            return True  # what was typed ended a spoken turn: it is counted
        self.begun += 1
        if self._unbegun:
            self._unbegun -= 1
            return True
        if waiting is not None and waiting.item is None:
            waiting.generation = self.begun
            return True
        return False

    def started(self, generation: int, frame: int, config: Config) -> Effects:
        """A reply begins with this frame; in stream mode nothing has promised it."""
        created: Effects = []
        if self.current is None and configs.streams(config):
            created = [self.begin(config, generation).created()]
        self.begun = max(self.begun, generation)
        waiting = self.current
        if waiting is not None and waiting.item is None and not self._unbegun:
            waiting.generation = generation
        response = self.of(generation, config)
        if response is None:
            return []
        self._output.reset()
        if response.item is not None:  # an earlier connection began it
            if self._begun_received:
                return []
            return [*response.begin(response.item, self._items.previous_of(response.item), frame)]
        kind = "output_text" if response.text_only else "output_audio"
        item_id = self._items.unused(f"item_{self._prefix}a{generation}")
        item = Item(item_id, "assistant", kind, "in_progress")
        previous = self._items.add(item) if response.in_conversation else None
        return [*created, *response.begin(item, previous, frame)]

    def unsaid(self, generation: int, config: Config) -> Response | None:
        """The response of a reply that ended before any of it was announced."""
        waiting = self.current
        if configs.streams(config) and waiting is not None and waiting.item is None:
            waiting.generation = waiting.generation or generation
        self.begun = max(self.begun, generation)
        return self.of(generation, config)

    def sound(self, sound: ReplySound, config: Config) -> Effects:
        """Sound of a reply."""
        self.last_frame = sound.last_frame
        response = self.of(sound.generation, config)
        if response is None:
            return []
        return [*response.sound(self._output.from_pcm(sound.pcm), sound.frames, sound.last_frame)]
