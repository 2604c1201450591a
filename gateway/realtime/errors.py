"""The errors that a Realtime client gets as `error` events; most leave its session as it is."""

from typing import Final, NamedTuple

from gateway.protocol.errors import ErrorCode
from shared.errors import AntiphonError

INVALID_REQUEST: Final = "invalid_request_error"
SERVER_ERROR: Final = "server_error"


class RealtimeError(AntiphonError):
    """One event of the client is refused, with OpenAI's code where there is one."""

    def __init__(
        self, code: str, message: str, param: str | None = None, *, kind: str = INVALID_REQUEST
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.kind = kind


class ParseError(RealtimeError):
    """A text is no client event; `event_id`: the id that it gives, if it can be read."""

    def __init__(self, error: RealtimeError, event_id: str | None) -> None:
        super().__init__(error.code, str(error), error.param)
        self.event_id = event_id


def not_supported(what: str, param: str | None) -> RealtimeError:
    """What a client gets for what only OpenAI's service has."""
    return RealtimeError("not_supported", f"{what}.", param)


def nothing_to_answer() -> RealtimeError:
    """What a client gets for `response.create` without a turn, where the engine reads no text."""
    said = "Expected a committed turn to answer, got none: commit audio first."
    return RealtimeError("nothing_to_answer", said)


def reads_no_text() -> RealtimeError:
    """What a client gets for typed items where the engine reads none."""
    said = "This engine hears speech and reads no text."
    return RealtimeError("text_not_supported", said, "item.content")


def turn_lost() -> RealtimeError:
    """What a client gets whose gateway died with a part of the turn that it was to answer."""
    said = "The gateway died before it had stored the turn: say it again."
    return RealtimeError("turn_lost", said, kind=SERVER_ERROR)


class Ending(NamedTuple):
    """How a session that ends with an error looks to a Realtime client."""

    code: str
    kind: str
    close_code: int


# The close codes are those that OpenAI's clients know: they reconnect after 1011 to 1013.
_ENDINGS: Final = {
    ErrorCode.BAD_MESSAGE: Ending("invalid_value", INVALID_REQUEST, 1008),
    ErrorCode.BAD_TOKEN: Ending("invalid_resume_token", INVALID_REQUEST, 3000),
    ErrorCode.UNAUTHORIZED: Ending("invalid_api_key", INVALID_REQUEST, 3000),
    ErrorCode.NOT_FOUND: Ending("session_not_found", INVALID_REQUEST, 3000),
    ErrorCode.REPLACED: Ending("session_replaced", INVALID_REQUEST, 3000),
    ErrorCode.START_TIMEOUT: Ending("session_start_timeout", INVALID_REQUEST, 1008),
    ErrorCode.SESSION_LOST: Ending("session_lost", SERVER_ERROR, 1011),
    ErrorCode.TOO_LARGE: Ending("message_too_large", INVALID_REQUEST, 1009),
    ErrorCode.POISONED: Ending("session_failed", SERVER_ERROR, 1011),
    ErrorCode.TOO_FAST: Ending("rate_limit_exceeded", INVALID_REQUEST, 1008),
    ErrorCode.TOO_SLOW: Ending("client_too_slow", INVALID_REQUEST, 1008),
    ErrorCode.INTERNAL: Ending("internal_error", SERVER_ERROR, 1011),
    ErrorCode.NO_CAPACITY: Ending("no_capacity", SERVER_ERROR, 1013),
}
_FALLBACK: Final = Ending("internal_error", SERVER_ERROR, 1011)


def ending_of(code: ErrorCode) -> Ending:
    """How a session ends with this error."""
    return _ENDINGS.get(code, _FALLBACK)
