"""What runs without containers: systemd's units, the proxies' files, and Prometheus' rules."""

import re
from pathlib import Path

import pytest
from conftest import DEPLOY, program, run

UNITS = sorted(DEPLOY.glob("systemd/*.service"))
PAGE = DEPLOY.parent / "docs/operations.md"
RULES = sorted(DEPLOY.glob("prometheus/rules/*.yml"))
TESTS = sorted(DEPLOY.glob("prometheus/rules/tests/*.yml"))
# 0 is no exposure, 10 is all of it; systemd calls up to 2 safe or OK.
MOST_EXPOSED = "20"  # tenths


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_systemd_understands_a_unit(unit: Path, tmp_path: Path) -> None:
    instance = tmp_path / unit.name.replace("@", "@8001")
    # The unit's own Python is not on this machine.
    instance.write_text(unit.read_text().replace("/opt/antiphon/.venv/bin/python", "/bin/true"))
    assert run(program("systemd-analyze"), "verify", instance) == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.stem)
def test_a_unit_has_few_rights(unit: Path) -> None:
    options = ("--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager")
    run(program("systemd-analyze"), "security", *options, unit)


def block(language: str) -> str:
    """The first block of code of this language in the page."""
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"no {language} in {PAGE}"
    return found[1]


def test_nginx_understands_the_pages_lines(tmp_path: Path) -> None:
    nginx, openssl = program("nginx"), program("openssl")
    key, certificate = tmp_path / "talk.key", tmp_path / "talk.pem"
    subject = ("-subj", "/CN=talk.example.org", "-days", "1", "-nodes")
    where = ("-keyout", key, "-out", certificate)
    run(openssl, "req", "-x509", "-newkey", "rsa:2048", *subject, *where)
    lines = block("nginx").replace("/etc/ssl/talk.", f"{tmp_path}/talk.")
    config = tmp_path / "nginx.conf"
    quiet = f"pid {tmp_path}/pid; error_log stderr;"
    config.write_text(f"{quiet} events {{}} http {{ access_log off; {lines} }}")
    run(nginx, "-t", "-c", config, "-p", tmp_path)


def test_caddy_understands_the_pages_lines(tmp_path: Path) -> None:
    config = tmp_path / "Caddyfile"
    config.write_text(block("caddyfile"))
    run(program("caddy"), "validate", "--adapter", "caddyfile", "--config", config)


def test_caddy_understands_composes_file() -> None:
    path = DEPLOY / "caddy/Caddyfile"
    run(program("caddy"), "validate", "--adapter", "caddyfile", "--config", path)


@pytest.mark.parametrize("rules", RULES, ids=lambda path: path.name)
def test_prometheus_understands_the_rules(rules: Path) -> None:
    run(program("promtool"), "check", "rules", rules)


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_tests_say(tests: Path) -> None:
    run(program("promtool"), "test", "rules", tests)


def test_prometheus_understands_its_configuration() -> None:
    run(program("promtool"), "check", "config", DEPLOY / "prometheus/prometheus.yml")
