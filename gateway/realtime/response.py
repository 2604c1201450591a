"""One response and the events that open, fill and close it, in OpenAI's order."""

from typing import Any, Final

from gateway.realtime import server_events as out
from gateway.realtime.config import Config
from gateway.realtime.items import Item
from gateway.realtime.saved import SavedResponse

Events = list[out.ServerEvent]

TOKEN_MS_IN: Final = 100  # OpenAI counts the caller's sound by 100 ms and the assistant's by 50
TOKEN_MS_OUT: Final = 50
TURN_DETECTED: Final = "turn_detected"
STATUS_AFTER: Final = {  # the log's reason for a reply's end, as a status and its reason
    "length": ("incomplete", "max_output_tokens"),
    "cancelled": ("cancelled", TURN_DETECTED),
}


class Response:
    """`generation`: the reply's number in the log; 0 until its turn has ended."""

    def __init__(
        self,
        response_id: str,
        config: Config,
        *,
        generation: int = 0,
        metadata: dict[str, str] | None = None,
        modalities: list[str] | None = None,
        in_conversation: bool = True,
    ) -> None:
        self.id = response_id
        self.generation = generation
        self.in_conversation = in_conversation
        self.item: Item | None = None
        self.first_frame = 0
        self.corrects_memory = False  # it answers words that nobody said
        self.modalities = modalities or config["output_modalities"]
        self._config = config
        self._metadata = metadata

    @property
    def text_only(self) -> bool:
        """Whether the client wants no sound."""
        return self.modalities == ["text"]

    def created(self) -> out.ResponseCreated:
        """The event that announces it."""
        return out.ResponseCreated(response=self._wire("in_progress"))

    def saved(self, *, closed: bool) -> SavedResponse:
        """All of it but the configuration, for the next connection."""
        return SavedResponse(
            id=self.id,
            generation=self.generation,
            closed=closed,
            in_conversation=self.in_conversation,
            corrects_memory=self.corrects_memory,
            modalities=self.modalities,
            metadata=self._metadata,
            item=self.item,
        )

    @classmethod
    def restored(cls, saved: SavedResponse, config: Config) -> "Response":
        """The response that an earlier connection had."""
        response = cls(
            saved.id,
            config,
            generation=saved.generation,
            metadata=saved.metadata,
            modalities=saved.modalities,
            in_conversation=saved.in_conversation,
        )
        response.corrects_memory, response.item = saved.corrects_memory, saved.item
        response.first_frame = saved.item.first_frame if saved.item else 0
        return response

    def adopt(self, item_id: str) -> Item:
        """An earlier connection has sent its beginning: its item goes on."""
        kind = "output_text" if self.text_only else "output_audio"
        self.item = Item(item_id, "assistant", kind, "in_progress")
        return self.item

    def begin(self, item: Item, previous: str | None, first_frame: int) -> Events:
        """Its item begins with this frame."""
        self.item, self.first_frame = item, first_frame
        item.first_frame = first_frame
        events: Events = [
            out.OutputItemAdded(response_id=self.id, output_index=0, item=item.wire())
        ]
        if self.in_conversation:
            events.append(out.ItemAdded(previous_item_id=previous, item=item.wire()))
        part = {"type": "text", "text": ""} if self.text_only else self._part("")
        events.append(out.ContentPartAdded(**self._at(), part=part))
        return events

    def say(self, frame: int, words: str) -> Events:
        """Words of it, which begin with this frame of the call."""
        if self.item is None:
            return []
        self.item.say(max(0, frame - self.first_frame), words)
        if self.text_only:
            return [out.TextDelta(**self._at(), delta=words, frame=frame)]
        return [out.TranscriptDelta(**self._at(), delta=words)]

    def sound(self, data: bytes, frames: int, last_frame: int) -> Events:
        """Sound of it, in the client's format, up to this frame of the call."""
        if self.item is None:
            return []
        self.item.frames += frames
        return (
            []
            if self.text_only or not data
            else [out.AudioDelta(**self._at(), delta=data, frame=last_frame)]
        )

    def close(self, status: str, reason: str | None, previous: str | None) -> Events:
        """End it. `reason`: why it is cancelled or incomplete."""
        events: Events = []
        if self.item is not None:
            self.item.status = "completed" if status == "completed" else "incomplete"
            self.item.text = self.item.text or ""
            events = self._close_item(self.item, previous)
        details = {"type": status, "reason": reason} if reason else None
        usage = self._usage(self.item)
        return [*events, out.ResponseDone(response=self._wire(status, details, usage))]

    def _close_item(self, item: Item, previous: str | None) -> Events:
        text = item.text or ""
        events: Events
        if self.text_only:
            events = [out.TextDone(**self._at(), text=text)]
            part: dict[str, Any] = {"type": "text", "text": text}
        else:
            events = [
                out.AudioDone(**self._at()),
                out.TranscriptDone(**self._at(), transcript=text),
            ]
            part = self._part(text)
        events.append(out.ContentPartDone(**self._at(), part=part))
        events.append(out.OutputItemDone(response_id=self.id, output_index=0, item=item.wire()))
        if self.in_conversation:
            events.append(out.ItemDone(previous_item_id=previous, item=item.wire()))
        return events

    def _at(self) -> dict[str, Any]:
        return {"response_id": self.id, "item_id": self.item.id if self.item else ""}

    def _part(self, transcript: str) -> dict[str, Any]:
        return {"type": "audio", "transcript": transcript}

    def _wire(
        self,
        status: str,
        details: dict[str, Any] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        output = self._config["audio"]["output"]
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": status,
            "status_details": details,
            "output": [self.item.wire()] if self.item else [],
            "conversation_id": self._conversation_id(),
            "output_modalities": self.modalities,
            "max_output_tokens": self._config["max_output_tokens"],
            "audio": {"output": {"format": output["format"], "voice": output["voice"]}},
            "usage": usage,
            "metadata": self._metadata,
        }

    def _conversation_id(self) -> str | None:
        session_id = str(self._config["id"])
        return session_id.replace("sess_", "conv_") if self.in_conversation else None

    def _usage(self, item: Item | None) -> dict[str, Any]:
        """Audio by its length and text by its words, since the log counts no tokens."""
        audio = 0 if item is None or self.text_only else item.audio_ms // TOKEN_MS_OUT
        text = len((item.text or "").split()) if item else 0
        return {
            "total_tokens": audio + text,
            "input_tokens": 0,
            "output_tokens": audio + text,
            "input_token_details": {
                "cached_tokens": 0,
                "text_tokens": 0,
                "audio_tokens": 0,
                "image_tokens": 0,
                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {"text_tokens": text, "audio_tokens": audio},
        }
