"""REDIS_URL's three forms: one server, a primary watched by sentinels, a Cluster.

redis://host:6379/0                                    one server (rediss: TLS; unix: a socket)
redis+sentinel://host:26379,host:26379/service[/0]     whichever server the sentinels call primary
redis+cluster://host:6379,host:6379                    a Cluster; any of its nodes will do

A user and a password before an @ are the data servers'. rediss+... speaks TLS to them.
"""

from typing import Any, Final, cast
from urllib.parse import SplitResult, unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError

from shared.errors import ConfigError
from shared.redis_client.cluster import Nodes

# A sentinel that is down with its machine must not cost the others' seconds.
SENTINEL_TIMEOUT_S: Final = 0.3
SENTINEL_PORT: Final = 26_379
REDIS_PORT: Final = 6_379
MAX_CONNECTIONS: Final = 4_096  # fewer than a Redis takes by itself (10,000)


def client(url: str, *, timeout_s: float) -> Redis:
    """A client that tries once and gives bytes. Raises ValueError for a URL of no such form."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,
        # redis-py's 100 would refuse, not wait: a rush of callers has more round trips at once.
        "max_connections": MAX_CONNECTIONS,
    }
    match parts.scheme.partition("+")[2]:
        case "":
            once = Retry(NoBackoff(), 0)
            return Redis.from_url(
                url, retry=once, retry_on_timeout=False, health_check_interval=0, **options
            )
        case "sentinel":
            return _watched(parts, options)
        case "cluster":
            return _cluster(parts, options)
        case _:
            raise ValueError(
                f"Expected redis://, redis+sentinel:// or redis+cluster://, got {parts.scheme}://"
            )


def _watched(parts: SplitResult, options: dict[str, Any]) -> Redis:
    service, _, database = parts.path.strip("/").partition("/")
    if not service or not (database or "0").isdigit():
        raise ValueError(
            "Expected redis+sentinel://host:26379,host:26379/service or .../service/0, "
            f"got the path {parts.path!r}"
        )
    asking = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), SENTINEL_TIMEOUT_S)
    hosts = _hosts(parts, SENTINEL_PORT)
    sentinel = Sentinel(hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    once = Retry(NoBackoff(), 0)
    who = _who(parts)
    found = sentinel.master_for(service, db=int(database or 0), retry=once, **who, **options)
    return cast("Redis", found)


def _cluster(parts: SplitResult, options: dict[str, Any]) -> Redis:
    """Its one retry is what makes it ask again who has which slots."""
    nodes = [ClusterNode(host, port) for host, port in _hosts(parts, REDIS_PORT)]
    again = Retry(NoBackoff(), 1)
    made = Nodes(startup_nodes=nodes, retry=again, **_who(parts), **options)
    return cast("Redis", made)  # the same commands and pipelines


def _hosts(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    """The addresses between the @ and the path."""
    found = []
    netloc = parts.netloc.rpartition("@")[2]  # what stands before it is secret
    for address in netloc.split(","):
        split = urlsplit(f"//{address}")
        if not split.hostname:
            raise ValueError(f"Expected host:port,host:port, got {netloc!r}")
        found.append((split.hostname, split.port or port))
    return found


def _who(parts: SplitResult) -> dict[str, Any]:
    """User, password and TLS of the data servers."""
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    found: dict[str, Any] = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    if user:
        found["username"] = unquote(user)
    if password:
        found["password"] = unquote(password)
    return found


async def check_redis(redis: Redis) -> None:
    """Refuse a Redis that would lose data silently. Raises ConfigError with what to set.

    `INFO` says it: managed Redises have no `CONFIG`.
    """
    try:
        found = await redis.info("memory")
    except NoPermissionError:
        return  # not ours to read here: its owner has set it
    policy = found.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise ConfigError(
            f"Expected maxmemory-policy noeviction, got {policy}: it would drop calls under memory "
            "pressure; set `maxmemory-policy noeviction` in Redis"
        )
