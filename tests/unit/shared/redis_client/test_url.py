"""The client for each form of REDIS_URL."""

import re

import pytest
from redis.asyncio.sentinel import SentinelConnectionPool

from shared.errors import ConfigError
from shared.redis_client.cluster import ClusterClient
from shared.redis_client.url import client
from shared.settings import load_settings


def test_one_server_is_tried_once() -> None:
    redis = client("redis://:secret@host:6380/2", timeout_s=1.5)
    found = redis.connection_pool.connection_kwargs
    assert (found["host"], found["port"], found["db"], found["password"]) == (
        *("host", 6380, 2, "secret"),
    )
    assert found["socket_timeout"] == 1.5
    assert found["retry"].get_retries() == 0


def test_sentinels_name_the_primary() -> None:
    redis = client("redis+sentinel://ann:s%40crt@one:26380,two/calls/3", timeout_s=1)
    pool = redis.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "calls"
    found = pool.connection_kwargs
    assert (found["db"], found["username"], found["password"]) == (3, "ann", "s@crt")
    asked = [s.connection_pool.connection_kwargs for s in pool.sentinel_manager.sentinels]
    assert [(a["host"], a["port"]) for a in asked] == [("one", 26380), ("two", 26379)]
    assert not any(a.get("password") for a in asked)


async def test_a_cluster_is_reached_by_any_of_its_nodes() -> None:
    redis: object = client("rediss+cluster://:secret@one:7000,two", timeout_s=1)
    assert isinstance(redis, ClusterClient)
    assert [(n.host, n.port) for n in redis.startup_nodes] == [("one", 7000), ("two", 6379)]
    assert redis.get_connection_kwargs()["password"] == "secret"  # noqa: S105


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis+sentinel://one:26379", "/service"),
        ("redis+sentinel://one:26379/calls/first", "/service/0"),
        ("redis+cluster://", "host:port"),
        ("redis+magic://one:1", "redis+sentinel://"),
        ("http://one:1", "redis://"),
    ],
)
def test_another_form_is_refused_and_its_password_not_shown(url: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        client(url, timeout_s=1)
    secret = url.replace("://", "://:secret@")
    with pytest.raises(ConfigError) as raised:
        load_settings({"REDIS_URL": secret})
    assert "REDIS_URL" in str(raised.value)
    assert "secret" not in str(raised.value)
