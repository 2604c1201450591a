"""Own models give what the reference package gave with the same tiny checkpoint."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.modes import MoshiPrecision
from tests.moshi.tiny import (
    CARD,
    FIXTURES,
    TEXTS,
    WINDOW,
    caller_codes,
    caller_sound,
    lm_tensors,
    tiny_folder,
)
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.depth import Depth
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.positions import Tokens, frames, positions
from workers.models.moshi.sampling import greedy
from workers.models.moshi.streaming import Rows
from workers.models.moshi.temporal import Temporal

CALLS, STEPS = 2, 100
SLOTS, PIECE, CHUNK = 4, 16, 1920
LOGITS_WITHIN, SOUND_WITHIN = 1e-4, 1e-6


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.inference_mode():
        yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def reference() -> dict[str, Tensor]:
    """What tests/moshi/make_fixtures.py wrote."""
    with np.load(FIXTURES / "reference.npz") as found:
        return {name: torch.from_numpy(found[name]) for name in found.files}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_folder(tmp_path_factory.mktemp("moshi"))


def numbers(tensor: Tensor) -> Tokens:
    found: Tokens = tensor.numpy().astype(np.int64)
    return found


class Reader:
    """Calls in slots of one cache, each stepped at its own pace."""

    def __init__(self, temporal: Temporal, depth: Depth) -> None:
        self.temporal, self.depth = temporal, depth
        self.cache = temporal.cache(SLOTS, PIECE)

    def step(self, tokens: dict[int, Tokens]) -> dict[int, tuple[Tensor, Tensor]]:
        """One position (17,) of each slot given -> its text logits and its nine tokens."""
        rows = max(tokens) + 1
        active = torch.tensor([slot in tokens for slot in range(rows)])
        given = torch.zeros(rows, 17, 1, dtype=torch.long)
        for slot, row in tokens.items():
            given[slot, :, 0] = torch.from_numpy(row)
        span = self.cache.span(0, rows, 1)
        state = self.temporal.read(given, self.cache, span, active.long())[:, 0]
        logits = self.temporal.text(state)
        text = greedy(logits, 0)
        said = torch.cat([text[:, None], self.depth.codes(state, text, greedy)], dim=1)
        return {slot: (logits[slot], said[slot]) for slot in tokens}

    def take_over(self, slot: int, past: Tokens) -> None:
        """Read a call's past, in pieces, into another slot."""
        self.cache.reset(slot)
        for at in range(0, len(past), PIECE):
            piece = torch.from_numpy(past[at : at + PIECE].T[None].copy())
            kept = torch.tensor([piece.shape[-1]])
            span = self.cache.span(slot, 1, int(kept))
            self.temporal.read(piece, self.cache, span, kept)


@pytest.mark.parametrize("older", [False, True])
def test_tokens_and_logits_equal_past_the_context_with_random_rows_and_takeovers(
    tmp_path: Path, reference: dict[str, Tensor], older: bool
) -> None:
    """Two calls at random paces in random slots; both naming styles."""
    opened = open_folder(tiny_folder(tmp_path, older=older))
    reader = Reader(*load_lm(opened))
    rng = np.random.default_rng(5)
    heard = numbers(caller_codes(CALLS, STEPS)).transpose(0, 2, 1)
    said = numbers(reference["said"]).transpose(0, 2, 1)
    seats, at, moves = [0, 1], [0, 0], 0
    assert STEPS > 2 * WINDOW
    whole = [positions(said[call], heard[call], opened.config) for call in range(CALLS)]
    while min(at) < STEPS:
        live = [c for c in range(CALLS) if at[c] < STEPS and rng.random() < 0.7]
        if live and rng.random() < 0.1:
            call, moves = live[0], moves + 1
            seats[call] = next(slot for slot in rng.permutation(SLOTS) if slot not in seats)
            reader.take_over(seats[call], whole[call][: at[call]])
        found = reader.step({seats[c]: whole[c][at[c]] for c in live}) if live else {}
        for call in live:
            logits, tokens = found[seats[call]]
            expected = reference["logits"][call, at[call]]
            assert (logits - expected).abs().max() < LOGITS_WITHIN
            assert tokens.tolist() == said[call, at[call]].tolist()
            at[call] += 1
    assert moves >= 3


def test_frames_of_sound_equal(folder: Path, reference: dict[str, Tensor]) -> None:
    config = open_folder(folder).config
    for call in range(CALLS):
        own = frames(numbers(reference["said"][call]).T, config)
        assert np.array_equal(own, numbers(reference["frames"][call]).T)


def coded(mimi: Mimi, slots: dict[int, int], codes: Tensor | None = None) -> Tensor:
    """The whole test sound (or these codes) of each call through its slot, at random paces."""
    sound = caller_sound(CALLS, 40).view(CALLS, -1, CHUNK)
    rng = np.random.default_rng(8)
    at = dict.fromkeys(slots, 0)
    found: dict[int, list[Tensor]] = {call: [] for call in slots}
    while min(at.values()) < sound.shape[1]:
        count = int(rng.integers(1, 4))
        live = [c for c in slots if at[c] + count <= sound.shape[1] and rng.random() < 0.7]
        if not live:
            live, count = [min(at, key=lambda call: at[call])], 1
        rows = max(slots[c] for c in live) + 1
        active = torch.zeros(rows, dtype=torch.bool)
        active[[slots[c] for c in live]] = True
        shape = (rows, count * CHUNK) if codes is None else (rows, 8, count)
        given = torch.zeros(shape, dtype=torch.float32 if codes is None else torch.long)
        for call in live:
            part = slice(at[call], at[call] + count)
            own = sound[call, part].reshape(-1) if codes is None else codes[call][:, part].long()
            given[slots[call]] = own
        step = mimi.encode if codes is None else mimi.decode
        out = step(given, Rows(0, active))
        for call in live:
            found[call].append(out[slots[call]])
            at[call] += count
    return torch.stack([torch.cat(parts, dim=-1) for parts in found.values()])


def test_mimi_equals_with_random_rows_and_past_its_window(
    folder: Path, reference: dict[str, Tensor]
) -> None:
    mimi = load_mimi(open_folder(folder))
    mimi.allot(SLOTS)
    codes = coded(mimi, {0: 2, 1: 0})
    assert torch.equal(codes, reference["codes"].long())
    assert len(set(codes.flatten().tolist())) > CARD // 2
    sound = coded(mimi, {0: 3, 1: 1}, reference["codes"])
    kept = reference["sound"].shape[-1]
    assert (sound[:, -kept:] - reference["sound"]).abs().max() < SOUND_WITHIN


def test_mimi_forgets_what_lies_before_its_memory(folder: Path) -> None:
    """A stream that began `memory_frames` ago gives the same codes and sound."""
    opened = open_folder(folder)
    mimi = load_mimi(opened)
    mimi.allot(2)
    sound, frame = caller_sound(1, 40)[0].view(-1, CHUNK), opened.mimi_config.memory_frames
    active = torch.ones(1, dtype=torch.bool)
    for number, piece in enumerate(sound):
        one = mimi.encode(piece[None], Rows(0, active))
        back = mimi.decode(one, Rows(0, active))
        if number >= len(sound) - 5 - frame:
            other = mimi.encode(piece[None], Rows(1, active))
            again = mimi.decode(one, Rows(1, active))
        if number >= len(sound) - 5:
            assert torch.equal(one, other)
            assert (back - again).abs().max() < SOUND_WITHIN


def test_int8_files_load(tmp_path: Path) -> None:
    """Weights rounded to eight bits change the logits a little."""
    exact, _ = load_lm(open_folder(tiny_folder(tmp_path / "full")))
    rounded, _ = load_lm(open_folder(tiny_folder(tmp_path / "q8", int8=True)))
    kept = [load_lm(open_folder(tmp_path / "full"), precision=MoshiPrecision.INT8)[0]]
    tokens = torch.from_numpy(np.random.default_rng(1).integers(0, CARD, (1, 17, 8)))
    wanted = logits_of(exact, tokens)
    for other in [rounded, *kept]:
        error = logits_of(other, tokens) - wanted
        assert 0 < error.pow(2).mean().sqrt() / wanted.pow(2).mean().sqrt() < 0.03
    assert wanted.shape == (1, 8, TEXTS)


def logits_of(temporal: Temporal, tokens: Tensor) -> Tensor:
    cache = temporal.cache(1, PIECE)
    span = cache.span(0, 1, tokens.shape[-1])
    kept = torch.tensor([tokens.shape[-1]])
    return temporal.text(temporal.read(tokens, cache, span, kept))


def test_sixteen_depth_steps_load_as_eight(tmp_path: Path) -> None:
    """PersonaPlex publishes sixteen; the last eight would predict the caller's codes."""
    from safetensors.torch import save_file

    opened = open_folder(tiny_folder(tmp_path))
    more = lm_tensors()
    for name, value in list(more.items()):
        if "depformer" in name and ".0." in name:
            more[name.replace("projs.0.", "projs.9.").replace("g.0.", "g.9.")] = value.clone()
    save_file(more, opened.lm)
    again = load_lm(opened)[1]
    assert set(again.state_dict()) < set(more)
