"""The Helm chart: lint, Kubernetes' schemas, how its objects fit together, and bad values."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import CHART, EVERYTHING, Render, helm_values, program, run

Objects = list[dict[str, Any]]
PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
# What helm says; a schema's message names the value, a check of ours says what to do.
REFUSED = [
    ("gateway.replicas=1", "'/gateway/replicas': minimum: got 1, want 2"),
    ("worker.slots=-1", "'/worker/slots': minimum: got -1, want 0"),
    ("worker.gpus=2", "'/worker/gpus': value must be one of 0, 1"),
    ("worker.engine=moshi2", "'/worker/engine': value must be one of"),
    ("worker.slotz=8", "additional properties 'slotz' not allowed"),
    ("ingress.host=https://talk.example.org/web", "'/ingress/host': '"),
    ("redis.bundled.maxmemory=1g", "'/redis/bundled/maxmemory': '"),
    ("worker.image=", "Expected worker.image, got none: build it with `make images`"),
    ("worker.image=registry.example.org/worker:1.0", "a tag may change under a running release"),
    ("worker.settings.ENGINE=echo", "Expected no ENGINE in worker.settings"),
    ("worker.slots=0", "Expected worker.slots of at least 1 with the engine cascade"),
    ("worker.settings.THINK_KEY=x", "Name a Secret in worker.secrets.THINK_KEY"),
    ("worker.engine=echo,worker.gpus=1", "Expected worker.gpus 0 with the engine echo"),
    ("autoscaling.enabled=true,autoscaling.min=9,autoscaling.max=8", "got 9"),
    ("autoscaling.enabled=true,worker.slots=1", "times autoscaling.busyShare of at least 1"),
]


def of_kind(objects: Objects, kind: str) -> Objects:
    return [each for each in objects if each["kind"] == kind]


def pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """The pod templates by the name of their owner."""
    owners = of_kind(objects, "Deployment") + of_kind(objects, "StatefulSet")
    return {owner["metadata"]["name"]: owner["spec"]["template"] for owner in owners}


def selects(selector: dict[str, str], template: dict[str, Any]) -> bool:
    return selector.items() <= template["metadata"]["labels"].items()


def port_names(template: dict[str, Any]) -> set[str]:
    return {p["name"] for c in template["spec"]["containers"] for p in c["ports"]}


def test_lint_has_nothing_to_say(helm: Path) -> None:
    run(helm, "lint", "--strict", CHART, *helm_values(EVERYTHING))


@pytest.mark.parametrize("version", ["1.30", "1.34", "1.37"])
@pytest.mark.parametrize("values", [(), EVERYTHING], ids=["default", "everything"])
def test_kubernetes_would_accept_it(
    version: str, values: tuple[str, ...], render: Render, tmp_path: Path
) -> None:
    path = tmp_path / "rendered.yaml"
    path.write_text(yaml.safe_dump_all(render(*values)))
    said = run(program("kubernetes-validate"), "--strict", "-k", version, path)
    unknown = [line for line in said.splitlines() if "Couldn't find schema" in line]
    assert all("ScaledObject" in line or "ServiceMonitor" in line for line in unknown)


@pytest.mark.parametrize(("value", "message"), REFUSED)
def test_a_bad_value_is_refused(value: str, message: str, helm: Path) -> None:
    line = [helm, "template", "talk", CHART, *helm_values([value])]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode != 0
    assert message in done.stderr


def test_a_tag_will_do_where_one_asks_for_it(render: Render) -> None:
    assert render("requireDigests=false", "worker.image=registry.example.org/worker:1.0")


def test_the_guides_values_are_accepted(helm: Path, tmp_path: Path) -> None:
    page = (CHART.parents[2] / "docs/deploy/kubernetes.md").read_text()
    blocks = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    flags = []
    for number, block in enumerate(blocks):
        path = tmp_path / f"{number}.yaml"
        path.write_text(block)
        flags += ["--values", path]
        run(helm, "template", "talk", CHART, *flags)


def test_the_values_for_moshi_give_a_worker_a_gpu_and_its_weights(
    helm: Path, tmp_path: Path
) -> None:
    page = (CHART.parents[2] / "docs/moshi.md").read_text()
    (block,) = re.findall(r"^```yaml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (tmp_path / "moshi.yaml").write_text(block)
    flags = ["--values", tmp_path / "moshi.yaml", *helm_values([])]
    objects = [e for e in yaml.safe_load_all(run(helm, "template", "talk", CHART, *flags)) if e]
    (worker,) = pods(objects)["talk-worker"]["spec"]["containers"]
    env = {variable["name"]: variable.get("value") for variable in worker["env"]}
    assert (env["ENGINE"], env["WORKER_SLOTS"]) == ("moshi", "0")
    assert env["MODEL"].startswith("/models/")
    assert worker["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert "/models" in [mount["mountPath"] for mount in worker["volumeMounts"]]


def test_every_pod_is_restricted(everything: Objects) -> None:
    for template in pods(everything).values():
        spec = template["spec"]
        assert spec["enableServiceLinks"] is False
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            rights = container["securityContext"]
            assert rights["readOnlyRootFilesystem"]
            assert rights["allowPrivilegeEscalation"] is False
            assert rights["capabilities"] == {"drop": ["ALL"]}
            assert "@sha256:" in container["image"]


def test_no_secret_is_in_the_chart(everything: Objects) -> None:
    assert not of_kind(everything, "Secret")
    for template in pods(everything).values():
        for container in template["spec"]["containers"]:
            for variable in container.get("env", []):
                secret = variable["name"].endswith(("_URL", "_SECRET", "_TOKEN", "_KEY"))
                assert not secret or "secretKeyRef" in variable["valueFrom"], variable["name"]


def test_every_container_has_probes_and_room_to_end(everything: Objects) -> None:
    for template in pods(everything).values():
        spec = template["spec"]
        for container in spec["containers"]:
            for probe in PROBES:
                get = container[probe].get("httpGet")
                assert get is None or get["port"] in port_names(template)
            sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            assert spec["terminationGracePeriodSeconds"] >= sleep.get("seconds", 0) + 10


def test_a_fleet_without_workers_takes_no_gateway_away(everything: Objects) -> None:
    (gateway,) = pods(everything)["talk-gateway"]["spec"]["containers"]
    assert {gateway[probe]["httpGet"]["path"] for probe in PROBES} == {"/health"}


def test_a_worker_is_judged_by_its_own_probes(everything: Objects) -> None:
    (worker,) = pods(everything)["talk-worker"]["spec"]["containers"]
    assert [worker[probe]["httpGet"]["path"] for probe in PROBES] == [
        "/startup",
        "/ready",
        "/health",
    ]


def test_selectors_find_pods(everything: Objects) -> None:
    templates = pods(everything).values()
    for owner in of_kind(everything, "Deployment") + of_kind(everything, "StatefulSet"):
        assert selects(owner["spec"]["selector"]["matchLabels"], owner["spec"]["template"])
    for service in of_kind(everything, "Service"):
        found = [t for t in templates if selects(service["spec"]["selector"], t)]
        assert len(found) == 1
        assert {p["targetPort"] for p in service["spec"]["ports"]} <= port_names(found[0])
    for each in of_kind(everything, "PodDisruptionBudget"):
        selector = each["spec"]["selector"]["matchLabels"]
        assert sum(selects(selector, template) for template in templates) == 1


def test_monitors_find_services(everything: Objects) -> None:
    services = of_kind(everything, "Service")
    for monitor in of_kind(everything, "ServiceMonitor"):
        selector = monitor["spec"]["selector"]["matchLabels"].items()
        (found,) = [s for s in services if selector <= s["metadata"]["labels"].items()]
        ports = {port["name"] for port in found["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_every_pod_has_a_policy_for_both_directions(everything: Objects) -> None:
    policies = of_kind(everything, "NetworkPolicy")
    for template in pods(everything).values():
        selectors = [
            p for p in policies if selects(p["spec"]["podSelector"]["matchLabels"], template)
        ]
        assert len(selectors) == 1
        assert selectors[0]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_redis_is_reached_by_gateways_and_workers_alone(everything: Objects) -> None:
    templates = pods(everything)
    (policy,) = [
        p for p in of_kind(everything, "NetworkPolicy") if p["metadata"]["name"] == "talk-redis"
    ]
    (rule,) = policy["spec"]["ingress"]
    allowed = {
        name
        for peer in rule["from"]
        for name, template in templates.items()
        if selects(peer["podSelector"]["matchLabels"], template)
    }
    assert allowed == {"talk-gateway", "talk-worker"}


@pytest.mark.parametrize("part", ["gateway", "worker"])
@pytest.mark.parametrize(
    ("endpoint", "port"),
    [("http://collector:4318", 4318), ("http://10.0.0.4", 80), ("https://traces.example.org", 443)],
)
def test_a_collector_of_traces_is_reached(
    part: str, endpoint: str, port: int, render: Render
) -> None:
    def ports(*values: str) -> list[int]:
        (policy,) = [
            p
            for p in of_kind(render(*values), "NetworkPolicy")
            if p["metadata"]["name"] == f"talk-{part}"
        ]
        return [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]

    assert ports(f"{part}.settings.OTLP_ENDPOINT={endpoint}") == [*ports(), port]


def test_operators_paths_are_not_public(everything: Objects) -> None:
    (ingress,) = of_kind(everything, "Ingress")
    paths = [p["path"] for rule in ingress["spec"]["rules"] for p in rule["http"]["paths"]]
    assert paths == ["/web", "/ws", "/v1", "/twilio", "/api/config"]


def test_the_autoscaler_has_the_fleet_to_itself(everything: Objects) -> None:
    (scaled,) = of_kind(everything, "ScaledObject")
    (worker,) = [
        d
        for d in of_kind(everything, "Deployment")
        if d["metadata"]["name"] == scaled["spec"]["scaleTargetRef"]["name"]
    ]
    assert "replicas" not in worker["spec"]  # `helm upgrade` would undo the autoscaler
    (trigger,) = scaled["spec"]["triggers"]
    assert trigger["metadata"]["threshold"] == "5"  # 8 slots x .7
    down = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["policies"] == [{"type": "Pods", "value": 1, "periodSeconds": 60}]


def test_prometheus_understands_the_autoscalers_query(everything: Objects, tmp_path: Path) -> None:
    (scaled,) = of_kind(everything, "ScaledObject")
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]
    rules = tmp_path / "rules.yml"
    group = {"name": "autoscaler", "rules": [{"record": "callers", "expr": query}]}
    rules.write_text(yaml.safe_dump({"groups": [group]}))
    run(program("promtool"), "check", "rules", rules)
