"""The conversation as a Realtime client may change it: create, truncate, retrieve, delete."""

from collections.abc import Collection, Iterable
from typing import Final, get_args

from gateway.realtime import server_events as out
from gateway.realtime.client_events import NewItem, TruncateItem
from gateway.realtime.effects import Effects
from gateway.realtime.errors import RealtimeError
from gateway.realtime.items import Item, Items, Role
from gateway.realtime.saved import SavedConversation

# What the engine answers where the client asks for a response and nobody has said anything.
GREETING: Final = "Hello."
GO_ON: Final = "Please go on."


class Conversation(Items):
    """`prefix`: of the ids of items for which the client gives none."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self._prefix = prefix
        self._made = 0
        self._typed: list[Item] = []  # of the caller, not answered yet
        self.typed_last = False  # the last `take_typed` had words

    def saved(self) -> SavedConversation:
        """All of it, for the next connection."""
        return SavedConversation(
            items=list(self),
            made=self._made,
            typed=[item.id for item in self._typed],
            typed_last=self.typed_last,
        )

    def restore(self, saved: SavedConversation) -> None:
        """Go on from there."""
        self._items, self._made = saved.items, saved.made
        self._typed, self.typed_last = self.named(saved.typed), saved.typed_last

    def named(self, ids: Iterable[str]) -> list[Item]:
        """The items of these ids, as far as they are there."""
        return [item for item_id in ids if (item := self.find(item_id)) is not None]

    def create(self, new: NewItem, after: str | None) -> tuple[Item, Effects]:
        """Add the client's item; the item and the events. Raises RealtimeError."""
        if new.type != "message":
            raise RealtimeError(
                "invalid_value",
                f"Invalid value: {new.type!r:.40}. Supported values are: 'message'.",
                "item.type",
            )
        if new.id is not None and self.find(new.id) is not None:
            raise RealtimeError(
                "item_create_duplicate_item_id",
                f"Error adding item: an item with id {new.id!r:.80} already exists.",
                "item.id",
            )
        item = self._item_of(new)
        previous = self.add(item, after)
        if item.role == "user":
            self._typed.append(item)
        elif item.role == "assistant":
            self._typed.clear()  # it is the answer
        wire = item.wire()
        added = out.ItemAdded(previous_item_id=previous, item=wire)
        return item, [added, out.ItemDone(previous_item_id=previous, item=wire)]

    @property
    def prompt(self) -> str:
        """What the engine answers where the caller has said nothing."""
        return GO_ON if len(self) else GREETING

    def take_typed(self) -> str:
        """The caller's words that wait for an answer; they wait no more."""
        text = " ".join(item.text for item in self._typed if item.text)
        self._typed.clear()
        self.typed_last = bool(text)
        return text

    def folded(self, without: Collection[Item] = ()) -> bytes:
        """See `Items.folded`, without the words that wait for an answer."""
        return super().folded([*without, *self._typed])

    def retrieve(self, item_id: str) -> Effects:
        """Show an item. Raises RealtimeError."""
        return [out.ItemRetrieved(item=self._known(item_id, "retrieve").wire())]

    def truncate(self, event: TruncateItem) -> tuple[Item | None, Effects]:
        """Cut an item; the item if words of it go, and the events. Raises RealtimeError.

        A time after its end counts as its end: clients count what they were still to play.
        """
        item = self._known(event.item_id, "truncate")
        if item.role != "assistant":
            raise RealtimeError(
                "invalid_value", "Only items of the assistant can be truncated.", "item_id"
            )
        end_ms = max(0, min(int(event.audio_end_ms), item.audio_ms))
        shortened = item.truncate(end_ms)
        done = out.ItemTruncated(
            item_id=item.id, content_index=event.content_index, audio_end_ms=end_ms
        )
        return (item if shortened else None), [done]

    def played(self, item_id: str) -> Item:
        """The item of the assistant that is being played. Raises RealtimeError."""
        item = self._known(item_id, "playhead")
        if item.role != "assistant":
            raise RealtimeError(
                "invalid_value", "Only the assistant's items are played.", "item_id"
            )
        return item

    def delete(self, item_id: str) -> tuple[Item, Effects]:
        """Remove an item; the item and the events. Raises RealtimeError."""
        item = self._known(item_id, "delete")
        self.remove(item)
        self._typed = [other for other in self._typed if other is not item]
        return item, [out.ItemDeleted(item_id=item_id)]

    def _item_of(self, new: NewItem) -> Item:
        for role in get_args(Role):
            if new.role == role and new.content:
                self._made += 1
                kind = "output_text" if role == "assistant" else "input_text"
                item_id = new.id or self.unused(f"{self._prefix}t{self._made}")
                return Item(item_id, role, kind, text="\n".join(new.texts))
        raise RealtimeError(
            "invalid_value",
            "Expected an item with content and the role user, assistant or system, got "
            f"{new.role!r:.40} and {len(new.content)} parts.",
            "item.role",
        )

    def _known(self, item_id: str, verb: str) -> Item:
        item = self.find(item_id)
        if item is None:
            raise RealtimeError(
                f"item_{verb}_invalid_item_id",
                f"Error with item: no item with id {item_id!r:.80} exists.",
                "item_id",
            )
        return item
