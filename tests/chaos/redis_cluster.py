"""A Redis Cluster of three primaries with one replica each."""

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import redis

from shared.local_redis import DURABLE, NO_EVICTION
from tests.chaos.redis_server import Server
from tests.patience import wait_until
from tests.ports import free_port

PRIMARIES: Final = 3
SLOTS: Final = 16_384
NODE_TIMEOUT_MS: Final = 1_000
BUS_OFFSET: Final = 10_000  # from a node's data port to its cluster port


class RedisCluster:
    """Six processes. Nodes i and i + 3 are the primary and the replica of a third of the slots."""

    def __init__(self, folder: Path, *, env: Mapping[str, str] | None = None) -> None:
        self.nodes = [self._node(folder / f"node-{i}", env) for i in range(2 * PRIMARIES)]
        self._meet()
        self.client: Any = redis.RedisCluster(host="127.0.0.1", port=self.nodes[0].port)

    @property
    def url(self) -> str:
        """The addresses of the first nodes."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:PRIMARIES])
        return f"redis+cluster://{hosts}"

    def primaries(self) -> list[Server]:
        """The nodes that are primaries now."""
        return [node for node in self.nodes if _role(node) == b"master"]

    def heal(self, victim: Server) -> None:
        """Wait until a replica has taken over, restart the dead node, wait until it replicates."""
        wait_until(lambda: len(self.primaries()) == PRIMARIES, lambda: "no successor")
        victim.start()
        wait_until(lambda: _role(victim) == b"slave", lambda: f"role {_role(victim)!r}")
        wait_until(self._whole, lambda: "a Cluster that is not whole")

    def move(self, keys: Sequence[bytes]) -> int:
        """Move the slots of these keys to other nodes, key by key, under load; how many slots."""
        by_port = {node.port: node for node in self.nodes}
        moved = 0
        for slot in {self.client.keyslot(key) for key in keys}:
            source = by_port[int(self.client.nodes_manager.get_node_from_slot(slot).port)]
            target = next(node for node in self.primaries() if node is not source)
            self._move_slot(slot, source, target)
            moved += 1
        return moved

    def close(self) -> None:
        """Stop all nodes."""
        self.client.close()
        for node in self.nodes:
            node.close()

    def _move_slot(self, slot: int, source: Server, target: Server) -> None:
        ids = {node.port: _cluster(node, "MYID").decode() for node in (source, target)}
        _cluster(target, "SETSLOT", slot, "IMPORTING", ids[source.port])
        _cluster(source, "SETSLOT", slot, "MIGRATING", ids[target.port])
        while keys := _cluster(source, "GETKEYSINSLOT", slot, 1):
            where = ("127.0.0.1", target.port, "", 0, 5_000, "KEYS", *keys)
            _execute(source, "MIGRATE", *where)
        for node in (target, source, *self.primaries()):
            _cluster(node, "SETSLOT", slot, "NODE", ids[target.port])
        self.client.nodes_manager.initialize()

    def _node(self, folder: Path, env: Mapping[str, str] | None) -> Server:
        folder.mkdir()
        alone = ("--cluster-enabled", "yes", "--cluster-node-timeout", str(NODE_TIMEOUT_MS))
        rest = ("--repl-diskless-sync-delay", "0", "--cluster-replica-validity-factor", "0")
        options = ("--save", "", *DURABLE, *NO_EVICTION, *alone, *rest)
        return Server(folder, *options, port=_port_with_bus(), env=env)

    def _meet(self) -> None:
        first = self.nodes[0]
        for epoch, node in enumerate(self.nodes, 1):
            _cluster(node, "SET-CONFIG-EPOCH", epoch)
            _cluster(node, "MEET", "127.0.0.1", first.port)
        for number, node in enumerate(self.nodes[:PRIMARIES]):
            part = range(number * SLOTS // PRIMARIES, (number + 1) * SLOTS // PRIMARIES)
            _cluster(node, "ADDSLOTS", *part)
        wait_until(lambda: all(map(_knows_all, self.nodes)), lambda: "nodes that are strangers")
        for number, node in enumerate(self.nodes[PRIMARIES:]):
            _cluster(node, "REPLICATE", _cluster(self.nodes[number], "MYID").decode())
        wait_until(self._whole, lambda: "a Cluster that is not whole")

    def _whole(self) -> bool:
        """Whether every node sees all slots served and every replica replicates."""
        replicas = [node for node in self.nodes if _role(node) == b"slave"]
        return (
            len(replicas) == PRIMARIES
            and all(map(_replicates, replicas))
            and all(map(_ok, self.nodes))
        )


def _cluster(node: Server, *command: Any) -> Any:
    return _execute(node, f"CLUSTER {command[0]}", *command[1:])


def _execute(node: Server, *command: Any) -> Any:
    return node.client.execute_command(*command)  # type: ignore[no-untyped-call]


def _info(node: Server) -> dict[str, str]:
    found: dict[str, str] = _cluster(node, "INFO")
    return found


def _ok(node: Server) -> bool:
    return _info(node)["cluster_state"] == "ok"


def _knows_all(node: Server) -> bool:
    return _ok(node) and _info(node)["cluster_known_nodes"] == str(2 * PRIMARIES)


def _role(node: Server) -> bytes:
    """b"master", b"slave", or b"" for a dead node."""
    try:
        return bytes(_execute(node, "ROLE")[0])
    except redis.RedisError:
        return b""


def _replicates(node: Server) -> bool:
    return bool(node.client.info("replication")["master_link_status"] == "up")


def _port_with_bus() -> int:
    """A free port with a free bus port."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port + BUS_OFFSET)):
                return port
