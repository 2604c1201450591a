"""Makes the prompt of PersonaPlex: forced steps that give a call its voice and its role.

It follows the reference server (MIT, github.com/NVIDIA/personaplex). First comes a recording of the
voice, then half a second of silence. Then comes the text between <system> tags, one token a step,
and again half a second of silence. Meanwhile the caller's side has a tone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from shared.voices import DEFAULT, Offer
from workers.engines.moshi.voices import EMBEDDED_STEPS, Voice
from workers.models.moshi.config import CODES, LmConfig
from workers.models.moshi.positions import Tokens
from workers.models.moshi.text import TextTokens

SILENCE_STEPS: Final = 6  # half a second
TEXT_STEPS: Final = 180  # the most tokens of a role; longer ones are cut
MOST_STEPS: Final = EMBEDDED_STEPS + TEXT_STEPS + 2 * SILENCE_STEPS
# Mimi's codes of digital silence and of the tone, as the reference has them.
SILENCE: Final = (948, 243, 1178, 546, 1736, 1030, 1978, 2008)
TONE: Final = (430, 1268, 381, 1611, 1095, 1495, 56, 472)
ROLE: Final = (
    "You are a wise and friendly teacher. Answer questions or provide advice in a clear and "
    "engaging way."
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """The steps to force before a call."""

    said: Tokens  # (T, 9)
    heard: Tokens  # (T, 8)
    embeddings: Tensor | None = None  # (E, D): read instead of the tokens of the first E positions


class Prompts:
    """The prompts of every voice."""

    def __init__(self, config: LmConfig, tokens: TextTokens, voices: Mapping[str, Voice]) -> None:
        """Without any voice, calls begin without a prompt."""
        self._config, self._tokens = config, tokens
        self._first = next(iter(voices.values()), None)
        self._voices = voices
        self.offer = Offer(tuple(dict.fromkeys((DEFAULT, *voices)))) if voices else Offer()

    def of(self, voice: str, role: str) -> Prompt:
        """The prompt of a call; an unknown voice is the first one."""
        chosen = self._voices.get(voice, self._first)
        if chosen is None:
            return Prompt(np.zeros((0, 1 + CODES), np.int64), np.zeros((0, CODES), np.int64))
        words = self._tokens.encode(f"<system> {role.strip() or ROLE} <system>")[:TEXT_STEPS]
        quiet = [self._config.pad] * SILENCE_STEPS
        texts = [*[self._config.pad] * len(chosen.codes), *quiet, *words, *quiet]
        silence = np.array(SILENCE) % self._config.card
        rest = len(texts) - len(chosen.codes)
        codes = np.concatenate([chosen.codes, np.tile(silence, (rest, 1))])
        heard = np.tile(np.array(TONE) % self._config.card, (len(texts), 1))
        return Prompt(self._forced(np.array(texts), codes), heard, chosen.embeddings)

    def _forced(self, texts: Tokens, codes: Tokens) -> Tokens:
        """The tokens as the model would have said them: text and undelayed codes one step ahead."""
        delays = self._config.delays[1 : CODES + 1]
        ahead = [np.append(texts[1:], self._config.pad)]
        for code, delay in enumerate(delays):
            column = codes[:, code]
            ahead.append(column if delay else np.append(column[1:], column[-1]))
        return np.stack(ahead, axis=-1)
