"""Makes fixtures/persona.npz and voice.pt with PersonaPlex's own code: a prompt, then a call.

`PYTHONPATH=.:PERSONAPLEX/moshi python -m tests.moshi.make_persona_fixture`, where PERSONAPLEX is a
copy of github.com/NVIDIA/personaplex, in an environment with einops and sentencepiece. Its package
has the name of Kyutai's, so both cannot be installed at once.
"""

import os
import sys
import types
from typing import Any

os.environ["NO_TORCH_COMPILE"] = "1"  # the package reads it when it is imported
sys.modules["sphn"] = sys.modules["pyloudnorm"] = types.ModuleType("absent")  # for files alone

import numpy as np  # noqa: E402
import torch  # noqa: E402
from moshi.models import loaders  # noqa: E402
from moshi.models.lm import SILENCE_TOKENS, SINE_TOKENS, LMGen, LMModel  # noqa: E402

from tests.moshi.tiny import CARD, FIXTURES, LM, TEXTS, caller_codes, lm_tensors  # noqa: E402
from workers.models.moshi.positions import Tokens  # noqa: E402

VOICE = FIXTURES / "voice.pt"
VOICE_STEPS, WORDS, CALL_STEPS, SILENT_STEPS = 10, 5, 40, 6


def main() -> None:
    """Force the prompt in the reference's order, then let the model answer a caller."""
    rng = np.random.default_rng(11)
    voice = rng.integers(0, CARD, (VOICE_STEPS, 8))
    words = rng.integers(4, TEXTS, WORDS)
    user = caller_codes(1, CALL_STEPS)[0].numpy().T
    silence, tone = SILENCE_TOKENS % CARD, SINE_TOKENS % CARD
    quiet = [3] * SILENT_STEPS
    texts = [*[3] * VOICE_STEPS, *quiet, *words.tolist(), *quiet]
    sounds = [*voice, *[silence] * (len(texts) - VOICE_STEPS)]
    save_voice(voice, tone)
    found = {}
    for embedded in (False, True):
        generator = made_generator()
        first = VOICE_STEPS if embedded else 0
        with generator.streaming(1), torch.no_grad():
            if embedded:
                generator.load_voice_prompt_embeddings(str(VOICE))
                generator._step_voice_prompt(None)
            for text, s in list(zip(texts, sounds, strict=True))[first:]:
                generator.step(moshi_tokens=one(s), text_token=text, input_tokens=one(tone))
            outs = [generator.step(input_tokens=one(frame)) for frame in user]
        found[embedded] = np.stack([out[0, :9, 0].numpy() for out in outs])
    assert np.array_equal(found[False], found[True])
    np.savez_compressed(
        FIXTURES / "persona.npz", voice=voice, words=words, user=user, frames=found[False]
    )


def made_generator(**options: Any) -> Any:
    """The reference's generator, greedy."""
    common = {"device": "cpu", "use_sampling": False, "check": True, "sample_rate": 24_000}
    return LMGen(model(), **common, **options)


def save_voice(voice: Tokens, tone: Tokens) -> None:
    """Write a voice as the reference keeps it; its codes represent those of a recording."""
    generator = made_generator(save_voice_prompt_embeddings=True)
    generator.voice_prompt, generator.voice_prompt_audio = str(VOICE), voice
    generator._encode_voice_prompt_frames = lambda _: map(one, voice)
    generator._encode_sine_frame = lambda: one(tone)
    with generator.streaming(1), torch.no_grad():
        generator._step_voice_prompt(None)


def one(codes: Tokens) -> torch.Tensor:
    """Codes (8,) -> (1, 8, 1)."""
    return torch.from_numpy(codes.astype(np.int64)).view(1, 8, 1)


def model() -> Any:
    """The tiny checkpoint in PersonaPlex's shape: sixteen depth steps, the last eight copies."""
    config = {**loaders._lm_kwargs, **LM, "dep_q": 16}
    made = LMModel(device="cpu", dtype=torch.float32, **config).eval()
    tensors = lm_tensors()
    found = {}
    for key, value in made.state_dict().items():
        older = {".in_proj_weight": ".in_projs", ".out_proj.weight": ".out_projs"}
        head = next((key.removesuffix(o) + n for o, n in older.items() if key.endswith(o)), "")
        if head:
            steps = 16 if "depformer" in key else 1
            parts = [tensors[f"{head}.{step % 8}.weight"] for step in range(steps)]
            found[key] = torch.cat(parts)
        elif key in tensors:
            found[key] = tensors[key].view(value.shape)
        else:
            found[key] = tensors[earlier(key)]
    made.load_state_dict(found)
    return made


def earlier(key: str) -> str:
    """The name of a depth step's tensor eight steps before; the eighth embedding has none."""
    parts = [str(int(p) % 8) if p.isdigit() and int(p) >= 7 else p for p in key.split(".")]
    return ".".join("6" if p == "7" and "emb" in key else p for p in parts)


if __name__ == "__main__":
    main()
