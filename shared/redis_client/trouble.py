"""Explains in one sentence why Redis cannot be used. Sans I/O.

It distinguishes redis-py's errors by their texts, because one class covers many causes. No sentence
holds an address or a secret, since /ready shows it to everyone.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FIRST_PAUSE_S: Final = 0.1
MAX_PAUSE_S: Final = 0.5
MAX_LASTING_PAUSE_S: Final = 5.0
PATIENCE_S: Final = 2.0  # a Redis that starts or fails over answers sooner


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why Redis cannot be used. `lasting`: until someone changes a setting."""

    cause: str
    lasting: bool = False


REFUSED: Final = Trouble("nothing listens at its host and port")
LOADING: Final = Trouble("Redis still loads its data")
FULL: Final = Trouble("Redis is full (maxmemory)")
_UNKNOWN: Final = Trouble("Redis does not answer")
_CERTIFICATE: Final = re.compile(r"certificate verify failed: ([\w ,-]+)")
_KNOWN: Final = (
    (
        r"Authentication required|NOAUTH",
        Trouble(
            "Redis wants a password, and REDIS_URL has none: "
            "set REDIS_URL=redis://:PASSWORD@HOST:PORT/0",
            lasting=True,
        ),
    ),
    (
        r"without any password configured",
        Trouble("Redis has no password, and REDIS_URL has one: leave it out", lasting=True),
    ),
    (
        r"invalid username-password|invalid password|WRONGPASS",
        Trouble("Redis refuses the user or the password in REDIS_URL", lasting=True),
    ),
    (
        r"DB index is out of range|invalid DB index",
        Trouble(
            "Redis has no database of the number in REDIS_URL: by default it has 0 to 15",
            lasting=True,
        ),
    ),
    (
        r"certificate verify failed: .*(mismatch|not valid for)",
        Trouble("the certificate of Redis is not for the host in REDIS_URL", lasting=True),
    ),
    (
        r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE|record layer failure",
        Trouble("Redis does not speak TLS: write redis:// in REDIS_URL", lasting=True),
    ),
    (
        r"Cluster mode is not enabled|cluster support disabled",
        Trouble("Redis is no Cluster: write redis:// in REDIS_URL", lasting=True),
    ),
    (
        r"NOPERM|no permissions",
        Trouble(
            "the access rules (ACL) of Redis forbid a command that we need: give its user the "
            "rules of deploy/redis/users.acl",
            lasting=True,
        ),
    ),
    (
        r"as reply type byte|Protocol error",
        Trouble("what answers at its host and port is not Redis", lasting=True),
    ),
    (
        r"unknown command .SENTINEL",
        Trouble("what answers is Redis and no sentinel: write redis:// in REDIS_URL", lasting=True),
    ),
    (r"No master found", Trouble("no sentinel answers that knows the service in REDIS_URL")),
    (
        r"Name or service not known|name resolution|nodename nor servname|No address associated",
        Trouble("the host name in REDIS_URL has no address"),
    ),
    (r"No such file or directory", Trouble("there is no socket at the path in REDIS_URL")),
    (
        r"Expected maxmemory-policy noeviction",
        Trouble(
            "Redis would drop calls under memory pressure: set `maxmemory-policy noeviction` in it",
            lasting=True,
        ),
    ),
    (
        r"OOM|used memory > 'maxmemory'",
        FULL,
    ),  # redis-py has a class for it, which a script's error in Redis 6 escapes
    (r"READONLY|read only replica", Trouble("Redis is a replica, which takes no writes")),
    (r"MISCONF|unable to persist", Trouble("Redis cannot write to its disk")),
    (r"CLUSTERDOWN|cluster is down", Trouble("the Redis Cluster is down")),
    (r"max number of clients", Trouble("Redis takes no more connections (maxclients)")),
    (r"loading the dataset", LOADING),
    (r"Connect call failed|Connection refused", REFUSED),
    (
        r"Connection reset|closed by server|Connection lost",
        Trouble("Redis closes the connection; if it speaks TLS, write rediss:// in REDIS_URL"),
    ),
    (
        r"Timeout connecting",
        Trouble("Redis cannot be reached in time; if it does not speak TLS, write redis://"),
    ),
)


def trouble_of(error: BaseException) -> Trouble:
    """The cause of an error of redis-py or of the system."""
    texts = [str(e) for e in _chain(error)]
    for pattern, found in _KNOWN:
        if any(re.search(pattern, text, re.IGNORECASE) for text in texts):
            return found
    for text in texts:
        if reason := _CERTIFICATE.search(text):
            return Trouble(
                f"the certificate of Redis is not trusted ({reason[1].strip()}): name the "
                "authority that signed it with ?ssl_ca_certs=FILE in REDIS_URL",
                lasting=True,
            )
    return _UNKNOWN


def explained(error: BaseException) -> str:
    """The error message of a command that needs Redis or a setting."""
    if type(error).__module__.startswith("redis."):
        return f"Redis cannot be used: {trouble_of(error).cause} ({error})"
    return str(error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class TroubleLog:
    """Logs each trouble once, and its end; says how long to pause between two tries."""

    def __init__(self, first_s: float = FIRST_PAUSE_S, longest_s: float = MAX_PAUSE_S) -> None:
        """`first_s`, `longest_s`: the pauses while a trouble may pass on its own."""
        self._first_s, self._longest_s = first_s, longest_s
        self.cause: str | None = None  # of the present trouble
        self._said: str | None = None
        self._since = 0.0
        self._pause_s = first_s

    def fail(self, error: BaseException, now: float) -> str | None:
        """A try failed: what the log should say of it, if anything."""
        trouble = trouble_of(error)
        if self.cause is None:
            self._since = now
        longest_s = MAX_LASTING_PAUSE_S if trouble.lasting else self._longest_s
        self._pause_s = min(longest_s, self._first_s if self.cause is None else 2 * self._pause_s)
        self.cause = trouble.cause
        early = not trouble.lasting and now - self._since < PATIENCE_S
        if early or trouble.cause == self._said:
            return None
        self._said = trouble.cause
        detail = "" if trouble.lasting else f" ({error})"
        return f"Redis cannot be used: {trouble.cause}{detail}; trying again"

    def succeed(self) -> str | None:
        """A try succeeded: what the log should say of it, if anything."""
        said, self.cause, self._said = self._said, None, None
        return None if said is None else "Redis can be used again"

    @property
    def pause_s(self) -> float:
        """How long to wait before the next try."""
        return self._pause_s
