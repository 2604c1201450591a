"""Sets up the log of every process: lines of text, or of JSON for a log collector.

No line holds words or audio of a call.
"""

import json
import logging
import re
from datetime import UTC, datetime
from typing import Final

TEXT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_SESSION: Final = re.compile(r"\b[0-9a-f]{32}\b")  # a session's id


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `session` names the call that the line is about."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        message = record.getMessage()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": message,
        }
        if found := _SESSION.search(message):
            line["session"] = found[0]
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(level: str, style: str) -> None:
    """Write lines of this level and above to stderr; style: text or json."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if style == "json" else logging.Formatter(TEXT))
    logging.basicConfig(level=level, handlers=[handler], force=True)
