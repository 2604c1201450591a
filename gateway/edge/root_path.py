"""The path under which a proxy offers the gateway, such as /antiphon.

It comes from GATEWAY_ROOT_PATH, or from the header X-Forwarded-Prefix of a trusted proxy. A proxy
may forward the whole path or remove the prefix. Either way the routes see the path without it, and
the scope's `root_path` holds it.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address, ip_network
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.setting_types import ROOT_PATH

PREFIX: Final = b"x-forwarded-prefix"


class RootPath:
    """Puts the root path into each request's scope.

    It must run before any middleware that replaces the proxy's address by the client's.
    """

    def __init__(self, app: ASGIApp, root_path: str, proxies: Sequence[str]) -> None:
        self._app = app
        self._root_path = root_path
        self._proxies = [ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "lifespan" and (root := self._root(scope)):
            scope = {**scope, "root_path": root, "path": _whole(scope["path"], root)}
        await self._app(scope, receive, send)

    def _root(self, scope: Scope) -> str:
        parts = [value for name, value in scope["headers"] if name == PREFIX]
        if parts and self._trusts(scope):
            # Each proxy of a chain adds its own prefix.
            written = "".join(
                p.strip().rstrip("/") for p in b",".join(parts).decode("latin-1").split(",")
            )
            if written and re.fullmatch(ROOT_PATH, written):
                return written
        return self._root_path

    def _trusts(self, scope: Scope) -> bool:
        try:
            address = ip_address((scope.get("client") or ("",))[0])
        except ValueError:  # a Unix socket has none
            return False
        return any(address in network for network in self._proxies)


def _whole(path: str, root: str) -> str:
    """The path with its root, whether or not the proxy took it away."""
    if path == root:
        return f"{root}/"
    return path if path.startswith(f"{root}/") else root + path


def request_path(scope: Scope) -> str:
    """The request's path without the root path."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def redirect(target: str) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that redirects to another path of this gateway. It keeps the query.

    Without a known root path the target is relative. So it also works below a prefix that a proxy
    removed without naming it. This needs redirecting paths of one segment.
    """

    async def answer(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse((f"{root}/" if root else "") + target + query)

    return answer
