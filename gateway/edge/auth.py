"""Who may begin a call: a JSON Web Token that the operator's own server has signed for it.

The token comes in `start`, never in a URL, which logs and proxies keep. It is signed with HS256 and
nothing else, lives for a minute at most, and begins one call: its `jti` is noted in Redis for as
long as it would be valid. Going on with a call needs none: the resume token is its proof.
"""

import hashlib
import time
from dataclasses import dataclass
from typing import Final

import jwt

from gateway.protocol.errors import CallError, ErrorCode
from shared.log.registry import Registry

ALGORITHM: Final = "HS256"
AUDIENCE: Final = "antiphon"  # a token for another service with the same secret opens nothing
LIFETIME_S: Final = 60
LEEWAY_S: Final = 5  # what the signer's clock may be off
CLAIMS: Final = ("aud", "exp", "iat", "jti")
MAX_JTI: Final = 128  # characters


@dataclass(frozen=True, slots=True)
class Permit:
    """What a good token says."""

    jti: str
    expires_at: float  # seconds since the epoch

    @property
    def name(self) -> str:
        """Hashed, so that what a stranger wrote never becomes part of a key."""
        return hashlib.sha256(self.jti.encode()).hexdigest()


class Guard:
    """Checks tokens against the secret, and that each is used once."""

    def __init__(self, secret: str, registry: Registry) -> None:
        self.secret = secret
        self.registry = registry

    def read(self, token: str | None) -> Permit | None:
        """What the token permits; None where none is asked for. Raises CallError: unauthorized."""
        return read(token, self.secret) if self.secret else None

    async def spend(self, permit: Permit | None) -> None:
        """Let this one call begin. Raises CallError: unauthorized; RedisError."""
        if permit is None:
            return
        left_s = int(permit.expires_at - time.time()) + LEEWAY_S + 1
        if not await self.registry.use_permit(permit.name, max(1, left_s)):
            raise _refusal("has begun a call already; get a new one for each")

    async def give_back(self, permit: Permit | None) -> None:
        """No call began: its token is good for the next try. Raises RedisError."""
        if permit is not None:
            await self.registry.return_permit(permit.name)


def read(token: str | None, secret: str) -> Permit:
    """A token -> what it permits. Raises CallError: unauthorized."""
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
        raise _refusal(f"is not good: {error}") from error
    issued, expires, jti = claims["iat"], claims["exp"], claims["jti"]
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise _refusal("needs whole seconds as 'iat' and 'exp'")
    if expires - issued > LIFETIME_S:
        raise _refusal(f"lives {expires - issued} s, expected at most {LIFETIME_S}")
    if not 1 <= len(jti) <= MAX_JTI:
        raise _refusal(f"has a 'jti' of {len(jti)} characters, expected 1 to {MAX_JTI}")
    return Permit(jti, expires)


def _refusal(what: str) -> CallError:
    return CallError(ErrorCode.UNAUTHORIZED, f"The token {what}")
