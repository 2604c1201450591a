"""Says why no WebSocket opened: no server, another kind of server, or a wrong path."""

import ssl
from typing import Final

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI

from client.failure import CallFailed

REASON_CHARACTERS: Final = 300  # of a server's refusal


def no_connection(url: str, error: Exception) -> CallFailed:
    """The error of `connect` as a sentence."""
    match error:
        case InvalidStatus():
            body = (error.response.body or b"").decode(errors="replace")
            said = " ".join(body.split())[:REASON_CHARACTERS] or error.response.reason_phrase
            got = f"HTTP {error.response.status_code} from a server that runs: {said}"
            return CallFailed(f"Expected calls at {url}, got {got}")
        case InvalidURI():
            return CallFailed(f"Expected an address like ws://127.0.0.1:8000/ws/stream, got {url}")
        case InvalidMessage() | ssl.SSLError():
            detail = error.__cause__ or error
            return CallFailed(
                f"Expected a WebSocket at {url}, got: {detail}; is it ws:// or wss://?"
            )
        case InvalidHandshake():
            return CallFailed(f"Expected a WebSocket at {url}, got: {error}")
        case TimeoutError():
            return CallFailed(f"Expected an answer from {url}, got none in time")
        case _:
            return CallFailed(
                f"Expected a server at {url}, got: {error}; start one with `make run`, "
                "or name it with --url"
            )
