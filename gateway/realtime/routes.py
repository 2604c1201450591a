"""The HTTP routes of OpenAI's Realtime API: client secrets and models."""

from typing import Any, Final

import msgspec
from redis.exceptions import RedisError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.access import LIFETIME_S, LIFETIMES_S, RealtimeAccess, key_of
from gateway.realtime.config import DEFAULT_MODEL, asks_for_tools, initial, merged
from gateway.realtime.errors import INVALID_REQUEST, SERVER_ERROR, RealtimeError, ending_of

MAX_BODY_BYTES: Final = 64 * 1024
MODEL: Final = {"id": DEFAULT_MODEL, "object": "model", "created": 0, "owned_by": "antiphon"}


class ExpiresAfter(msgspec.Struct, frozen=True):
    """How long a client secret opens sessions."""

    anchor: str = "created_at"
    seconds: int = LIFETIME_S


class SecretRequest(msgspec.Struct, frozen=True):
    """The body of a request for a client secret."""

    expires_after: ExpiresAfter | None = None
    session: dict[str, Any] | None = None


class RealtimeRoutes:
    """Answers that need the API key, if the gateway has one."""

    def __init__(self, access: RealtimeAccess) -> None:
        self._access = access

    def routes(self) -> list[BaseRoute]:
        """All routes."""
        secrets = "/v1/realtime/client_secrets"
        return [
            Route(secrets, self.make_secret, methods=["POST"]),
            Route("/v1/models", self.models),
            Route("/v1/models/{name:path}", self.model),
            Route("/v1/realtime/{other:path}", self.unsupported, methods=["GET", "POST"]),
            Route("/v1/live/{other:path}", self.unsupported, methods=["GET", "POST"]),
        ]

    async def make_secret(self, request: Request) -> Response:
        """A key that a browser may have: it opens sessions of this configuration for a while."""
        if not self._access.may_make_secrets(key_of(request.headers.get("authorization"))):
            return _unauthorized()
        try:
            session, seconds = await _secret_request(request)
            effective = merged(initial("", str(session.get("model") or "")), session)
        except RealtimeError as error:
            return _error(400, error.code, str(error), error.param)
        try:
            value, expires_at = await self._access.make_secret(session, seconds)
        except (RedisError, OSError):
            return _error(503, "internal_error", "Redis does not answer; try again later.")
        effective = {**effective, "id": "sess_pending", "expires_at": expires_at}
        return JSONResponse({"value": value, "expires_at": expires_at, "session": effective})

    async def models(self, request: Request) -> Response:
        """The one model; a session takes any other name for it too."""
        if refusal := await self._refusal(request):
            return refusal
        return JSONResponse({"object": "list", "data": [MODEL]})

    async def model(self, request: Request) -> Response:
        """One model by its name."""
        if refusal := await self._refusal(request):
            return refusal
        name = request.path_params["name"]
        if name != DEFAULT_MODEL:
            return _error(
                404, "model_not_found", f"The model {name!r:.80} does not exist.", "model"
            )
        return JSONResponse(MODEL)

    async def unsupported(self, request: Request) -> Response:
        """What OpenAI's service also has, such as WebRTC (`calls`) and translations."""
        return _error(
            404,
            "not_supported",
            f"This server has no {request.url.path}: open a WebSocket at /v1/realtime, or at "
            "/v1/live/sessions.",
        )

    async def _refusal(self, request: Request) -> Response | None:
        try:
            await self._access.check(key_of(request.headers.get("authorization")))
        except CallError:
            return _unauthorized()
        return None


async def _secret_request(request: Request) -> tuple[dict[str, Any], int]:
    """The session's configuration and the secret's lifetime. Raises RealtimeError."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            raise RealtimeError("invalid_value", f"Expected at most {MAX_BODY_BYTES} bytes.")
    try:
        wanted = msgspec.json.decode(body or b"{}", type=SecretRequest)
    except msgspec.MsgspecError as error:
        raise RealtimeError("invalid_value", f"Invalid body: {error}.") from error
    seconds = (wanted.expires_after or ExpiresAfter()).seconds
    if not LIFETIMES_S[0] <= seconds <= LIFETIMES_S[1]:
        raise RealtimeError(
            "invalid_value",
            f"Expected {LIFETIMES_S[0]} to {LIFETIMES_S[1]} seconds, got {seconds}.",
            "expires_after.seconds",
        )
    session = dict(wanted.session or {})
    if asks_for_tools(session):
        del session["tools"]
    return session, seconds


def _unauthorized() -> Response:
    ending = ending_of(ErrorCode.UNAUTHORIZED)
    return _error(401, ending.code, "Incorrect API key provided.")


def _error(status: int, code: str, message: str, param: str | None = None) -> Response:
    kind = INVALID_REQUEST if status < 500 else SERVER_ERROR
    error = {"message": message, "type": kind, "param": param, "code": code}
    return JSONResponse({"error": error}, status)
