"""What each record of the caller does to a session: phases, turns, replies, interruption.

Pure, like `conversation.py`, which feeds it and numbers what comes out. A record changes the state
here and asks for work in the turn's `Draft`.
"""

from collections import deque
from typing import Final

from shared.audio import pcm16_from_bytes
from shared.log.records import (
    Audio,
    Cancel,
    Clear,
    Commit,
    End,
    InputRecord,
    Mode,
    Options,
    OutputRecord,
    Played,
    ReplyDone,
    Speech,
    SpeechStarted,
    SpeechStopped,
    Truncate,
)
from shared.modes import ReplyMode
from workers.engines.base import Output, Speak
from workers.runtime.conversation.context import Context, Phase
from workers.runtime.conversation.ear import VADS, Ear
from workers.runtime.conversation.memory import Memory
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.transcript import Transcript
from workers.runtime.conversation.turn import Chunk, Draft, Tuning

PRE_ROLL_CHUNKS: Final = 5  # 400 ms before the onset: the VAD is late, the first sound is faint
# Over a reply it takes up to 400 ms more to tell the caller from the reply's own echo.
PRE_ROLL_OVER_CHUNKS: Final = 9
MAX_CONTEXT_CHUNKS: Final = 250  # 20 s of hearing; bounds what a rebuild costs
MAX_HEAR: Final = 8  # chunks a step hears when it catches up; more would stall the neighbours
STREAM_SLEEP_MS: Final = 4_000  # stream mode: silence after which nothing is going to be said
MANUAL_REST_MS: Final = 1_000  # push-to-talk: silence that need not be kept in the context
MANUAL_REST_CHUNKS: Final = 50
# Push-to-talk over a reply: a commit answers the last 2 s; one with less than 240 ms of audio is a
# key that bounced.
MAX_OVER_CHUNKS: Final = 25
MIN_OVER_CHUNKS: Final = 3
PLAYHEAD_GRACE_CHUNKS: Final = 25  # 2 s: then a reply counts as heard though nobody said so


class Dialogue:
    """Where one session stands, and how a record moves it on."""

    def __init__(self, tuning: Tuning, mode: ReplyMode, *, gated: bool) -> None:
        self.tuning = tuning
        self.mode = mode
        self.gated = gated
        self.phase = Phase.ASLEEP
        self.step = 0  # last step record written
        self.frame = 0  # last frame said
        self.played = 0  # last frame that the caller has heard
        self.generation = 0
        self.context: Context | None = None
        self.reply: Reply | None = None
        self.memory = Memory()
        self.transcript = Transcript()
        self.ear = Ear(VADS[tuning.vad]())
        self.ring: deque[Chunk] = deque(maxlen=MAX_OVER_CHUNKS)
        self.confirmed = False  # the present speech is long enough to be speech
        self.armed = True  # speech may interrupt: the caller has paused since the reply began
        self.waited = 0  # chunks since the reply was made
        self.ended = False  # the caller hung up

    @property
    def _endless(self) -> bool:
        """Everything is heard and answered, chunk by chunk, in one reply (echo in stream mode)."""
        return not self.gated and self.mode == ReplyMode.STREAM

    @property
    def _manual(self) -> bool:
        """Push-to-talk; it has no meaning where the model itself decides when to speak."""
        return self.tuning.manual and self.mode == ReplyMode.TURN

    @property
    def _talks_over(self) -> bool:
        """A reply is under way whose caller ends the turns; what they say now is for a commit."""
        return self._manual and self.phase in (Phase.REPLYING, Phase.PLAYING)

    # The records.

    def _take(self, n: int, record: InputRecord, draft: Draft) -> None:
        match record:
            case Audio(pcm):
                self._hear(Chunk(n, pcm16_from_bytes(pcm)), draft)
            case Played(frame):
                self._played(frame, draft)
            case Mode(mode):
                self._switch(ReplyMode(mode), draft)
            case Commit():
                self._commit(n, draft)
            case Cancel() if self.reply is not None and not self._endless:
                self._clear(draft)
                self._sleep(draft)
            case Options():
                self.tuning = self.tuning.with_options(record)
            case End():
                self.ended = True
        # Detach changes nothing: the call goes on, its caller may come back.

    def _played(self, frame: int, draft: Draft) -> None:
        self.played = max(self.played, min(frame, self.frame))
        self.ear.echo.playback.played(self.played)
        if self.reply is not None:
            self.reply.heard(self.played)
        if self.phase is Phase.PLAYING and self.played >= self.frame:
            self._sleep(draft)

    def _switch(self, mode: ReplyMode, draft: Draft) -> None:
        if mode == self.mode:
            return
        if self._endless and self.reply is not None:
            draft.events.append(ReplyDone(self.reply.generation, self.frame + 1, "end"))
            self._sleep(draft)
        elif self.phase is Phase.REPLYING:
            self._clear(draft)
            self._sleep(draft)
        elif self.phase is Phase.HEARING or not self.gated:
            self._sleep(draft)
        self.mode = mode
        self.memory.forget()  # no two turns of unlike modes were trained together
        if self._endless:
            self.ring.clear()  # it would never be renewed, and hold the input log's end back

    def _commit(self, n: int, draft: Draft) -> None:
        """The caller's turn is over. Over a reply it interrupts, if anything was said since.

        Only in push-to-talk: where the VAD ends the turns, a commit in a reply is most likely the
        caller's word for the very turn that is being answered.
        """
        if self.mode != ReplyMode.TURN:
            return
        if self._talks_over and len(self.ring) >= MIN_OVER_CHUNKS:
            self._clear(draft)
            self._begin_context(list(self.ring), draft)
        elif self.phase is Phase.ASLEEP and self.ring:
            self._begin_context(list(self.ring), draft)
        if self.phase is Phase.HEARING:
            self._end_turn(n, draft)

    # The caller's audio.

    def _hear(self, chunk: Chunk, draft: Draft) -> None:
        if self._endless:
            self._hear_endlessly(chunk, draft)
            return
        run_ms = self.ear.hear(chunk, self.tuning)
        if self.phase is Phase.ASLEEP:
            if self._manual or self.ear.onset:
                self._begin_context(self._with_pre_roll(chunk, PRE_ROLL_CHUNKS), draft)
                self._judge(chunk.n, run_ms, draft)
        elif self.phase is Phase.HEARING:
            self._hear_on(chunk, draft)
            self._judge(chunk.n, run_ms, draft)
        else:
            self._hear_over_reply(chunk, run_ms, draft)
        # The end of a turn has emptied the ring: its audio does not belong to the next one.
        if draft.speak is not Speak.BEGIN:
            self._remember(chunk)

    def _hear_endlessly(self, chunk: Chunk, draft: Draft) -> None:
        if self.context is None or self.context.chunks >= MAX_CONTEXT_CHUNKS:
            self._begin_context([chunk], draft)
        else:
            self._hear_on(chunk, draft)
        if self.reply is None:
            self._begin_reply()
        draft.speak, draft.full = Speak.DUPLEX, True

    def _remember(self, chunk: Chunk) -> None:
        """Keep what a turn may begin with."""
        self.ring.append(chunk)
        most = PRE_ROLL_CHUNKS
        if self.phase in (Phase.REPLYING, Phase.PLAYING):
            most = MAX_OVER_CHUNKS if self._manual else PRE_ROLL_OVER_CHUNKS
        while len(self.ring) > most:
            self.ring.popleft()

    def _with_pre_roll(self, chunk: Chunk, most: int) -> list[Chunk]:
        return [*self.ring, chunk][-most - 1 :]

    def _begin_context(self, chunks: list[Chunk], draft: Draft) -> None:
        self.context = Context(first=chunks[0].n, chunks=len(chunks))
        self.phase = Phase.HEARING
        self.confirmed = False
        self.transcript.begin()
        draft.drop_work()
        draft.reset, draft.hear = True, chunks

    def _hear_on(self, chunk: Chunk, draft: Draft) -> None:
        if self.context is not None:
            self.context.chunks += 1
        draft.hear.append(chunk)
        draft.full = len(draft.hear) >= MAX_HEAR

    def _judge(self, n: int, run_ms: int, draft: Draft) -> None:
        """HEARING: has speech begun for sure, is it over?"""
        if not self.confirmed and run_ms >= self.tuning.min_speech_ms:
            self._confirm(draft)
        if self.mode == ReplyMode.STREAM:
            self._judge_stream(n, draft)
        elif self._manual:
            self._judge_manual(draft)
        else:
            self._judge_turn(n, draft)

    def _confirm(self, draft: Draft) -> None:
        self.confirmed = True
        draft.events.append(SpeechStarted(self.ear.run_n))
        if self.context is not None:
            self.context.spoke = True

    def _judge_turn(self, n: int, draft: Draft) -> None:
        silent = self.ear.silence_ms >= self.tuning.silence_ms
        if self.confirmed and (silent or self._context_full):
            self._end_turn(n, draft)
        elif silent or self._context_full:
            self._sleep(draft)

    def _judge_manual(self, draft: Draft) -> None:
        """Push-to-talk hears everything; the context starts anew in rests, or when it is full.

        A pause after speech is no rest: who thinks in mid-question is still asking it.
        """
        context = self.context
        fresh = context is None or context.spoke or context.chunks < MANUAL_REST_CHUNKS
        if self._context_full or (self.ear.silence_ms >= MANUAL_REST_MS and not fresh):
            self._sleep(draft)

    def _judge_stream(self, n: int, draft: Draft) -> None:
        draft.speak, draft.full = Speak.DUPLEX, True
        silence_ms = self.ear.silence_ms
        if self.confirmed and silence_ms >= self.tuning.silence_ms:
            self.confirmed = False
            draft.events.append(SpeechStopped(n))
        spoke = self.context is not None and self.context.spoke
        patience_ms = STREAM_SLEEP_MS if spoke else self.tuning.silence_ms
        if silence_ms >= patience_ms or self._context_full:
            if self.confirmed:
                draft.events.append(SpeechStopped(n))
            self._sleep(draft)

    @property
    def _context_full(self) -> bool:
        return self.context is not None and self.context.chunks >= MAX_CONTEXT_CHUNKS

    def _hear_over_reply(self, chunk: Chunk, run_ms: int, draft: Draft) -> None:
        """REPLYING or PLAYING: is the caller speaking over the assistant?"""
        if not self.armed:
            self.armed = self.ear.paused
        elif run_ms >= self.tuning.min_speech_ms:
            self._clear(draft)
            self._begin_context(self._with_pre_roll(chunk, PRE_ROLL_OVER_CHUNKS), draft)
            self._confirm(draft)
            self._judge(chunk.n, run_ms, draft)
            return
        if self.phase is Phase.PLAYING:
            self.waited += 1
            if self.waited * 4 > self.frame - self.played + PLAYHEAD_GRACE_CHUNKS * 4:
                self._sleep(draft)
        elif self.mode == ReplyMode.STREAM:
            self._hear_on(chunk, draft)
            draft.speak, draft.full = Speak.DUPLEX, True

    # Turns and replies.

    def _sleep(self, draft: Draft) -> None:
        self.phase = Phase.ASLEEP
        self.context = self.reply = None
        self.confirmed = False
        draft.drop_work()

    def _end_turn(self, n: int, draft: Draft) -> None:
        draft.events.append(SpeechStopped(n))
        draft.speak, draft.full = Speak.BEGIN, True
        self.ring.clear()
        self._begin_reply()

    def _begin_reply(self) -> None:
        self.generation += 1
        self.reply = Reply(self.generation, self.frame + 1, self.step)
        self.ear.echo.begin(self.frame + 1)
        self.phase = Phase.REPLYING
        self.armed = self.ear.paused
        self.ear.forget_run()

    def _clear(self, draft: Draft) -> None:
        """The caller hears no more of the reply."""
        if self.reply is None:
            return
        generation, next_frame = self.reply.generation, self.frame + 1
        draft.truncates.append(Truncate(generation, self.reply.kept))
        if self.context is not None:
            self.memory.answered(self.context.base, self.reply.kept)
        self.memory.cut(self.reply.kept)
        draft.events.append(Clear(generation, next_frame))
        if not self.reply.done:
            draft.events.append(ReplyDone(generation, next_frame, "cancelled"))
        self.ear.echo.playback.stop()
        self.reply = None

    def _say(self, speak: Speak, output: Output, step: int) -> list[OutputRecord]:
        """What the engine gave -> output records; the reply begins and ends as it says."""
        if output.began and self.reply is None and speak is Speak.DUPLEX:
            self._begin_reply()
        if self.reply is None or speak is Speak.NONE:
            return []
        records = self.reply.tell(output, step, self.frame, endless=self._endless)
        for record in records:
            if isinstance(record, Speech):
                self._note_said(record)
        if self.reply.done:
            self._finish(self.reply, step)
        return records

    def _note_said(self, speech: Speech) -> None:
        self.frame += speech.frames
        if not self._endless:  # there nothing interrupts, so nothing is mistaken for the caller
            self.ear.echo.playback.say(speech.frame, pcm16_from_bytes(speech.pcm))

    def _finish(self, reply: Reply, step: int) -> None:
        """It is made; until the caller has heard it, it can still be interrupted."""
        if self.context is not None:
            self.memory.answered(self.context.base, step)
        self.context = None
        self.waited = 0
        self.phase = Phase.PLAYING
        if self.frame <= self.played or self.frame < reply.first:
            self.phase, self.reply = Phase.ASLEEP, None
