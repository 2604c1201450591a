"""Converts text to tokens and back, with a GGUF's metadata or a tokenizer.json.

A caller's text never becomes a control token: only `id_of` returns those.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers
from tokenizers import Tokenizer as Backend

from shared.errors import ConfigError

CONTROL: Final = 3  # GGUF's token type
# The regular expressions with which Llama 3 and Qwen 2 split text (from their tokenizer.json).
_LLAMA3: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2: Final = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")


class Tokenizer:
    """A model's byte-level BPE."""

    def __init__(self, backend: Backend, control: Iterable[str]) -> None:
        backend.encode_special_tokens = True  # "<|im_end|>" in a text is text
        self._backend = backend
        self._control = {
            number for text in control if (number := backend.token_to_id(text)) is not None
        }

    @property
    def size(self) -> int:
        """The number of tokens, control tokens included."""
        return self._backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> list[int]:
        """Tokens of a text, without any control token."""
        found: list[int] = self._backend.encode(text, add_special_tokens=False).ids
        return found

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of tokens, without control tokens."""
        kept = [token for token in tokens if token not in self._control]
        text: str = self._backend.decode(kept, skip_special_tokens=False)
        return text

    def id_of(self, name: str) -> int | None:
        """The number of a control token such as <|im_end|>; None if there is none of that name."""
        number: int | None = self._backend.token_to_id(name)
        return number

    def is_control(self, token: int) -> bool:
        """Whether a token is a control token, which `encode` never returns."""
        return token in self._control


def from_file(path: Path) -> Tokenizer:
    """Read a tokenizer.json. Raises ConfigError if it is missing."""
    if not path.exists():
        raise ConfigError(f"Expected the tokenizer {path}, but the file is missing")
    backend = Backend.from_file(str(path))
    added = backend.get_added_tokens_decoder().values()
    return Tokenizer(backend, [token.content for token in added if token.special])


def from_gguf(fields: Mapping[str, Any]) -> Tokenizer:
    """Build it from a GGUF's metadata. Raises ConfigError if it is not byte-level BPE."""
    kind, cut = fields.get("tokenizer.ggml.model"), fields.get("tokenizer.ggml.pre")
    if kind != "gpt2" or cut not in _CUTS:
        raise ConfigError(
            f"Expected a GGUF with tokenizer gpt2 and one of {', '.join(sorted(_CUTS))}, "
            f"got {kind} and {cut}"
        )
    texts = fields["tokenizer.ggml.tokens"]
    merges = [_pair(pair) for pair in fields["tokenizer.ggml.merges"]]
    vocabulary = {text: number for number, text in enumerate(texts)}
    backend = Backend(models.BPE(vocab=vocabulary, merges=merges, ignore_merges=cut == "llama-bpe"))
    if cut == "qwen2":
        backend.normalizer = normalizers.NFC()
    cutter: Callable[[], Any] = _CUTS[cut]
    backend.pre_tokenizer = cutter()
    backend.decoder = decoders.ByteLevel()
    types = fields["tokenizer.ggml.token_type"]
    return Tokenizer(backend, [t for t, kind in zip(texts, types, strict=True) if kind == CONTROL])


def _pair(merge: str) -> tuple[str, str]:
    first, second = merge.split(" ", 1)
    return first, second


def _digits() -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )


def _split(pattern: str) -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


_CUTS: Final = {
    "smollm": _digits,
    "gpt-2": lambda: pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
    "llama-bpe": lambda: _split(_LLAMA3),
    "smollm3": lambda: _split(_LLAMA3),
    "qwen2": lambda: _split(_QWEN2),
}
