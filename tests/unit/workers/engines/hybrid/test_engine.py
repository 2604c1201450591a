"""The hybrid engine with small random models: rebuilding, independence of rows, both modes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from msgspec import structs
from torch import Tensor

from shared.audio import CHUNK_SAMPLES, Pcm16
from shared.errors import ConfigError
from shared.voices import Offer, Persona
from tests.unit.workers.models.hifigan.public import make_generator
from workers.engines.base import Opening, Output, Past, Speak, Work
from workers.engines.hybrid.context import AHEAD, GeneratedStep, Position, SlotContext
from workers.engines.hybrid.engine import HybridEngine
from workers.models.hifigan.vocoder import HifiGan
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD, Vocabulary
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.tokenizer.listener import Listener, ListenerConfig, ListenerStream
from workers.models.voice.repertoire import Repertoire, Style, Timbre
from workers.models.voice.vocoder import DELAY, HOP, Vocoder, VocoderConfig
from workers.models.voice.voice import StreamingVocoder, Voice

WORDS = Vocabulary(["hello", "there"])
LETTERS = " 'abcdefghijklmnopqrstuvwxyz"
CONFIG = S2SConfig(
    heard_width=16,
    texts=len(WORDS),
    codebooks=2,
    codes=32,
    temporal=TransformerConfig(width=32, layers=2, heads=4, window=256),
    depth_width=16,
    depth_layers=1,
    depth_heads=2,
    sees_codes=True,
    turns=2,
)
REPERTOIRE = Repertoire({"own": Timbre(), "low": Timbre(0.6, 0.9)}, {"own": Style()})
LISTENER = ListenerConfig(channels=(8, 8, 16), width=16, layers=2, heads=2, window=20, dropout=0.0)
CODEC = CodecConfig(
    width=16, hidden=16, encoder_blocks=1, decoder_blocks=1, fine_width=8, fine_hidden=8,
    fine_blocks=1, latent=8, codebooks=2, codebook_size=32,
)  # fmt: skip
VOCODER = VocoderConfig(width=16, hidden=16, blocks=1, harmonic_cepstra=16, noise_cepstra=8)
CALLERS = ("ay", "bee", "see", "dee")
# Batched against alone, in float32: the sums' order differs.
TOLERANCE = 1e-4


def made_engine(
    slots: int = 3,
    temperature: float = 0.0,
    eos_bias: float = 0.0,
    go_bias: float = 0.0,
    speaking: StreamingVocoder | None = None,
    *,
    static: bool = False,
    device: str = "cpu",
    turns: int = 2,
    caller_words: Sequence[str] = CALLERS,
) -> HybridEngine:
    """The biases make a random model begin or end its replies at once."""
    torch.manual_seed(5)
    listener, codec = Listener(LISTENER), SpeechCodec(CODEC).eval()
    vocoder = speaking or Vocoder(VOCODER).eval().to(device)
    model = HybridS2S(replace(CONFIG, turns=turns, caller_words=len(caller_words)))
    with torch.no_grad():
        model.to_text.bias[EOS] = eos_bias
        model.to_text.bias[GO] = go_bias
    stream = ListenerStream(listener.to(device), slots)
    voice = Voice(codec.to(device), vocoder, slots + static, REPERTOIRE)
    model.to(device)
    return HybridEngine(
        stream,
        model,
        voice,
        WORDS,
        LETTERS,
        slots,
        temperature,
        caller_words=caller_words,
        static=static,
    )


def chunks(count: int, seed: int) -> list[Pcm16]:
    noise = np.random.default_rng(seed).normal(0, 3000, (count, CHUNK_SAMPLES))
    return list(noise.astype(np.int16))


def turn(seed: int, replies: int) -> list[Work]:
    """A turn of slot 0: pre-roll, some chunks, and the first steps of a reply."""
    heard = chunks(9, seed)
    works = [Work(0, tuple(heard[:5]))] + [Work(0, (chunk,)) for chunk in heard[5:8]]
    works.append(Work(0, (heard[8],), Speak.BEGIN))
    return works + [Work(0, (), Speak.CONTINUE)] * (replies - 1)


def stream(seed: int, steps: int) -> list[Work]:
    """Stream mode in slot 0: pre-roll, then a chunk a step."""
    heard = chunks(steps + 4, seed)
    first = Work(0, tuple(heard[:5]), Speak.DUPLEX)
    return [first, *(Work(0, (chunk,), Speak.DUPLEX) for chunk in heard[5:])]


def run(engine: HybridEngine, works: Sequence[Work], slot: int = 0) -> list[Output]:
    engine.open(slot, Opening(7))
    return [engine.step([structs.replace(work, slot=slot)])[0] for work in works]


def past(work: Work, output: Output) -> Past:
    return Past(work.hear, output.heard, output.said, work.speak, output.began, output.ended)


def check_same(one: Output, other: Output) -> None:
    assert one.said == other.said
    assert (one.text, one.began, one.ended) == (other.text, other.began, other.ended)
    assert one.words == other.words
    assert (one.pcm is None) == (other.pcm is None)
    if one.pcm is not None and other.pcm is not None:
        assert np.abs(one.pcm - other.pcm).max(initial=0.0) <= TOLERANCE


@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("died_after", [1, 4, 5, 8])
@pytest.mark.parametrize("mode", ["turn", "stream"])
def test_a_rebuilt_slot_goes_on_as_one_that_never_died(
    mode: str, died_after: int, temperature: float
) -> None:
    works = turn(1, 8) if mode == "turn" else stream(1, 13)
    whole = run(made_engine(temperature=temperature, go_bias=100.0), works)
    assert any(output.pcm is not None for output in whole)
    other = made_engine(temperature=temperature, go_bias=100.0)
    pairs = zip(works[:died_after], whole[:died_after], strict=True)
    other.open(2, Opening(7, [past(work, output) for work, output in pairs]))
    for work, expected in zip(works[died_after:], whole[died_after:], strict=True):
        check_same(other.step([structs.replace(work, slot=2)])[0], expected)


def test_a_rebuilt_slot_goes_on_in_its_voice() -> None:
    works, died_after, low = turn(1, 8), 8, Persona("low")
    engine = made_engine()
    assert engine.offer == Offer(("own", "low"), ("own",))
    engine.open(0, Opening(7, persona=low))
    whole = [engine.step([work])[0] for work in works]
    pairs = zip(works[:died_after], whole[:died_after], strict=True)
    other = made_engine()
    other.open(2, Opening(7, [past(work, output) for work, output in pairs], persona=low))
    plain = run(made_engine(), works)
    for at in range(died_after, len(works)):
        check_same(other.step([structs.replace(works[at], slot=2)])[0], whole[at])
        assert plain[at].said == whole[at].said
        assert np.abs(np.asarray(plain[at].pcm) - whole[at].pcm).max() > TOLERANCE


def test_rows_do_not_touch_each_other() -> None:
    engine = made_engine()
    alone = run(made_engine(), turn(1, 6))
    for slot in range(3):
        engine.open(slot, Opening(7))
    listening = [Work(1, (chunk,)) for chunk in chunks(len(alone), 8)]
    talking = stream(2, len(alone))
    for i, work in enumerate(turn(1, 6)):
        got = engine.step([structs.replace(talking[i], slot=2), work, listening[i]])
        assert [output.slot for output in got] == [2, 0, 1]
        check_same(got[1], alone[i])


@pytest.mark.parametrize("mode", ["turn", "stream"])
def test_steps_of_fixed_shapes_are_as_those_of_any(mode: str) -> None:
    """Three rows are padded to four; the fourth uses a spare slot."""
    works = turn(1, 8) if mode == "turn" else stream(1, 13)
    plain, padded = made_engine(go_bias=100.0), made_engine(go_bias=100.0, static=True)
    for engine in (plain, padded):
        for slot in range(3):
            engine.open(slot, Opening(7))
    for work in works:
        batch = [structs.replace(work, slot=slot) for slot in (2, 0, 1)]
        for one, other in zip(plain.step(batch), padded.step(batch), strict=True):
            check_same(other, one)


def test_most_of_a_turn_is_read_before_it_ends() -> None:
    engine = made_engine()
    engine.open(0, Opening(7))
    read: list[int] = []
    several = engine._generator._several

    def noting(plans: Sequence[Sequence[Position]], slots: Sequence[int]) -> Tensor:
        read.extend(len(plan) for plan in plans)
        return several(plans, slots)

    engine._generator._several = noting  # type: ignore[method-assign]
    for chunk in chunks(AHEAD * 2 + 2, 4):
        engine.step([Work(0, (chunk,))])
    assert read == [AHEAD] * 2
    engine.step([Work(0, (), Speak.BEGIN)])
    assert read[2:] == [3]


@pytest.mark.parametrize("ends", [Speak.BEGIN, Speak.DUPLEX])
def test_what_was_read_ahead_changes_nothing(ends: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    works = [Work(0, (chunk,)) for chunk in chunks(AHEAD * 2 + 3, 9)]
    works += [Work(0, (chunks(1, 2)[0],), ends), Work(0, (), Speak.CONTINUE)]
    ahead = run(made_engine(go_bias=100.0), works)
    monkeypatch.setattr(SlotContext, "ahead", lambda _: [])
    for one, other in zip(ahead, run(made_engine(go_bias=100.0), works), strict=True):
        check_same(one, other)


def test_a_reopened_slot_forgets() -> None:
    engine = made_engine()
    first = run(engine, turn(3, 4), slot=1)
    run(engine, turn(4, 3), slot=1)
    for one, other in zip(first, run(engine, turn(3, 4), slot=1), strict=True):
        check_same(one, other)


def test_a_reply_in_turn_mode_begins_at_once_and_flushes_at_its_end() -> None:
    outputs = run(made_engine(eos_bias=100.0, turns=1), turn(5, 2))
    begin, end = outputs[-2:]
    assert begin.began
    assert not begin.ended
    assert begin.pcm is not None
    assert begin.pcm.size == 0  # the delay, and what of the first step is left beside it
    assert end.ended
    assert end.pcm is not None
    assert end.pcm.size == DELAY * HOP
    assert all(output.pcm is None and output.said is None for output in outputs[:-2])
    assert all(len(o.heard) == len(w.hear) for o, w in zip(outputs, turn(5, 2), strict=True))


def test_what_needs_no_answer_gets_none(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = made_engine(eos_bias=100.0)
    monkeypatch.setattr(engine._generator, "callers_words", lambda slot, since: [])
    end = run(engine, turn(5, 1))[-1]
    assert (end.began, end.ended, end.pcm, end.text) == (True, True, None, "")
    again = run(engine, turn(5, 1))[-1]
    assert again.ended
    assert again.pcm is None


def test_words_get_more_than_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = made_engine(eos_bias=100.0)
    monkeypatch.setattr(engine._generator, "callers_words", lambda slot, since: [1])
    begin, end = run(engine, turn(5, 2))[-2:]
    assert not begin.ended
    assert end.ended
    assert end.pcm is not None


def test_a_delay_of_several_steps_is_cut_from_as_many() -> None:
    public = HifiGan(make_generator()).eval()
    late = public.delay * HOP // CHUNK_SAMPLES
    assert late > 1
    outputs = run(made_engine(speaking=public), turn(5, late + 4))
    said = [o.pcm for o in outputs if o.pcm is not None]
    assert [len(pcm) for pcm in said[: late + 2]] == [0] * late + [CHUNK_SAMPLES] * 2
    short = run(made_engine(speaking=public, eos_bias=100.0, turns=1), turn(5, 2))
    whole = np.concatenate([o.pcm for o in short if o.pcm is not None])
    assert short[-1].ended
    assert len(whole) == CHUNK_SAMPLES  # one step of sound, and none of the delay
    assert np.abs(whole).max() > 0


def test_stream_mode_speaks_only_after_its_own_cue() -> None:
    outputs = run(made_engine(go_bias=3.0, eos_bias=3.0), stream(6, 30))
    texts = [GeneratedStep.from_bytes(output.said or b"\0\0").text for output in outputs]
    cues = [i for i, text in enumerate(texts) if text == GO]
    began = [i for i, output in enumerate(outputs) if output.began]
    assert began
    assert began == [i + 1 for i in cues if i + 1 < len(outputs)]
    assert all(output.pcm is None for output in outputs[: (cues or [30])[0] + 1])


def test_what_was_said_survives_the_log() -> None:
    said = GeneratedStep(300, (1, 1023, 1024))
    assert GeneratedStep.from_bytes(said.to_bytes()) == said


def test_a_turn_keeps_its_newest_chunks() -> None:
    context = SlotContext(0, (9, 9))
    context.hear([i.to_bytes(2, "little") for i in range(400)])
    assert context.ahead() == []
    plan = context.plan(Speak.BEGIN)
    assert len(plan) == 161
    assert plan[-2].heard == (399).to_bytes(2, "little")
    assert (plan[-1].text, plan[-2].text) == (GO, PAD)


def test_a_model_and_its_words_must_fit() -> None:
    engine = made_engine(slots=1)
    parts = (engine._listener, engine._generator._model, engine._voice)
    with pytest.raises(ConfigError, match="Expected 4 words of callers"):
        HybridEngine(*parts, WORDS, LETTERS, 1, caller_words=CALLERS[:3])


def test_a_model_without_a_head_for_words_tells_letters_alone() -> None:
    engine = made_engine(caller_words=())
    engine.open(0, Opening(7))
    outputs = [engine.step([work])[0] for work in turn(1, 2)]
    assert not any(output.words for output in outputs)
    assert any(output.rough for output in outputs)
