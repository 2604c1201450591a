"""The prompt of PersonaPlex: forced steps that give a call its voice and its role.

After the reference server (MIT, github.com/NVIDIA/personaplex): a recording of the voice, half a
second of silence, the text between <system> tags with one token a step, half a second of silence.
Meanwhile the caller's side holds a tone. Its published voices are embeddings of such recordings,
which this engine does not take; a WAV file of the same voice does.
"""

from pathlib import Path
from typing import Final

import numpy as np
import torch

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Floats
from shared.errors import ConfigError
from shared.voices import DEFAULT, Offer
from workers.models.moshi.config import CODES, LmConfig
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.positions import Tokens
from workers.models.moshi.streaming import Rows
from workers.models.moshi.text import TextTokens

VOICES: Final = "voices"  # the folder of recordings within the model's folder
SILENCE_STEPS: Final = 6  # half a second
VOICE_STEPS: Final = 125  # ten seconds of a recording are used
TEXT_STEPS: Final = 180  # the most tokens of a role; longer ones are cut
MOST_STEPS: Final = VOICE_STEPS + TEXT_STEPS + 2 * SILENCE_STEPS
# Mimi's codes of digital silence and of the tone, as the reference has them.
SILENCE: Final = (948, 243, 1178, 546, 1736, 1030, 1978, 2008)
TONE: Final = (430, 1268, 381, 1611, 1095, 1495, 56, 472)
ROLE: Final = (
    "You are a wise and friendly teacher. Answer questions or provide advice in a clear and "
    "engaging way."
)
LOUDNESS_RMS: Final = 0.063  # -24 dB of full scale, about the reference's -24 LUFS


class Prompts:
    """The steps of every voice's prompt, (T, 9) said and (T, 8) heard."""

    def __init__(self, config: LmConfig, tokens: TextTokens, voices: dict[str, Tokens]) -> None:
        """`voices`: the codes (T, 8) of each recording. Without any, calls begin without prompt."""
        self._config, self._tokens, self._voices = config, tokens, voices
        self.offer = Offer(tuple(voices)) if voices else Offer()

    def steps(self, voice: str, role: str) -> tuple[Tokens, Tokens]:
        """The steps to force before a call."""
        nothing = np.zeros((0, 1 + CODES), np.int64), np.zeros((0, CODES), np.int64)
        if not self._voices:
            return nothing
        sound = self._voices.get(voice, next(iter(self._voices.values())))[:VOICE_STEPS]
        words = self._tokens.encode(f"<system> {role.strip() or ROLE} <system>")[:TEXT_STEPS]
        quiet = [self._config.pad] * SILENCE_STEPS
        texts = [*[self._config.pad] * len(sound), *quiet, *words, *quiet]
        silence = np.array(SILENCE) % self._config.card
        codes = np.concatenate([sound, np.tile(silence, (len(texts) - len(sound), 1))])
        heard = np.tile(np.array(TONE) % self._config.card, (len(texts), 1))
        return self._forced(np.array(texts), codes), heard

    def _forced(self, texts: Tokens, codes: Tokens) -> Tokens:
        """What the steps would have said: text and undelayed codes one step ahead of their own."""
        delays = self._config.delays[1 : CODES + 1]
        ahead = [np.append(texts[1:], self._config.pad)]
        for code, delay in enumerate(delays):
            column = codes[:, code]
            ahead.append(column if delay else np.append(column[1:], column[-1]))
        return np.stack(ahead, axis=-1)


def load_prompts(voices_in: Path, config: LmConfig, tokens: TextTokens, mimi: Mimi) -> Prompts:
    """The prompts of the recordings in a folder; of none if there is no such folder.

    `mimi` needs a free slot 0. Raises ConfigError for a recording that cannot be read.
    """
    voices: dict[str, Tokens] = {}
    for path in sorted(voices_in.glob("*.wav")):
        voices[path.stem] = _encode(_recording(path), mimi)
    if not voices and voices_in.exists():
        raise ConfigError(
            f"Expected WAV files of voices in {voices_in}, got none: the published .pt files "
            "are embeddings, which this engine does not take"
        )
    if voices:
        voices = {DEFAULT: next(iter(voices.values())), **voices}
    return Prompts(config, tokens, voices)


def _recording(path: Path) -> Floats:
    """A recording at 24 kHz, of the loudness that the model knows."""
    import wave

    try:
        with wave.open(str(path)) as file:
            shape = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise ConfigError(f"Expected a WAV file in {path}, got an error: {error}") from error
    if shape != (SAMPLE_RATE_HZ, 1, 2):
        raise ConfigError(
            f"Expected 24 kHz mono PCM16 in {path}, got rate, channels, bytes {shape}"
        )
    sound = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)
    rms = float(np.sqrt(np.mean(sound**2))) if sound.size else 0.0
    return sound * np.float32(LOUDNESS_RMS / max(rms, 1e-6))


@torch.inference_mode()
def _encode(sound: Floats, mimi: Mimi) -> Tokens:
    """Codes (T, 8) of a recording."""
    mimi.reset(0)
    device = next(mimi.parameters()).device
    rows = Rows(0, torch.ones(1, dtype=torch.bool, device=device))
    whole = sound[: len(sound) // CHUNK_SAMPLES * CHUNK_SAMPLES].reshape(-1, 1, CHUNK_SAMPLES)
    codes = [mimi.encode(torch.from_numpy(piece).to(device), rows)[0, :, 0] for piece in whole]
    mimi.reset(0)
    found: Tokens = torch.stack(codes).cpu().numpy()
    return found
