"""A roll-out from the release before to this one, and its way back, under load."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any

import msgpack

from shared.log import formats
from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment
from tests.e2e.launcher import ROOT
from tests.patience import until


async def upgrade(deployment: Deployment, _: Sequence[Caller], __: random.Random) -> None:
    """Replace every process with this release's, then with those of the release before again.

    In the middle a new worker hands its calls to old ones.
    """
    before, old = deployment.root, list(deployment.workers)
    deployment.root = ROOT
    first = await _start(deployment)
    await _end(deployment, old[0])
    second = await _start(deployment)
    await until(lambda: _written(deployment) == {formats.PREVIOUS})
    await _end(deployment, first)
    for worker in old[1:]:
        await _start(deployment)
        await _end(deployment, worker)
    await _roll_gateways(deployment)
    await until(lambda: _written(deployment) == {formats.CURRENT})
    deployment.root = before
    new = list(deployment.workers)
    assert second in new
    for worker in new:
        await _start(deployment)
        await until(lambda: _written(deployment) == {formats.PREVIOUS})
        await _end(deployment, worker)
    await _roll_gateways(deployment)


async def _start(deployment: Deployment) -> Any:
    return await asyncio.to_thread(deployment.start_worker)


async def _end(deployment: Deployment, worker: Any) -> None:
    await asyncio.to_thread(worker.terminate)
    deployment.workers.remove(worker)


async def _roll_gateways(deployment: Deployment) -> None:
    for port in deployment.ports:
        await asyncio.to_thread(deployment.gateways[port].terminate)
        await asyncio.to_thread(deployment.start_gateway, port)


def _written(deployment: Deployment) -> set[int]:
    """The formats of the sessions' newest snapshots."""
    client = deployment.storage.client
    found = set()
    for key in client.scan_iter("s:*:steps"):
        entries: Any = client.xrevrange(key, count=1)
        for _, fields in entries:
            ((name, value),) = fields.items()
            body: Any = msgpack.unpackb(value)
            if name == b"step" and body["state"]:
                found.add(msgpack.unpackb(body["state"])["version"])
    return found
