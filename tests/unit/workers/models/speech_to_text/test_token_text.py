"""The text of Whisper's tokens."""

import pytest

from workers.models.speech_to_text.token_text import is_said, spelled, without_loop, without_remarks


def test_tokens_are_bytes_of_text() -> None:
    assert spelled(["<|notimestamps|>", "ĠIs", "Ġit", "Ġ", "21", "°", "?", "<|endoftext|>"]) == (
        " Is it 21?"
    )
    assert spelled(["Ġcaf", "Ã©"]) == " café"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("no , no , no , no".split(), "no , no , no , no".split()),
        (["very"] * 20, ["very"]),
        ("so I went home . I went home . I went home .".split(), "so I went home .".split()),
        ("what is it what is it".split(), "what is it what is it".split()),
        ([], []),
    ],
)
def test_a_loop_is_cut_and_a_caller_may_repeat_himself(said: list[str], kept: list[str]) -> None:
    assert without_loop(said) == kept


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (" [MUSIC]", ""),
        ("(laughs) Yes, I do.", "Yes, I do."),
        ("♪ La la ♪", "La la"),
        ("[BLANK_AUDIO", ""),
        (" ...", ""),
        ("*sighs* Hello.", "Hello."),
        ("Is it 3 - 2?", "Is it 3 - 2?"),
    ],
)
def test_remarks_are_no_words(text: str, plain: str) -> None:
    assert without_remarks(text) == plain


def test_what_nobody_said_is_told_from_what_somebody_did() -> None:
    assert is_said("What time is it?", 0.1, -0.4)
    assert is_said("Thank you.", 0.3, -0.6)
    assert is_said("Whether mumbled or not", 0.35, -2.0)
    assert not is_said("What time is it?", 0.8, -0.4)
    assert not is_said("Thank you.", 0.6, -0.6)
    assert not is_said("I'm...", 0.6, -2.5)
    assert not is_said("", 0.0, 0.0)
