"""No part of a password leaves a process through an error or a log, however its URL is written."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.__main__ import main as start_gateway
from shared.errors import ConfigError
from shared.local_redis import main as start_redis
from shared.log.inspect import app as inspect
from shared.redis_client.url import client
from shared.redis_client.url_parts import SCHEMES
from shared.settings import Settings, load_settings
from workers.__main__ import main as start_worker
from workers.recorder.__main__ import app as record

# Pieces of a password that no message contains by chance.
PIECES = st.one_of(st.text("QXZJ", min_size=4, max_size=8), st.integers(20_000, 60_000).map(str))
# Each is special in a URL. The last is taken for a slash when a host is normalised.
SPECIAL = st.sampled_from(
    ["/", "?", "#", "[", "]", "/@", "?@", "\\", " ", "\n", "%", "=", "&", "℀"]
)
PLACES = ("host:6379/0", "host", "one:1,two:2/calls", "[::1]:6379", "/run/redis.sock", "")


@st.composite
def malformed(draw: st.DrawFn) -> tuple[list[str], str]:
    """The pieces of a password, and a URL that holds it unencoded."""
    pieces = draw(st.lists(PIECES, min_size=2, max_size=4))
    marks = draw(st.lists(SPECIAL, min_size=len(pieces), max_size=len(pieces)))
    password = "".join(p + m for p, m in zip(pieces, marks, strict=True))
    user = draw(st.sampled_from(["", "ann"]))
    at = draw(st.sampled_from(["@", "@", "@", ""]))  # some forget it
    scheme, place = draw(st.sampled_from(SCHEMES)), draw(st.sampled_from(PLACES))
    return pieces, f"{scheme}://{user}:{password}{at}{place}"


def shown(action: Callable[[], object]) -> str:
    """What an action's error says, its cause included; "" if there is none."""
    try:
        action()
    except (ConfigError, ValueError, SystemExit) as error:
        hidden = error.__suppress_context__ or error.__context__ is None
        return f"{error} {error!r} {'' if hidden else error.__context__}"
    return ""


@given(case=malformed())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_no_error_of_the_settings_shows_a_password(case: tuple[list[str], str]) -> None:
    pieces, url = case
    found = shown(lambda: load_settings({"REDIS_URL": url}))
    found += shown(lambda: client(url, timeout_s=1))
    found += shown(lambda: Settings.model_validate({"redis_url": url}))
    if not found:  # the password happens to be a valid one
        found = repr(load_settings({"REDIS_URL": url})) + repr(client(url, timeout_s=1))
    assert [piece for piece in pieces if piece in found] == []


def test_an_unencoded_character_is_refused_with_how_to_encode_it() -> None:
    for mark in "/?#[":
        with pytest.raises(ConfigError, match="percent-encoded: %40 for @, %2F for /"):
            load_settings({"REDIS_URL": f"redis://:ab{mark}cd@host:6379/0"})


@given(case=malformed())
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_process_says_the_password_when_it_starts(
    case: tuple[list[str], str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pieces, url = case
    monkeypatch.setenv("REDIS_URL", url)
    if not shown(load_settings):
        return  # a valid URL: the processes would start
    caplog.set_level(logging.DEBUG)
    recorder = partial(record, [])
    starts = (start_gateway, start_worker, start_redis, recorder, partial(inspect, ["overview"]))
    said = [shown(start) for start in starts]
    assert all(said)
    said += [caplog.text, *capsys.readouterr()]
    assert [piece for piece in pieces if piece in "".join(said)] == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://one:1,two:2", "redis\\+sentinel"),
        ("redis://host/first", "number of a database"),
        ("redis://host:6379/0?decode_responses=1", "only username, password"),
        ("redis://host?ssl_ca_certs=/none.pem", "rediss://"),
        ("rediss://host?ssl_ca_certs=/none/secret.pem", "a file as the option ssl_ca_certs"),
        ("rediss://host?ssl_cert_reqs=secret", "none or optional or required"),
        ("redis://host?socket_timeout=secret", "number for the option socket_timeout"),
        ("redis+cluster://host/1", "a Cluster has no other"),
        ("unix://secret/run/redis.sock", "unix:///path"),
        ("redis://:secret", "percent-encoded"),
        ("redis://:12345", "expected host:port"),
        ("redis://a b", "without white space"),
    ],
)
def test_what_cannot_work_is_refused_at_start(url: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected) as caught:
        load_settings({"REDIS_URL": url})
    assert "secret" not in str(caught.value)
    assert "12345" not in str(caught.value)


def test_tls_options_reach_every_kind_of_server() -> None:
    for url in ("rediss://h", "rediss+sentinel://h/calls", "rediss+cluster://h"):
        made = client(f"{url}?ssl_cert_reqs=none&ssl_check_hostname=false", timeout_s=1)
        cluster: Any = made
        found = (
            cluster.get_connection_kwargs()
            if "cluster" in url
            else made.connection_pool.connection_kwargs
        )
        assert (found["ssl_cert_reqs"], found["ssl_check_hostname"]) == ("none", False)
