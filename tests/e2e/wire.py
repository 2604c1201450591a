"""What goes over the page's sockets, the Worker's too."""

import json
import struct

from playwright.sync_api import Page, WebSocket


class Wire:
    """Everything that was said, in each direction, over all connections."""

    def __init__(self, page: Page) -> None:
        self.up: list[bytes] = []
        self.down: list[bytes] = []
        self.words: list[dict[str, object]] = []
        page.on("websocket", self._tap)

    def _tap(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda data: self._note(data, self.up))
        socket.on("framereceived", lambda data: self._note(data, self.down))

    def _note(self, data: bytes | str, side: list[bytes]) -> None:
        if isinstance(data, bytes):
            side.append(data)
        else:
            self.words.append(json.loads(data))

    def told(self, kind: str, field: str) -> list[object]:
        """What this field was in each message of a type."""
        return [word[field] for word in self.words if word["type"] == kind]

    def frames(self) -> list[int]:
        """The numbers of the frames, in the order of their coming."""
        return [struct.unpack_from("<I", frame)[0] for frame in self.down]
