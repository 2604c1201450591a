"""Which reply of the log is the response in progress. Sans I/O.

Each reply of the log is one response, whose id and item follow from the reply's number.
"""

from gateway.realtime import config as configs
from gateway.realtime.audio_codecs import OutputFormat
from gateway.realtime.client_events import ResponseParams
from gateway.realtime.config import Config
from gateway.realtime.conversation import Conversation
from gateway.realtime.effects import Effects, ReplySound
from gateway.realtime.items import Item
from gateway.realtime.response import Response


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
        self.last_frame = 0  # that the client has

    def set_format(self, kind: str) -> None:
        """The sound's format from now on."""
        if kind != self._output.kind:
            self._output = OutputFormat(kind)

    def create(self, config: Config, params: ResponseParams) -> tuple[Response, int]:
        """The response that the client asks for, and the number that its reply will have."""
        number = self.begun + self._unbegun + 1
        modalities = params.output_modalities
        self.current = Response(
            f"resp_{self._prefix}{number}",
            config,
            metadata=params.metadata,
            modalities=configs.modalities(modalities) if modalities else None,
            in_conversation=params.conversation != "none",
        )
        return self.current, number

    def begin(self, config: Config, generation: int) -> Response:
        """The response of this reply, for which nobody asked."""
        response_id = f"resp_{self._prefix}{generation}"
        self.current = Response(response_id, config, generation=generation)
        return self.current

    def close(self) -> Response | None:
        """The response in progress, which ends."""
        response, self.current = self.current, None
        return response

    def withdraw(self, response: Response) -> None:
        """The client cancels a response; its turn may not have ended yet."""
        if not response.generation:
            self._unbegun += 1

    def of(self, generation: int, config: Config) -> Response | None:
        """The response in progress, if it is this reply."""
        response = self.current or self._adopted(generation, config)
        return response if response is not None and response.generation == generation else None

    def _adopted(self, generation: int, config: Config) -> Response | None:
        """The response that was in progress when the connection before this one was lost."""
        if not self._resumed or generation != self._resumed:
            return None
        self._resumed = 0  # once
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
        kind = "output_text" if response.text_only else "output_audio"
        item_id = self._items.unused(f"item_{self._prefix}a{generation}")
        item = Item(item_id, "assistant", kind, "in_progress")
        previous = self._items.add(item) if response.in_conversation else None
        return [*created, *response.begin(item, previous, frame)]

    def sound(self, sound: ReplySound, config: Config) -> Effects:
        """Sound of a reply."""
        self.last_frame = sound.last_frame
        response = self.of(sound.generation, config)
        if response is None:
            return []
        return [*response.sound(self._output.from_pcm(sound.pcm), sound.frames, sound.last_frame)]
