"""The faults: how to inject each, which setup it needs, and what it may cost a caller."""

import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos import clock, network_namespace, releases
from tests.chaos.caller import Caller
from tests.chaos.deployment import PLAIN, Deployment, Setup
from tests.chaos.injections import callers, network, processes, storage
from tests.chaos.injections import releases as rollouts
from tests.chaos.redis_cluster import RedisCluster
from tests.chaos.redis_server import ProxiedRedis, SmallDiskRedis
from tests.chaos.sentinels import SentinelRedis

Inject = Callable[[Deployment, Sequence[Caller], random.Random], Awaitable[Any]]

EVERY_SESSION: Final = math.inf
LEASE_S: Final = 1.0
PROXIED: Final = Setup(storage=ProxiedRedis)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `inject` may return measures of its own, by name."""

    inject: Inject
    setup: Setup = PLAIN
    core: bool = False  # one of those that the tests run each time
    proxied: bool = False  # a proxy runs between callers and gateways
    delay_s: tuple[float, float] | None = None  # the proxy's delay, each way: least and most
    ended: float = 0  # the most sessions a trial that may end with an error
    skips: bool = False  # whether the server may report frames as lost
    resume_p95_s: float | None = None  # of each caller's longest silence
    limits: Mapping[str, float] = field(default_factory=dict)  # the most of each measure


FAULTS: Final[Mapping[str, Fault]] = {
    "none": Fault(network.nothing),
    "worker-kill": Fault(processes.kill_worker, core=True, resume_p95_s=LEASE_S + 0.5),
    "gateway-kill": Fault(processes.kill_gateway, core=True, resume_p95_s=1.0),
    "worker-stop": Fault(processes.stop_worker, core=True, resume_p95_s=LEASE_S + 0.5),
    "rolling": Fault(processes.roll, core=True, resume_p95_s=0.5),
    "upgrade": Fault(
        rollouts.upgrade,
        Setup(old=True, missing=releases.missing),
        resume_p95_s=0.5,
    ),
    "redis-kill": Fault(storage.kill, core=True, resume_p95_s=5.0),
    "reply-lost": Fault(storage.lose_replies, PROXIED, core=True, resume_p95_s=0.5),
    "redis-tail": Fault(storage.cut_tail, ended=EVERY_SESSION, skips=True, resume_p95_s=5.0),
    "flushall": Fault(storage.flush_all, ended=EVERY_SESSION),
    "pause-0.5": Fault(storage.pause(0.5), resume_p95_s=1.0),
    "pause-2": Fault(storage.pause(2), resume_p95_s=4.0),
    "pause-10": Fault(storage.pause(10), resume_p95_s=13.0),
    "memory-full": Fault(storage.fill_memory, resume_p95_s=4.0),
    "disk-full": Fault(
        storage.fill_disk,
        Setup(storage=SmallDiskRedis, missing=SmallDiskRedis.missing),
        resume_p95_s=5.0,
    ),
    "redis-reset": Fault(storage.cut_replies, PROXIED, resume_p95_s=1.0),
    "redis-crumbs": Fault(storage.send_byte_by_byte, PROXIED, resume_p95_s=0.5),
    "sentinel": Fault(
        storage.fail_over, Setup(storage=SentinelRedis), skips=True, resume_p95_s=5.0
    ),
    "shards": Fault(processes.kill_worker, Setup(storage=RedisCluster), resume_p95_s=LEASE_S + 0.5),
    "shard-kill": Fault(
        storage.kill_node, Setup(storage=RedisCluster), skips=True, resume_p95_s=6.0
    ),
    "shard-move": Fault(storage.move_slots, Setup(storage=RedisCluster), resume_p95_s=1.0),
    "net-reset": Fault(network.reset, resume_p95_s=1.0),
    "net-cut": Fault(network.cut, proxied=True, resume_p95_s=1.0),
    "net-crumbs": Fault(network.send_byte_by_byte, proxied=True, resume_p95_s=0.5),
    "net-delay": Fault(network.nothing, proxied=True, delay_s=network.DELAY_S, resume_p95_s=1.0),
    "net-left": Fault(network.abandon_sockets, resume_p95_s=1.0),
    "net-dark": Fault(
        network.go_dark,
        Setup(
            env={"GATEWAY_HOST": "0.0.0.0", "SESSION_RESUME_S": "1"},  # noqa: S104 # a namespace
            missing=network_namespace.missing,
        ),
        limits={"noticed s": 10, "slots free s": 22},
    ),
    "readers-stall": Fault(
        callers.stall,
        # The sessions of one trial must be gone before the next trial needs their slots.
        Setup(env={**callers.MANY_SLOTS, "SESSION_RESUME_S": "5"}),
        limits={"closed s": 10, "MB each": 1, "late p99 ms": 10},
    ),
    "crowd": Fault(
        callers.reconnect_all,
        Setup(env=callers.MANY_SLOTS),
        limits={"95 % back s": 5, "not recovered": 0},
    ),
    "clock": Fault(
        processes.shift_clocks,
        Setup(clocks=True, env=processes.LONG_LIVED, missing=clock.missing),
        resume_p95_s=5.0,
    ),
    "poison": Fault(processes.poison, Setup(mortal=True), ended=1),
}
# The fault that must reveal each removed guarantee.
ABLATED_BY: Final[Mapping[str, str]] = {
    "fence": "net-left",
    "contiguity": "redis-tail",
    "ttl": "none",
}
