"""`python -m tests.chaos.ablated`: a product's process with other scripts (see `ablations`)."""

import os
import runpy
from pathlib import Path

import shared.streams

if __name__ == "__main__":
    setattr(shared.streams, "SCRIPTS", Path(os.environ["CHAOS_SCRIPTS"]))  # noqa: B010 # Final
    runpy.run_module(os.environ["CHAOS_MODULE"], run_name="__main__", alter_sys=True)
