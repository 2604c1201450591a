"""The local Redis: which server, where its files lie, what it says when it cannot start."""

import os
import sys
from pathlib import Path

import pytest

from shared import local_redis as redis_server
from shared.errors import ConfigError
from shared.settings import load_settings


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


def test_a_closed_port_gets_a_server_in_its_folder(tmp_path: Path) -> None:
    settings = load_settings({"REDIS_PORT": "1", "REDIS_DIR": str(tmp_path / "made")})
    line = redis_server.local_command(settings)
    assert line is not None
    assert str(tmp_path / "made") in line
    assert list((tmp_path / "made").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "below", Path("/proc/antiphon")):
        settings = load_settings({"REDIS_PORT": "1", "REDIS_DIR": str(folder)})
        with pytest.raises(ConfigError, match="set REDIS_DIR to a folder for Redis' files"):
            redis_server.local_command(settings)
