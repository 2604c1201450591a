"""The sentences that say why Redis cannot be used, and how often the log has them."""

import pytest
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.redis_client.trouble import (
    MAX_LASTING_PAUSE_S,
    MAX_PAUSE_S,
    PATIENCE_S,
    TroubleLog,
    trouble_of,
)

REFUSED = RedisConnectionError("Error 111 connecting to h:1. Connect call failed ('h', 1).")
WRONG = AuthenticationError("invalid username-password pair or user is disabled.")
VERIFY = "Error 1 connecting to h:1. [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: "


@pytest.mark.parametrize(
    ("text", "cause", "lasting"),
    [
        ("Authentication required.", "wants a password", True),
        ("invalid username-password pair or user is disabled.", "refuses the user or the p", True),
        ("DB index is out of range", "no database of the number", True),
        (VERIFY + "self-signed certificate (_ssl.c:1006)", r"\(self-signed certificate\)", True),
        (VERIFY + "certificate has expired (_ssl.c:1006)", r"\(certificate has expired\)", True),
        (
            VERIFY + "IP address mismatch, certificate is not valid for 'h'",
            "not for the host",
            True,
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", "does not speak TLS", True),
        ("this user has no permissions to run the 'ping' command", "access rules", True),
        ('Protocol error, got "H" as reply type byte', "is not Redis", True),
        ("Error -2 connecting to h:1. Name or service not known.", "has no address", False),
        (str(REFUSED), "nothing listens", False),
        ("Error while reading from h:1 : (104, 'Connection reset by peer')", "rediss://", False),
        ("command not allowed when used memory > 'maxmemory'.", "is full", False),
        (
            "Error running script (call to f_1): @user_script:9: @user_script: 9: -OOM command "
            "not allowed when used memory > 'maxmemory'.",
            "is full",
            False,
        ),
        ("You can't write against a read only replica.", "takes no writes", False),
        ("unknown command 'SENTINEL', with args beginning with: 'MASTERS' ", "no sentinel", True),
        ("something else", "does not answer", False),
    ],
)
def test_the_cause_is_found_in_the_text(text: str, cause: str, lasting: bool) -> None:
    with pytest.raises(AssertionError, match=cause):
        raise AssertionError(trouble_of(RedisError(text)).cause)
    assert trouble_of(RedisError(text)).lasting is lasting


def test_the_cause_is_found_below_another_error() -> None:
    """A Cluster's client says only that no node answers."""
    error = RedisConnectionError("Expected a Cluster's node to answer")
    error.__cause__ = ResponseError("Authentication required.")
    assert "wants a password" in trouble_of(error).cause


def test_a_lasting_trouble_is_said_once_and_tried_ever_more_rarely() -> None:
    log = TroubleLog()
    said = [log.fail(WRONG, float(now)) for now in range(10)]
    assert said[0] == (
        "Redis cannot be used: Redis refuses the user or the password in REDIS_URL; trying again"
    )
    assert said[1:] == [None] * 9
    assert log.pause_s == MAX_LASTING_PAUSE_S
    assert log.succeed() == "Redis can be used again"
    assert log.cause is None
    assert log.succeed() is None


def test_a_redis_that_still_starts_is_not_worth_a_line() -> None:
    log = TroubleLog()
    assert log.fail(REFUSED, 0.0) is None
    assert log.cause == "nothing listens at its host and port"
    assert "h:1" in (log.fail(REFUSED, PATIENCE_S) or "")
    assert [log.fail(REFUSED, 3.0 + n) for n in range(9)] == [None] * 9
    assert log.pause_s == MAX_PAUSE_S


def test_another_cause_is_said_too() -> None:
    log = TroubleLog()
    assert log.fail(WRONG, 0.0)
    assert log.fail(ResponseError("DB index is out of range"), 1.0)
