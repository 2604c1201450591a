"""Makes the client for each form of REDIS_URL: one server, sentinels and a primary, a Cluster.

redis://host:6379/0                                    one server (rediss: TLS; unix: a socket)
redis+sentinel://host:26379,host:26379/service[/0]     the server that the sentinels call primary
redis+cluster://host:6379,host:6379                    a Cluster, by some of its nodes

A user and a password before an @ are for the data servers, not for the sentinels. rediss... speaks
TLS to the data servers.
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
from shared.redis_client.cluster import ClusterClient

# A sentinel whose machine is down must not delay the question to the next one by seconds.
SENTINEL_TIMEOUT_S: Final = 0.3
SENTINEL_PORT: Final = 26_379
REDIS_PORT: Final = 6_379
MAX_CONNECTIONS: Final = 4_096  # must stay below the 10,000 that a Redis accepts by default


def client(url: str, *, timeout_s: float) -> Redis:
    """A client that tries each command once and returns bytes. Raises ValueError."""
    parts = urlsplit(url)
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,
        # A rush of callers needs more than redis-py's 100, beyond which it raises at once.
        "max_connections": MAX_CONNECTIONS,
    }
    match parts.scheme.partition("+")[2]:
        case "":
            once = Retry(NoBackoff(), 0)
            return Redis.from_url(
                url, retry=once, retry_on_timeout=False, health_check_interval=0, **options
            )
        case "sentinel":
            return _by_sentinels(parts, options)
        case "cluster":
            return _cluster(parts, options)
        case _:
            raise ValueError(
                f"Expected redis://, redis+sentinel:// or redis+cluster://, got {parts.scheme}://"
            )


def _by_sentinels(parts: SplitResult, options: dict[str, Any]) -> Redis:
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
    credentials = _credentials(parts)
    found = sentinel.master_for(
        service, db=int(database or 0), retry=once, **credentials, **options
    )
    return cast("Redis", found)


def _cluster(parts: SplitResult, options: dict[str, Any]) -> Redis:
    """The one retry makes redis-py ask again which node has which slots."""
    nodes = [ClusterNode(host, port) for host, port in _hosts(parts, REDIS_PORT)]
    again = Retry(NoBackoff(), 1)
    made = ClusterClient(startup_nodes=nodes, retry=again, **_credentials(parts), **options)
    return cast("Redis", made)  # it has the same commands and pipelines


def _hosts(parts: SplitResult, port: int) -> list[tuple[str, int]]:
    """The addresses between the @ and the path."""
    found = []
    netloc = parts.netloc.rpartition("@")[2]  # before the @ is the password
    for address in netloc.split(","):
        split = urlsplit(f"//{address}")
        if not split.hostname:
            raise ValueError(f"Expected host:port,host:port, got {netloc!r}")
        found.append((split.hostname, split.port or port))
    return found


def _credentials(parts: SplitResult) -> dict[str, Any]:
    """User, password and TLS of the data servers."""
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    found: dict[str, Any] = {"ssl": True} if parts.scheme.startswith("rediss") else {}
    if user:
        found["username"] = unquote(user)
    if password:
        found["password"] = unquote(password)
    return found


async def check_redis(redis: Redis) -> None:
    """Refuse a Redis that would drop data silently. Raises ConfigError with what to set.

    It asks `INFO`, since managed Redises have no `CONFIG`.
    """
    try:
        found = await redis.info("memory")
    except NoPermissionError:
        return  # an ACL keeps INFO from us, so its operator is responsible
    policy = found.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise ConfigError(
            f"Expected maxmemory-policy noeviction, got {policy}: it would drop calls under memory "
            "pressure; set `maxmemory-policy noeviction` in Redis"
        )
