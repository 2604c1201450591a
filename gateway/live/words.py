"""The assistant's words in a Live session, each fragment with its place. Sans I/O.

A fragment leaves when the next one begins or the reply ends, so that its end is known.
"""

import msgspec

from gateway.live.server_events import OutputTranscript
from gateway.realtime.effects import Effects
from shared.audio import FRAME_MS


class Fragment(msgspec.Struct, frozen=True):
    """Words that begin with a frame of the call, and where in the session."""

    frame: int
    start_ms: int
    text: str


class OutputWords(msgspec.Struct):
    """`first_frame`, `first_ms`: where the present reply begins; frame 0: there is none.

    `ended_ms`: where the last words end. `held`: the newest fragment. `sent`: the one before, which
    left just before the sound of `held`.
    """

    first_frame: int = 0
    first_ms: int = 0
    ended_ms: int = 0
    held: Fragment | None = None
    sent: Fragment | None = None
    spoke: bool = False
    newest: int = 0  # the frame with which the newest fragment begins

    def begin(self, frame: int, now_ms: int) -> Effects:
        """A reply begins with this frame."""
        ended = self.end(frame)
        self.first_frame, self.first_ms = frame, max(now_ms, self.ended_ms)
        return ended

    def say(self, frame: int, text: str, now_ms: int) -> Effects:
        """Words that begin with this frame; the ones before are complete."""
        if not self.first_frame:
            self.begin(frame, now_ms)
        goes_on = self.held is not None
        ended = self._flush(frame)
        space = " " if self.spoke and not goes_on and not text.startswith(" ") else ""
        self.held, self.newest = Fragment(frame, self._ms(frame), space + text), frame
        return ended

    def end(self, frame: int) -> Effects:
        """The reply ends before this frame."""
        ended = self._flush(frame)
        self.first_frame, self.sent = 0, None
        return ended

    def return_to(self, frame: int) -> Effects:
        """A client that has no later frame goes on: what it may lack of the words before."""
        held, sent = self.held, self.sent
        if held is None or held.frame <= frame:
            return []
        self.held, self.sent, self.newest = None, None, frame  # the log says it again
        if sent is not None and sent.frame <= frame:
            self.held = sent
            return self._flush(held.frame)
        return []

    def _flush(self, frame: int) -> Effects:
        held, self.held = self.held, None
        if held is None:
            return []
        self.sent, self.spoke = held, True
        self.ended_ms = max(held.start_ms, self._ms(frame))
        return [OutputTranscript(delta=held.text, start_ms=held.start_ms, end_ms=self.ended_ms)]

    def _ms(self, frame: int) -> int:
        return self.first_ms + (frame - self.first_frame) * FRAME_MS
