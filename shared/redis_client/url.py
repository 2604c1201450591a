"""Makes the client for each form of REDIS_URL: one server, sentinels and a primary, a Cluster.

redis://host:6379/0                                    one server (rediss: TLS; unix: a socket)
redis+sentinel://host:26379,host:26379/service[/0]     the server that the sentinels call primary
redis+cluster://host:6379,host:6379                    a Cluster, by some of its nodes

A user and a password before an @ are for the data servers, not for the sentinels. With rediss...
the client speaks TLS to the data servers. ?ssl_ca_certs=FILE names the authority that signed their
certificates.
"""

from pathlib import Path
from typing import Any, Final, cast

from redis.asyncio import Redis, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.connection import ConnectionPool
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError

from shared.errors import ConfigError
from shared.redis_client.cluster import ClusterClient
from shared.redis_client.url_parts import FILES, RedisUrl, parsed

# A sentinel whose machine is down must not delay the question to the next one by seconds.
SENTINEL_TIMEOUT_S: Final = 0.3
MAX_CONNECTIONS: Final = 4_096  # must stay below the 10,000 that a Redis accepts by default


def client(url: str, *, timeout_s: float) -> Redis:
    """A client that tries each command once and returns bytes. Raises ValueError."""
    found = parsed(url)
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,
        "driver_info": None,  # no CLIENT SETINFO, which deploy/redis/users.acl does not allow
        # A rush of callers needs more than redis-py's 100, beyond which it raises at once.
        "max_connections": MAX_CONNECTIONS,
        **_typed(found.options),
    }
    match found.kind:
        case "sentinel":
            return _by_sentinels(found, options)
        case "cluster":
            return _cluster(found, options)
        case _:
            return _one(found, options)


def _typed(options: dict[str, str]) -> dict[str, Any]:
    """The URL's options as redis-py's arguments. Raises ValueError for a file that is missing."""
    typed: dict[str, Any] = dict(options)
    for name, value in options.items():
        if name in FILES and not Path(value).is_file():
            raise ValueError(f"expected a file as the option {name} after the ?")
        if name in ("db", "max_connections"):
            typed[name] = int(value)
        elif name.startswith("socket_"):
            typed[name] = float(value)
        elif name == "ssl_check_hostname":
            typed[name] = value.lower() == "true"
    return typed


def _one(url: RedisUrl, options: dict[str, Any]) -> Redis:
    once = Retry(NoBackoff(), 0)
    options |= {"retry": once, "retry_on_timeout": False, "health_check_interval": 0}
    if not url.hosts:
        options |= {"path": url.path, "connection_class": UnixDomainSocketConnection}
    else:
        options["host"], options["port"] = url.hosts[0]
        if url.tls:
            options["connection_class"] = SSLConnection
    return Redis.from_pool(ConnectionPool(**options))


def _by_sentinels(url: RedisUrl, options: dict[str, Any]) -> Redis:
    asking = dict.fromkeys(("socket_timeout", "socket_connect_timeout"), SENTINEL_TIMEOUT_S)
    sentinel = Sentinel(url.hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    once = Retry(NoBackoff(), 0)
    found = sentinel.master_for(url.path, retry=once, ssl=url.tls, **options)
    return cast("Redis", found)


def _cluster(url: RedisUrl, options: dict[str, Any]) -> Redis:
    """The one retry makes redis-py ask again which node has which slots."""
    nodes = [ClusterNode(host, port) for host, port in url.hosts]
    again = Retry(NoBackoff(), 1)
    options.pop("db", None)
    made = ClusterClient(startup_nodes=nodes, retry=again, ssl=url.tls, **options)
    return cast("Redis", made)  # it has the same commands and pipelines


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
