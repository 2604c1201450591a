"""The generated corpus: its arithmetic is right, its hold-out holds, its answers are speakable."""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from random import Random

import pytest

from workers.models.text_to_speech.number_words import ordinal, year
from workers.training.talk_tuning.conversations import Conversation, Exchange
from workers.training.talk_tuning.systematic import (
    counting,
    dates,
    geography,
    spelling,
    units,
    word_list,
    word_tables,
)
from workers.training.talk_tuning.systematic.corpus import FAMILIES, corpus
from workers.training.talk_tuning.systematic.countries import COUNTRIES
from workers.training.talk_tuning.systematic.holdout import (
    is_difference_held_out,
    is_sum_held_out,
)
from workers.training.talk_tuning.systematic.memory import Facts
from workers.training.talk_tuning.systematic.numbers import words
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck

SEED = 1
FOUND = corpus(SEED)
EXCHANGES = [e for found in FOUND.values() for talk in found for e in talk.turns]
ONES = dict(
    zip(
        (
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
            "fifteen sixteen seventeen eighteen nineteen"
        ).split(),
        range(20),
        strict=True,
    )
)
TENS = dict(
    zip(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(),
        range(20, 100, 10),
        strict=True,
    )
)
WORD = "|".join([*sorted(ONES, key=len, reverse=True), *TENS, "hundred", "thousand"])
NUMBER = rf"(?:{WORD})(?:[ -](?:{WORD}))*"
EQUATION = re.compile(
    rf"\b({NUMBER}) (plus|minus|times|divided by) ({NUMBER}) (?:is|equals|makes) ({NUMBER})\b"
)


def value(spoken: str) -> int:
    """Reads number words; the tests do not use the generator's own numbers for this."""
    total = part = 0
    for word in re.split("[ -]", spoken):
        if word == "thousand":
            total, part = total + part * 1000, 0
        elif word == "hundred":
            part *= 100
        else:
            part += ONES.get(word, 0) + TENS.get(word, 0)
    return total + part


def equations(text: str) -> Iterator[tuple[int, str, int, int]]:
    for left, operation, right, result in EQUATION.findall(text.lower()):
        yield value(left), operation, value(right), value(result)


def numbers(caller: str) -> list[int]:
    found = re.findall(rf"\d[\d,]*|\b{NUMBER}\b", caller.lower())
    return [int(n.replace(",", "")) if n[0].isdigit() else value(n) for n in found]


def singles(*families: str) -> list[Exchange]:
    return [talk.turns[0] for name in families for talk in FOUND[name] if len(talk.turns) == 1]


def test_words_and_values_agree() -> None:
    assert all(value(words(number)) == number for number in range(10_000))
    assert words(105) == "one hundred five"
    assert (ordinal(21), ordinal(12), ordinal(40)) == ("twenty-first", "twelfth", "fortieth")
    assert [year(n) for n in (1969, 1900, 2005, 1805, 2024)] == [
        "nineteen sixty-nine",
        "nineteen hundred",
        "two thousand five",
        "eighteen oh five",
        "twenty twenty-four",
    ]


def test_every_equation_in_every_answer_is_right() -> None:
    right = {
        "plus": lambda x, y: x + y,
        "minus": lambda x, y: x - y,
        "times": lambda x, y: x * y,
        "divided by": lambda x, y: x / y,
    }
    found = [equation for exchange in EXCHANGES for equation in equations(exchange.answer)]
    assert len(found) > 1500
    assert [e for e in found if right[e[1]](e[0], e[2]) != e[3]] == []


@pytest.mark.parametrize("family", ["sums", "differences", "products", "divisions"])
def test_an_answer_uses_the_numbers_of_its_question(family: str) -> None:
    checked = 0
    for exchange in singles(family):
        ((left, _, right, _),) = equations(exchange.answer)
        asked = numbers(exchange.caller)
        if len(asked) == 2:  # Whisper's "for" and "to" are numbers only to the ear.
            assert sorted(asked) == sorted((left, right)), exchange
            checked += 1
    assert checked > 0.9 * len(singles(family))


def test_every_turn_about_a_sum_states_an_equation() -> None:
    for name in ("arithmetic over turns", "chains", "claims", "word problems"):
        for talk in FOUND[name]:
            assert any(EQUATION.search(e.answer.lower()) for e in talk.turns), talk
    for talk in FOUND["chains"]:
        first, second = equations(talk.turns[0].answer)
        assert first[3] == second[0]


def test_steps_go_on_from_the_last_result() -> None:
    for talk in FOUND["arithmetic over turns"]:
        for before, after in pairwise(talk.turns):
            known, found = list(equations(before.answer))[-1], list(equations(after.answer))[-1]
            asked = numbers(after.caller)
            if found != known and len(asked) == 1:
                assert found[0] == known[3], talk
                assert found[2] == asked[0], talk


def test_claims_are_confirmed_only_when_they_are_right() -> None:
    for exchange in singles("claims"):
        ((_, _, _, result),) = equations(exchange.answer)
        claimed = numbers(exchange.caller)
        if len(claimed) == 3:
            is_confirmed = exchange.answer.startswith(("Yes", "That's right"))
            assert is_confirmed == (claimed[2] == result), exchange


def test_the_hold_out_is_held_out() -> None:
    for exchange in EXCHANGES:
        for left, operation, right, _ in equations(exchange.answer):
            if operation == "plus":
                assert not is_sum_held_out(left, right), exchange
            if operation == "minus":
                assert not is_difference_held_out(left, right), exchange


def test_the_hold_out_is_one_in_six_and_knows_no_order() -> None:
    pairs = [(x, y) for x in range(101) for y in range(101)]
    sums = [pair for pair in pairs if is_sum_held_out(*pair)]
    differences = [pair for pair in pairs if is_difference_held_out(*pair)]
    assert len(sums) / len(pairs) == pytest.approx(1 / 6, abs=0.01)
    assert len(differences) / len(pairs) == pytest.approx(1 / 6, abs=0.01)
    assert all(is_sum_held_out(y, x) for x, y in sums)


def test_the_same_seed_gives_the_same_corpus() -> None:
    assert corpus(SEED) == FOUND
    assert corpus(SEED + 1) != FOUND


def test_answers_have_no_digits_and_no_symbols() -> None:
    spoken = re.compile(r"[A-Za-zÀ-ɏ ,.?!'-]+")
    assert [e for e in EXCHANGES if not spoken.fullmatch(e.answer)] == []
    assert max(len(e.answer.split()) for e in EXCHANGES) <= 45


def test_no_two_conversations_open_alike() -> None:
    openings = [talk.opening for found in FOUND.values() for talk in found]
    assert len(openings) == len(set(openings))


def test_the_size_is_as_declared_and_a_third_lies_in_longer_conversations() -> None:
    for family in FAMILIES:
        size = sum(len(talk.turns) for talk in FOUND[family.name])
        assert family.exchanges <= size <= family.exchanges + 3
    every = [talk for found in FOUND.values() for talk in found]
    longer = sum(len(talk.turns) for talk in every if len(talk.turns) > 1)
    assert 0.3 < longer / len(EXCHANGES) < 0.45
    assert max(len(talk.turns) for talk in every) <= 4


def test_counting_is_right() -> None:
    for exchange in singles("counting"):
        said = [value(n) for n in exchange.answer.lower().rstrip(".").split(", ")]
        steps = {after - before for before, after in pairwise(said)}
        assert len(steps) == 1, exchange
        asked = numbers(exchange.caller)
        assert asked[-1] in (said[0], said[-1]), exchange


def test_spelled_letters_are_those_of_the_word() -> None:
    for talk in [*FOUND["spelling"], *FOUND["letter counts"], *FOUND["last letters"]]:
        for exchange in talk.turns:
            spelled = re.search(r"\b[A-Z](?:, [A-Z])+\b", exchange.answer)
            if not spelled:
                assert talk in FOUND["last letters"]
                continue
            word = spelled[0].replace(", ", "").lower()
            assert word in exchange.caller.lower(), exchange
            count = re.search(r"(?:has|That's) (.*?) letters", exchange.answer)
            assert count is None or value(count[1]) == len(word), exchange


def test_tables_have_no_word_with_two_answers() -> None:
    rhymes = [word for group in word_list.RHYMES for word in group]
    assert len(rhymes) == len(set(rhymes))
    for table in (word_tables.OPPOSITES, word_tables.PLURALS, word_tables.PASTS):
        left = [pair[0] for pair in table]
        assert sorted({w for w in left if left.count(w) > 1}) == []
    assert len(word_tables.OPPOSITES) >= 150
    assert len(spelling.WORDS) >= 400
    assert len(COUNTRIES) >= 120
    assert all(len(row) == 5 for row in word_tables.TRANSLATIONS)


def test_yes_and_no_about_capitals_are_right() -> None:
    capitals = {country.capital: country.spoken for country in COUNTRIES}
    for exchange in singles("capitals reversed"):
        if exchange.answer.startswith("Yes"):
            capital = exchange.answer.removeprefix("Yes, ").split(" is ")[0]
            assert capitals[capital] in exchange.caller
            assert capital.lower() in exchange.caller.lower()
        if exchange.answer.startswith("No"):
            assert exchange.answer.rstrip(".").split(" is ")[1] not in exchange.caller


def test_a_fact_is_answered_with_the_value_that_was_told() -> None:
    facts = Facts(Random(SEED))
    for _ in range(1000):
        fact = facts.deal()
        spoken = words(int(fact.value)) if fact.value.isdecimal() else fact.value
        told, _ = facts.told(fact)
        asked, answer = facts.asked(fact)
        assert fact.value.lower() in told.lower()
        assert spoken.lower() in answer.lower()
        assert fact.owner in told
        assert fact.owner in asked


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda: counting.run(3, 6), "Three, four, five, six."),
        (lambda: counting.run(10, 8), "Ten, nine, eight."),
        (lambda: counting.run(5, 15, 5), "Five, ten, fifteen."),
        (lambda: dates.MONTH_DAYS["April"], 30),
        (lambda: dict(units.TEMPERATURES)[20], 68),
        (lambda: next(c for c in COUNTRIES if c.name == "Peru").capital, "Lima"),
    ],
)
def test_known_facts(ask: Callable[[], object], answer: object) -> None:
    assert ask() == answer


def test_a_deck_deals_every_card_before_one_comes_again() -> None:
    deck = Deck("abcde", Random(SEED))
    assert sorted(deck.deal() for _ in range(5)) == list("abcde")
    assert sorted(deck.deal() for _ in range(5)) == list("abcde")
    with pytest.raises(ValueError, match="at least one"):
        Deck("", Random(SEED))


def test_a_caller_words_one_question_in_many_ways() -> None:
    caller = Caller(Random(SEED))
    assert len({caller.about("the capital of Peru").lower() for _ in range(200)}) > 40
    assert len({caller.ask("What's two plus two?").lower() for _ in range(200)}) > 25


def test_countries_are_taken_only_where_they_have_an_answer() -> None:
    talks: Iterator[Conversation] = geography.facts(Random(SEED))
    for _ in range(500):
        assert "  " not in next(talks).turns[0].answer
