"""What Redis keeps of a Realtime session for the connection after a lost one. Sans I/O."""

from typing import Any, Final

import msgspec

from gateway.realtime.items import Item

# The oldest items go first: most sessions have 1 to 5 KB.
MAX_BYTES: Final = 32 * 1024


class SavedCaller(msgspec.Struct, kw_only=True):
    """The caller's side. Items of the conversation are named by their ids."""

    commits: int = 0
    open: Item | None = None
    open_n: int = 0
    started_ms: int = 0
    ended_ms: int = 0
    said: int = 0
    fresh_from: int = 0
    unheard: str | None = None
    committed: list[str] = []
    ended: list[str] = []


class SavedResponse(msgspec.Struct, kw_only=True):
    """A response; `closed`: its end was sent."""

    id: str
    generation: int
    closed: bool
    in_conversation: bool = True
    corrects_memory: bool = False
    modalities: list[str] | None = None
    metadata: dict[str, str] | None = None
    item: Item | None = None


class SavedReplies(msgspec.Struct, kw_only=True):
    """The replies of the log."""

    begun: int = 0
    unbegun: int = 0
    last_frame: int = 0
    last: SavedResponse | None = None


class SavedConversation(msgspec.Struct, kw_only=True):
    """The items in order; `typed`: the ids of those that wait for an answer."""

    items: list[Item] = []
    made: int = 0
    typed: list[str] = []
    typed_last: bool = False


class SavedSession(msgspec.Struct, kw_only=True):
    """A session. `position`: the last record of the log that it had read."""

    position: int
    config: dict[str, Any]
    conversation: SavedConversation
    caller: SavedCaller
    replies: SavedReplies
    played: int = 0
    briefed: bool = False
    item_begun: str = ""  # the event with which the last response's item began
    done: str = ""  # the event with which the last response ended


def encode(saved: SavedSession) -> bytes:
    """The session as Redis keeps it, with as many of the newest items as fit."""
    packed = msgspec.msgpack.encode(saved)
    items = saved.conversation.items
    while len(packed) > MAX_BYTES and items:
        del items[: 1 + len(items) // 8]
        packed = msgspec.msgpack.encode(saved)
    return packed


def decode(packed: bytes) -> SavedSession | None:
    """The session; None where nothing is there that this release can read."""
    try:
        return msgspec.msgpack.decode(packed, type=SavedSession) if packed else None
    except msgspec.MsgspecError:
        return None
