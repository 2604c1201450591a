"""A primary, its replica, and three sentinels that make the replica primary when it must be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from shared.local_redis import DURABLE, NO_EVICTION
from tests.chaos.store import Server
from tests.conftest import free_port
from tests.patience import wait_until

SERVICE: Final = "antiphon"
SENTINELS: Final = 3
QUORUM: Final = 2
DOWN_AFTER_MS: Final = 500


class Watched:
    """Five processes; `fail_over` kills the primary, `heal` brings it back as a replica."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._env = env
        self.data = [self._server("first")]
        self.data.append(self._server("second", "--replicaof", "127.0.0.1", str(self.data[0].port)))
        wait_until(self._replicates, lambda: "no replica that follows")
        self.sentinels = [self._sentinel(number) for number in range(SENTINELS)]
        hosts = [("127.0.0.1", sentinel.port) for sentinel in self.sentinels]
        self._asked = Sentinel(hosts, socket_timeout=1)  # type: ignore[no-untyped-call]
        self.client: Any = self._asked.master_for(SERVICE, socket_timeout=5)  # type: ignore[no-untyped-call]
        wait_until(self._agreed, lambda: "sentinels that do not know each other")

    @property
    def url(self) -> str:
        """By way of the sentinels."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{SERVICE}/0"

    def fail_over(self) -> Server:
        """kill -9 of the primary; who it was."""
        primary = self._primary()
        (victim,) = [server for server in self.data if server.port == primary]
        victim.kill()
        return victim

    def heal(self, victim: Server) -> None:
        """Once there is another primary start the dead one again, and wait until it follows."""
        wait_until(lambda: self._primary() not in (0, victim.port), lambda: "no new primary")
        victim.start()
        wait_until(self._replicates, lambda: "no replica that follows")
        wait_until(self._agreed, lambda: "sentinels that do not see the replica")

    def close(self) -> None:
        """Stop all of it."""
        self.client.close()
        for asked in self._asked.sentinels:
            asked.close()
        for server in (*self.sentinels, *self.data):
            server.close()

    def _server(self, name: str, *options: str) -> Server:
        folder = self._folder / name
        folder.mkdir()
        # Without a disk, and at once: what the replica waits for is not what is tested.
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
            return int(self._asked.discover_master(SERVICE)[1])  # type: ignore[no-untyped-call]
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
        """Whether each sentinel sees the others and a replica that may become primary."""
        for sentinel in self.sentinels:
            try:
                masters: Any = sentinel.client.sentinel_masters()
                state = masters[SERVICE]
                replicas: Any = sentinel.client.sentinel_slaves(SERVICE)
            except (redis.RedisError, KeyError):
                return False
            well = [r for r in replicas if not (r["is_sdown"] or r["is_disconnected"])]
            if state["num-other-sentinels"] < SENTINELS - 1 or not well or state["is_odown"]:
                return False
        return True
