"""Numbers, ordinals, years and letters as a voice says them."""

from typing import Final

SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS: Final = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()
ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def words(number: int) -> str:
    """`105` is "one hundred five"; the range is 0 to 999,999."""
    if not 0 <= number < 1_000_000:
        raise ValueError(f"Expected a number from 0 to 999,999, got {number}")
    if number < 20:
        return SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens] + (f"-{SMALL[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    high, rest = divmod(number, size)
    return f"{words(high)} {name}" + (f" {words(rest)}" if rest else "")


def ordinal(number: int) -> str:
    """`21` is "twenty-first"."""
    head, mark, last = words(number).rpartition("-")
    if last in ORDINALS:
        last = ORDINALS[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return head + mark + last


def year(number: int) -> str:
    """`1969` is "nineteen sixty-nine", `2005` is "two thousand five"."""
    century, rest = divmod(number, 100)
    if number < 1000 or 2000 <= number < 2010 or (rest == 0 and century % 10 == 0):
        return words(number)
    if rest == 0:
        return f"{words(century)} hundred"
    return f"{words(century)} " + (f"oh {words(rest)}" if rest < 10 else words(rest))


def letters(word: str) -> str:
    """`cat` is "C, A, T"."""
    return ", ".join(word.upper())


def capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


def with_article(noun: str) -> str:
    """ "a cat", "an owl"."""
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def listed(items: list[str], last: str = "and") -> str:
    """ "bat, hat and mat"."""
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {last} {items[-1]}"
