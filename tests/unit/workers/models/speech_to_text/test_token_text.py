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


def said(
    text: str, no_speech: float, log_prob: float, voiced_s: float, seconds: float = 2.0
) -> bool:
    return is_said(
        text,
        no_speech=no_speech,
        log_prob=log_prob,
        seconds=seconds,
        voiced_s=lambda: voiced_s,
    )


def test_clear_words_are_said_whatever_they_sound_like() -> None:
    assert said("What time is it?", 0.1, -0.4, voiced_s=0.0)
    assert said("Thank you.", 0.3, -0.6, voiced_s=0.0)
    assert said("Whether mumbled or not", 0.35, -2.0, voiced_s=0.0)


def test_words_that_whisper_does_not_believe_were_not_said() -> None:
    assert not said("What time is it?", 0.8, -0.4, voiced_s=1.0)
    assert not said("Thank you.", 0.6, -0.6, voiced_s=1.0)
    assert not said("I'm...", 0.6, -2.5, voiced_s=1.0)
    assert not said("", 0.0, 0.0, voiced_s=1.0)


def test_doubtful_words_must_sound_like_speech() -> None:
    assert not said("beep beep beep", 0.57, -0.6, voiced_s=0.0)
    assert not said("Stop.", 0.47, -0.9, voiced_s=0.16)
    assert said("Stop.", 0.47, -0.9, voiced_s=0.22)


def test_a_short_word_may_be_less_probable() -> None:
    assert said("Hello.", 0.64, -1.6, voiced_s=0.3, seconds=1.0)
    assert not said("Hello.", 0.64, -1.6, voiced_s=0.3, seconds=2.0)
    assert not said("Hello.", 0.64, -2.1, voiced_s=0.3, seconds=1.0)
