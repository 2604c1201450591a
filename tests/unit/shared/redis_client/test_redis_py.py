"""The contract with redis-py and hiredis: the private names and the behaviour that we use."""

import inspect
import re
from pathlib import Path
from typing import Any

import hiredis
import pytest
import redis
from redis.asyncio import Connection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, NoScriptError

from shared.redis_client import redis_py

ADAPT = (
    f"redis-py {redis.__version__} changed a private name that Antiphon uses: adapt "
    "shared/redis_client/redis_py.py, or keep the older redis-py by its bound in pyproject.toml. "
)


@pytest.fixture
def connection() -> Connection:
    """A connection that is not open."""
    return Connection(protocol=2)


def test_a_connection_still_has_a_writer_that_is_none_until_it_is_open(
    connection: Connection,
) -> None:
    assert getattr(connection, redis_py.WRITER, "missing") is None, (
        f"{ADAPT}Expected Connection.{redis_py.WRITER} to be None before it connects."
    )
    with pytest.raises(RedisConnectionError, match="closed"):
        redis_py.transport_of(connection)


def test_a_connection_still_has_a_parser_that_makes_errors_and_reads(
    connection: Connection,
) -> None:
    parser = getattr(connection, redis_py.PARSER, None)
    for name in (redis_py.PARSE_ERROR, redis_py.READ_RESPONSE):
        found = callable(getattr(parser, name, None))
        assert found, f"{ADAPT}Expected Connection.{redis_py.PARSER}.{name} to be a method."
    read = inspect.signature(getattr(parser, redis_py.READ_RESPONSE))
    needed = [p.name for p in read.parameters.values() if p.default is inspect.Parameter.empty]
    assert not needed, f"{ADAPT}Expected {redis_py.READ_RESPONSE}() to need no argument."


def test_replies_that_are_errors_become_redis_pys_exceptions(connection: Connection) -> None:
    reader = redis_py.reply_reader(connection)
    reader.feed(b":1\r\n-NOSCRIPT No matching script\r\n$3\r\nab")
    assert reader.gets() == 1
    assert isinstance(reader.gets(), NoScriptError), f"{ADAPT}Expected a NoScriptError."
    assert reader.gets() is False, "hiredis: expected False for an incomplete reply"
    reader.feed(b"c\r\nnonsense\r\n")
    assert reader.gets() == b"abc"
    with pytest.raises(InvalidResponse):
        reader.gets()


def test_hiredis_packs_a_command_as_the_protocol_says() -> None:
    command: tuple[Any, ...] = ("GET", b"key", 7)
    assert hiredis.pack_command(command) == b"*3\r\n$3\r\nGET\r\n$3\r\nkey\r\n$1\r\n7\r\n"


@pytest.mark.parametrize("package", ["redis", "hiredis"])
def test_pyproject_bounds_the_major_release(package: str) -> None:
    text = (Path(__file__).parents[4] / "pyproject.toml").read_text()
    assert re.search(rf'"{package}>=[\d.]+,<\d+"', text), f"expected an upper bound on {package}"
