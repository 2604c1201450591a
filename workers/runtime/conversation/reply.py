"""One utterance of the assistant: its frames' numbers, and what of it the caller has heard."""

from collections import deque
from typing import Any, Final

from shared.audio import FRAME_BYTES, FRAMES_PER_CHUNK, Floats, Pcm16
from shared.log.records import OutputRecord, ReplyDone, ReplyStarted, Speech, Text
from workers.engines.base import Output
from workers.runtime.conversation.limiter import Guard

MAX_STEPS: Final = 128  # 10.2 s; then the reply ends whatever the model wants
_RECORD_BYTES: Final = FRAMES_PER_CHUNK * FRAME_BYTES  # 3,840
_MARKS: Final = 256  # more than the steps that may be ahead of the playhead


class Reply:
    """A reply that is being made, or made but not yet heard to its end."""

    def __init__(self, generation: int, first: int, kept: int) -> None:
        self.generation = generation
        self.first = first  # its first frame
        self.kept = kept  # the last step of which the caller heard every frame
        self.steps = 0
        self.done = False
        self.guard = Guard()
        self._marks: deque[tuple[int, int]] = deque(maxlen=_MARKS)  # (step, its last frame)

    def tell(
        self, output: Output, step: int, frame: int, *, endless: bool = False
    ) -> list[OutputRecord]:
        """What `step` gave, after frame number `frame`, as the caller gets it.

        Sets `done` when that was all of it; only an endless reply may go on for ever.
        """
        records: list[OutputRecord] = []
        if self.steps == 0:
            records.append(ReplyStarted(self.generation, self.first))
        self.steps += 1
        if output.text:
            records.append(Text(self.generation, output.text))
        if output.pcm is not None and output.pcm.size:
            said = self._say(output.pcm, frame)
            frame = said[-1].frame + said[-1].frames - 1
            self._marks.append((step, frame))
            records += said
        if output.ended or (self.steps >= MAX_STEPS and not endless):
            self.done = True
            records.append(ReplyDone(self.generation, frame + 1, _reason(output)))
        return records

    def _say(self, audio: Pcm16 | Floats, frame: int) -> list[Speech]:
        """Audio after frame number `frame`; what is no whole frame is filled with silence."""
        pcm = self.guard.check(audio)
        data = pcm.astype("<i2", copy=False).tobytes()
        data += bytes(-len(data) % FRAME_BYTES)
        starts = range(0, len(data), _RECORD_BYTES)
        return [
            Speech(frame + 1 + at // FRAME_BYTES, self.generation, data[at : at + _RECORD_BYTES])
            for at in starts
        ]

    def heard(self, played: int) -> None:
        """The caller has heard every frame up to `played`."""
        while self._marks and self._marks[0][1] <= played:
            self.kept = self._marks.popleft()[0]

    def lead(self, frame: int, played: int) -> int:
        """How many of its frames are ahead of the caller's playhead."""
        return frame - max(played, self.first - 1)

    def state(self) -> list[Any]:
        """What `restore` needs, as msgpack takes it."""
        marks = [number for mark in self._marks for number in mark]
        told = [self.generation, self.first, self.kept, self.steps, self.done]
        return [*told, self.guard.gain, marks]

    @classmethod
    def restore(cls, state: list[Any]) -> "Reply":
        """The reply that gave this state."""
        generation, first, kept, steps, done, gain, marks = state
        reply = cls(generation, first, kept)
        reply.steps, reply.done, reply.guard = steps, done, Guard(gain)
        reply._marks.extend(zip(marks[::2], marks[1::2], strict=True))
        return reply


def _reason(output: Output) -> str:
    return "end" if output.ended else "length"
