"""Makes every failure to reach a Redis Cluster's node a RedisError, for a client of many tasks.

When one task finds that the nodes changed, redis-py closes connections that other tasks are about
to use. Those tasks then get an AttributeError on None, or uvloop's RuntimeError on a closed
transport; in a pipeline such an error is a command's answer. Here each becomes a ConnectionError,
so callers that retry after a RedisError recover.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterPipeline
from redis.exceptions import ClusterError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError

# The first two: no node has the slots, or none of them answers.
UNREACHABLE: Final = (RedisClusterException, ClusterError, AttributeError, RuntimeError)


class ClusterClient(RedisCluster):
    """redis-py's client of a Cluster, with our errors."""

    async def initialize(self, *args: Any, **kwargs: Any) -> "ClusterClient":
        """Learn which node has which slots. Raises RedisError."""
        with _raising_connection_errors():
            await super().initialize(*args, **kwargs)
        return self

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """One command's answer. Raises RedisError."""
        with _raising_connection_errors():
            return await super().execute_command(*args, **kwargs)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> "ClusterClientPipeline":
        """A pipeline that sends each node its commands together."""
        return ClusterClientPipeline(self, transaction)  # type: ignore[abstract] # as redis-py's is


class ClusterClientPipeline(ClusterPipeline):
    """Commands for several nodes, of which only some may answer."""

    async def execute(
        self, raise_on_error: bool = True, allow_redirections: bool = True
    ) -> list[Any]:
        """Each command's answer; without `raise_on_error` a failed one's is its RedisError."""
        with _raising_connection_errors():
            found = await super().execute(raise_on_error, allow_redirections)
        return [_connection_error(e) if isinstance(e, UNREACHABLE) else e for e in found]


@contextmanager
def _raising_connection_errors() -> Iterator[None]:
    try:
        yield
    except UNREACHABLE as error:
        raise _connection_error(error) from error


def _connection_error(error: Exception) -> RedisConnectionError:
    what = f"{type(error).__name__}: {error}"
    return RedisConnectionError(f"Expected a Cluster's node to answer, got {what}")
