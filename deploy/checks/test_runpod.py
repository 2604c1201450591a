"""The RunPod template: fields that its REST API knows, and what our guide promises."""

import json
from typing import Any

from conftest import DEPLOY

TEMPLATE: dict[str, Any] = json.loads((DEPLOY / "runpod/template.json").read_text())
# Of POST /v1/templates.
KNOWN = {
    *("category", "containerDiskInGb", "containerRegistryAuthId", "dockerEntrypoint"),
    *("dockerStartCmd", "env", "imageName", "isPublic", "isServerless", "name", "ports", "readme"),
    *("volumeInGb", "volumeMountPath"),
}


def test_runpod_knows_every_field() -> None:
    assert set(TEMPLATE) <= KNOWN


def test_only_the_gateway_is_reachable() -> None:
    assert TEMPLATE["ports"] == ["8000/http"]


def test_secrets_are_references() -> None:
    for name in ("GATEWAY_AUTH_SECRET", "GATEWAY_STATS_TOKEN"):
        assert TEMPLATE["env"][name].startswith("{{ RUNPOD_SECRET_")
