"""Reads a client's first message, its `start`, and makes the answer `ready`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.call.opening import OpenedSession
from gateway.protocol.client_messages import SUBPROTOCOL, Resume, Start, parse, start_of_query
from gateway.protocol.errors import CallError, ErrorCode
from gateway.protocol.server_messages import Ready

START_WITHIN_S: Final = 3.0


@asynccontextmanager
async def start_deadline() -> AsyncIterator[None]:
    """Limit the time in which a client must say how its call begins. Raises CallError."""
    try:
        async with asyncio.timeout(START_WITHIN_S):
            yield
    except TimeoutError as error:
        raise CallError(
            ErrorCode.START_TIMEOUT, f"Expected 'start' within {START_WITHIN_S:g} s"
        ) from error


async def first_message(websocket: WebSocket) -> Start | Resume:
    """The first message of an antiphon.v1 client. Raises CallError, WebSocketDisconnect."""
    async with start_deadline():
        data = await receive(websocket)
    first = parse(data) if isinstance(data, str) else None
    if not isinstance(first, Start | Resume):
        raise CallError(ErrorCode.BAD_MESSAGE, "Expected 'start' as the first message")
    return first


def plain_start(websocket: WebSocket) -> Start:
    """The `start` of a client without our subprotocol. Raises CallError if it asks for others."""
    if asked := websocket.scope["subprotocols"]:
        raise CallError(
            ErrorCode.BAD_MESSAGE,
            f"Expected the subprotocol {SUBPROTOCOL}, or none for audio alone, got {asked!r:.60}",
        )
    return start_of_query(websocket.query_params)


def ready_message(opened: OpenedSession) -> Ready:
    """The answer to `start`."""
    session = opened.session
    return Ready(
        session=session.sid,
        token=opened.token,
        outcome=opened.outcome.value,
        mode=opened.mode,
        codec=session.audio_format.codec,
        sample_rate=session.audio_format.rate_hz,
        frame_samples=session.audio_format.frame_samples,
        next_sample=session.next_sample,
        next_frame=session.next_frame,
        text=session.takes_text,
    )


async def receive(websocket: WebSocket) -> bytes | str:
    """The next message. Raises WebSocketDisconnect."""
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005), event.get("reason"))
    data: bytes | str | None = event.get("bytes")
    return event["text"] if data is None else data
