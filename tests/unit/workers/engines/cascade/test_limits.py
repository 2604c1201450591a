"""Requests for what the assistant cannot do get an honest answer; all else is the model's."""

import pytest

from workers.engines.cascade.limits import limits_answer


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Set a timer for 10 minutes.", "timers"),
        ("Could you please remind me to call Anna?", "reminders"),
        ("Call my mother, please.", "calls"),
        ("Call the police!", "emergency"),
        ("Send a text to Jake.", "messages"),
        ("Switch off the lamp.", "connected"),
        ("Play some jazz music.", "music"),
        ("Order a taxi for me.", "order"),
        ("What time is it?", "clock"),
        ("What's the date today?", "calendar"),
        ("Will it rain tomorrow?", "weather"),
        ("What's the weather like today?", "weather"),
        ("What's in the news?", "news"),
    ],
)
def test_it_says_what_it_cannot_do(words: str, said: str) -> None:
    assert said in limits_answer(words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "You can call me Anna.",
        "What do you call a young cat?",
        "I need to buy a present.",
        "Play a game with me.",
        "Why does it rain?",
        "What's the weather like in Iceland in June?",
        "What time of the year is best for roses?",
        "How do I turn off a gas stove safely?",
        "Tell me about the weather on Mars.",
    ],
)
def test_the_rest_is_left_to_the_model(words: str) -> None:
    assert limits_answer(words) == ""
