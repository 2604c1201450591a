"""A Redis primary, its replica, and three sentinels that promote the replica."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from shared.local_redis import DURABLE, NO_EVICTION
from tests.chaos.redis_server import Server
from tests.patience import wait_until
from tests.ports import free_port

SERVICE: Final = "antiphon"
SENTINELS: Final = 3
QUORUM: Final = 2
DOWN_AFTER_MS: Final = 500


class SentinelRedis:
    """Five processes. `fail_over` kills the primary, `heal` restarts it as a replica."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._env = env
        self.data = [self._server("first")]
        self.data.append(self._server("second", "--replicaof", "127.0.0.1", str(self.data[0].port)))
        wait_until(self._replicates, lambda: "no replica that follows")
        self.sentinels = [self._sentinel(number) for number in range(SENTINELS)]
        hosts = [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]
        self._sentinel_client = Sentinel(hosts, socket_timeout=1)  # type: ignore[no-untyped-call]
        self.client: Any = self._sentinel_client.master_for(SERVICE, socket_timeout=5)  # type: ignore[no-untyped-call]
        wait_until(self._agreed, lambda: "sentinels that do not know each other")

    @property
    def url(self) -> str:
        """The addresses of the sentinels."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def fail_over(self) -> Server:
        """Kill the primary with SIGKILL and return it."""
        primary = self._primary()
        (victim,) = [server for server in self.data if server.port == primary]
        victim.kill()
        return victim

    def heal(self, victim: Server) -> None:
        """Wait for a new primary, restart the dead server and wait until it replicates."""
        wait_until(lambda: self._primary() not in (0, victim.port), lambda: "no new primary")
        victim.start()
        wait_until(self._replicates, lambda: "no replica that follows")
        wait_until(self._agreed, lambda: "sentinels that do not see the replica")

    def close(self) -> None:
        """Stop all servers."""
        self.client.close()
        for sentinel in self._sentinel_client.sentinels:
            sentinel.close()
        for server in (*self.sentinels, *self.data):
            server.close()

    def _server(self, name: str, *options: str) -> Server:
        folder = self._folder / name
        folder.mkdir()
        # Replicate without a disk and without a delay: the tests do not need to wait for it.
        quick = ("--save", "", "--repl-diskless-sync-delay", "0", "--repl-diskless-load", "swapdb")
        return Server(folder, *quick, *DURABLE, *NO_EVICTION, *options, env=self._env)

    def _sentinel(self, number: int) -> Server:
        folder = self._folder / f"sentinel-{number}"
        folder.mkdir()
        config = folder / "sentinel.conf"
        config.write_text(
            f"sentinel monitor {SERVICE} 127.0.0.1 {self.data[0].port} {QUORUM}\n"
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_AFTER_MS}\n"
            f"sentinel failover-timeout {SERVICE} 4000\n"
        )
        return Server(folder, "--sentinel", port=free_port(), config=config)

    def _primary(self) -> int:
        try:
            return int(self._sentinel_client.discover_master(SERVICE)[1])  # type: ignore[no-untyped-call]
        except MasterNotFoundError:
            return 0

    def _replicates(self) -> bool:
        found = []
        for server in self.data:
            try:
                found.append(server.client.info("replication"))
            except redis.RedisError:
                return False
        return any(i["role"] == "slave" and i["master_link_status"] == "up" for i in found)

    def _agreed(self) -> bool:
        """Whether each sentinel sees the other sentinels and a replica that it may promote."""
        for sentinel in self.sentinels:
            try:
                masters: Any = sentinel.client.sentinel_masters()
                state = masters[SERVICE]
                replicas: Any = sentinel.client.sentinel_slaves(SERVICE)
            except (redis.RedisError, KeyError):
                return False
            healthy = [r for r in replicas if not (r["is_sdown"] or r["is_disconnected"])]
            if state["num-other-sentinels"] < SENTINELS - 1 or not healthy or state["is_odown"]:
                return False
        return True
