"""Encodes a conversation's pieces as tokens: ChatML for SmolLM and Qwen, headers for Llama 3."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import ConfigError
from workers.models.llama.tokenizer import Tokenizer

END_MARKS: Final = (".", "?", "!")
_CHATML: Final = ("<|im_start|>", "<|im_end|>")
_HEADERS: Final = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>")


class Chat:
    """The chat template of one model. A conversation is the concatenation of separate pieces."""

    def __init__(self, tokenizer: Tokenizer, template: str = "") -> None:
        self._tokenizer = tokenizer
        self._headers = tokenizer.id_of(_HEADERS[0]) is not None
        names: tuple[str, ...] = _HEADERS if self._headers else _CHATML
        self._marks = {name: self._mark(name) for name in names}
        # Qwen 3 writes its reasoning unless its answer begins with an empty thought.
        self._unthinking = "enable_thinking" in template and tokenizer.id_of("<think>") is not None
        self.end = self._marks[_HEADERS[2] if self._headers else _CHATML[1]]
        other = (tokenizer.id_of(name) for name in ("<|endoftext|>", "<|end_of_text|>"))
        self.stops = frozenset({self.end, *(token for token in other if token is not None)})
        self._ends = self._end_tokens()

    def system(self, text: str) -> list[int]:
        """The system prompt, which begins a conversation."""
        begin = [self._marks["<|begin_of_text|>"]] if self._headers else []
        return begin + self._start("system") + self._tokenizer.encode(text.strip()) + self._stop()

    def user_start(self) -> list[int]:
        """The tokens before a caller's words."""
        return self._start("user")

    def user_end(self) -> list[int]:
        """The tokens after a caller's words."""
        return self._stop()

    def user(self, text: str) -> list[int]:
        """A caller's whole turn."""
        return self.user_start() + self._tokenizer.encode(text.strip()) + self.user_end()

    def assistant_start(self) -> list[int]:
        """The tokens before a reply."""
        quiet: list[int] = []
        if self._unthinking:
            think, over = self._mark("<think>"), self._mark("</think>")
            gap = self._tokenizer.encode("\n\n")
            quiet = [think, *gap, over, *gap]
        return self._start("assistant") + quiet

    def assistant_end(self) -> list[int]:
        """The tokens after a reply. The first is `end`, which the model generates itself."""
        return self._stop()

    def ended(self, logits: NDArray[np.float32]) -> float:
        """The probability that a caller's words end here, with an end mark or the turn's end.

        logits (vocab,) float32 follow `user_start` and words without a final mark.
        """
        shares = np.exp(logits - logits.max())
        return float(shares[self._ends].sum() / shares.sum())

    def _mark(self, name: str) -> int:
        number = self._tokenizer.id_of(name)
        if number is None:
            raise ConfigError(
                f"Expected a chat model with the token {name} (ChatML or Llama 3): it has none"
            )
        return number

    def _start(self, role: str) -> list[int]:
        if self._headers:
            start, end = self._marks[_HEADERS[0]], self._marks[_HEADERS[1]]
            return [start, *self._tokenizer.encode(role), end, *self._tokenizer.encode("\n\n")]
        return [self._marks[_CHATML[0]], *self._tokenizer.encode(f"{role}\n")]

    def _stop(self) -> list[int]:
        return [self.end] if self._headers else [self.end, *self._tokenizer.encode("\n")]

    def _end_tokens(self) -> NDArray[np.int64]:
        found = {self.end}
        for token in range(self._tokenizer.size):
            text = "" if self._tokenizer.is_control(token) else self._tokenizer.decode([token])
            if text.startswith(END_MARKS) and not any(letter.isalnum() for letter in text):
                found.add(token)
        return np.array(sorted(found))
