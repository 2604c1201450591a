"""Programs and rendered files that the checks of deploy/ share.

A check whose program is missing is skipped, and the summary names it.
"""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

DEPLOY: Final = Path(__file__).parents[1]
CHART: Final = DEPLOY / "helm/antiphon"
DIGEST: Final = "sha256:" + "0" * 64
# Every part of the chart at once, so that each template is checked.
EVERYTHING: Final = (
    "autoscaling.enabled=true",
    "gateway.authSecret.name=antiphon",
    "ingress.enabled=true",
    "redis.bundled.enabled=true",
    "serviceMonitor.enabled=true",
    "worker.gpus=1",
    "worker.modelsClaim=models",
    "worker.secrets.THINK_KEY.name=think",
    "worker.secrets.THINK_KEY.key=key",
)
Run = Callable[..., str]
Render = Callable[..., list[dict[str, Any]]]


def run(*command: str | Path, cwd: Path = DEPLOY) -> str:
    """The command's output; fails with it if the command fails."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    if done.returncode:
        pytest.fail(f"{command[0]} failed:\n{done.stdout}{done.stderr}", pytrace=False)
    return done.stdout + done.stderr


def program(name: str) -> Path:
    """The path of a program of this environment or of this machine; without it, skip the check."""
    ours = Path(sys.executable).parent / name
    found = ours if ours.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"no {name} on this machine")
    return Path(found)


def _unpacked_helm() -> Path:
    """Helm out of the package of helm.txt, beside this environment's other programs."""
    target = Path(sys.executable).parent / "helm"
    if not target.exists():
        (archive,) = Path(sys.prefix).rglob("lambda-layer-kubectl-*.jsii.tgz")
        with tarfile.open(archive) as outer:
            layer = next(m for m in outer if m.name.endswith("layer.zip"))
            inner = outer.extractfile(layer)
            assert inner is not None
            with zipfile.ZipFile(BytesIO(inner.read())) as files:
                target.write_bytes(files.read("helm/helm"))
        target.chmod(0o755)
    return target


@pytest.fixture(scope="session")
def helm() -> Path:
    """The machine's helm, or the packed one."""
    found = shutil.which("helm")
    return Path(found) if found else _unpacked_helm()


def helm_values(values: Sequence[str]) -> list[str]:
    """The flags for these values, after images that a release would have."""
    images = [
        f"{part}.image=registry.example.org/{part}@{DIGEST}" for part in ("gateway", "worker")
    ]
    return [
        flag
        for value in [*images, *values]
        for flag in ("--set-json" if value.count("[") else "--set", value)
    ]


@pytest.fixture(scope="session")
def render(helm: Path) -> Render:
    """Renders the chart with these values: its objects."""

    def rendered(*values: str) -> list[dict[str, Any]]:
        text = run(helm, "template", "talk", CHART, "--namespace", "talk", *helm_values(values))
        return [document for document in yaml.safe_load_all(text) if document]

    return rendered


@pytest.fixture(scope="session")
def everything(render: Render) -> list[dict[str, Any]]:
    """The chart's objects with every part enabled."""
    return render(*EVERYTHING)
