"""Which exceptions end one session alone."""

import asyncio
import logging

import pytest

from gateway.call.containment import Containment
from gateway.protocol.errors import CallError, ErrorCode


def test_a_call_s_own_error_ends_it_as_it_is() -> None:
    failed: list[CallError] = []
    error = CallError(ErrorCode.TOO_FAST, "Expected real time")
    with Containment("s", "The session failed", failed.append):
        raise error
    with Containment("s", "The session failed", failed.append):
        pass
    assert failed == [error]


def test_any_other_error_is_logged_and_ends_the_call_as_ours(
    caplog: pytest.LogCaptureFixture,
) -> None:
    failed: list[CallError] = []
    with (
        caplog.at_level(logging.ERROR),
        Containment("s", "The session failed", failed.append),
    ):
        raise ValueError("inside")
    (error,) = failed
    assert (error.code, str(error)) == (ErrorCode.INTERNAL, "The session failed")
    assert "session s: The session failed" in caplog.text
    assert "ValueError: inside" in caplog.text


def test_a_cancellation_passes() -> None:
    failed: list[CallError] = []
    with (
        pytest.raises(asyncio.CancelledError),
        Containment("s", "The session failed", failed.append),
    ):
        raise asyncio.CancelledError
    assert not failed
