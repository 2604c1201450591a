"""Lines of JSON name the call that they are about."""

import json
import logging
import sys

from shared.logs import JsonFormatter

SID = "0123456789abcdef" * 2


def line(message: str, *arguments: object, error: bool = False) -> dict[str, str]:
    info = sys.exc_info() if error else None
    record = logging.LogRecord("workers.loop", logging.INFO, "f", 1, message, arguments, info)
    found: dict[str, str] = json.loads(JsonFormatter().format(record))
    return found


def test_a_line_has_its_parts_and_the_session() -> None:
    found = line("session %s ended: %s", SID, "hung up")
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "INFO",
        "logger": "workers.loop",
        "message": f"session {SID} ended: hung up",
        "session": SID,
    }


def test_a_line_about_no_call_has_no_session() -> None:
    assert "session" not in line("worker %s: 8 slots", "host-1-ab")


def test_an_exception_stays_on_its_line() -> None:
    try:
        json.loads("{")
    except ValueError:
        found = line("session %s cannot be planned", SID, error=True)
    assert "JSONDecodeError: Expecting" in found["exception"]
