"""Records the messages on the page's WebSockets, also those that its Worker opens."""

import json
import struct

from playwright.sync_api import Page, WebSocket


class Wire:
    """All messages of all connections, by direction."""

    def __init__(self, page: Page) -> None:
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.words: list[dict[str, object]] = []
        self._page = page
        page.on("websocket", self._tap)

    def look(self) -> bool:
        """Take in what has come; Playwright delivers events only while it waits. Always true."""
        self._page.wait_for_timeout(20)
        return True

    def _tap(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda data: self._note(data, self.up))
        socket.on("framereceived", lambda data: self._note(data, self.down))

    def _note(self, data: bytes | str, side: list[bytes]) -> None:
        if isinstance(data, bytes):
            side.append(data)
        else:
            self.words.append(json.loads(data))

    def values(self, kind: str, field: str) -> list[object]:
        """The field's value in each JSON message of this type."""
        return [word[field] for word in self.words if word["type"] == kind]

    def frames(self) -> list[int]:
        """The numbers of the received frames, in order."""
        return [struct.unpack_from("<I", frame)[0] for frame in self.down]
