"""The model over fixed slots equals a plain reference, and its rows are independent."""

from dataclasses import replace

import numpy as np
import pytest

from shared.errors import ConfigError
from tests.unit.workers.models.llama import tiny
from workers.models.llama.attention import CALL_POSITIONS, RowSpan, runs_of
from workers.models.llama.model import LlamaModel
from workers.models.llama.precision import PRECISIONS

# The logits have a spread of 1. Sums of float32 differ in their last bits between kernels for one
# row and for many. Where a precision rounds inputs, such a bit may round the other way, which
# changes one product by 2 ** -8.
ROUNDING = {"float32": 2e-5, "bf16": 0.05, "int8": 0.05, "int4": 0.05}
# The correlation of logits with float32's. The random matrices suit 4 bits less than trained ones.
LIKENESS = {"bf16": 0.999, "int8": 0.995, "int4": 0.9}
KINDS: tuple[dict[str, bool], ...] = ({}, {"biases": True}, {"norms": True}, {"tied": False})


def made(precision: str = "float32", *, slots: int = 4, **kinds: bool) -> LlamaModel:
    found = tiny.tensors(tiny.TINY, **kinds)
    return LlamaModel(tiny.source(found=found), slots=slots, capacity=96, precision=precision)


def tokens(seed: int, count: int) -> list[int]:
    found: list[int] = np.random.default_rng(seed).integers(3, tiny.TINY.vocab, count).tolist()
    return found


@pytest.mark.parametrize("kinds", KINDS, ids=str)
def test_it_computes_what_a_plain_reference_does(kinds: dict[str, bool]) -> None:
    found = tiny.tensors(tiny.TINY, **kinds)
    model = LlamaModel(tiny.source(found=found), slots=1, capacity=96, precision="float32")
    said = tokens(1, 20)
    wanted = tiny.reference(tiny.TINY, found, said)
    np.testing.assert_allclose(model.extend([0], [said])[0], wanted[-1], atol=1e-4)


def test_layers_without_rotation_and_stretched_frequencies() -> None:
    config = replace(tiny.TINY, unrotated=(1,), rope_factors=(1.0,) * 4 + (8.0,) * 4)
    found = tiny.tensors(config)
    model = LlamaModel(tiny.source(config, found), slots=1, capacity=96, precision="float32")
    said = tokens(2, 20)
    wanted = tiny.reference(config, found, said)
    np.testing.assert_allclose(model.extend([0], [said])[0], wanted[-1], atol=1e-4)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_row_in_a_batch_is_as_alone(precision: str) -> None:
    model, alone = made(precision), made(precision)
    said = {row: tokens(row, count) for row, count in enumerate((3, 17, 1, 40))}
    together = model.extend(list(said), list(said.values()))
    for row in said:
        single = alone.extend([row], [said[row]])[0]
        np.testing.assert_allclose(together[row], single, atol=ROUNDING[precision])
    stepped = model.extend([3, 0, 1], [[5], [6], [7]])
    for at, (row, token) in enumerate(((3, 5), (0, 6), (1, 7))):
        single = alone.extend([row], [[token]])[0]
        np.testing.assert_allclose(stepped[at], single, atol=ROUNDING[precision])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_pieces_give_what_the_whole_gives(precision: str) -> None:
    model = made(precision)
    said = tokens(4, 30)
    whole = model.extend([0], [said])[0]
    for start, end in ((0, 1), (1, 12), (12, 13), (13, 30)):
        pieces = model.extend([1], [said[start:end]])[0]
    assert model.length(0) == model.length(1) == 30
    np.testing.assert_allclose(pieces, whole, atol=ROUNDING[precision])


def test_a_cut_row_goes_on_as_one_that_never_had_more() -> None:
    model = made()
    said, other = tokens(5, 20), tokens(6, 9)
    model.extend([0], [said])
    model.cut(0, 8)
    again = model.extend([0], [other])[0]
    fresh = model.extend([1], [said[:8] + other])[0]
    np.testing.assert_allclose(again, fresh, atol=ROUNDING["float32"])


def test_rows_begin_with_the_shared_prefix() -> None:
    model = made()
    prefix, said = tokens(7, 11), tokens(8, 5)
    model.share(prefix)
    model.reset(2)
    assert model.length(2) == 11
    model.reset(1, shared=False)
    assert model.length(1) == 0
    after = model.extend([2, 1], [said, prefix + said])
    np.testing.assert_allclose(after[0], after[1], atol=ROUNDING["float32"])
    model.share([])
    model.reset(2)
    assert model.length(2) == 0


def test_logits_inside_a_piece_are_those_of_a_shorter_piece() -> None:
    model = made()
    said, other = tokens(9, 12), tokens(11, 5)
    found = model.extend([0, 1], [said, other], [(0, 7), (1, 5)])
    fresh = model.extend([2], [said[:7]])[0]
    np.testing.assert_allclose(found[2], fresh, atol=ROUNDING["float32"])
    np.testing.assert_array_equal(found[3], found[1])


def test_the_fastest_precision_is_one_that_the_model_can_have() -> None:
    assert made("auto").extend([0], [tokens(9, 12)]).shape == (1, tiny.TINY.vocab)
    odd = replace(tiny.TINY, hidden=72)
    with pytest.raises(ConfigError, match="multiple of 32"):
        LlamaModel(tiny.source(odd), slots=1, capacity=8, precision="int8")
    LlamaModel(tiny.source(odd), slots=1, capacity=8, precision="auto").extend([0], [[5]])
    with pytest.raises(ConfigError, match="Expected a precision of auto, float32"):
        made("int2")


@pytest.mark.parametrize("precision", PRECISIONS[1:])
@pytest.mark.parametrize("kinds", KINDS, ids=str)
def test_coarser_weights_give_about_the_same(precision: str, kinds: dict[str, bool]) -> None:
    said = tokens(10, 24)
    exact = made("float32", **kinds).extend([0], [said])[0]
    coarse = made(precision, **kinds).extend([0], [said])[0]
    assert np.corrcoef(exact, coarse)[0, 1] > LIKENESS[precision]


def test_wrong_calls_are_refused() -> None:
    model = made(slots=2)
    with pytest.raises(ValueError, match="below 2"):
        model.extend([2], [[5]])
    with pytest.raises(ValueError, match="each once"):
        model.extend([0, 0], [[5], [5]])
    with pytest.raises(ValueError, match="at least one token"):
        model.extend([0], [[]])
    with pytest.raises(ValueError, match="at most 96"):
        model.extend([0], [tokens(1, 97)])
    with pytest.raises(ValueError, match="up to 0"):
        model.cut(0, 1)


def test_rows_of_any_lengths_and_with_gaps_between_them_step_together() -> None:
    slots = 9
    model, alone = made(slots=slots), made(slots=slots)
    lengths = {0: 3, 1: 90, 3: 40, 4: 41, 7: 1, 8: 60}
    for row, length in lengths.items():
        model.extend([row], [tokens(row, length)])
        alone.extend([row], [tokens(row, length)])
    asked = [4, 0, 8, 1, 7, 3]
    together = model.extend(asked, [[row + 5] for row in asked])
    for at, row in enumerate(asked):
        single = alone.extend([row], [[row + 5]])[0]
        np.testing.assert_allclose(together[at], single, atol=ROUNDING["float32"])


def test_rows_are_taken_together_where_that_is_cheaper() -> None:
    def rows(*spans: tuple[int, int]) -> list[list[int]]:
        found = runs_of([RowSpan(row, row, length - 1, 1) for row, length in spans])
        return [[span.row for span in run] for run in found]

    near = CALL_POSITIONS // 10
    assert rows((0, near), (1, near), (2, near + 50)) == [[0, 1, 2]]
    assert rows((0, near), (1, 3 * CALL_POSITIONS), (2, near)) == [[0], [1], [2]]
    assert rows((0, near), (40, near)) == [[0], [40]]
    assert rows() == []


def test_a_sequence_is_as_likely_as_its_tokens_one_by_one() -> None:
    model, plain = made(), made()
    prefix, start = tokens(1, 9), tokens(2, 3)
    model.share(prefix)
    sequences = [tokens(seed, count) for seed, count in enumerate((1, 4, 11, 2, 3, 5, 7), start=3)]
    found = model.likelihoods(start, sequences)
    for sequence, likelihood in zip(sequences, found, strict=True):
        plain.reset(0, shared=False)
        logits = plain.extend([0], [[*prefix, *start]])[0]
        said = []
        for token in sequence:
            said.append(logits[token] - np.log(np.exp(logits.astype(np.float64)).sum()))
            logits = plain.extend([0], [[token]])[0]
        assert likelihood == pytest.approx(np.mean(said), abs=1e-3)


def test_scoring_changes_no_row() -> None:
    model, alone = made(), made()
    for one in (model, alone):
        one.share(tokens(1, 5))
        one.reset(0)
        one.extend([0], [tokens(2, 7)])
    model.likelihoods(tokens(3, 2), [tokens(4, 5), tokens(5, 60)])
    np.testing.assert_array_equal(model.extend([0], [[9]]), alone.extend([0], [[9]]))
