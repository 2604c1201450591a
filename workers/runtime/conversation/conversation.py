"""The state machine of one session: from what the caller said to what the engine does and back.

Pure: no Redis, no torch, no clock, no await; time is counted in chunks and frames. A turn is

    conversation.offer(records)            # input records, in order
    plan = conversation.plan()             # None: nothing to do
    output = None if plan.idle else engine.step([plan.work(slot)])[0]  # plan.opening first
    turn = conversation.settle(output)     # step and output records, all numbered

A takeover goes on from the state that the last step carries, as if nothing had happened.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from shared.audio import Pcm16, pcm16_from_bytes
from shared.log.records import Audio, Base, Heard, InputRecord, SpeechStopped, Step, Truncate
from shared.modes import ReplyMode
from shared.voices import UNCHOSEN, Persona
from workers.audio.silero_vad import SileroVad
from workers.engines.base import Opening, Output, Past, Speak
from workers.runtime.conversation import snapshot
from workers.runtime.conversation.context import Phase
from workers.runtime.conversation.dialogue import Dialogue
from workers.runtime.conversation.retention import Retention
from workers.runtime.conversation.turn import Draft, Plan, Tuning, Turn

MAX_LEAD_FRAMES: Final = 200  # 4 s made ahead of the playhead
MAX_AHEAD: Final = 8  # chunks that a trained VAD hears ahead: as many as a step does


class Conversation(Dialogue):
    """One session. The owner's numbers (step, output, frame, cursor) are its own."""

    def __init__(
        self,
        tuning: Tuning | None = None,
        mode: ReplyMode = ReplyMode.TURN,
        *,
        gated: bool = True,
        seed: int = 0,
        persona: Persona = UNCHOSEN,
    ) -> None:
        super().__init__(tuning or Tuning(), mode, gated=gated)
        self.seed = seed
        self.persona = persona
        self.cursor = 0  # last input record consumed
        self.output = 0  # last output record written
        self.retention = Retention()
        self._inbox: deque[tuple[int, InputRecord]] = deque()
        self._draft: Draft | None = None
        self._idle = 0  # the last step, when nothing was done in it; 0 after a takeover

    # What the scheduler asks.

    @property
    def lead(self) -> int | None:
        """Frames that a reply in the making is ahead of the caller; None when there is none."""
        if self.reply is None or self.phase is not Phase.REPLYING or self.mode != ReplyMode.TURN:
            return None
        return self.reply.lead(self.frame, self.played)

    @property
    def waiting(self) -> int:
        """Input records that were offered and not consumed."""
        return len(self._inbox)

    @property
    def ready(self) -> bool:
        """Whether a turn would do anything."""
        return bool(self._inbox) or self._may_speak

    @property
    def _may_speak(self) -> bool:
        lead = self.lead
        return lead is not None and lead + 4 <= MAX_LEAD_FRAMES

    def offer(self, records: Iterable[tuple[int, InputRecord]]) -> None:
        """More of what the caller's side said; what was offered before is passed over."""
        newest = self._inbox[-1][0] if self._inbox else self.cursor
        self._inbox.extend((n, record) for n, record in records if n > newest)

    @property
    def unheard(self) -> tuple[SileroVad, list[Pcm16]] | None:
        """A VAD that can hear ahead, together with others', and the audio that it will be asked of.

        It changes nothing but how soon `plan` is done.
        """
        vad = self.ear.trained
        if vad is None or not self._inbox or self._endless:
            return None
        waiting = [record.pcm for _, record in self._inbox if isinstance(record, Audio)]
        return vad, [pcm16_from_bytes(pcm) for pcm in waiting[:MAX_AHEAD]]

    def plan(self, *, may_continue: bool = True) -> Plan | None:
        """Consume records as far as one engine step goes. None: nothing to do.

        `may_continue` False: a reply that is well ahead waits for more urgent neighbours.
        """
        if not self._inbox and not (may_continue and self._may_speak):
            return None
        draft = Draft()
        while self._inbox and not draft.full and not self.ended:
            self.cursor, record = self._inbox.popleft()
            draft.consumed = True
            self._take(self.cursor, record, draft)
        if may_continue and self._may_speak and draft.speak is Speak.NONE:
            draft.speak = Speak.CONTINUE
        if not draft.consumed and draft.speak is Speak.NONE:
            return None
        self._draft = draft
        hear = tuple(chunk.pcm for chunk in draft.hear)
        return Plan(self._opening(draft), hear, draft.speak)

    def _opening(self, draft: Draft) -> Opening | None:
        if not draft.reset or self.context is None:
            return None
        # Behind the truncates come the base record itself and then the step.
        self.context.base = self.step + len(draft.truncates) + 2
        self.memory.fade(self.step)
        seed = self.seed + self.context.base
        return Opening(seed, earlier=self.memory.recall(), persona=self.persona)

    def settle(self, output: Output | None) -> Turn:
        """The planned turn's records, with what the engine gave (None when it was idle)."""
        draft, self._draft = self._draft, None
        if draft is None:
            raise RuntimeError("Expected plan() before settle(), got none: plan a turn first")
        output = output or Output(slot=-1)
        steps: list[Truncate | Base | Step] = list(draft.truncates)
        if draft.reset and self.context is not None:
            steps.append(Base(self.context.base))
        number = self.step + len(steps) + 1
        self._answered(draft, output)
        rough = self._transcribe(draft, output)
        outputs = [*draft.events, *rough, *self._say(draft.speak, output, number)]
        first_step, first_output = self.step + 1, self.output + 1
        self.retention.note(enumerate(outputs, first_output))
        self.step, self.output = number, self.output + len(outputs)
        # While a turn is remembered nothing before it is trimmed: what came after it must go.
        drop, self._idle = self._idle, number
        if output.heard or draft.speak is not Speak.NONE:
            self._idle = 0
            self.memory.note(number, _past(draft.speak, output))
        keep = self._keep()
        steps.append(self._step(draft, output))
        heads = (self.cursor, self.frame, self.generation, self.mode)
        return Turn(first_step, tuple(steps), first_output, tuple(outputs), *heads, *keep, drop)

    def _answered(self, draft: Draft, output: Output) -> None:
        """In stream mode a reply may begin before the VAD has had its silence: the turn is over."""
        if output.began and draft.speak is Speak.DUPLEX and self.confirmed:
            self.confirmed = False
            draft.events.append(SpeechStopped(self.cursor))

    def _transcribe(self, draft: Draft, output: Output) -> list[Heard]:
        """What to tell of the caller's words: all of them when the turn is over."""
        self.transcript.hear(output.rough)
        self.transcript.correct(output.words)
        if any(isinstance(event, SpeechStopped) for event in draft.events):
            return self.transcript.end()
        return self.transcript.running() if self.confirmed else []

    def _step(self, draft: Draft, output: Output) -> Step:
        return Step(
            cursor=self.cursor,
            generation=self.generation,
            hear=tuple(chunk.n for chunk in draft.hear),
            heard=output.heard,
            said=output.said,
            speak=int(draft.speak),
            began=output.began,
            ended=output.ended,
            state=snapshot.pack(self),
        )

    def _keep(self) -> tuple[int, int, int]:
        """The oldest input, step and output record that a rebuild or a resume may need."""
        inputs = min(
            self.context.first if self.context else self.cursor + 1,
            self.ring[0].n if self.ring else self.cursor + 1,
        )
        if self.context is None:
            self.memory.fade(self.step)
        first = self.memory.trim(self.context.base if self.context else None)
        steps = self.step if first is None else max(1, first - 1)
        return inputs, steps, self.retention.oldest_output(self.output, self.frame, self.played)


def _past(speak: Speak, output: Output) -> Past:
    """A step as its turn is remembered: what was heard, without its audio."""
    return Past((), output.heard, output.said, speak, output.began, output.ended)
