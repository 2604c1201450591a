"""Takes a client's text messages: reads each as an event, and answers it or refuses it. Sans I/O.

Both of OpenAI's dialects do it in this way; each has its own events and its own `error` event.
"""

import re
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol, TypeVar, get_args

import msgspec

from gateway.realtime.effects import Effects
from gateway.realtime.errors import ParseError, RealtimeError, not_supported
from gateway.realtime.server_events import ServerEvent

_AT: Final = re.compile(r" - at `\$\.?(.*)`$")
_FIELD: Final = re.compile(r"field `([^`]*)`$")


class Request(Protocol):
    """A client's event."""

    @property
    def event_id(self) -> str | None:
        """The id that the client gave it."""


Asked = TypeVar("Asked", bound=Request)


def answer(
    text: str,
    *,
    parse: Callable[[str], Asked],
    handle: Callable[[Asked], Effects],
    refuse: Callable[[RealtimeError, str | None], ServerEvent],
) -> Effects:
    """What a text message leads to. `refuse` makes the error event for the event of this id."""
    try:
        event = parse(text)
    except ParseError as error:
        return [refuse(error, error.event_id)]
    try:
        return handle(event)
    except RealtimeError as error:
        return [refuse(error, event.event_id)]


def read_event(
    text: str, decoder: msgspec.json.Decoder[Asked], unsupported: Collection[str] = ()
) -> Asked:
    """Read a text message. Raises ParseError.

    `unsupported`: the types of events that only OpenAI's service has.
    """
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        kind, event_id = _head(text)
        if kind in unsupported:
            problem = not_supported(f"This server has no {kind!r}", "type")
        elif kind and kind not in (known := _types(decoder.type)):
            message = f"Invalid value: {kind!r:.80}. Supported values are: {_listed(known)}."
            problem = RealtimeError("invalid_value", message, "type")
        else:
            problem = invalid(str(error))
        raise ParseError(problem, event_id) from error
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        problem = RealtimeError("invalid_json", f"Expected a JSON object, got no JSON: {error}.")
        raise ParseError(problem, None) from error


def invalid(problem: str, *, within: str = "") -> RealtimeError:
    """msgspec's message as an error of ours: "Expected `str`, got `int` - at `$.item.id`".

    `within`: the path of what was read, if it is not a whole event.
    """
    message = _AT.sub("", problem)
    found, field = _AT.search(problem), _FIELD.search(message)
    path = (within, found.group(1) if found else "", field.group(1) if field else "")
    param = ".".join(filter(None, path)) or None
    if "unknown field" in message:
        return RealtimeError("unknown_parameter", f"Unknown parameter: '{param}'.", param)
    if "missing required field" in message:
        code = "missing_required_parameter"
        return RealtimeError(code, f"Missing required parameter: '{param}'.", param)
    return RealtimeError("invalid_value", f"{message} at '{param or 'the event'}'.", param)


def _types(events: Any) -> list[str]:
    """The types of all events in a union."""
    return [str(event.__struct_config__.tag) for event in get_args(events)]


def _listed(names: Collection[str]) -> str:
    return ", ".join(map(repr, names))


def _head(text: str) -> tuple[str, str | None]:
    """The type and the id of an event that is not valid; empty and None if they are no texts."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return "", None
    if not isinstance(found, dict):
        return "", None
    kind, event_id = found.get("type"), found.get("event_id")
    return kind if isinstance(kind, str) else "", event_id if isinstance(event_id, str) else None
