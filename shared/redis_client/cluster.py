"""A Redis Cluster's client for many tasks: whatever keeps it from a node is a RedisError.

redis-py closes connections when one task finds that the nodes have changed, and another may be
about to use one: it is told of a closed transport or of None. In a pipeline it gives what became of
a connection as the command's answer. Who asks again after a RedisError gets over each of these.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterPipeline
from redis.exceptions import ClusterError, RedisClusterException
from redis.exceptions import ConnectionError as RedisConnectionError

# No node has the slots, or none that answers; then what a connection closed meanwhile raises:
# asyncio's of a stream that is None, uvloop's of a transport that is closed.
LOST: Final = (RedisClusterException, ClusterError, AttributeError, RuntimeError)


class Nodes(RedisCluster):
    """The client."""

    async def initialize(self, *args: Any, **kwargs: Any) -> "Nodes":
        """Learn who has which slots. Raises RedisError."""
        with _lost_is_a_connection():
            await super().initialize(*args, **kwargs)
        return self

    async def execute_command(self, *args: Any, **kwargs: Any) -> Any:
        """One command's answer. Raises RedisError."""
        with _lost_is_a_connection():
            return await super().execute_command(*args, **kwargs)

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> "NodesPipeline":
        """Commands that go to their nodes together."""
        return NodesPipeline(self, transaction)  # type: ignore[abstract] # as redis-py's own is


class NodesPipeline(ClusterPipeline):
    """Commands for several nodes; some may answer and some not."""

    async def execute(
        self, raise_on_error: bool = True, allow_redirections: bool = True
    ) -> list[Any]:
        """Each command's answer, or, unless it is raised, its RedisError."""
        with _lost_is_a_connection():
            found = await super().execute(raise_on_error, allow_redirections)
        return [_lost(item) if isinstance(item, LOST) else item for item in found]


@contextmanager
def _lost_is_a_connection() -> Iterator[None]:
    try:
        yield
    except LOST as error:
        raise _lost(error) from error


def _lost(error: Exception) -> RedisConnectionError:
    return RedisConnectionError(f"Expected a Cluster's node to answer, got {error!r}")
