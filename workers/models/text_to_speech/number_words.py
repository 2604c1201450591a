"""Writes numbers out in words, as Americans say them. Pure."""

from typing import Final

_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "_ ten twenty thirty forty fifty sixty seventy eighty ninety".split()
_GROUPS: Final = ("", " thousand", " million", " billion", " trillion", " quadrillion")
_LARGEST: Final = 10 ** (3 * len(_GROUPS))
_ORDINALS: Final = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth",
    "nine": "ninth", "twelve": "twelfth",
}  # fmt: skip
FIRST_YEAR: Final = 1100  # four digits from here to LAST_YEAR are read as a year
LAST_YEAR: Final = 2099


def cardinal(number: int) -> str:
    """42 -> forty-two. Numbers beyond quadrillions become digits."""
    if number < 0:
        return "minus " + cardinal(-number)
    if number >= _LARGEST:
        return digits(str(number))
    if number < 1000:
        return _hundreds(number)
    parts = []
    for group in reversed(range(len(_GROUPS))):
        part = number // 1000**group % 1000
        if part:
            parts.append(_hundreds(part) + _GROUPS[group])
    return " ".join(parts)


def ordinal(number: int) -> str:
    """42 -> forty-second."""
    text = cardinal(number)
    cut = max(text.rfind(" "), text.rfind("-")) + 1
    last = text[cut:]
    if last in _ORDINALS:
        return text[:cut] + _ORDINALS[last]
    return text[:cut] + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(number: int) -> str:
    """1969 -> nineteen sixty-nine; 1905 -> nineteen oh five; 2007 -> two thousand seven."""
    century, rest = divmod(number, 100)
    if not FIRST_YEAR <= number <= LAST_YEAR or 2000 <= number < 2010:
        return cardinal(number)
    if rest == 0:
        return cardinal(century) + " hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def plural(words: str) -> str:
    """The plural of a number's last word: nineteen ninety -> nineteen nineties."""
    if words.endswith("y"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith("x") else "s")


def digits(text: str) -> str:
    """Each digit on its own: 911 -> nine one one."""
    return " ".join(_SMALL[int(c)] for c in text if c.isdecimal())


def number_words(text: str) -> str:
    """A written number, with commas, decimal point and sign -> words."""
    if text[0] in "-−+":
        return ("plus " if text[0] == "+" else "minus ") + number_words(text[1:])
    whole, point, decimals = text.replace(",", "").partition(".")
    if point and decimals:
        return f"{cardinal(int(whole or 0))} point {digits(decimals)}"
    if len(whole) > 1 and whole[0] == "0":
        return digits(whole)
    if len(whole) == 4 and "," not in text and FIRST_YEAR <= int(whole) <= LAST_YEAR:
        return year(int(whole))
    return cardinal(int(whole))


def _hundreds(number: int) -> str:
    parts = [f"{_SMALL[number // 100]} hundred"] if number >= 100 else []
    rest = number % 100
    if 0 < rest < 20 or number == 0:
        parts.append(_SMALL[rest])
    elif rest:
        parts.append(_TENS[rest // 10] + (f"-{_SMALL[rest % 10]}" if rest % 10 else ""))
    return " ".join(parts)
