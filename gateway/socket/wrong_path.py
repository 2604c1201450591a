"""Answers a WebSocket at a path that has none, and plain HTTP at a path that has one."""

from collections.abc import Iterable, Sequence

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket


def wrong_path_routes(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """What answers after these routes when a client has chosen the wrong path or protocol."""
    paths = [route.path for route in routes if isinstance(route, WebSocketRoute)]
    upgrades = [Route(path, _upgrade_required) for path in paths]

    async def refuse(websocket: WebSocket) -> None:
        await websocket.send_denial_response(
            PlainTextResponse(_where_calls_are(paths, websocket), 404)
        )

    return [*upgrades, WebSocketRoute("/{path:path}", refuse)]


async def _upgrade_required(_: Request) -> Response:
    answer = "Expected a WebSocket at this path, got a plain HTTP request\n"
    return PlainTextResponse(answer, 426, {"Upgrade": "websocket"})


def _where_calls_are(paths: Sequence[str], websocket: WebSocket) -> str:
    root = websocket.scope.get("root_path", "")
    named = " or ".join(root + path for path in paths)
    return f"Expected a WebSocket at {named}, got another path\n"
