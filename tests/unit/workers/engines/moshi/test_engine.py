"""The Moshi engine: rows are independent, and a rebuilt call goes on with the same codes."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch

from shared.audio import Pcm16
from shared.log.records import ReplyDone, ReplyStarted, Step, Text
from shared.modes import ReplyMode
from tests.moshi import long_call
from tests.moshi.tiny import FIXTURES, caller_sound
from tests.unit.workers.engines.moshi.made import babble, made_engine, shared_folder
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Opening, Output, Past, Speak, Work
from workers.engines.moshi.context import from_bytes
from workers.engines.moshi.engine import MoshiEngine
from workers.models.moshi.checkpoint import load_lm, open_folder
from workers.models.moshi.config import GREEDY
from workers.models.moshi.positions import Tokens, positions
from workers.models.moshi.sampling import greedy


def hear(engine: MoshiEngine, chunks: dict[int, Pcm16]) -> dict[int, Output]:
    works = [Work(slot, (chunk,), Speak.DUPLEX) for slot, chunk in chunks.items()]
    return {output.slot: output for output in engine.step(works)}


@cache
def engine_of(slots: int, number: int = 0) -> MoshiEngine:
    """An engine that tests share: to open a slot forgets what was in it."""
    return made_engine(slots)


def alone(sound: Sequence[Pcm16], seed: int) -> list[Output]:
    engine = engine_of(1)
    engine.open(0, Opening(seed))
    return [hear(engine, {0: chunk})[0] for chunk in sound]


def same(one: Output, other: Output) -> bool:
    texts = (one.text, one.began, one.ended) == (other.text, other.began, other.ended)
    return texts and (one.said, one.heard) == (other.said, other.heard)


def logged(outputs: Sequence[Output]) -> tuple[Tokens, Tokens]:
    said = [from_bytes(output.said or b"") for output in outputs]
    return np.stack(said), np.stack([from_bytes(output.heard[0]) for output in outputs])


def test_a_step_is_what_the_models_give() -> None:
    """The caller's codes are the reference's; the tokens are the likeliest at each position."""
    engine = made_engine(2, sampling=GREEDY)
    engine.open(1, Opening(1))
    sound = caller_sound(2, 40)[0].view(-1, 1920).numpy()[:30]
    pcm = (sound * 32_768).astype(np.int16)
    outputs = [hear(engine, {1: chunk})[1] for chunk in pcm]
    said, heard = logged(outputs)
    with np.load(FIXTURES / "reference.npz") as reference:
        assert np.array_equal(heard.T, reference["codes"][0, :, :30])
    opened = open_folder(shared_folder())
    temporal, depth = load_lm(opened)
    cache = temporal.cache(1, 32)
    tokens = torch.from_numpy(positions(said, heard, opened.config).T[None].copy())
    span, kept = cache.span(0, 1, 30), torch.tensor([30])
    states = temporal.read(tokens, cache, span, kept)[0]
    text = greedy(temporal.text(states), 0)
    expected = torch.cat([text[:, None], depth.codes(states, text, greedy)], dim=1)
    assert expected.tolist() == said.tolist()


def test_calls_in_a_batch_give_what_they_give_alone() -> None:
    sounds = {slot: babble(25, slot) for slot in range(3)}
    expected = {slot: alone(sound, slot) for slot, sound in sounds.items()}
    engine = engine_of(5)
    rng = np.random.default_rng(2)
    seats = {0: 4, 1: 1, 2: 2}
    for slot, seat in seats.items():
        engine.open(seat, Opening(slot))
    at = dict.fromkeys(sounds, 0)
    while any(count < 25 for count in at.values()):
        live = [s for s, count in at.items() if count < 25 and rng.random() < 0.6]
        found = hear(engine, {seats[s]: sounds[s][at[s]] for s in live})
        for slot in live:
            one, other = found[seats[slot]], expected[slot][at[slot]]
            assert same(one, other)
            assert (one.pcm is None) == (other.pcm is None)
            if one.pcm is not None and other.pcm is not None:
                assert np.abs(one.pcm - other.pcm).max() < 1e-4
            at[slot] += 1


def call(engine: MoshiEngine | None = None, instructions: str = "") -> Rehearsal:
    return Rehearsal(ReplyMode.STREAM, engine or engine_of(1), instructions=instructions)


def steps(rehearsal: Rehearsal) -> list[tuple[bytes | None, tuple[bytes, ...]]]:
    return [(r.said, r.heard) for _, r in rehearsal.steps if isinstance(r, Step)]


def test_a_call_whose_worker_dies_says_and_hears_the_same_codes() -> None:
    """The context of 40 moves several times; the codec's memory of 28 frames wraps as well."""
    sound = babble(100)
    whole, mortal = call(), call(engine_of(2))
    whole.run(*sound)
    check_bounds(whole)
    rng = np.random.default_rng(4)
    deaths = 0
    for chunk in sound:
        mortal.run(chunk)
        if rng.random() < 0.15:
            mortal.engine = engine_of(5 if mortal.engine.slots == 2 else 2)
            mortal.die()
            deaths += 1
    assert deaths >= 10
    assert steps(mortal) == steps(whole)
    assert [r for _, r in mortal.outputs if isinstance(r, Text | ReplyStarted | ReplyDone)] == [
        r for _, r in whole.outputs if isinstance(r, Text | ReplyStarted | ReplyDone)
    ]
    one, other = (np.frombuffer(c.pcm, "<i2").astype(int) for c in (whole, mortal))
    assert np.abs(one - other).max(initial=0) <= 2
    assert whole.pcm


def check_bounds(rehearsal: Rehearsal) -> None:
    """The slot holds no more than a context."""
    engine = rehearsal.engine
    assert isinstance(engine, MoshiEngine)
    assert engine._contexts[0].count <= engine.traits.context_chunks == 40
    assert engine._stepper._cache.length[0] == engine._contexts[0].count


def test_several_histories_come_in_pieces_between_the_neighbours_steps() -> None:
    """As after the death of a worker with many calls. The neighbour notices nothing either."""
    sounds = {slot: babble(38, slot) for slot in (1, 2, 3)}
    expected = {slot: alone(sound, slot) for slot, sound in sounds.items()}
    own = babble(60, 9)
    undisturbed = alone(own, 9)
    engine = engine_of(5)
    engine.open(0, Opening(9))
    found = [hear(engine, {0: chunk})[0] for chunk in own[:10]]
    for slot, sound in sounds.items():
        history = [
            Past((chunk,), output.heard, output.said, Speak.DUPLEX)
            for chunk, output in zip(sound[:37], expected[slot][:37], strict=True)
        ]
        engine.open(slot, Opening(slot))
        before = len(found)
        for _ in engine.replay(slot, history):
            found.append(hear(engine, {0: own[len(found)]})[0])
        assert len(found) >= before + 4
    outputs = hear(engine, {slot: sound[37] for slot, sound in sounds.items()})
    assert all(same(outputs[slot], expected[slot][37]) for slot in sounds)
    assert all(same(one, other) for one, other in zip(found, undisturbed, strict=False))


def test_a_prompt_comes_before_every_context_and_survives_a_death(tmp_path: Path) -> None:
    folder = prompted(tmp_path)
    with_role = call(made_engine(folder=folder, prompted=True), "you are a call centre")
    without = call(made_engine(folder=folder, prompted=True))
    mortal = call(made_engine(folder=folder, prompted=True), "you are a call centre")
    for number, chunk in enumerate(babble(24)):
        for each in (with_role, without, mortal):
            each.run(chunk)
        if number in (10, 20):
            mortal.engine = made_engine(folder=folder, prompted=True)
            mortal.die()
    assert steps(mortal) == steps(with_role)
    assert steps(without) != steps(with_role)
    assert with_role.engine.offer.voices == ("default", "anna")


def prompted(tmp_path: Path) -> Path:
    """The tiny checkpoint with one recorded voice, and a window that holds a prompt."""
    import wave

    from tests.moshi.tiny import tiny_folder

    folder = tiny_folder(tmp_path, context=200)
    (folder / "voices").mkdir()
    with wave.open(str(folder / "voices" / "anna.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(24_000)
        file.writeframes(b"".join(chunk.tobytes() for chunk in babble(10, 9)))
    return folder


def test_a_closed_slot_keeps_nothing() -> None:
    sound = babble(20)
    engine = engine_of(2)
    engine.open(1, Opening(3))
    for chunk in babble(30, 8):
        hear(engine, {1: chunk})
    engine.close(1)
    engine.open(1, Opening(5))
    found = [hear(engine, {1: chunk})[1] for chunk in sound]
    assert all(same(one, other) for one, other in zip(found, alone(sound, 5), strict=True))


def test_work_without_sound_is_no_step() -> None:
    engine = engine_of(2)
    engine.open(0, Opening(1))
    assert engine.step([Work(0)]) == [Output(0)]


def test_a_seed_determines_the_draws() -> None:
    sound = babble(10)
    again = alone(sound, 1)
    assert [o.said for o in alone(sound, 1)] == [o.said for o in again]
    assert [o.said for o in alone(sound, 6)] != [o.said for o in again]


def test_a_long_call_grows_nothing() -> None:
    """Ten moves of a context of 40; `python -m tests.moshi.long_call` runs two hours."""
    first, second = long_call.measure(context=40, chunks=300, parts=2)
    assert second.moves > first.moves >= 3
    assert second.log_kb < 1.25 * first.log_kb
    assert max(first.steps, second.steps, first.rebuilt_steps, second.rebuilt_steps) <= 40
