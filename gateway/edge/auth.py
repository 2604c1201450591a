"""Checks the token that permits a call: a JSON Web Token that the operator's own server signed.

The token comes in `start`, never in a URL, because logs and proxies keep URLs. It must be signed
with HS256, live for a minute at most, and it begins one call: Redis keeps its `jti` for as long as
it would be valid. Resuming a call needs none, since the resume token is its proof.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

import jwt

from gateway.protocol.errors import CallError, ErrorCode
from shared.log.registry import Registry

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "antiphon"  # a token for another service with the same secret is not valid here
MAX_LIFETIME_S: Final = 60
LEEWAY_S: Final = 5  # how far the signer's clock may be off
CLAIMS: Final = ("aud", "exp", "iat", "jti")
MAX_JTI: Final = 128  # characters


@dataclass(frozen=True, slots=True)
class Permit:
    """What a valid token holds."""

    jti: str
    expires_at: float  # seconds since the epoch

    @property
    def name(self) -> str:
        """The hash of the `jti`: a stranger's text must never become part of a Redis key."""
        return hashlib.sha256(self.jti.encode()).hexdigest()


class TokenVerifier:
    """Checks tokens against the secret, and that each begins one call only."""

    def __init__(self, secret: str, registry: Registry) -> None:
        self._secret = secret
        self._registry = registry

    def verify(self, token: str | None) -> Permit | None:
        """The token's permit; None if the gateway needs no tokens. Raises CallError."""
        return read(token, self._secret) if self._secret else None

    async def spend(self, permit: Permit | None) -> None:
        """Use the permit for a call. Raises CallError when it is used already; RedisError."""
        if permit is None:
            return
        left_s = int(permit.expires_at - time.time()) + LEEWAY_S + 1
        if not await self._registry.use_permit(permit.name, max(1, left_s)):
            raise _refusal("has begun a call already; get a new one for each")

    async def give_back(self, permit: Permit | None) -> None:
        """No call began, so the token is valid for another try. Raises RedisError."""
        if permit is not None:
            await self._registry.return_permit(permit.name)


def read(token: str | None, secret: str) -> Permit:
    """A token -> its permit. Raises CallError."""
    if token is None:
        raise _refusal("is missing: 'start' needs the field 'auth'")
    try:
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            leeway=LEEWAY_S,
            options={"require": list(CLAIMS)},
        )
    except (jwt.PyJWTError, ValueError) as error:
        raise _refusal(f"is not valid: {error}") from error
    issued, expires, jti = claims["iat"], claims["exp"], claims["jti"]
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise _refusal("needs whole seconds as 'iat' and 'exp'")
    if expires - issued > MAX_LIFETIME_S:
        raise _refusal(f"lives {expires - issued} s, expected at most {MAX_LIFETIME_S}")
    if not 1 <= len(jti) <= MAX_JTI:
        raise _refusal(f"has a 'jti' of {len(jti)} characters, expected 1 to {MAX_JTI}")
    return Permit(jti, expires)


def _refusal(problem: str) -> CallError:
    return CallError(ErrorCode.UNAUTHORIZED, f"The token {problem}")
