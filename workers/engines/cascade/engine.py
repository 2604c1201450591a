"""ENGINE=cascade: runs Whisper, a language model and a voice over all slots as one batch.

A step has little time and spends it in this order. First it transcribes turns that ended, then
turns that pause. The model reads the transcripts and writes. The voice speaks the text. If no reply
is going on and few callers speak, Whisper transcribes parts of turns. A slot without a share gets
one in a later step.

The log holds each decision, so that a rebuilt slot reads it and does not compute it (`log.py`).
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

import numpy as np

from shared.audio import (
    FRAME_MS,
    FRAME_SAMPLES,
    pcm16_from_bytes,
    pcm16_from_floats,
)
from shared.telemetry import timed
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.engines.cascade import memory
from workers.engines.cascade.log import LoggedStep
from workers.engines.cascade.parts import SpeechToText, TextToSpeech
from workers.engines.cascade.script import SpeechPiece
from workers.engines.cascade.slot import Draft, Slot
from workers.engines.cascade.think import Delta, Prompt, Thinker
from workers.engines.cascade.turn_audio import joined
from workers.engines.cascade.turn_transcriber import TurnTranscriber

# A step should leave half of a chunk's 80 ms to the loop and to what cannot be cut short.
THINK_S: Final = 0.030
SPEAK_S: Final = 0.025
HEAR_S: Final = 0.040
READ_S: Final = 0.020  # ahead, while nobody waits for it
# A reply with so much sound ready waits until the model can write it together with others. A round
# of the model takes hardly longer for two replies than for one.
ENOUGH_FRAMES: Final = 1_000 // FRAME_MS
ALONE_S: Final = 0.080  # more for thinking, where a longer step delays nobody
AHEAD_TOKENS: Final = 10  # written before a turn has ended: about the first piece
# A reply that has enough to speak is written on in the rounds of others, up to so many tokens: a
# row more takes 6 ms of a round, a round of its own 23 ms.
JOIN_TOKENS: Final = 24


class CascadeEngine:
    """See `base.Engine`. One thread calls it."""

    traits = Traits(
        duplex=False,
        burst_frames=120,
        enough_frames=ENOUGH_FRAMES,
        max_reply_steps=4_000,
        step_limit_ms=800.0,  # a doubtful turn is heard and rated twice; replies are ahead by then
        prepares=True,
        reads=True,
        folds=True,
    )

    def __init__(
        self,
        hear: SpeechToText,
        thinker: Thinker,
        voice: TextToSpeech,
        slots: int,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.slots = slots
        self.offer = voice.offer
        self._thinker = thinker
        self._voice = voice
        self._clock = clock
        self._slots: dict[int, Slot] = {}
        self._transcriber = TurnTranscriber(hear, thinker, self._slots, clock)

    # Slots.

    def open(self, slot: int, opening: Opening) -> None:
        """Begin a turn after the remembered ones; then replay its history."""
        earlier = tuple(memory.exchanges(opening.memory))
        self._thinker.open(slot, Prompt(opening.seed, opening.instructions, earlier))
        self._slots[slot] = Slot(opening.seed, opening.persona)
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Take the turn's audio and the reply's logged tokens; the model reads them in pieces."""
        state = self._slots[slot]
        tokens: list[int] = []
        for past in history:
            state.chunks += past.hear
            state.settled += len(past.heard) - len(past.hear)
            state.settled_text = joined(state.settled_text, *map(bytes.decode, past.heard))
            if past.speak is Speak.BEGIN:
                state.replying = state.waits = True
            if past.said is not None:
                self._replay_step(state, LoggedStep.from_bytes(past.said), tokens)
            if past.ended:
                state.replying = state.waits = False
        if state.transcript:
            self._thinker.resume(slot, state.transcript, tokens, state.script.text)
        while history and self._thinker.read(self._clock()):
            yield

    def _replay_step(self, state: Slot, step: LoggedStep, tokens: list[int]) -> None:
        state.typed = state.typed or step.typed
        if step.transcript is not None:
            state.transcript, state.waits = step.transcript, False
        tokens += step.tokens
        state.script.write(step.text, complete=step.complete)
        state.script.sentence, state.script.said = step.sentence, step.said
        state.pieces += bool(step.words)
        state.sounded = state.sounded or step.frames > 0
        state.rest = pcm16_from_bytes(step.rest)

    def close(self, slot: int) -> None:
        """Free the slot."""
        self._slots.pop(slot, None)
        self._thinker.close(slot)

    def fold(self, memory_: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """See `base.Engine` and `memory.fold`."""
        return memory.fold(memory_, turn, frames)

    # A step.

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Advance the slots of the batch. Returns one output a work, in order."""
        begun = self._clock()
        drafts = {work.slot: Draft() for work in batch}
        for work in batch:
            self._listen(work)
        self._transcriber.transcribe_ended(batch, drafts, begun + HEAR_S)
        self._transcriber.transcribe_asides(batch, drafts)
        self._transcriber.transcribe_paused(batch, drafts, begun + HEAR_S)
        self._transcriber.settle(batch, drafts)
        self._think(batch, drafts)
        self._speak(batch, drafts)
        if not any(state.replying for state in self._slots.values()):
            self._transcriber.transcribe_partly(batch, drafts)
            self._thinker.read(self._clock() + READ_S)
        return [self._output(work, drafts[work.slot]) for work in batch]

    def _listen(self, work: Work) -> None:
        state = self._slots[work.slot]
        state.chunks += work.hear
        state.paused = state.paused + len(work.hear) if work.paused else 0
        if work.hear and not work.paused:
            state.prepared_at = None  # the caller goes on
        if work.speak is Speak.BEGIN:
            state.replying = True
            state.typed = work.typed
            state.waits = state.prepared_at is None or bool(work.typed)
            if not state.waits:
                state.partial_at = len(state.chunks)

    # Thinking and speaking.

    def _think(self, batch: Sequence[Work], drafts: dict[int, Draft]) -> None:
        """Write until each reply that may be spoken now has a piece to speak, or time is up."""
        spare_s = ALONE_S if self._alone(batch) else 0.0
        until = self._clock() + THINK_S + spare_s
        begun = [w.slot for w in batch if w.speak is not Speak.NONE and self._answers(w.slot)]
        paused = [w.slot for w in batch if w.paused and self._slots[w.slot].prepared_at is not None]
        if begun or paused:
            self._thinker.read(until, [*begun, *paused])
        if not begun:
            self._think_ahead(paused, self._clock() + THINK_S + spare_s)
        for slot in begun:
            self._write(slot, drafts[slot])
        while hungry := [slot for slot in begun if self._hungry(slot)]:
            self._thinker.think([*hungry, *self._joining(hungry)])
            for slot in hungry:
                self._write(slot, drafts[slot])
            if self._clock() >= until:
                return

    def _joining(self, hungry: Collection[int]) -> list[int]:
        """The replies to write on in the same round; none where a caller waits for a first word.

        Their tokens wait in the model's row until their own step takes them.
        """
        if not all(self._slots[slot].sounded for slot in hungry):
            return []
        return [
            slot
            for slot, state in self._slots.items()
            if slot not in hungry
            and self._answers(slot)
            and not state.script.complete
            and self._thinker.pending(slot) < JOIN_TOKENS
        ]

    def _think_ahead(self, paused: Sequence[int], until: float) -> None:
        """Write answers that may turn out unneeded: the first piece at most, in idle time."""
        while short := [slot for slot in paused if self._thinker.pending(slot) < AHEAD_TOKENS]:
            before = sum(map(self._thinker.pending, short))
            self._thinker.think(short)
            if self._clock() >= until or sum(map(self._thinker.pending, short)) == before:
                return

    def _alone(self, batch: Sequence[Work]) -> bool:
        """Whether one caller alone is in a turn, so that a longer step delays nobody."""
        mine = {work.slot for work in batch[:1]}
        others = (state for slot, state in self._slots.items() if slot not in mine)
        return not any(state.chunks and not state.over for state in others)

    def _answers(self, slot: int) -> bool:
        state = self._slots[slot]
        return state.replying and not state.waits and bool(state.transcript)

    def _hungry(self, slot: int) -> bool:
        script = self._slots[slot].script
        return not script.complete and script.next() is None

    def _write(self, slot: int, draft: Draft) -> None:
        delta = self._thinker.take(slot)
        self._slots[slot].script.write(delta.text, complete=delta.complete)
        was = draft.delta
        draft.delta = Delta(was.tokens + delta.tokens, was.text + delta.text, delta.complete)

    def _speak(self, batch: Sequence[Work], drafts: dict[int, Draft]) -> None:
        """Speak one piece of each reply that has one: at least one, until time is up.

        The reply that runs dry first goes first; one that has not begun before all others.
        """
        until = self._clock() + SPEAK_S
        for work in sorted(batch, key=lambda work: work.lead):
            state = self._slots[work.slot]
            if work.speak is Speak.NONE or not self._answers(work.slot):
                continue
            piece = state.script.next()
            if piece is None:
                continue
            self._say(state, piece, drafts[work.slot])
            if self._clock() >= until:
                return

    @timed("speak")
    def _say(self, state: Slot, piece: SpeechPiece, draft: Draft) -> None:
        """Speak one piece. An incomplete last frame waits, unless the sentence ends."""
        seed = (state.seed + state.pieces * 7_919) % 2**31
        sound = self._voice.say(
            piece.sentence, piece.since, whole=piece.whole, seed=seed, persona=state.persona
        )
        draft.words_at = tuple(
            ((at + state.rest.size) // FRAME_SAMPLES, word) for at, word in sound.words
        )
        pcm = np.concatenate([state.rest, pcm16_from_floats(sound.pcm)])
        if piece.whole:
            pcm = np.pad(pcm, (0, -pcm.size % FRAME_SAMPLES))
        whole = pcm.size - pcm.size % FRAME_SAMPLES
        draft.pcm, state.rest = pcm[:whole], pcm[whole:]
        state.sounded = state.sounded or whole > 0
        state.script.spoken(piece, sound.said)
        state.pieces += 1

    def _listening(self, work: Work, state: Slot, draft: Draft) -> Output:
        """The output of a slot that does not speak."""
        heard = (b"",) * len(work.hear)
        if draft.settled:
            heard = (*heard[1:], draft.settled.encode())
        return Output(
            work.slot,
            heard,
            words=draft.words,
            aside=draft.aside,
            finished=None if state.prepared_at is None else self._thinker.finished(work.slot),
            settled=state.settled,
        )

    def _output(self, work: Work, draft: Draft) -> Output:
        state = self._slots[work.slot]
        if work.speak is Speak.NONE:
            return self._listening(work, state, draft)
        nothing = not state.waits and not state.transcript
        ended = nothing or (not state.waits and state.script.over)
        if ended and not nothing and not state.sounded:
            ended = not state.apologise(draft)
        step = LoggedStep(
            transcript=draft.transcript,
            typed=work.typed,
            tokens=draft.delta.tokens,
            text=draft.delta.text,
            complete=draft.delta.complete,
            words=draft.words_at,
            frames=draft.pcm.size // FRAME_SAMPLES if draft.pcm is not None else 0,
            sentence=state.script.sentence,
            said=state.script.said,
            rest=state.rest.astype("<i2").tobytes(),
        )
        state.replying = state.replying and not ended
        return Output(
            work.slot,
            (b"",) * len(work.hear),
            said=step.to_bytes(),
            pcm=draft.pcm,
            words_at=draft.words_at,
            words=draft.transcript or "",
            aside=draft.aside,
            settled=state.settled,
            began=work.speak is Speak.BEGIN,
            ended=ended,
        )
