"""The pages of the SDKs, and the program that each shows."""

import re
from typing import Final

# Each SDK and its page in docs/sdk.
PAGES: Final = {
    "openai": "openai-python",
    "agents": "openai-agents-python",
    "node": "openai-node",
    "agents_js": "openai-agents-js",
    "livekit": "livekit",
    "pipecat": "pipecat",
}
_PROGRAM: Final = re.compile(r"^```(?:python|js)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def program_in(page: str) -> str:
    """The first program on a page."""
    found = _PROGRAM.search(page)
    if found is None:
        raise AssertionError("Expected a program on the page, got none")
    return found[1]
