"""Turns one reply of the engine into output records, and notes how much the caller has heard."""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from shared.audio import CHUNK_SAMPLES, FRAME_BYTES, FRAME_MS, FRAMES_PER_CHUNK, Floats, Pcm16
from shared.log.records import NoReply, OutputRecord, ReplyDone, ReplyStarted, Speech, Text
from workers.engines.base import Output
from workers.runtime.conversation.limiter import Guard

_MARKS: Final = 256  # more than the steps with sound that may be ahead of the playhead


def _marks() -> deque[tuple[int, int]]:
    return deque(maxlen=_MARKS)


@dataclass(slots=True)
class Reply:
    """A reply that is being made, or is made and not yet played to its end."""

    generation: int
    first: int  # its first frame
    before: int  # the last step before its own
    kept: int  # the last step with every frame played
    steps: int = 0
    wordless: int = 0  # steps since the last word began
    announced: bool = False  # ReplyStarted was sent
    worded: bool = False  # a word of it was sent
    done: bool = False
    guard: Guard = field(default_factory=Guard)
    marks: deque[tuple[int, int]] = field(default_factory=_marks)  # (step, its last frame)

    def records(
        self,
        output: Output,
        step: int,
        frame: int,
        *,
        most_steps: int | None,
        most_wordless: int | None = None,
        lazy: bool = False,
    ) -> list[OutputRecord]:
        """The output records of `step`, numbered after `frame`; sets `done` with the last of them.

        `most_steps`: the reply ends there whatever the engine wants; None: never.
        `most_wordless`: the same for the steps after its last word.
        `lazy`: announce the reply with its first word or sound, and never if it has neither.
        """
        self.steps += 1
        self.wordless = 0 if output.text or output.words_at else self.wordless + 1
        records = [*self._words(output), *self._speech(output, step, frame)]
        if (records or not lazy) and not self.announced:
            self.announced = True
            records.insert(0, ReplyStarted(generation=self.generation, frame=self.first))
        if output.ended or self._too_long(most_steps, most_wordless):
            self.done = True
            if self.announced:
                frame += sum(record.frames for record in records if isinstance(record, Speech))
                reason = "end" if output.ended else "length"
                done = ReplyDone(generation=self.generation, frame=frame + 1, reason=reason)
                records.append(done)
            else:
                records.append(NoReply(generation=self.generation))
        return records

    def _too_long(self, most_steps: int | None, most_wordless: int | None) -> bool:
        """Whether the reply must end: it is too long, or goes on too long after its last word."""
        long = most_steps is not None and self.steps >= most_steps
        return long or (most_wordless is not None and self.wordless >= most_wordless)

    def _words(self, output: Output) -> list[OutputRecord]:
        """The words that begin somewhere in this step."""
        if not output.text:
            return []
        self.worded = True
        return [Text(generation=self.generation, text=output.text)]

    def _speech(self, output: Output, step: int, frame: int) -> list[OutputRecord]:
        """The step's sound as records of up to four frames, with each word before its frame."""
        sound = self._sound(output.pcm)
        count = len(sound) // FRAME_BYTES
        if count:
            self.marks.append((step, frame + count))
        if not count and not output.words_at:
            return []
        if not output.words_at and count <= FRAMES_PER_CHUNK:  # the usual case, made fast
            return [Speech(frame=frame + 1, generation=self.generation, pcm=sound)]
        words = [(min(at, count), word) for at, word in output.words_at]
        cuts = sorted({*range(0, count, FRAMES_PER_CHUNK), *(at for at, _ in words), count})
        records: list[OutputRecord] = []
        for at, end in pairwise([*cuts, count]):
            records += [self._word(word) for place, word in words if place == at]
            if end > at:
                pcm = sound[at * FRAME_BYTES : end * FRAME_BYTES]
                records.append(Speech(frame=frame + 1 + at, generation=self.generation, pcm=pcm))
        return records

    def _word(self, word: str) -> Text:
        """One word; from the second on with the space before it."""
        text, self.worded = f" {word}" if self.worded else word, True
        return Text(generation=self.generation, text=text)

    def _sound(self, audio: Pcm16 | Floats | None) -> bytes:
        """Safe PCM16 of whole frames, 960 bytes each; silence fills the last one."""
        if audio is None:
            return b""
        pieces = [audio[at : at + CHUNK_SAMPLES] for at in range(0, audio.size, CHUNK_SAMPLES)]
        sound = b"".join(self.guard.check(p).astype("<i2", copy=False).tobytes() for p in pieces)
        rest = len(sound) % FRAME_BYTES
        return sound + bytes(FRAME_BYTES - rest) if rest else sound

    def note_played(self, played: int) -> None:
        """The playhead has passed every frame up to `played`."""
        while self.marks and self.marks[0][1] <= played:
            self.kept = self.marks.popleft()[0]

    def played_frames(self, played: int) -> int:
        """How many of its frames the playhead has passed."""
        return max(0, played - self.first + 1)

    def played_ms(self, played: int) -> int:
        """For how long it has been played."""
        return FRAME_MS * self.played_frames(played)

    def lead(self, frame: int, played: int) -> int:
        """How many of its frames are ahead of the caller's playhead."""
        return frame - max(played, self.first - 1)
