import os
import sys
from pathlib import Path

import pytest

from shared import local_redis as redis_server
from shared.errors import ConfigError


def program(folder: Path) -> Path:
    folder.mkdir(parents=True)
    path = folder / "redis-server"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_machines_own_server_comes_before_redislites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = program(tmp_path / "venv" / "bin"), program(tmp_path / "usr")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(ours.parent), str(theirs.parent)]))
    assert redis_server.executable() == str(theirs)


def test_a_missing_server_is_reported_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="apt-get install redis-server"):
        redis_server.executable()


def test_the_server_is_durable_and_evicts_nothing(tmp_path: Path) -> None:
    line = " ".join(redis_server.command(6400, tmp_path))
    assert "--bind 127.0.0.1 --port 6400" in line
    assert "--appendonly yes" in line
    assert "--maxmemory-policy noeviction" in line


def test_a_closed_port_does_not_answer() -> None:
    assert not redis_server.answers("redis://127.0.0.1:1/0")
