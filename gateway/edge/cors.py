"""Which other pages' browsers may read HTTP answers (CORS)."""

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.edge.root_path import request_path

ANY: Final = ("*",)


class Cors:
    """Lets pages of the listed origins read /api and /v1 too.

    `any_may_ask`: /v1 needs a key, so a page of any origin that has one may read it. OpenAI's
    packages send headers of their own, so all headers are allowed there.
    """

    def __init__(self, app: ASGIApp, origins: Sequence[str], *, any_may_ask: bool) -> None:
        self.app = app
        openai = CORSMiddleware(
            app,
            allow_origins=ANY if any_may_ask else origins,
            allow_methods=["GET", "POST"],
            allow_headers=ANY,
        )
        api = CORSMiddleware(app, allow_origins=origins, allow_headers=["Authorization"])
        self.below = {"/api/": api, "/v1/": openai}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; below these paths with the headers that the browser asks for."""
        app = self.app
        if scope["type"] == "http":
            path = request_path(scope)
            app = next((cors for at, cors in self.below.items() if path.startswith(at)), app)
        await app(scope, receive, send)
