"""`python -m tests.unit.import_closures MODULE ...`: what importing each of these modules loads.

It prints a JSON object: module -> the modules of `WATCHED` that its import loaded. Each import has
a process of its own, forked from this one, which has the heavy but harmless ones loaded already.
"""

import importlib
import json
import os
import sys
from typing import Final

import msgpack  # noqa: F401
import msgspec  # noqa: F401
import numpy as np  # noqa: F401
import prometheus_client  # noqa: F401

WATCHED: Final = (
    *("asyncio", "pydantic", "dotenv", "redis", "starlette", "torch", "torchaudio"),
    *("typer", "uvicorn", "websockets", "workers.models"),
)


def loaded_by(module: str) -> list[str]:
    """The watched modules that the import of this one loads, seen in a process of its own."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        importlib.import_module(module)
        os.write(writer, json.dumps([name for name in WATCHED if name in sys.modules]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        found = answer.read()
    os.wait()
    if not found:
        raise ImportError(f"Expected to import {module}, got the traceback above")
    return list(json.loads(found))


if __name__ == "__main__":
    print(json.dumps({module: loaded_by(module) for module in sys.argv[1:]}))  # noqa: T201
