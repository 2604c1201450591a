"""The prompt of PersonaPlex forces what its own code forces, and the call goes on alike."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shared.errors import ConfigError
from shared.voices import Persona
from tests.moshi.tiny import FIXTURES, TOKENIZER
from tests.unit.workers.engines.moshi.made import babble, made_engine, shared_folder
from workers.engines.base import Opening, Past, Speak, Work
from workers.engines.moshi.prompt import Prompts
from workers.engines.moshi.voices import Voice, load_embedded, load_voices
from workers.models.moshi.checkpoint import load_lm, load_mimi, open_folder
from workers.models.moshi.positions import Tokens, positions
from workers.models.moshi.sampling import greedy
from workers.models.moshi.text import TextTokens


class Written(TextTokens):
    """A tokenizer that gives every text these tokens."""

    def __init__(self, words: list[int]) -> None:
        super().__init__(TOKENIZER)
        self.words = words

    def encode(self, text: str) -> list[int]:
        """The tokens, for a text between the tags."""
        assert text == "<system> be kind <system>"
        return self.words


def recorded(codes: Tokens) -> Voice:
    return Voice(codes)


def published(codes: Tokens) -> Voice:
    """The same voice as the reference keeps it."""
    voice = load_embedded(FIXTURES / "voice.pt", open_folder(shared_folder()).config)
    assert voice.codes.shape == codes.shape
    return voice


@pytest.mark.parametrize("kind", [recorded, published])
@torch.inference_mode()
def test_after_the_prompt_the_model_says_what_the_reference_says(
    kind: Callable[[Tokens], Voice],
) -> None:
    """Eight of sixteen depth steps suffice, and each frame comes a step earlier."""
    with np.load(FIXTURES / "persona.npz") as found:
        voice, words, user, wanted = (found[n] for n in ("voice", "words", "user", "frames"))
    opened = open_folder(shared_folder())
    # Its ring masks the oldest key. The engine's contexts end long before that.
    opened = replace(opened, config=replace(opened.config, context=opened.config.context - 1))
    prompts = Prompts(opened.config, Written(words.tolist()), {"anna": kind(voice)})
    prompt = prompts.of("anna", " be kind ")
    forced, tone = prompt.said.copy(), prompt.heard
    given = () if prompt.embeddings is None else prompt.embeddings
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
        x = temporal.embed(torch.from_numpy(token)[None, :, None])
        x = given[step].view(x.shape) if step < len(given) else x
        state = temporal.read_embedded(x, cache, span, kept)[:, 0]
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
    voices = {
        "anna": Voice(np.zeros((4, 8), np.int64)),
        "bert": Voice(np.ones((4, 8), np.int64)),
    }
    prompts = Prompts(opened.config, TextTokens(TOKENIZER), voices)
    one, other = (prompts.of(name, "be kind").said for name in ("anna", "nobody"))
    assert np.array_equal(one, other)
    assert not np.array_equal(one, prompts.of("bert", "be kind").said)
    assert len(prompts.of("anna", "words " * 1_000).said) == 4 + 180 + 12


def test_a_call_with_a_published_voice_is_one_with_its_recording() -> None:
    """The engine reads embeddings in pieces, between a neighbour's steps, and after a death."""
    with np.load(FIXTURES / "persona.npz") as found:
        codes = found["voice"]
    engine = made_engine(3)
    config = open_folder(shared_folder()).config
    voices = {"recorded": recorded(codes), "published": published(codes)}
    engine._prompts = Prompts(config, Written(list(range(5))), voices)
    for slot, name in enumerate(["recorded", "published"]):
        engine.open(slot, Opening(3, persona=Persona(name), instructions="be kind"))
    told: list[list[Past]] = [[], []]
    for chunk in babble(8):
        works = [Work(slot, (chunk,), Speak.DUPLEX) for slot in (0, 1)]
        one, other = engine.step(works)
        assert (one.said, one.heard) == (other.said, other.heard)
        for slot, output in enumerate((one, other)):
            told[slot].append(Past((chunk,), output.heard, output.said, Speak.DUPLEX))
    persona = Persona("published")
    engine.open(2, Opening(3, told[1], persona=persona, instructions="be kind"))
    (chunk,) = babble(1, 9)
    one, other = engine.step([Work(slot, (chunk,), Speak.DUPLEX) for slot in (0, 2)])
    assert (one.said, one.heard) == (other.said, other.heard)


def published_tensors() -> dict[str, Any]:
    held: dict[str, Any] = torch.load(FIXTURES / "voice.pt", weights_only=True)
    return held


def without_cache() -> object:
    return {"embeddings": published_tensors()["embeddings"]}


def of_another_width() -> object:
    held = published_tensors()
    return {**held, "embeddings": held["embeddings"].repeat(1, 1, 1, 2)}


def too_long() -> object:
    held = published_tensors()
    return {**held, "embeddings": held["embeddings"].repeat(30, 1, 1, 1)}


def damaged() -> object:
    held = published_tensors()
    return {**held, "cache": held["cache"] + 10_000}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (without_cache, r"and `cache` \(integers\) in .*anna.pt, got \['embeddings'\]"),
        (of_another_width, r"1, 1, 64\).*got \(9, 1, 1, 128\).*of another model"),
        (too_long, r"got \(270, 1, 1, 64\)"),
        (damaged, "codes from 0 to 64 in .*: the file is damaged"),
        (lambda: Path("runs"), "does not load without running its code"),
    ],
)
def test_a_file_that_is_no_voice_is_refused(
    tmp_path: Path, make: Callable[[], object], says: str
) -> None:
    torch.save(make(), tmp_path / "anna.pt")
    with pytest.raises(ConfigError, match=says):
        load_embedded(tmp_path / "anna.pt", open_folder(shared_folder()).config)


def test_recordings_of_another_kind_are_refused(tmp_path: Path) -> None:
    opened = open_folder(shared_folder())
    mimi = load_mimi(opened)
    mimi.allot(1)
    with pytest.raises(ConfigError, match="published with PersonaPlex"):
        load_voices(tmp_path, opened.config, mimi)
    assert load_voices(tmp_path / "absent", opened.config, mimi) == {}
    (tmp_path / "anna.wav").write_bytes(b"RIFF")
    with pytest.raises(ConfigError, match="Expected a WAV file"):
        load_voices(tmp_path, opened.config, mimi)
    (tmp_path / "anna.wav").unlink()
    (tmp_path / "bert.pt").write_bytes(b"")
    with pytest.raises(ConfigError, match="bert"):
        load_voices(tmp_path, opened.config, mimi)
