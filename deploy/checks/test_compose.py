"""compose.yaml: the Compose specification's schema, and how its services fit together."""

import re
from typing import Any

import pytest
import yaml
from conftest import DEPLOY, program, run

COMPOSE = DEPLOY / "compose.yaml"
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())["services"]
OURS = ("gateway", "worker", "worker-gpu")


def test_it_is_valid_by_the_specification() -> None:
    run(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", COMPOSE)


def test_compose_itself_reads_it() -> None:
    for name in ("secrets.sh", "compose.yaml"):
        assert (DEPLOY / name).exists()
    names = set(re.findall(r"\$\{(\w+):\?", COMPOSE.read_text()))
    environment = DEPLOY / "checks" / "compose.env"
    assert names == {
        line.split("=")[0] for line in environment.read_text().splitlines() if "=" in line
    }
    compose = program("docker-compose")
    if "version 1" in run(compose, "version"):
        pytest.skip("docker-compose 1 does not know the specification")
    run(compose, "--env-file", environment, "-f", COMPOSE, "config", "--quiet")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS])
def test_foreign_images_have_a_digest(name: str) -> None:
    assert re.search(r":[^:@]+@sha256:[0-9a-f]{64}$", SERVICES[name]["image"])


def test_only_the_proxy_is_reachable_from_other_machines() -> None:
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert name == "proxy" or port.startswith("127.0.0.1:"), (name, port)


def test_redis_keeps_what_it_acknowledged() -> None:
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--aclfile"] in SERVICES["redis"]["volumes"][1]


def test_every_process_may_end_its_calls() -> None:
    for name in OURS:
        assert SERVICES[name]["stop_grace_period"] == "15s"


def test_two_gateways_and_two_workers_on_cpus_or_gpus() -> None:
    assert [SERVICES[name]["deploy"]["replicas"] for name in OURS] == [2, 2, 2]
    assert [SERVICES[name].get("profiles") for name in OURS] == [None, ["cpu"], ["gpu"]]


def test_mounted_files_exist() -> None:
    drawn = {"./users.acl"}  # by secrets.sh
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or source in drawn or (DEPLOY / source).exists(), (
                source
            )
