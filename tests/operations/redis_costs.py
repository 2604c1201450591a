"""What a call costs Redis: bytes, commands and traffic, on real processes. `make redis-costs`.

The echo engine in stream mode answers every chunk, so this is a call that talks without a pause.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment
from tests.load.cores import describe
from tests.operations.scaling import SETUP
from tests.patience import PATIENCE_S, until

FILE: Final = Path("docs/plots/redis.json")
FULL_AFTER_S: Final = 65.0  # a resume may ask for the last 60 s: then the streams stop growing


@dataclass(frozen=True, slots=True)
class RedisCosts:
    """Of one call that talks all the time."""

    place: str
    callers: int
    seconds: float
    bytes_a_call: float
    keys_a_call: float
    commands_a_second: float  # as Redis counts them, those of the scripts included
    round_trips_a_second: float  # scripts and plain commands that a process sent
    in_bytes_a_second: float
    out_bytes_a_second: float
    idle_commands_a_second: float  # of the whole fleet of two gateways and one worker


async def measure(deployment: Deployment, callers: int, seconds: float, place: str) -> RedisCosts:
    """Count for so long while so many callers talk."""
    client: Any = deployment.storage.client
    idle = await _rates(client, seconds / 4)
    talkers = [Caller(deployment.urls, 1, number + 1) for number in range(callers)]
    talking = [asyncio.create_task(talker.run()) for talker in talkers]
    await until(lambda: all(talker.arrivals for talker in talkers))
    await asyncio.sleep(FULL_AFTER_S)
    busy = await _rates(client, seconds)
    keys = list(client.scan_iter("s:*"))
    used = sum(client.memory_usage(key, samples=0) for key in keys)
    for talker in talkers:
        talker.stop()
    await asyncio.wait(talking, timeout=PATIENCE_S)
    each = {name: (busy[name] - idle[name]) / callers for name in busy}
    return RedisCosts(
        place=place,
        callers=callers,
        seconds=seconds,
        bytes_a_call=used / callers,
        keys_a_call=len(keys) / callers,
        commands_a_second=each["commands"],
        round_trips_a_second=each["sent"],
        in_bytes_a_second=each["in"],
        out_bytes_a_second=each["out"],
        idle_commands_a_second=idle["commands"],
    )


async def _rates(client: Any, seconds: float) -> dict[str, float]:
    """What Redis counts in a second."""
    before, begun = _counts(client), time.monotonic()
    await asyncio.sleep(seconds)
    after, took_s = _counts(client), time.monotonic() - begun
    return {name: (after[name] - before[name]) / took_s for name in after}


def _counts(client: Any) -> dict[str, int]:
    stats, commands = client.info("stats"), client.info("commandstats")
    inner = {"hget", "hmget", "hset", "hincrby", "xadd", "xtrim", "xdel", "expire", "xlen"}
    calls = {name.removeprefix("cmdstat_"): one["calls"] for name, one in commands.items()}
    return {
        "commands": sum(calls.values()),
        "sent": sum(count for name, count in calls.items() if name not in inner),
        "in": stats["total_net_input_bytes"],
        "out": stats["total_net_output_bytes"],
    }


def main() -> None:
    """Measure, write the record, print it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.operations.redis_costs", description=__doc__
    )
    parser.add_argument("--callers", type=int, default=8, help="calls at the same time")
    parser.add_argument("--seconds", type=float, default=20, help="how long to count")
    parser.add_argument("--into", type=Path, default=FILE, help="where the record goes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redis-costs-") as folder:
        deployment = Deployment(Path(folder), workers=1, setup=SETUP)
        try:
            place = f"{describe()}; `make redis-costs`"
            found = asyncio.run(measure(deployment, options.callers, options.seconds, place))
        finally:
            deployment.close()
    options.into.write_text(json.dumps(asdict(found), indent=1) + "\n")
    for name, value in asdict(found).items():
        sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    main()
