"""Stories with two numbers, rows of numbers and missing numbers are computed."""

import pytest

from workers.engines.cascade.exact import computed, exact_answer


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ("If I've got ten plums and eat three, how many are left?", "seven"),
        ("I had thirty euros and spent eleven. What's left?", "nineteen"),
        ("How much do I have left from sixty dollars if I spend fifteen?", "forty-five"),
        ("Six boxes with three cups each, how many cups is that?", "eighteen"),
        ("If one ticket costs seven dollars, how much are four tickets?", "twenty-eight"),
        ("A pen costs two pounds. What do nine pens cost?", "eighteen"),
        ("I walk four miles a day. How many do I walk in a week?", "twenty-eight"),
        ("Share eighteen nuts among three children. How many does each get?", "six"),
        ("I have ten pears for five guests. How many for each guest?", "two"),
        ("Eva is nine and Max is two years younger. How old is Max?", "seven"),
        ("I'm twenty now. How old will I be in six years?", "twenty-six"),
        ("She has six red and eight green beads. How many altogether?", "fourteen"),
        ("A bus carries thirty people. How many people do two buses carry?", "sixty"),
        ("Two dogs and three cats, how many animals is that?", "five"),
        ("I'm eighteen. In how many years will I be thirty?", "twelve"),
        ("There are twenty seats and thirteen are taken. How many are free?", "seven"),
        ("Five friends share thirty grapes. How many does each one get?", "six"),
        ("Jo is fifteen. In four years, how old will he be?", "nineteen"),
        ("Tom finds four shells and two more. How many does he have now?", "six"),
    ],
)
def test_a_story_is_solved(said: str, result: str) -> None:
    assert computed(said).endswith(f" is {result}.")


def test_a_story_may_be_told_in_the_turn_before() -> None:
    told = ["Ada has 12 pins and loses five."]
    assert exact_answer("How many does she still have?", told) == "Twelve minus five is seven."


@pytest.mark.parametrize(
    "said",
    [
        "I had two dogs and four cats, why?",
        "There are two parks here, and I live near one of them. How many people live here?",
        "I have four kids and two of them are at school.",
        "Tom is ten and Ben is two years older. How old is Tom?",
        "How many legs do five dogs have?",
        "What do you say for two, when one is a day?",
        "I bought a shirt for twelve dollars and paid with twenty. What's the change each day?",
    ],
)
def test_other_stories_are_the_models(said: str) -> None:
    assert computed(said) == ""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Add up five, ten and fifteen.", "Five plus ten plus fifteen is thirty."),
        ("What comes next, three, six, nine?", "The next number is twelve."),
        ("What's the next number: 2, 4, 8?", "The next number is sixteen."),
        ("What's the biggest of three, nine and five?", "Nine is the biggest."),
        ("What do three nines make?", "Three times nine is twenty-seven."),
        ("Seventeen plus what makes twenty?", "Seventeen plus three is twenty."),
        ("What do I add to eight to get fifteen?", "Eight plus seven is fifteen."),
        ("What must I take from ten to get four?", "Ten minus six is four."),
        ("What minus three is seven?", "Ten minus three is seven."),
        ("Six times what is thirty?", "Six times five is thirty."),
        ("Adding twelve and five gives what?", "Twelve plus five is seventeen."),
        ("Start with twelve and add five.", "Twelve plus five is seventeen."),
        ("What's five on top of twelve?", "Twelve plus five is seventeen."),
        ("Decrease twelve by five.", "Twelve minus five is seven."),
        ("How far is it from five to twelve?", "Twelve minus five is seven."),
        ("What is five taken three times?", "Three times five is fifteen."),
        ("Which number is one bigger than nine?", "One plus nine is ten."),
        ("Once Monday is over, what day is it?", "The day after Monday is Tuesday."),
        ("March is followed by which month?", "The month after March is April."),
        ("It is Monday. What will tomorrow be?", "Then tomorrow is Tuesday."),
        ("What day follows March third?", "The day after March third is March fourth."),
        ("Which number lies halfway between ten and twenty?",
         "Fifteen is halfway between ten and twenty."),
        ("What date is two days after May fifth?", "Two days after May fifth is May seventh."),
        ("What date is ten days after February twentieth?", ""),  # the year may be a leap year
        ("What date is forty days after December first?",
         "Forty days after December first is January tenth."),
        ("If a film lasts two hours and begins at seven, when is it over?",
         "Two hours after seven o'clock is nine o'clock."),
        ("What's three quarters of twelve?", "Three quarters of twelve is nine."),
        ("What's the square root of forty-nine?", "The square root of forty-nine is seven."),
        ("What's the square root of ten?", "The square root of ten is about three point two."),
        ("What's two to the power of five?", "Two to the power of five is thirty-two."),
        ("What percent of fifty is five?", "Five is ten percent of fifty."),
        ("How many tens are in sixty?", "Sixty divided by ten is six."),
        ("By how much is twenty bigger than twelve?", "Twenty minus twelve is eight."),
        ("Put these numbers in order: nine, two, five.", "Two, five, nine."),
        ("Count the odd numbers up to seven.", "One, three, five, seven."),
        ("How many days are there from Monday to Thursday?",
         "From Monday to Thursday is three days."),
        ("Is March before April?", "Yes, March comes before April."),
        ("Is July before April?", "No, July comes after April."),
        ("Which comes first, June or May?", "May comes first."),
        ("Is two thousand a leap year?", "Yes, two thousand is a leap year."),
        ("Is 1900 a leap year?", "No, one thousand nine hundred is not a leap year."),
        ("Name the days of the weekend.", "Saturday and Sunday."),
        ("How many e's are in cheese?", "Cheese has E three times."),
        ("Does apple start with a b?", "No, apple begins with A."),
        ("What's an hour and a half in minutes?", "One point five hours are ninety minutes."),
        ("Which is longer, a minute or an hour?", "An hour is more."),
        ("It's quarter past five. What time is it in ten minutes?",
         "Ten minutes after five fifteen is five twenty-five."),
        ("What time is it an hour after ten to six?", "One hour after five fifty is six fifty."),
        ("My shift goes from ten to six. How many hours is that?",
         "From ten o'clock to six o'clock is eight hours."),
        ("What is the total of eighteen and four?", "Eighteen plus four is twenty-two."),
        ("What number is four bigger than nine?", "Four plus nine is thirteen."),
        ("What lies between Tuesday and Thursday?",
         "The day between Tuesday and Thursday is Wednesday."),
        ("How many days are left in the week after Friday?",
         "Two days are left after Friday: Saturday, Sunday."),
        ("How many months have thirty-one days?", "Seven months have thirty-one days."),
        ("What's the last month of the year?", "The twelfth month of the year is December."),
        ("How many vowels are in window?", "Window has two vowels: I, O."),
        ("The film starts at eight and lasts two hours. When does it end?",
         "Two hours after eight o'clock is ten o'clock."),
        ("How many minutes are a quarter of an hour?", "A quarter of an hour is fifteen minutes."),
    ],
)  # fmt: skip
def test_rows_gaps_and_spans(said: str, answer: str) -> None:
    assert computed(said) == answer
