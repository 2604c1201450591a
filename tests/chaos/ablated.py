"""Start a gateway or a worker with changed Lua scripts, or with an engine that a chunk kills."""

import os
import runpy
import signal
from collections.abc import Sequence
from pathlib import Path

import shared.log.lua_scripts
import workers.engines
from tests.chaos.caller import POISON
from workers.engines.base import Output, Work
from workers.engines.echo import EchoEngine


class MortalEngine(EchoEngine):
    """Kills its own process when it hears the poison chunk, as a fault in native code would."""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Echo, or die."""
        if any(chunk.tobytes() == POISON for work in batch for chunk in work.hear):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step(batch)


if __name__ == "__main__":
    if scripts := os.environ.pop("CHAOS_SCRIPTS", ""):
        setattr(shared.log.lua_scripts, "SCRIPTS", Path(scripts))  # noqa: B010 # it is Final
    if os.environ.pop("CHAOS_MORTAL", ""):
        setattr(workers.engines, "EchoEngine", MortalEngine)  # noqa: B010 # it is a class
    runpy.run_module(os.environ.pop("CHAOS_MODULE"), run_name="__main__", alter_sys=True)
