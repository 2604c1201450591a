"""The conversation's items as a Realtime client sees them, and what the model is to remember."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgpack

from shared.audio import FRAME_MS
from shared.log.records import MAX_HISTORY_BYTES

MAX_ITEMS: Final = 400  # the oldest go; the model has long forgotten them
ROOT: Final = "root"

Role = Literal["user", "assistant", "system"]


@dataclass(slots=True)
class Item:
    """One message. `kind`: the type of its content part."""

    id: str
    role: Role
    kind: str
    status: str = "completed"
    text: str | None = None  # None: the transcript is not there
    frames: int = 0  # of its sound, as far as it was sent
    first_frame: int = 0  # of its sound in the call; 0: none
    words: list[tuple[int, str]] = field(default_factory=list)  # and the frame of each, from 0

    def wire(self) -> dict[str, Any]:
        """The item as events show it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
        }
        return {**shown, "content": self._content()}

    def _content(self) -> list[dict[str, Any]]:
        if self.role == "assistant" and self.status == "in_progress":
            return []
        name = "transcript" if self.kind.endswith("audio") else "text"
        return [{"type": self.kind, name: self.text}]

    @property
    def audio_ms(self) -> int:
        """How much of its sound was sent."""
        return self.frames * FRAME_MS

    def say(self, frame: int, words: str) -> None:
        """Words that begin with this frame, counted from its first."""
        self.words.append((frame, words))
        self.text = (self.text or "") + words

    def frame_at(self, audio_end_ms: float) -> int:
        """The call's last frame that has ended at this time of the item."""
        frames = max(0, min(int(audio_end_ms) // FRAME_MS, self.frames))
        return self.first_frame + frames - 1

    def return_to(self, frame: int) -> None:
        """Keep what the client has; this is the call's last frame there."""
        if self.first_frame:
            at = frame - self.first_frame
            self.words = [(begins, words) for begins, words in self.words if begins <= at]
            self.text = "".join(words for _, words in self.words) or None
            self.frames = max(0, at + 1)

    def truncate(self, audio_end_ms: int) -> bool:
        """Keep the words that begin before this time; whether any go."""
        kept = [(at, words) for at, words in self.words if at * FRAME_MS < audio_end_ms]
        self.frames = min(self.frames, audio_end_ms // FRAME_MS)
        if not self.words or len(kept) == len(self.words):
            return False
        self.words, self.text = kept, "".join(words for _, words in kept)
        return True


class Items:
    """The conversation, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    def __len__(self) -> int:
        return len(self._items)

    @property
    def last_id(self) -> str | None:
        """The id of the newest item."""
        return self._items[-1].id if self._items else None

    @property
    def last_said(self) -> Item | None:
        """The newest item of the assistant that has sound."""
        said = [item for item in self._items if item.first_frame]
        return max(said, key=lambda item: item.first_frame, default=None)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def find(self, item_id: str) -> Item | None:
        """The item of this id."""
        return next((item for item in self._items if item.id == item_id), None)

    def unused(self, item_id: str) -> str:
        """This id, or one that begins with it where an item has it: clients may choose any."""
        found, tries = item_id, 1
        while self.find(found) is not None:
            tries += 1
            found = f"{item_id}x{tries}"
        return found

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Add an item, at the end if `after` is None or unknown; the id of the one before it."""
        at = 0 if after == ROOT else len(self._items)
        for index, other in enumerate(self._items):
            if other.id == after:
                at = index + 1
        self._items.insert(at, item)
        previous = self._items[at - 1].id if at else None
        if len(self._items) > MAX_ITEMS:
            self._items.remove(next(i for i in self._items if i is not item))
        return previous

    def previous_of(self, item: Item) -> str | None:
        """The id of the item before this one."""
        at = self._items.index(item) if item in self._items else 0
        return self._items[at - 1].id if at else None

    def remove(self, item: Item) -> None:
        """Remove an item."""
        self._items.remove(item)

    def folded(self, without: Collection[Item] = ()) -> bytes:
        """All turns as a `History` record has them: pairs of the caller's and our words."""
        turns: list[list[str]] = []
        for item in self._items:
            text = (item.text or "").strip()
            if not text or item.role == "system" or item in without:
                continue
            if item.role == "assistant":
                if not turns or turns[-1][1]:
                    turns.append(["", ""])
                turns[-1][1] = text
            elif turns and not turns[-1][1]:
                turns[-1][0] = f"{turns[-1][0]} {text}".strip()
            else:
                turns.append([text, ""])
        packed = bytes(msgpack.packb(turns))
        while len(packed) > MAX_HISTORY_BYTES:
            turns = turns[1:]
            packed = bytes(msgpack.packb(turns))
        return packed

    def system_text(self) -> str:
        """The words of all system items."""
        return "\n".join(i.text for i in self._items if i.role == "system" and i.text)
