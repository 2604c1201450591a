"""The faults: what goes wrong, in which surroundings, and what it may cost a caller."""

import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos import clock, island
from tests.chaos.caller import Caller
from tests.chaos.cluster import PLAIN, Cluster, Setting
from tests.chaos.sentinels import Watched
from tests.chaos.shards import Shards
from tests.chaos.store import Proxied, SmallDisk
from tests.chaos.strikes import crowd, network, processes, storage

Strike = Callable[[Cluster, Sequence[Caller], random.Random], Awaitable[Any]]

EVERYBODY: Final = math.inf
LEASE_S: Final = 1.0
PROXIED: Final = Setting(keeper=Proxied)


@dataclass(frozen=True, slots=True)
class Fault:
    """What may be lost to it: sessions that end with a reason (at most `told` a trial), and
    whether frames may be reported as gone (`skips`).
    """

    strike: Strike
    setting: Setting = PLAIN
    core: bool = False  # of those that the tests do each time
    proxied: bool = False  # a proxy stands between callers and gateways
    delay_s: tuple[float, float] | None = None  # of what passes it, each way
    told: float = 0
    skips: bool = False
    resume_p95_s: float | None = None  # of the longest silence that a caller heard
    # What the strike itself measures, by name: the most that it may be.
    limits: Mapping[str, float] = field(default_factory=dict)


FAULTS: Final[Mapping[str, Fault]] = {
    "none": Fault(network.nothing),
    "worker-kill": Fault(processes.kill_worker, core=True, resume_p95_s=LEASE_S + 0.5),
    "gateway-kill": Fault(processes.kill_gateway, core=True, resume_p95_s=1.0),
    "worker-stop": Fault(processes.stop_worker, core=True, resume_p95_s=LEASE_S + 0.5),
    "rolling": Fault(processes.roll, core=True, resume_p95_s=0.5),
    "redis-kill": Fault(storage.kill, core=True, resume_p95_s=5.0),
    "reply-lost": Fault(storage.lose_replies, PROXIED, core=True, resume_p95_s=0.5),
    "redis-tail": Fault(storage.cut_tail, told=EVERYBODY, skips=True, resume_p95_s=5.0),
    "flushall": Fault(storage.flush_all, told=EVERYBODY),
    "pause-0.5": Fault(storage.pause(0.5), resume_p95_s=1.0),
    "pause-2": Fault(storage.pause(2), resume_p95_s=4.0),
    "pause-10": Fault(storage.pause(10), resume_p95_s=13.0),
    "memory-full": Fault(storage.no_memory, resume_p95_s=4.0),
    "disk-full": Fault(
        storage.no_disk, Setting(keeper=SmallDisk, missing=SmallDisk.missing), resume_p95_s=5.0
    ),
    "redis-reset": Fault(storage.cut_replies, PROXIED, resume_p95_s=1.0),
    "redis-crumbs": Fault(storage.crumble, PROXIED, resume_p95_s=0.5),
    "sentinel": Fault(storage.fail_over, Setting(keeper=Watched), skips=True, resume_p95_s=5.0),
    "shards": Fault(processes.kill_worker, Setting(keeper=Shards), resume_p95_s=LEASE_S + 0.5),
    "shard-kill": Fault(storage.kill_node, Setting(keeper=Shards), skips=True, resume_p95_s=6.0),
    "shard-move": Fault(storage.move_slots, Setting(keeper=Shards), resume_p95_s=1.0),
    "net-reset": Fault(network.reset, resume_p95_s=1.0),
    "net-cut": Fault(network.cut, proxied=True, resume_p95_s=1.0),
    "net-crumbs": Fault(network.crumble, proxied=True, resume_p95_s=0.5),
    "net-delay": Fault(network.nothing, proxied=True, delay_s=network.DELAY_S, resume_p95_s=1.0),
    "net-left": Fault(network.leave_sockets, resume_p95_s=1.0),
    "net-dark": Fault(
        network.go_dark,
        Setting(
            env={"GATEWAY_HOST": "0.0.0.0", "SESSION_RESUME_S": "1"},  # noqa: S104 # an island
            missing=island.missing,
        ),
        limits={"noticed s": 10, "slots free s": 22},
    ),
    "readers-stall": Fault(
        crowd.stall,
        # Those of one trial are gone before the next one's need their slots.
        Setting(env={**crowd.MANY_SLOTS, "SESSION_RESUME_S": "5"}),
        limits={"closed s": 10, "MB each": 1, "late p99 ms": 10},
    ),
    "crowd": Fault(
        crowd.come_back,
        Setting(env=crowd.MANY_SLOTS),
        limits={"95 % back s": 5, "not recovered": 0},
    ),
    "clock": Fault(
        processes.shift_clocks,
        Setting(clocks=True, env=processes.LONG_LIVED, missing=clock.missing),
        resume_p95_s=5.0,
    ),
    "poison": Fault(processes.poison, Setting(mortal=True), told=1),
}
# Which faults must show that a promise was taken out.
ABLATED_BY: Final[Mapping[str, str]] = {
    "fence": "net-left",
    "contiguity": "redis-tail",
    "ttl": "none",
}
