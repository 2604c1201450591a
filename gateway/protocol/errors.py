"""The errors that end a client's connection, with their close codes.

CallError           the client gets an `error` message, then the socket closes
├── NoCapacity      there is no room now: the client may try again a while later
└── Refusal         the message counts for nothing, and the call goes on
"""

from enum import StrEnum
from typing import Final

from shared.errors import AntiphonError

# Must be larger than the 200 ms between two looks at the workers: a sooner retry learns nothing.
RETRY_AFTER_MS: Final = 2_000  # where nothing says how long it will take
MAX_REASON_BYTES: Final = 123  # of a close frame: RFC 6455, 5.5
NORMAL_CLOSE_CODE: Final = 1_000  # the client sent `end`
ABNORMAL_CLOSE_CODE: Final = 1_006  # the connection broke without a close frame
PROTOCOL_CLOSE_CODE: Final = 1_002  # bytes that are no WebSocket frames
INVALID_TEXT_CLOSE_CODE: Final = 1_007  # a text message that is not UTF-8
TOO_LARGE_CLOSE_CODE: Final = 1_009  # a message in fragments, or before `ready`, is too large
GOAWAY_CLOSE_CODE: Final = 1_012  # the gateway restarts: resume on another gateway


class ErrorCode(StrEnum):
    """The `code` of an `error` message, the WebSocket close code after it, and what both mean."""

    close_code: int
    meaning: str
    _value_: str

    def __new__(cls, code: str, close_code: int = 0, meaning: str = "") -> "ErrorCode":
        """One row of the table below."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.close_code = close_code
        member.meaning = meaning
        return member

    @property
    def resumable(self) -> bool:
        """Whether a session that had begun can be resumed after it."""
        return self not in _FINAL

    BAD_MESSAGE = "bad_message", 4400, "A message breaks the protocol."
    BAD_TOKEN = "bad_token", 4401, "The resume token does not belong to this session."
    UNAUTHORIZED = "unauthorized", 4403, "The gateway needs a valid, unused token in `start`."
    NOT_FOUND = "not_found", 4404, "The session does not exist or has ended."
    START_TIMEOUT = "start_timeout", 4408, "The client did not send `start` in time."
    REPLACED = "replaced", 4409, "A newer connection resumed this session."
    SESSION_LOST = "session_lost", 4410, "Redis no longer holds the session's log."
    TOO_LARGE = "too_large", 4413, "A message exceeds its size limit."
    POISONED = "poisoned", 4422, "The model failed repeatedly at this session; start a new one."
    TOO_FAST = "too_fast", 4429, "The client sends faster than the rate limits allow."
    TOO_SLOW = "too_slow", 4430, "The client reads slower than real time."
    INTERNAL = "internal", 4500, "The gateway or Redis failed; the session can be resumed."
    NO_CAPACITY = "no_capacity", 4503, "No gateway, worker or Redis memory is free for the call."
    UNSUPPORTED = "unsupported", 4415, "The engine takes no typed turns; the call goes on."


# After these no session is left that the client could resume.
_FINAL: Final = (
    *(ErrorCode.BAD_TOKEN, ErrorCode.UNAUTHORIZED, ErrorCode.NOT_FOUND, ErrorCode.START_TIMEOUT),
    *(ErrorCode.REPLACED, ErrorCode.SESSION_LOST, ErrorCode.POISONED),
)


class CallError(AntiphonError):
    """Ends the client's connection with an `error` message and a close code."""

    def __init__(self, code: ErrorCode, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after_ms = retry_after_ms

    @property
    def close_reason(self) -> str:
        """The message for the close frame, which has room for 123 bytes."""
        return str(self).encode()[:MAX_REASON_BYTES].decode(errors="ignore")


class NoCapacity(CallError):
    """There is no room for the call now; `retry_after_ms`: when there is likely to be some."""

    def __init__(self, message: str, retry_after_ms: int | None = None) -> None:
        super().__init__(ErrorCode.NO_CAPACITY, message, retry_after_ms or RETRY_AFTER_MS)


class Refusal(CallError):
    """The client gets an `error` message with `closes` false, and the call goes on."""
