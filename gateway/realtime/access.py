"""Who may open a Realtime session: API keys, client secrets, or the tokens of `start`."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.edge.auth import TokenVerifier
from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime.keys import ApiKeys, hash_of
from shared.log.registry import Registry

SUBPROTOCOL: Final = "realtime"
KEY_SUBPROTOCOL: Final = "openai-insecure-api-key."
EPHEMERAL: Final = "ek_"  # how OpenAI's client secrets begin
LIFETIME_S: Final = 600
LIFETIMES_S: Final = (10, 7_200)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a valid key permits; `session`: the configuration that its client secret holds."""

    session: Mapping[str, Any] = field(default_factory=dict)


def key_of(authorization: str | None, subprotocols: Iterable[str] = ()) -> str | None:
    """The client's key, from its header or, in browsers, from a subprotocol."""
    scheme, _, key = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and key.strip():
        return key.strip()
    for name in subprotocols:
        if name.startswith(KEY_SUBPROTOCOL):
            return name.removeprefix(KEY_SUBPROTOCOL)
    return None


class RealtimeAccess:
    """Checks keys, and makes client secrets, which Redis keeps by their hashes."""

    def __init__(
        self, keys: ApiKeys, tokens: TokenVerifier, registry: Registry, *, needs_token: bool
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._registry = registry
        self._needs_token = needs_token  # calls need a token, so a client without a key needs one

    @property
    def needs_key(self) -> bool:
        """Whether a client must show a key."""
        return bool(self._keys) or self._needs_token

    async def check(self, key: str | None) -> Grant:
        """What the key permits. Raises CallError, RedisError."""
        if key is not None and key.startswith(EPHEMERAL):
            body = await self._registry.client_secret(hash_of(key))
            if body is not None:
                return Grant(json.loads(body))
            if self.needs_key:
                raise _refusal("The client secret is not valid or has expired.")
        if not self.needs_key or self._known(key):
            return Grant()
        if self._needs_token:
            await self._tokens.spend(self._tokens.verify(key))
            return Grant()
        raise _refusal(
            "Incorrect API key provided."
            if key
            else "You didn't provide an API key: send it as 'Authorization: Bearer KEY'."
        )

    def may_make_secrets(self, key: str | None) -> bool:
        """Whether this key may make client secrets; a client secret may not."""
        return not self.needs_key or self._known(key)

    async def make_secret(self, session: Mapping[str, Any], lifetime_s: int) -> tuple[str, int]:
        """A new client secret and when it expires, in seconds since the epoch. RedisError."""
        value = EPHEMERAL + secrets.token_urlsafe(32)
        await self._registry.keep_client_secret(
            hash_of(value), json.dumps(dict(session)), lifetime_s
        )
        return value, int(time.time()) + lifetime_s

    def _known(self, key: str | None) -> bool:
        return key is not None and self._keys.name_of(key) is not None


def _refusal(message: str) -> CallError:
    return CallError(ErrorCode.UNAUTHORIZED, message)
