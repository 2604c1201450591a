"""The caller's side of a Realtime session: sound, turns and their transcripts.

Where the server finds the turns, the log reports them. Otherwise the client commits them. A worker
answers all the sound that the log has. So the sound after a committed turn waits here until that
turn is answered.
"""

from collections.abc import Callable
from typing import Final

from gateway.protocol.errors import CallError, ErrorCode
from gateway.realtime import server_events as out
from gateway.realtime.audio_codecs import MAX_APPEND_BYTES
from gateway.realtime.conversation import Conversation
from gateway.realtime.effects import AudioIn, Effects
from gateway.realtime.errors import RealtimeError
from gateway.realtime.items import Item
from gateway.realtime.saved import SavedCaller
from shared.audio import CHUNK_SAMPLES, FRAME_MS, FRAME_SAMPLES, SAMPLE_BYTES, SAMPLE_RATE_HZ
from shared.log.records import Commit, Discard

MIN_COMMIT_MS: Final = 100
# One event of the largest size, and a minute of sound in other events.
MAX_HELD_BYTES: Final = MAX_APPEND_BYTES + 60 * SAMPLE_RATE_HZ * SAMPLE_BYTES
MAX_HELD_S: Final = MAX_HELD_BYTES // SAMPLE_BYTES // SAMPLE_RATE_HZ  # 387


class Caller:
    """`sample_of`: input record n -> its first sample. `samples`: what the log has of the sound."""

    def __init__(
        self, prefix: str, items: Conversation, sample_of: Callable[[int], int], samples: int = 0
    ) -> None:
        self._prefix = prefix  # of every item's id
        self._items = items
        self._sample_of = sample_of
        self._samples = self._fresh_from = samples  # in all, and up to the last turn
        self._commits = 0
        self._open: Item | None = None  # the turn that the server hears
        self._open_n = 0  # the input record with which it began
        self._started_ms = self._ended_ms = 0  # of the newest turn
        self._said = 0  # words of the open turn that an earlier item has
        self._unheard: Item | None = None  # the turn whose transcript comes next
        self._committed: list[Item] = []  # by the client, not answered yet
        self._ended: list[Item] = []  # turns that the server found and that are not answered yet
        self._held: list[bytes] = []
        self.cut = False  # the log lacks sound of the last turn that the client committed
        self._goes_on = False  # the log has sound that came after it

    @property
    def committed(self) -> bool:
        """Whether a committed turn waits for its answer."""
        return bool(self._committed or self._ended)

    @property
    def unanswered(self) -> list[Item]:
        """The turns that wait for an answer."""
        return [*self._committed, *self._ended]

    @property
    def speaks(self) -> bool:
        """Whether the server hears a turn."""
        return self._open is not None

    def saved(self) -> SavedCaller:
        """All but the sound that waits, for the next connection."""
        return SavedCaller(
            commits=self._commits,
            open=self._open,
            open_n=self._open_n,
            started_ms=self._started_ms,
            ended_ms=self._ended_ms,
            said=self._said,
            fresh_from=self._fresh_from,
            unheard=self._unheard.id if self._unheard else None,
            committed=[item.id for item in self._committed],
            ended=[item.id for item in self._ended],
        )

    def restore(self, saved: SavedCaller) -> None:
        """Go on from there."""
        self._commits, self._said = saved.commits, saved.said
        self._open, self._open_n = saved.open, saved.open_n
        self._started_ms, self._ended_ms = saved.started_ms, saved.ended_ms
        self.cut = saved.fresh_from > self._samples
        self._goes_on = saved.fresh_from + CHUNK_SAMPLES <= self._samples
        self._fresh_from = min(saved.fresh_from, self._samples)
        self._unheard = self._items.find(saved.unheard) if saved.unheard else None
        self._committed = self._items.named(saved.committed)
        self._ended = self._items.named(saved.ended)

    # From the client.

    def append(self, pcm: bytes) -> Effects:
        """More sound. Raises CallError when too much of it waits."""
        self._samples += len(pcm) // SAMPLE_BYTES
        if not self._committed:
            return [AudioIn(pcm)]
        self._held.append(pcm)
        if sum(map(len, self._held)) > MAX_HELD_BYTES:
            raise CallError(
                ErrorCode.TOO_FAST,
                f"Expected 'response.create' within {MAX_HELD_S} s of sound after a commit, got "
                "none",
            )
        return []

    def clear(self) -> Effects:
        """Forget the sound since the last turn."""
        self._fresh_from = self._samples
        discard: Effects = [] if self._committed else [Discard()]
        self._held.clear()
        self._open = None
        return [*discard, out.Cleared()]

    def check_commit(self) -> None:
        """Raises RealtimeError when there is hardly any sound to commit."""
        fresh_ms = (self._samples - self._fresh_from) * 1_000 / SAMPLE_RATE_HZ
        if fresh_ms < MIN_COMMIT_MS:
            raise RealtimeError(
                "input_audio_buffer_commit_empty",
                "Error committing input audio buffer: buffer too small. Expected at least "
                f"{MIN_COMMIT_MS}ms of audio, but buffer only has {fresh_ms:.2f}ms of audio.",
            )

    def commit(self) -> Effects:
        """The client's turn is over; it waits for `response.create`."""
        self._commits += 1
        fresh_samples, self._fresh_from = self._samples - self._fresh_from, self._samples
        item = self._new_item(f"c{self._commits}")
        item.frames = fresh_samples // FRAME_SAMPLES
        sound = [AudioIn(pcm) for pcm in self._held]
        self._held.clear()
        self._committed.append(item)
        return [*sound, *self._add(item)]

    def end_turn(self) -> Effects:
        """End the turn that the server hears; the log reports and answers it."""
        self._fresh_from = self._samples
        return [Commit()]

    def commit_found(self) -> Effects:
        """The client ends a turn where the server finds turns and answers only when asked."""
        item = self._open or self._new_item(f"u{self._open_n}")
        self._open, self._fresh_from = None, self._samples
        self._unheard, self._said = item, 0
        self._ended.append(item)
        return self._add(item)

    def answer_committed(self) -> Effects:
        """Let the log answer the committed turns; then comes the sound that waited."""
        if self._committed:
            self._unheard, self._said = self._committed[-1], 0
        self._committed.clear()
        self._ended.clear()
        sound = [AudioIn(pcm) for pcm in self._held]
        self._held.clear()
        return [Commit(), *sound]

    def commit_again(self) -> Effects:
        """The end of the committed turn, if the log may lack it; a second one ends nothing.

        A turn that was cut is forgotten.
        """
        if not self.cut:
            return [] if self._goes_on else [Commit()]
        self._unheard = None
        return [Discard()]

    def release(self) -> Effects:
        """From now on the server finds the turns: let it have all sound."""
        self._committed.clear()
        self._ended.clear()
        sound = [AudioIn(pcm) for pcm in self._held]
        self._held.clear()
        return [*sound]

    # From the log.

    def speech_started(self, n: int) -> Effects:
        """The caller speaks; with the record of the last turn again, they go on with that turn."""
        if n != self._open_n:
            self._said = 0
        self._open_n = n
        self._open = self._new_item(f"u{n}")
        self._started_ms = max(self._ended_ms, self._ms(n))
        return [out.SpeechStarted(audio_start_ms=self._started_ms, item_id=self._open.id)]

    def speech_stopped(self, n: int) -> Effects:
        """The server decided that the turn is over."""
        item = self._open or self._new_item(f"u{n}")
        self._open = None
        self._fresh_from = self._samples
        self._ended_ms = max(self._ended_ms, self._ms(n))
        item.frames = max(0, self._ended_ms - self._started_ms) // FRAME_MS
        self._unheard = item
        stopped = out.SpeechStopped(audio_end_ms=self._ended_ms, item_id=item.id)
        return [stopped, *self._add(item)]

    def turn_cut(self, n: int) -> Effects:
        """The log answers the client's turn unasked, because it holds no more of it."""
        self._open = None
        if self._committed:
            self._unheard, self._said = self._committed[-1], 0
            return self.release()
        end = self._sample_of(n) + CHUNK_SAMPLES  # what follows is the next turn's
        item, begin = self._new_item(f"u{n}"), self._fresh_from
        self._fresh_from = min(max(begin, end), self._samples)
        item.frames = (self._fresh_from - begin) // FRAME_SAMPLES
        self._unheard, self._said = item, 0
        return self._add(item)

    def turn_found(self, n: int) -> Effects:
        """The server found a turn, which waits for `response.create`."""
        if self._open is None:  # the client has committed it
            return []
        self._ended.append(self._open)
        self._said = 0
        return self.speech_stopped(n)

    def forget_turn(self) -> None:
        """The turn that the server heard ended as a part of one that the client has committed."""
        self._open = None

    def heard(self, text: str) -> Effects:
        """The transcript of the turn that ended last."""
        item, self._unheard = self._unheard, None
        if item is None:
            return []
        words = text.split()
        new, self._said = " ".join(words[self._said :]), len(words)
        item.text = new
        if item in self._ended:
            self._said = 0  # what follows of the turn comes without these words
        return self._transcribed(item)

    def not_heard(self) -> Effects:
        """The turn that ended last has no words."""
        item, self._unheard = self._unheard, None
        if item is None:
            return []
        item.text = ""
        return self._transcribed(item)

    def _transcribed(self, item: Item) -> Effects:
        """Its words; nothing if the client has deleted it meanwhile."""
        if self._items.find(item.id) is not item:
            return []
        words = item.text or ""
        completed = out.TranscriptionCompleted(
            item_id=item.id,
            content_index=0,
            transcript=words,
            usage={"type": "duration", "seconds": round(item.audio_ms / 1_000, 3)},
        )
        if not words:
            return [completed]
        return [
            out.TranscriptionDelta(item_id=item.id, content_index=0, delta=words),
            completed,
        ]

    def _add(self, item: Item) -> Effects:
        previous = self._items.add(item)
        wire = item.wire()
        return [
            out.Committed(previous_item_id=previous, item_id=item.id),
            out.ItemAdded(previous_item_id=previous, item=wire),
            out.ItemDone(previous_item_id=previous, item=wire),
        ]

    def _new_item(self, name: str) -> Item:
        # A turn that goes on has the same record again.
        return Item(self._items.unused(self._prefix + name), "user", "input_audio")

    def _ms(self, n: int) -> int:
        return self._sample_of(n) * 1_000 // SAMPLE_RATE_HZ
