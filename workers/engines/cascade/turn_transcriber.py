"""Transcribes the callers' turns: those that ended, pause or go on, and asides over replies.

Each method takes a step's batch and transcribes the turns for which there is time. It writes the
words to the engine's slots and to the step's drafts.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from shared.audio import CHUNK_MS, Floats
from shared.telemetry import timed
from workers.engines.base import Speak, Work
from workers.engines.cascade.parts import SpeechToText
from workers.engines.cascade.slot import Draft, Slot
from workers.engines.cascade.think import Thinker
from workers.engines.cascade.turn_audio import joined, new_words, place_to_cut, sound_of, trimmed
from workers.engines.cascade.whole_turn import completed

PARTIAL_CHUNKS: Final = 640 // CHUNK_MS  # a partial transcript every 8 chunks at most
MIN_PARTIAL_CHUNKS: Final = 10  # of less Whisper guesses
# While more callers than this are in a turn, none gets partial transcripts: each takes 90 ms, for
# which the next turn that ends has to wait.
PARTIAL_TURNS: Final = 2
# While others wait for their replies, no turn is transcribed in a pause's first 80 ms: the caller
# often goes on.
HASTY_CHUNKS: Final = 1
MAX_BATCH: Final = 8  # turns transcribed in one call
TRANSCRIBE_S: Final = 0.045  # the first guess of what one turn costs; then measured
MAX_TURN_SAMPLES: Final = 30 * 24_000 - 2_400  # what Whisper takes at once


class TurnTranscriber:
    """Transcribes turns and lets the model begin to answer them. `slots` is the engine's table."""

    def __init__(
        self,
        hear: SpeechToText,
        thinker: Thinker,
        slots: Mapping[int, Slot],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._hear = hear
        self._thinker = thinker
        self._slots = slots
        self._clock = clock
        self._turn_s = TRANSCRIBE_S  # what transcribing one turn of a batch takes, smoothed

    def transcribe_ended(
        self, batch: Sequence[Work], drafts: dict[int, Draft], until: float
    ) -> None:
        """Transcribe turns that have ended: at least one, and as many as the step has time for."""
        for work in batch:
            state = self._slots[work.slot]
            if work.speak is Speak.BEGIN and not state.waits:
                drafts[work.slot].transcript = state.transcript
        waiting = [w.slot for w in batch if w.speak is not Speak.NONE and self._slots[w.slot].waits]
        for slot, text in self._texts(waiting, until, least=1):
            self._slots[slot].waits = False
            self._take_transcript(slot, text)
            drafts[slot].transcript = text

    def transcribe_paused(
        self, batch: Sequence[Work], drafts: dict[int, Draft], until: float
    ) -> None:
        """Transcribe turns in their pauses, so that the answer is ready if they have ended."""
        replies = any(state.replying for state in self._slots.values())
        paused = [
            work.slot
            for work in batch
            if work.speak is Speak.NONE
            and self._slots[work.slot].prepared_at is None
            and self._slots[work.slot].paused > replies * HASTY_CHUNKS
        ]
        if any(state.waits for state in self._slots.values()):
            return
        for slot, text in self._texts(paused, until, least=1):
            state = self._slots[slot]
            state.prepared_at = state.partial_at = len(state.chunks)
            self._take_transcript(slot, text)
            drafts[slot].words = text

    def transcribe_partly(self, batch: Sequence[Work], drafts: dict[int, Draft]) -> None:
        """Transcribe parts of turns that go on, if few callers are in a turn."""
        in_turns = sum(bool(state.chunks) and not state.over for state in self._slots.values())
        if in_turns > PARTIAL_TURNS:
            return
        due = [
            work.slot
            for work in batch
            if work.hear and not work.paused and self._partial_due(self._slots[work.slot])
        ]
        for slot, text in self._texts(due, self._clock(), least=1, final=False):
            drafts[slot].words = text
            state = self._slots[slot]
            state.partial_at = len(state.chunks)

    def _partial_due(self, state: Slot) -> bool:
        count = len(state.chunks)
        return count >= MIN_PARTIAL_CHUNKS and count - state.partial_at >= PARTIAL_CHUNKS

    def _texts(
        self, slots: Sequence[int], until: float, *, least: int, final: bool = True
    ) -> Iterator[tuple[int, str]]:
        """Transcribe these slots' turns, the shortest first, in batches that fit the time."""
        waiting = sorted(slots, key=lambda slot: len(self._slots[slot].chunks))
        while waiting:
            room = int(max(0.0, until - self._clock()) / self._turn_s)
            count = min(MAX_BATCH, max(least, room), len(waiting))
            if count < 1:
                return
            now, waiting, least = waiting[:count], waiting[count:], 0
            begun = self._clock()
            sounds = [self._audio(slot) for slot in now]
            found = self._heard(sounds, final=final)
            self._turn_s += 0.2 * ((self._clock() - begun) / count - self._turn_s)
            for slot, sound, text in zip(now, sounds, found, strict=True):
                state, whole = self._slots[slot], text
                if final:
                    whole = completed(sound, text, self._heard)
                yield slot, joined(state.settled_text, whole, state.typed)

    @timed("hear")
    def _heard(self, sounds: Sequence[Floats], *, final: bool = True) -> list[str]:
        """The texts of sounds, float32 of full scale 1, at most 30 s each."""
        return list(map(self._thinker.likeliest, self._hear.transcribe(sounds, final=final)))

    def _audio(self, slot: int) -> Floats:
        """The turn's sound, float32 of full scale 1, without most of the silence at its end."""
        return trimmed(sound_of(self._slots[slot].chunks)[-MAX_TURN_SAMPLES:])

    def transcribe_asides(self, batch: Sequence[Work], drafts: dict[int, Draft]) -> None:
        """Transcribe short speech over replies: it may have to end them."""
        for work in batch:
            if work.aside:
                drafts[work.slot].aside = self._aside_words(work)

    def _aside_words(self, work: Work) -> str:
        """The words of an aside: those that it adds to the turn, or its own."""
        state, aside = self._slots[work.slot], sound_of(work.aside)
        if not state.heard_of(work):
            return self._heard([aside])[0]
        whole = sound_of([*state.chunks, *work.aside])[-MAX_TURN_SAMPLES:]
        together, alone = self._heard([whole, aside])
        return new_words(state.heard_of(work), together) or alone

    def settle(self, batch: Sequence[Work], drafts: dict[int, Draft]) -> None:
        """Transcribe the first part of one long turn for good, up to a quiet place."""
        for work in batch:
            state = self._slots[work.slot]
            cut = place_to_cut(state.chunks) if work.hear and work.speak is Speak.NONE else 0
            if not cut:
                continue
            (text,) = self._heard([trimmed(sound_of(state.chunks[:cut]))])
            del state.chunks[:cut]
            state.settled += cut
            state.settled_text = joined(state.settled_text, text)
            state.prepared_at, state.partial_at = None, 0
            drafts[work.slot].settled = text
            return

    def _take_transcript(self, slot: int, text: str) -> None:
        """Let the model begin an answer to these words, unless it already does."""
        state = self._slots[slot]
        if text and text != state.transcript:
            self._thinker.ask(slot, text)
        state.transcript = text
