"""ENGINE=hybrid: runs listener, HybridS2S and the assistant's voice over one batch of slots.

A step runs three networks: the listener on rows with chunks, the language model on rows that speak,
and the voice on rows with codes. The log holds the listener's state of each chunk in float16. The
model reads exactly that, so a rebuilt slot reads what the live one read.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES, Floats, Pcm16, floats_from_pcm16
from shared.errors import ConfigError
from shared.modes import VocoderName
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work
from workers.engines.cuda_graphs import FixedSizes, sizes
from workers.engines.hybrid.context import (
    AHEAD,
    MAX_HEARD,
    GeneratedStep,
    Position,
    SlotContext,
    remembered,
)
from workers.engines.hybrid.generator import HybridGenerator
from workers.models.checkpoint import Part, fill, read_part
from workers.models.layers.cpu_layout import lay_out
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS, Vocabulary
from workers.models.tokenizer.listener import (
    ListenerStream,
    load_listener,
    states_to_bytes,
)
from workers.models.tokenizer.spelling import CtcReader
from workers.models.voice.voice import Voice, load_voice

# The sizes of a piece of history. On a CPU, each takes about as long as a step.
HEAR_PIECE: Final = 16  # chunks: 14 ms
READ_PIECE: Final = 32  # positions: 16 ms
SOUND_PIECE: Final = 8  # steps of a reply

_T = TypeVar("_T")

DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def s2s_config(part: Part) -> S2SConfig:
    """The model's config from its part of the weights folder."""
    temporal = TransformerConfig(**part.config["temporal"])
    return S2SConfig(**{**part.config, "temporal": temporal})


@dataclass(slots=True)
class _VoicedSteps:
    """Steps of an unfinished reply that went out as sound. The voice's state includes them."""

    fresh: bool  # they are the reply's first ones
    codes: list[tuple[int, ...]]


class HybridEngine:
    """See `base.Engine`. One thread calls it."""

    # The longest pauses between the words of its recordings are under 1.5 s.
    traits = Traits(max_wordless_steps=25)

    def __init__(
        self,
        listener: ListenerStream,
        model: HybridS2S,
        voice: Voice,
        vocabulary: Vocabulary,
        alphabet: str,
        slots: int,
        temperature: float = 0.0,
        *,
        caller_words: Sequence[str] = (),
        static: bool = False,
    ) -> None:
        """Takes parts with room for `slots`, on one device. Temperature 0 is greedy.

        With `static`, steps run at fixed shapes, on a GPU as graphs, and the voice needs room for
        one slot more. Raises ConfigError if the model has another number of `caller_words`.
        """
        if len(caller_words) != model.config.caller_words:
            raise ConfigError(
                f"Expected {model.config.caller_words} words of callers with s2s.safetensors, got "
                f"{len(caller_words)}: take parity.json from where the weights come from"
            )
        self.slots = slots
        self.offer = voice.offer
        self._listener = listener
        self._generator = HybridGenerator(model, slots, temperature, static=static)
        self._voice = voice
        self._say: Callable[..., Tensor] = voice.steps
        if static and voice.fix():
            self._say = FixedSizes(voice.steps, (0, slots), slots)
        self._vocabulary = vocabulary
        self._spelling = CtcReader(listener.listener, alphabet)
        self._caller_words = caller_words
        self._device = model.unheard.device
        self._quiet = self._generator.quiet
        self._contexts: dict[int, SlotContext] = {}

    @classmethod
    def load(
        cls,
        folder: Path,
        slots: int,
        device: str = "cpu",
        dtype: str = "float32",
        temperature: float = 0.0,
        vocoder: VocoderName = VocoderName.OWN,
        cache: Path | None = None,
        *,
        exact: bool = True,
    ) -> "HybridEngine":
        """The warmed-up engine of a weights folder. Raises ConfigError if something does not fit.

        If not `exact`, the voice may multiply in bfloat16 where that is faster. Decisions never do.
        """
        if dtype not in DTYPES:
            raise ConfigError(f"Expected dtype one of {sorted(DTYPES)}, got {dtype!r}")
        part = read_part(folder, "s2s")
        model = HybridS2S(s2s_config(part))
        fill(model, part)
        listener = load_listener(folder).to(device)
        static = device.startswith("cuda")
        engine = cls(
            ListenerStream(lay_out(listener), slots),
            lay_out(model.to(device=device, dtype=DTYPES[dtype])),
            load_voice(folder, slots + static, device, vocoder, cache, exact=exact),
            Vocabulary(part.facts["words"]),
            read_part(folder, "listener").facts["characters"],
            slots,
            temperature,
            caller_words=part.facts.get("caller_words", ()),
            static=static,
        )
        engine.warm_up()
        return engine

    def warm_up(self) -> None:
        """Step artificial callers, so that no real caller waits for lazy initialisation."""
        silence = (np.zeros(CHUNK_SAMPLES, dtype=np.int16),)
        for slots in sizes(self.slots) if self._device.type == "cuda" else (1, self.slots):
            for slot in range(slots):
                self.open(slot, Opening(0))
            for speak in (Speak.NONE, Speak.BEGIN, Speak.CONTINUE, Speak.CONTINUE):
                hear = () if speak is Speak.CONTINUE else silence
                self.step([Work(slot, hear, speak) for slot in range(slots)])
        for slot in range(self.slots):
            self.close(slot)

    # Slots.

    @torch.inference_mode()
    def open(self, slot: int, opening: Opening) -> None:
        """Reset the slot, keep the previous turn as its context, then replay the history."""
        self._listener.reset(torch.tensor([slot], device=self._device))
        turn = opening.earlier if self._generator.remembers else ()
        earlier = remembered(turn, self._quiet)
        self._contexts[slot] = SlotContext(
            opening.seed, self._quiet, opening.persona, earlier, self._generator.longest
        )
        for _ in self.replay(slot, opening.history):
            pass

    @torch.inference_mode()
    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Replay the history through listener, model and voice, in pieces of about a step."""
        if not history:
            return
        rows = torch.tensor([slot], device=self._device)
        for piece in _pieces([chunk for past in history for chunk in past.hear], HEAR_PIECE):
            self._hear(rows, [piece])
            yield
        context = self._contexts[slot]
        first = context.count == 0
        positions, sounded = self._apply_history(context, history)
        if first:
            positions = [*self._generator.keep(slot, context.earlier), *positions]
        for part in _pieces(positions, READ_PIECE):
            self._generator.read_history(slot, part)
            yield
        if sounded is not None and sounded.fresh:
            self._voice.reset(rows, [self._contexts[slot].persona])
        for said in _pieces(sounded.codes if sounded else [], SOUND_PIECE):
            self._voice.replay_steps(torch.tensor([said], device=self._device), rows)
            yield

    def _apply_history(
        self, context: SlotContext, history: Sequence[Past]
    ) -> tuple[list[Position], _VoicedSteps | None]:
        """Apply a history to the context -> positions to read, and an unfinished reply's steps."""
        positions: list[Position] = []
        sounded: _VoicedSteps | None = None
        for past in history:
            context.hear(past.heard)
            positions += context.plan(past.speak)
            if past.said is not None:
                said = GeneratedStep.from_bytes(past.said)
                before, fresh = context.replying, context.spoken == 0
                context.say(said)
                if not (before and context.replying):
                    sounded = None
                elif sounded is None or fresh:
                    sounded = _VoicedSteps(fresh, [said.codes])
                else:
                    sounded.codes.append(said.codes)
        if spoken := [state for past in history for state in past.heard]:
            _, context.letter = self._spelling.read(spoken[-1:])
        return positions, sounded

    def close(self, slot: int) -> None:
        """Free the slot."""
        self._contexts.pop(slot, None)

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Return b"": this engine folds no turns."""
        return b""

    # A step.

    @torch.inference_mode()
    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Advance the slots of the batch. Returns one output a work, in order."""
        heard = self._listen(batch)
        plans = {work.slot: plan for work in batch if (plan := self._plan(work))}
        self._recall(batch)
        spoken = self._generator.step(self._contexts, plans)
        sounds = self._sound(spoken, {w.slot for w in batch if w.speak is Speak.BEGIN})
        return [
            self._output(work, heard.get(work.slot, ()), spoken.get(work.slot), sounds)
            for work in batch
        ]

    def _plan(self, work: Work) -> list[Position]:
        """The positions for the slot to read now, at first with those of the previous turn."""
        context = self._contexts[work.slot]
        first = context.count == 0
        plan = context.plan(work.speak)
        if not (first and plan):
            return plan
        # The model must read the last one in any case, since it generates from its state.
        *before, last = *context.earlier, *plan
        return [*self._generator.keep(work.slot, before), last]

    def _recall(self, batch: Sequence[Work]) -> None:
        """While callers speak, read a piece of their turns, or one caller's previous turn.

        Then little is left to read when a turn ends, and no step takes much longer.
        """
        pieces: dict[int, Sequence[Position]] = {}
        for work in batch:
            context = self._contexts[work.slot]
            if work.speak is not Speak.NONE or context.count:
                continue
            missing = self._generator.keep(work.slot, context.ahead())
            if len(missing) > len(context.pending):
                self._generator.read_history(work.slot, missing[:READ_PIECE])
                return
            if len(missing) >= AHEAD:
                pieces[work.slot] = missing[:AHEAD]
        self._generator.read(pieces)

    def _listen(self, batch: Sequence[Work]) -> dict[int, tuple[bytes, ...]]:
        """Run the listener, rows with equally many chunks together -> logged states by slot."""
        found: dict[int, tuple[bytes, ...]] = {}
        for count in sorted({len(work.hear) for work in batch} - {0}):
            group = [work for work in batch if len(work.hear) == count]
            rows = torch.tensor([work.slot for work in group], device=self._device)
            states = self._hear(rows, [work.hear for work in group])
            for work, row in zip(group, states, strict=True):
                logged = states_to_bytes(row)
                found[work.slot] = tuple(logged)
                self._contexts[work.slot].hear(logged)
        return found

    def _hear(self, rows: Tensor, chunks: Sequence[Sequence[Pcm16]]) -> Tensor:
        """Equally many chunks a row -> states (B, N, W)."""
        samples = np.stack([floats_from_pcm16(np.concatenate(row)) for row in chunks])
        return self._listener.hear(torch.from_numpy(samples).to(self._device), rows)

    def _sound(self, spoken: dict[int, GeneratedStep], begin: Set[int]) -> dict[int, Floats]:
        """The sound of this step's codes, and the rest of replies that have ended.

        The first step of slots in `begin` would be silent (`Voice.lead_samples`). The voice runs it
        together with their next step, which the caller waits for.
        """
        waiting = {s: c for s, said in spoken.items() if (c := self._unsounded(s, said))}
        fresh = [slot for slot in waiting if self._contexts[slot].spoken == 0]
        # A reply that ends before its first sound answers a noise, with nothing.
        ended = [s for s, said in spoken.items() if said.text == EOS and self._contexts[s].spoken]
        sounds: dict[int, Floats] = {}
        if fresh:
            personas = [self._contexts[slot].persona for slot in fresh]
            self._voice.reset(torch.tensor(fresh, device=self._device), personas)
        for slot in begin & waiting.keys():
            self._contexts[slot].unsounded = waiting.pop(slot)
            sounds[slot] = np.zeros(0, dtype=np.float32)
        for steps in sorted({len(codes) for codes in waiting.values()}):
            group = [slot for slot, codes in waiting.items() if len(codes) == steps]
            codes = torch.tensor([waiting[slot] for slot in group], device=self._device)
            made = self._say(codes, torch.tensor(group, device=self._device))
            sounds.update(zip(group, made.float().cpu().numpy(), strict=True))
        if ended:
            made = self._voice.flush(torch.tensor(ended, device=self._device))
            sounds.update(zip(ended, made.float().cpu().numpy(), strict=True))
        return sounds

    def _unsounded(self, slot: int, said: GeneratedStep) -> list[tuple[int, ...]]:
        """The codes that the voice has not spoken yet, this step's included."""
        context = self._contexts[slot]
        codes, context.unsounded = context.unsounded, []
        return codes if said.codes == self._quiet else [*codes, said.codes]

    def _output(
        self,
        work: Work,
        heard: tuple[bytes, ...],
        said: GeneratedStep | None,
        sounds: dict[int, Floats],
    ) -> Output:
        context = self._contexts[work.slot]
        rough = ""
        if heard:
            rough, context.letter = self._spelling.read(heard, context.letter)
        if said is None:
            return Output(work.slot, heard, rough=rough, settled=context.settled)
        words = self._words(work)
        spoken_before = context.spoken
        began = context.replying and spoken_before == 0
        context.say(said)
        pcm = sounds.get(work.slot)
        if pcm is not None and work.speak is not Speak.DUPLEX:
            # Drop the vocoder's delay: in turn mode the next step comes before this one has played.
            pcm = pcm[max(0, self._voice.lead_samples - spoken_before * CHUNK_SAMPLES) :]
        piece = self._vocabulary.piece(said.text)
        return Output(
            work.slot,
            heard,
            said=said.to_bytes(),
            pcm=pcm,
            text=piece.lstrip() if began else piece,
            rough=rough,
            words=words,
            began=began,
            ended=said.text == EOS,
            settled=context.settled,
        )

    def _words(self, work: Work) -> str:
        """The transcript of the turn that has just ended; in stream mode, of the present turn.

        The model was not trained to recognise words over a reply. Call this before `context.say`:
        at the reply's first step the transcript is complete.
        """
        context = self._contexts[work.slot]
        if not self._caller_words or work.speak is Speak.CONTINUE:
            return ""
        if context.replying if work.speak is Speak.DUPLEX else context.count > MAX_HEARD:
            return ""  # the turn is so long that its beginning was dropped
        since = len(context.earlier)
        said = self._generator.callers_words(work.slot, since)
        return " ".join(self._caller_words[number - 1] for number in said)


def _pieces(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[at : at + size] for at in range(0, len(items), size))
