"""Warm starts from finished weights: words keep their rows, whatever their numbers are."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from workers.models.checkpoint import write_part
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.warm_start import REPLY_WORDS, warm_start

TRUNK = TransformerConfig(width=16, layers=2, heads=2, window=8)
CALLERS = CallerVocabulary(("hello",))


def _model(
    words: Vocabulary, trunk: TransformerConfig = TRUNK, callers: CallerVocabulary | None = None
) -> HybridS2S:
    config = S2SConfig(8, len(words), 2, 4, trunk, depth_width=8, depth_layers=1, depth_heads=2)
    return HybridS2S(replace(config, caller_words=len(callers or ())))


def test_words_keep_their_rows_and_new_ones_are_fresh(tmp_path: Path) -> None:
    old, new = Vocabulary(["one", "gone", "two"]), Vocabulary(["new", "two", "one"])
    finished, model = _model(old), _model(new)
    write_part(tmp_path, "s2s", finished, finished.config, {"words": list(old.words)})
    fresh = {name: value.clone() for name, value in model.state_dict().items()}
    warm_start(model, new, CALLERS, tmp_path)
    theirs = finished.state_dict()
    for name, mine in model.state_dict().items():
        then = theirs[name].bfloat16().float()
        if name not in REPLY_WORDS:
            assert torch.equal(mine, then), name
            continue
        for word in ("one", "two"):
            assert torch.equal(mine[new.encode(word)], then[old.encode(word)])
        assert torch.equal(mine[new.encode("new")], fresh[name][new.encode("new")])


def test_another_size_is_refused(tmp_path: Path) -> None:
    words = Vocabulary(["one"])
    finished = _model(words)
    write_part(tmp_path, "s2s", finished, finished.config, {"words": ["one"]})
    larger = TransformerConfig(width=32, layers=1, heads=2, window=8)
    with pytest.raises(ValueError, match="same preset"):
        warm_start(_model(words, larger), words, CALLERS, tmp_path)


def test_the_callers_words_keep_their_rows_and_new_ones_are_fresh(
    tmp_path: Path,
) -> None:
    words, more = Vocabulary(["one"]), CallerVocabulary(("hello", "sum"))
    finished, model = _model(words, callers=CALLERS), _model(words, callers=more)
    facts = {"words": ["one"], "caller_words": list(CALLERS.words)}
    write_part(tmp_path, "s2s", finished, finished.config, facts)
    fresh = model.state_dict()["to_caller.1.weight"].clone()
    warm_start(model, words, more, tmp_path)
    then = finished.state_dict()["to_caller.1.weight"].bfloat16().float()
    now = model.state_dict()["to_caller.1.weight"]
    assert torch.equal(now[0], then[0])  # the blank
    assert torch.equal(now[more.encode("hello")], then[CALLERS.encode("hello")])
    assert torch.equal(now[more.encode("sum")], fresh[more.encode("sum")])
    write_part(tmp_path, "s2s", _model(words), _model(words).config, {"words": ["one"]})
    warm_start(
        _model(words, callers=more), words, more, tmp_path
    )  # weights from before this head existed
