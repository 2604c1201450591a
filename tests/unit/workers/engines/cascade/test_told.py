"""What callers told is known with their corrections, and asked for in many ways."""

import pytest

from workers.engines.cascade.exact import exact_answer
from workers.engines.cascade.exact.told import statements, turns_told


@pytest.mark.parametrize(
    ("told", "correction", "now"),
    [
        ("I have three hens.", "No, four hens.", "I have four hens."),
        ("My class is on Monday.", "Sorry, I meant Tuesday.", "My class is on Tuesday."),
        ("My favorite color is pink.", "No, actually it's blue.", "My favorite color is blue."),
        ("My name is Tina.", "No, Nina.", "My name is Nina."),
        ("We live in Bonn.", "Oh wait, in Mainz.", "We live in Mainz."),
        (
            "My favorite sport is golf.",
            "Hm, no, it's really tennis.",
            "My favorite sport is tennis.",
        ),
        ("I have a cat called Mo.", "Actually it's a dog.", "I have a dog called Mo."),
        ("My bus leaves at six ten.", "No, at seven fifteen.", "My bus leaves at seven fifteen."),
    ],
)
def test_a_correction_takes_the_place_of_its_kind(told: str, correction: str, now: str) -> None:
    assert turns_told([told, correction]) == [told, now]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("I have a rabbit called Snowball.", "No, black."),  # answers a question of ours
        ("I have a rabbit called Snowball.", "No thanks."),
        ("My name is Tina.", "No, I live in Rome."),
        ("Where is Rome?", "No, Paris."),
        ("I have three cats.", "I have no dogs."),
    ],
)
def test_other_turns_correct_nothing(told: str, said: str) -> None:
    assert turns_told([told, said]) == [told, said]


def test_a_correction_in_one_turn() -> None:
    assert turns_told(["My son is six, sorry, seven."]) == ["My son is six", "My son is seven."]
    assert turns_told(["My son is six, sorry to say."]) != ["My son is six", "My son is seven."]


def test_a_clause_about_it_follows_the_clause_before() -> None:
    assert list(statements(["I have a dog. His name is Rex.", "What is rain?"])) == [
        "I have a dog",
        "I have a dog, and his name is Rex",
    ]


@pytest.mark.parametrize(
    ("told", "asked", "answer"),
    [
        ("My name is Tina.|No, sorry, Nina.", "What's my name?", "Your name is Nina."),
        ("My boss Olga called.", "What's my boss's name?", "Your boss's name is Olga."),
        ("People call me Bo.", "What do people call me?", "People call you Bo."),
        ("My friends call me Bo.", "What's my name?", "Your name is Bo."),
        ("I'm a dentist.", "What do I do for a living?", "You said you're a dentist."),
        ("My aunt is a baker.", "What does my aunt do?", "You said your aunt is a baker."),
        ("I play the flute.", "Which instrument do I play?", "You said you play the flute."),
        ("My niece lives in Cork.", "In which city does my niece live?",
         "You said your niece lives in Cork."),
        ("We own a parrot named Kiwi.", "What kind of animal is Kiwi?",
         "You said you own a parrot named Kiwi."),
        ("I own a cat. She is called Mia.", "What is my cat called?",
         "You said you own a cat, and she is called Mia."),
        ("The party is on Friday.", "When is the party?", "You said the party is on Friday."),
        ("Ida is taller than Tom.", "Who is taller, Ida or Tom?",
         "You said Ida is taller than Tom."),
        ("Remember the word pebble.", "What was the word?",
         "The word is pebble."),
        ("Remember the number 12.", "Which number should you remember?",
         "Your number is 12."),
        ("My kids are called Jan and Pia.", "What are the names of my kids?",
         "You said your kids are called Jan and Pia."),
        ("My friend Ali is a pilot.", "What's Ali's job?", "You said your friend Ali is a pilot."),
        ("I'm thirty-five, no wait, thirty-six.", "How old am I?", "You are thirty-six years old."),
        ("I have one sister.", "Do I have a sister?", "You said you have one sister."),
        ("I have ten dollars.", "How much money do I have?", "You said you have ten dollars."),
        ("I'd like to visit Fiji.", "Which country would I like to visit?",
         "You said you'd like to visit Fiji."),
        ("My uncle drives a truck.", "What does my uncle drive?",
         "You said your uncle drives a truck."),
        ("Our teacher is Mrs. Bell.", "Who is our teacher?", "Your teacher is Mrs Bell."),
        ("My friend Zoe is getting married.", "Who is getting married?",
         "You said your friend Zoe is getting married."),
        ("I need to buy eggs.", "What do I need to buy?", "You said you need to buy eggs."),
        ("I'm meeting Ben at noon.", "With whom do I meet at noon?",
         "You said you're meeting Ben at noon."),
        ("I'm allergic to nuts.", "Can I have a nut cake?",
         "Better not. You said you're allergic to nuts."),
        ("I'm allergic to nuts.", "Can I have a lemon cake?", ""),
        ("My uncle is coming on Sunday.", "Who is coming to see me on Sunday?",
         "You said your uncle is coming on Sunday."),
        ("I love Rome in May.", "Where is Rome?", ""),
        ("I like the moon.", "What is the moon?", ""),
        ("My dog is old.", "How old is my dog?", ""),
    ],
)  # fmt: skip
def test_it_is_asked_for_in_other_words(told: str, asked: str, answer: str) -> None:
    assert exact_answer(asked, told.split("|")) == answer
