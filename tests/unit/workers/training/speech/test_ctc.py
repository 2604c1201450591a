"""CTC targets, loss and greedy decoding."""

import torch

from workers.training.speech.ctc import best_path, ctc_loss, targets


def test_the_best_path_merges_repeats_and_drops_blanks() -> None:
    best = torch.tensor([0, 2, 2, 0, 2, 1, 1, 0, 3])
    logits = torch.nn.functional.one_hot(best, 4).float()
    assert best_path(logits, 8) == [2, 2, 1]


def test_targets_lie_end_to_end() -> None:
    classes, counts = targets(["ab", "", "c"], lambda text: [ord(letter) - 96 for letter in text])
    assert classes.tolist() == [1, 2, 3]
    assert counts.tolist() == [2, 0, 1]


def test_a_batch_without_speech_has_a_finite_loss() -> None:
    classes, counts = targets([""], lambda text: [1 for _ in text])
    loss = ctc_loss(torch.zeros(1, 5, 4), torch.tensor([5]), classes, counts)
    assert bool(torch.isfinite(loss))
