"""The prompt of PersonaPlex forces what its own code forces, and the call goes on alike."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.errors import ConfigError
from tests.moshi.tiny import FIXTURES, TOKENIZER
from tests.unit.workers.engines.moshi.made import shared_folder
from workers.engines.moshi.prompt import Prompts, load_prompts
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.positions import Tokens, positions
from workers.models.moshi.sampling import greedy
from workers.models.moshi.text import TextTokens


class Written(TextTokens):
    """A tokenizer whose every text has these tokens."""

    def __init__(self, words: list[int]) -> None:
        super().__init__(TOKENIZER)
        self.words = words

    def encode(self, text: str) -> list[int]:
        """The tokens, for a text between the tags."""
        assert text == "<system> be kind <system>"
        return self.words


@torch.inference_mode()
def test_after_the_prompt_the_model_says_what_the_reference_says() -> None:
    """Eight of sixteen depth steps suffice, and each frame comes a step earlier."""
    with np.load(FIXTURES / "persona.npz") as found:
        voice, words, user, wanted = (found[n] for n in ("voice", "words", "user", "frames"))
    opened = open_folder(shared_folder())
    # Its ring masks the oldest key. The engine's contexts end long before that.
    opened = replace(opened, config=replace(opened.config, context=opened.config.context - 1))
    prompts = Prompts(opened.config, Written(words.tolist()), {"anna": voice})
    forced, tone = prompts.steps("anna", " be kind ")
    assert len(forced) == 10 + 6 + 5 + 6
    # The reference samples the first text and code after the prompt; here they are forced too.
    forced[-1, :2] = wanted[1, :2]
    said = list(forced)
    heard = np.concatenate([tone, user])
    temporal, depth = load_lm(opened)
    cache = temporal.cache(1, 64)
    for step in range(len(heard)):
        reading = np.stack([*said[:step], np.zeros(9, np.int64)])
        token = positions(reading, heard[: step + 1], opened.config)[-1]
        span, kept = cache.span(0, 1, 1), torch.ones(1, dtype=torch.long)
        state = temporal.read(torch.from_numpy(token)[None, :, None], cache, span, kept)[:, 0]
        if step >= len(forced):
            text = greedy(temporal.text(state), 0)
            codes = depth.codes(state, text, greedy)
            said.append(torch.cat([text[:, None], codes], dim=1)[0].numpy())
    own = frames_of(said, len(forced))
    assert len(wanted) == len(user)
    assert np.array_equal(own[:-1], wanted[2:])


def frames_of(said: list[Tokens], first: int) -> Tokens:
    """Text and codes of each frame from step `first` on, as the reference returns them."""
    pairs = zip(said[first:-1], said[first + 1 :], strict=True)
    return np.stack([np.concatenate([one[:2], other[2:]]) for one, other in pairs])


def test_an_unknown_voice_is_the_first_and_long_roles_are_cut() -> None:
    opened = open_folder(shared_folder())
    voices: dict[str, Any] = {"anna": np.zeros((4, 8), int), "bert": np.ones((4, 8), int)}
    prompts = Prompts(opened.config, TextTokens(TOKENIZER), voices)
    one, other = (prompts.steps(name, "be kind")[0] for name in ("anna", "nobody"))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, prompts.steps("bert", "be kind")[0])
    assert len(prompts.steps("anna", "words " * 1_000)[0]) == 4 + 180 + 12


def test_recordings_of_another_kind_are_refused(tmp_path: Path) -> None:
    opened = open_folder(shared_folder())
    mimi = load_mimi(opened)
    mimi.allot(1)
    tokens = TextTokens(TOKENIZER)
    (tmp_path / "NATF0.pt").write_bytes(b"")
    with pytest.raises(ConfigError, match="got none: the published"):
        load_prompts(tmp_path, opened.config, tokens, mimi)
    (tmp_path / "anna.wav").write_bytes(b"RIFF")
    with pytest.raises(ConfigError, match="Expected a WAV file"):
        load_prompts(tmp_path, opened.config, tokens, mimi)
