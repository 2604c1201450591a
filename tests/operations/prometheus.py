"""A real Prometheus server with the rules of deploy/prometheus, for tests and the scaling run."""

import json
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from tests.e2e.launcher import ROOT
from tests.patience import PATIENCE_S, wait_until
from tests.ports import free_port

RULES: Final = ROOT / "deploy" / "prometheus" / "rules"
BINARY: Final = shutil.which("prometheus")

Targets = Mapping[str, Sequence[int]]  # job -> ports of this machine


class Prometheus:
    """One server; `targets` may change while it runs."""

    def __init__(self, folder: Path, targets: Targets, interval: str = "1s") -> None:
        if BINARY is None:
            raise RuntimeError("Expected the program prometheus, got none: install prometheus")
        self.port = free_port()
        self._folder = folder
        folder.mkdir(exist_ok=True)
        self.scrape(targets)
        config = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": [str(RULES / "*.yml")],
            "scrape_configs": [
                {
                    "job_name": job,
                    "file_sd_configs": [
                        {"files": [str(self._file(job))], "refresh_interval": interval}
                    ],
                }
                for job in targets
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        with (folder / "log").open("wb") as sink:
            self._process = subprocess.Popen(
                [
                    BINARY,
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        try:
            wait_until(self._is_ready, lambda: (folder / "log").read_text())
        except BaseException:
            self.close()
            raise

    def scrape(self, targets: Targets) -> None:
        """Scrape these from now on; Prometheus notices a changed file at once."""
        for job, ports in targets.items():
            found = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
            new = self._file(job).with_suffix(".new")
            new.write_text(json.dumps(found))
            new.replace(self._file(job))

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The series that an expression has now. Raises OSError on an invalid one."""
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{query}"
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def value(self, expression: str) -> float | None:
        """The one value that an expression has now; None without exactly one."""
        found = self.ask(expression)
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def close(self) -> None:
        """Stop it."""
        self._process.terminate()
        self._process.wait()

    def _file(self, job: str) -> Path:
        return self._folder / f"{job}.json"

    def _is_ready(self) -> bool:
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5) as answer,
        ):
            return bool(answer.status == 200)
        return False
