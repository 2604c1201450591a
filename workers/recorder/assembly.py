"""Puts the two sides of a call on one clock, from the records of its log. Pure.

The caller's audio is the clock. The `Played` records lie between its chunks, so each frame of the
assistant gets the place at which the caller heard it. Frames that an interruption dropped get none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Final

from shared.audio import (
    CHUNK_SAMPLES,
    FRAME_BYTES,
    FRAME_SAMPLES,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
)
from shared.log.records import (
    Audio,
    Clear,
    Heard,
    InputRecord,
    OutputRecord,
    Played,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Text,
    Typed,
)

# Two frames in a row stay together unless the caller's playhead stood still for longer.
SLACK_SAMPLES: Final = SAMPLE_RATE_HZ // 5  # 200 ms: playheads are logged that often
KNOWN_RECORDS: Final = 4_096  # input records that keep their place


class Side(StrEnum):
    """Who speaks, by the names of moshi-finetune's transcripts."""

    ASSISTANT = "SPEAKER_MAIN"
    CALLER = "SPEAKER_CALLER"


@dataclass(frozen=True, slots=True)
class PlacedSound:
    """PCM16 of one side from a sample on, at 24 kHz."""

    side: Side
    start: int
    pcm: bytes

    @property
    def end(self) -> int:
        """The sample after its last."""
        return self.start + len(self.pcm) // SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a transcript; times in samples."""

    text: str
    start: int
    end: int
    side: str


@dataclass(slots=True)
class Assembly:
    """One call so far. All fields are plain values, so that another process can continue it."""

    n: int = 0  # the last input record that was read, and the last output record
    m: int = 0
    samples: int = 0  # of the caller
    lost: int = 0  # records that were gone before they were read
    played: int = 0  # the last frame that was placed
    next_frame: int = 1
    assistant_end: int = 0
    turn_start: int = 0  # of the caller's last turn
    turn_end: int = 0
    frames: dict[int, bytes] = field(default_factory=dict)  # not played yet
    # Words that are not played yet: their first frame and their reply.
    texts: list[tuple[int, int, str]] = field(default_factory=list)
    places: dict[int, int] = field(default_factory=dict)  # input record -> its first sample
    spoken: list[tuple[str, int]] = field(default_factory=list)  # text and its first sample
    runs: list[tuple[int, int]] = field(default_factory=list)  # the assistant's sound, samples
    caller_words: list[Word] = field(default_factory=list)
    typed: list[tuple[str, int]] = field(default_factory=list)  # text and its place in samples

    @classmethod
    def of(cls, state: dict[str, Any]) -> "Assembly":
        """The inverse of `state`."""
        found = cls(**{name.name: state[name.name] for name in fields(cls) if name.name in state})
        found.texts = [(frame, reply, text) for frame, reply, text in found.texts]
        found.spoken = [(text, at) for text, at in found.spoken]
        found.runs = [(start, end) for start, end in found.runs]
        found.typed = [(text, at) for text, at in found.typed]
        found.caller_words = [Word(**word) for word in state["caller_words"]]
        return found

    def state(self) -> dict[str, Any]:
        """Everything, for msgpack."""
        return asdict(self)

    def take(
        self,
        inputs: Iterable[tuple[int, InputRecord]],
        outputs: Iterable[tuple[int, OutputRecord]],
    ) -> list[PlacedSound]:
        """Take records that were read together; return the audio that has a place now."""
        found: list[PlacedSound] = []
        heard: list[tuple[int, int]] = []  # playheads and the samples at which they were logged
        for n, record in inputs:
            self._count(n, self.n)
            self.n = n
            self.places[n] = self.samples
            if isinstance(record, Audio):
                found.append(PlacedSound(Side.CALLER, self.samples, record.pcm))
                self.samples += CHUNK_SAMPLES
            elif isinstance(record, Played):
                heard.append((record.frame, self.samples))
            elif isinstance(record, Typed):
                self.typed.append((record.text, self.samples))
        for m, output in outputs:
            self._count(m, self.m)
            self.m = m
            self._take_output(output)
        for frame, at in heard:
            found += self._place(frame, at)
        for n in list(self.places)[:-KNOWN_RECORDS]:
            del self.places[n]
        return found

    def words(self) -> list[Word]:
        """The transcript of both sides, in order of time."""
        found = list(self.caller_words)
        for number, (text, start) in enumerate(self.spoken):
            after = self.spoken[number + 1][1] if number + 1 < len(self.spoken) else start
            run_end = next((end for first, end in self.runs if first <= start < end), start)
            end = min(after, run_end) if after > start else run_end
            found += _spread(text.split(), start, end, Side.ASSISTANT)
        return sorted(found, key=lambda word: word.start)

    def _count(self, number: int, before: int) -> None:
        if before:  # else it began before this process listened
            self.lost += number - before - 1

    def _take_output(self, record: OutputRecord) -> None:
        match record:
            case Speech():
                for index in range(record.frames):
                    pcm = record.pcm[index * FRAME_BYTES : (index + 1) * FRAME_BYTES]
                    self.frames[record.frame + index] = pcm
                self.next_frame = record.frame + record.frames
            case Text(generation=generation, text=text):
                self.texts.append((self.next_frame, generation, text))
            case Clear(generation=generation, next_frame=next_frame):
                self.frames = {f: pcm for f, pcm in self.frames.items() if f >= next_frame}
                self.texts = [text for text in self.texts if text[1] > generation]
                self.next_frame = max(self.next_frame, next_frame)
            case SpeechStarted(n=n):
                self.turn_start, self.turn_end = self.places.get(n, self.samples), self.samples
            case SpeechStopped(n=n):
                self.turn_end = self.places.get(n, self.samples)
            case Heard(text=text, final=True):
                words = _spread(text.split(), self.turn_start, self.turn_end, Side.CALLER)
                self.caller_words += words

    def _place(self, played: int, at: int) -> Iterator[PlacedSound]:
        """Place the frames up to `played`, the last of which ends at sample `at`."""
        for frame in sorted(frame for frame in self.frames if frame <= played):
            start = max(self.assistant_end, at - (played - frame + 1) * FRAME_SAMPLES)
            follows = bool(self.runs) and frame == self.played + 1
            if follows and start - self.assistant_end < SLACK_SAMPLES:
                start = self.assistant_end
            sound = PlacedSound(Side.ASSISTANT, start, self.frames.pop(frame))
            self._note(frame, sound)
            yield sound
        self.played = max(self.played, played)

    def _note(self, frame: int, sound: PlacedSound) -> None:
        if self.runs and sound.start == self.runs[-1][1]:
            self.runs[-1] = (self.runs[-1][0], sound.end)
        else:
            self.runs.append((sound.start, sound.end))
        self.assistant_end, self.played = sound.end, frame
        while self.texts and self.texts[0][0] <= frame:
            self.spoken.append((self.texts.pop(0)[2], sound.start))


def _spread(words: list[str], start: int, end: int, side: Side) -> Iterator[Word]:
    """Words one after the other, each with a share of the time by its number of letters."""
    letters, at = sum(map(len, words)), start
    for word in words:
        after = at + round(max(0, end - start) * len(word) / letters)
        yield Word(word, at, after, side.value)
        at = after
