"""Serves the page's files, each under its content security policy.

The example client is one file to copy, so it contains its script. Its policy allows exactly this
script, by its hash, and the worklet that the script makes of itself. The policy of all other files
allows no inline script.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

WEB: Final = Path(__file__).parents[1] / "web"
EXAMPLE: Final = "example.html"
_SCRIPT: Final = re.compile(r"<script[^>]*>(.*?)</script>", re.DOTALL)


class Pages(StaticFiles):
    """Serves gateway/web over HTTP. The example's hash is computed at start."""

    def __init__(self) -> None:
        super().__init__(directory=WEB, html=True)
        self._policy = example_policy((WEB / EXAMPLE).read_text())

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; the example has a policy of its own."""
        response = await super().get_response(path, scope)
        if path == EXAMPLE:
            response.headers["Content-Security-Policy"] = self._policy
        return response


def example_policy(html: str) -> str:
    """The content policy under which only this file's own scripts run."""
    digests = (hashlib.sha256(script.encode()).digest() for script in _SCRIPT.findall(html))
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'none'; script-src {hashes} data:; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
