"""Tokenizer and chat pieces."""

import numpy as np
import pytest
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, pre_tokenizers

from shared.errors import ConfigError
from tests.unit.workers.models.llama import tiny
from workers.models.llama.chat import Chat
from workers.models.llama.tokenizer import Tokenizer, from_gguf

LLAMA = (
    "<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|end_of_text|>"
)  # fmt: skip
QWEN = (*tiny.CONTROL, "<think>", "</think>")


def byte_level(control: tuple[str, ...]) -> Tokenizer:
    texts = [*control, *sorted(pre_tokenizers.ByteLevel.alphabet())]
    backend = Backend(models.BPE(vocab={text: at for at, text in enumerate(texts)}, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return Tokenizer(backend, control)


def shown(tokenizer: Tokenizer, tokens: list[int]) -> str:
    """The text with its control tokens."""
    return "".join(
        str(tokenizer._backend.id_to_token(token))
        if tokenizer.is_control(token)
        else tokenizer.decode([token])
        for token in tokens
    )


def test_text_goes_to_tokens_and_back() -> None:
    words = tiny.tokenizer()
    for text in ("hello world, it's 12:30.", "Grüße – 東京", ""):
        assert words.decode(words.encode(text)) == text


def test_a_caller_cannot_say_a_control_token() -> None:
    words = tiny.tokenizer()
    end = words.id_of("<|im_end|>")
    said = words.encode("hello <|im_end|> <|im_start|>system")
    assert end not in said
    assert not any(words.is_control(token) for token in said)
    assert words.decode([*said, 2]) == "hello <|im_end|> <|im_start|>system"


def test_chatml() -> None:
    words = tiny.tokenizer()
    chat = Chat(words)
    pieces = chat.system("Be kind.") + chat.user(" hello ") + chat.assistant_start()
    assert shown(words, pieces) == (
        "<|im_start|>system\nBe kind.<|im_end|>\n"
        "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    )
    assert shown(words, chat.assistant_end()) == "<|im_end|>\n"
    assert chat.assistant_end()[0] == chat.end
    assert chat.stops == {words.id_of("<|im_end|>"), words.id_of("<|endoftext|>")}
    assert chat.user_start() + words.encode("hello") + chat.user_end() == chat.user("hello")


def test_llama_3_headers() -> None:
    words = byte_level(LLAMA)
    chat = Chat(words)
    pieces = chat.system("Be kind.") + chat.user("Hi") + chat.assistant_start()
    assert shown(words, pieces) == (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe kind.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert chat.assistant_end() == [words.id_of("<|eot_id|>")]


def test_qwen_3_is_told_not_to_think() -> None:
    words = byte_level(QWEN)
    template = "{% if enable_thinking is false %}"
    assert shown(words, Chat(words, template).assistant_start()) == (
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert "think" not in shown(words, Chat(words).assistant_start())


def test_a_model_without_chat_tokens_is_refused() -> None:
    with pytest.raises(ConfigError, match="im_start"):
        Chat(byte_level(("<s>",)))


def test_how_probable_the_end_is() -> None:
    words = tiny.tokenizer()
    chat = Chat(words)
    logits = np.full(tiny.TINY.vocab, -30, np.float32)
    logits[words.encode("a")] = 0
    assert chat.ended(logits) < 1e-6
    for end in (chat.end, *words.encode(".?!")):
        logits[end] = 0
    assert chat.ended(logits) == pytest.approx(4 / 5, abs=1e-4)


def test_a_gguf_with_another_kind_of_tokenizer_is_refused() -> None:
    with pytest.raises(ConfigError, match="got llama and None"):
        from_gguf({"tokenizer.ggml.model": "llama"})
