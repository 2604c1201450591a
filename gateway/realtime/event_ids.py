"""The ids of a session's events, and whether a client has the last one of a response. Sans I/O."""

from itertools import count
from typing import Final

from gateway.realtime.effects import Effects
from gateway.realtime.server_events import ContentPartAdded, ResponseDone, ServerEvent

MAX_ID: Final = 64  # characters of an id that a client names


class EventIds:
    """`prefix`: of the session. `connection`: counts its sockets, so that no id comes twice."""

    def __init__(self, prefix: str, connection: int) -> None:
        self._ids = (f"event_{prefix}-{connection}-{n}" for n in count(1))
        self.begun = ""  # the event with which the last response's item began
        self.done = ""  # the event with which the last response ended

    def give(self, effects: Effects) -> Effects:
        """Give each event its id."""
        for effect in effects:
            if isinstance(effect, ServerEvent):
                effect.event_id = next(self._ids)
            if isinstance(effect, ContentPartAdded):
                self.begun = effect.event_id
            elif isinstance(effect, ResponseDone):
                self.done = effect.event_id
        return effects

    def restore(self, begun: str, done: str, last: str) -> tuple[bool, bool]:
        """Go on after an earlier connection's `begun` and `done`.

        Whether a client that has seen the event `last` has seen each of them.
        """
        self.begun, self.done = begun, done
        return _precedes(begun, last), _precedes(done, last)


def _precedes(event_id: str, last: str) -> bool:
    return bool(event_id) and _place(last) >= _place(event_id)


def _place(event_id: str) -> tuple[int, ...]:
    """An event's place in its session: its connection and its number there."""
    numbers = event_id[:MAX_ID].split("-")[1:]
    return tuple(int(n) for n in numbers if n.isascii() and n.isdecimal())
