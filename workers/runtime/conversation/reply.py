"""One utterance of the assistant: its frames' numbers, and what of it the caller has heard."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

from shared.audio import FRAME_BYTES, FRAMES_PER_CHUNK, Floats, Pcm16
from shared.log.records import OutputRecord, ReplyDone, ReplyStarted, Speech, Text
from workers.engines.base import Output
from workers.runtime.conversation.limiter import Guard

MAX_STEPS: Final = 128  # 10.2 s; then the reply ends whatever the model wants
_RECORD_BYTES: Final = FRAMES_PER_CHUNK * FRAME_BYTES  # 3,840
_MARKS: Final = 256  # more than the steps that may be ahead of the playhead


def _marks() -> deque[tuple[int, int]]:
    return deque(maxlen=_MARKS)


@dataclass(slots=True)
class Reply:
    """A reply that is being made, or is made and not yet played to its end."""

    generation: int
    first: int  # its first frame
    kept: int  # the last step whose every frame was played
    steps: int = 0
    done: bool = False
    guard: Guard = field(default_factory=Guard)
    marks: deque[tuple[int, int]] = field(default_factory=_marks)  # (step, its last frame)

    def records(
        self, output: Output, step: int, frame: int, *, endless: bool = False
    ) -> list[OutputRecord]:
        """The output records of `step`, numbered after `frame`.

        Sets `done` with the last of them; only an endless reply may exceed the step limit.
        """
        records: list[OutputRecord] = []
        if self.steps == 0:
            records.append(ReplyStarted(generation=self.generation, frame=self.first))
        self.steps += 1
        if output.text:
            records.append(Text(generation=self.generation, text=output.text))
        if output.pcm is not None and output.pcm.size:
            speech = self._speech(output.pcm, frame)
            frame = speech[-1].frame + speech[-1].frames - 1
            self.marks.append((step, frame))
            records += speech
        if output.ended or (self.steps >= MAX_STEPS and not endless):
            self.done = True
            reason = "end" if output.ended else "length"
            records.append(ReplyDone(generation=self.generation, frame=frame + 1, reason=reason))
        return records

    def _speech(self, audio: Pcm16 | Floats, frame: int) -> list[Speech]:
        """Audio after `frame` as records of up to four frames; silence fills the last frame."""
        pcm = self.guard.check(audio)
        data = pcm.astype("<i2", copy=False).tobytes()
        data += bytes(-len(data) % FRAME_BYTES)
        return [
            Speech(
                frame=frame + 1 + at // FRAME_BYTES,
                generation=self.generation,
                pcm=data[at : at + _RECORD_BYTES],
            )
            for at in range(0, len(data), _RECORD_BYTES)
        ]

    def note_played(self, played: int) -> None:
        """The playhead has passed every frame up to `played`."""
        while self.marks and self.marks[0][1] <= played:
            self.kept = self.marks.popleft()[0]

    def lead(self, frame: int, played: int) -> int:
        """How many of its frames are ahead of the caller's playhead."""
        return frame - max(played, self.first - 1)
