"""Normalises text for speech: each written word -> the words to say. Pure.

    spoken(["It", "costs", "$5", "million."])  ->  ["It", "costs", "five", "million dollars."]

Each written word has its own spoken form, of any number of words or none. So a voice can report
when each written word begins. A form depends only on the word before and the word after. So a
growing sentence does not change a word that two others follow.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from workers.models.text_to_speech.number_words import (
    cardinal,
    digits,
    number_words,
    ordinal,
    plural,
    year,
)
from workers.models.text_to_speech.written_signs import (
    ABBREVIATIONS,
    COINS,
    COUNTED,
    FRACTIONS,
    GLYPHS,
    LARGE,
    NUMBERED,
    OPERATORS,
    ROMAN,
    SAID_CAPITALS,
    SAME,
    SCALES,
    SYMBOLS,
    UNITS,
)

PAUSES: Final = ",;:.!?…"  # the marks that voices understand

_N: Final = r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+"
_EDGES: Final = re.compile(
    r"^([^\w$£€¥+\-−#&@%=<>×÷°.'~/]*)(.*?)([^\w%°'¢²³+=&@<>/×÷$£€¥]*)$", re.DOTALL
)


def spoken_forms(words: Sequence[str]) -> list[str]:
    """Written words -> the spoken form of each, with the pause marks that voices understand."""
    forms = []
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        after = words[i + 1] if i + 1 < len(words) else ""
        forms.append(_form(_plain(word), _plain(before), _plain(after)))
    return forms


def is_spoken(form: str) -> bool:
    """Whether a spoken form has anything to say."""
    return any(c.isalnum() for c in form)


def _plain(word: str) -> str:
    for glyph, text in GLYPHS.items():
        word = word.replace(glyph, text)
    return unicodedata.normalize("NFC", word)


def _form(word: str, before: str, after: str) -> str:
    if _is_dash(word):
        return OPERATORS[word] if _is_minus(word, before, after) else ""
    text = _abbreviated(word, before, after)
    if text is not None:
        return text
    found = _EDGES.match(word)
    core, end = (found[2], found[3]) if found else (word, "")
    if not core:
        return ""
    mark = next((c for c in end if c in PAUSES), "")
    if not mark and _is_dash(after) and not _number(core):
        mark = ","
    # The voices' phoneme converter fails on the numerals that remain (², Ⅳ).
    said = "".join(c for c in _said(core, before, after) if not (c.isdigit() or c.isnumeric()))
    return said.strip() + mark if is_spoken(said) else ""


def _is_dash(word: str) -> bool:
    return bool(word) and all(c in "—–-−" for c in word)


def _is_minus(word: str, before: str, after: str) -> bool:
    return word in OPERATORS and _number(before) and _number(after)


def _abbreviated(word: str, before: str, after: str) -> str | None:
    """The spoken form of a word that owns its full stop; None for all other words."""
    core, mark = (word[:-1], word[-1]) if word[-1:] in (",", ";", ":", "!", "?") else (word, "")
    core = core.strip('"“”()[]*_')
    lower = core.lower()
    if lower in ("a.m.", "p.m.", "a.m", "p.m", "am", "pm") and (
        "." in lower or before[:1].isdigit()
    ):
        return f"{lower[0]}.m.".upper() + (mark or ("" if after else "."))
    if lower == "st.":
        is_saint = not before or (after[:1].isupper() and before[:1].islower())
        return ("saint" if is_saint else "street") + mark
    if lower in ("no.", "nos.") and after[:1].isdigit():
        return "number" + mark
    if lower not in ABBREVIATIONS:
        return None
    ends = core.endswith(".") and not after and not mark
    return ABBREVIATIONS[lower] + mark + ("." if ends else "")


def _said(core: str, before: str, after: str) -> str:
    """The spoken form of a word without its outer punctuation."""
    if core in SYMBOLS:
        return SYMBOLS[core]
    if core in ("x", "X") and _number(before) and _number(after):
        return "times"
    if core.lower().rstrip(".") in LARGE and before[:1] in COINS:
        return f"{core} {COINS[before[0]][1]}"
    if core in UNITS and _number(before):
        return _unit(core, before)
    for pattern, said in _RULES:
        found = pattern.fullmatch(core)
        if found:
            return said(found, before, after)
    return _lettered(core, before)


def _number(word: str) -> bool:
    return re.fullmatch(rf"[-−+$£€]?(?:{_N})%?", word.rstrip(",.;:!?")) is not None


def _unit(unit: str, number: str) -> str:
    name = UNITS[unit]
    if number.lstrip("+-−") in ("1", "1.0") or name in SAME:
        return name
    first, _, rest = name.partition(" ")
    if first in ("square", "cubic", "kilowatt") and rest:
        return f"{first} {rest}s"
    return " ".join(filter(None, ("feet" if first == "foot" else first + "s", rest)))


def _money(found: re.Match[str], before: str, after: str) -> str:
    sign, symbol, amount, scale = found["sign"], found["coin"], found["n"], found["scale"]
    one, many, cent, cents = COINS[symbol]
    start = "minus " if sign else ""
    if scale:
        return f"{start}{number_words(amount)} {SCALES[scale.lower()]} {many}"
    if after.lower().strip(PAUSES) in LARGE:
        return start + number_words(amount)
    whole, _, part = amount.replace(",", "").partition(".")
    big = f"{cardinal(int(whole or 0))} {one if whole == '1' else many}"
    if len(part) != 2:
        return start + (f"{number_words(amount)} {many}" if part else big)
    if part == "00":
        return start + big
    small = f"{cardinal(int(part))} {cent if part == '01' else cents}"
    return start + (small if not int(whole or 0) else f"{big} and {small}")


def _time(found: re.Match[str], before: str, after: str) -> str:
    hour, minute, half = int(found["h"]), found["m"], found["half"]
    half = half or (
        "x"
        if after.lower()[:1] in ("a", "p") and after.lower().strip(".,?!")[1:] in ("m", ".m")
        else ""
    )
    said = cardinal(hour)
    if minute and int(minute):
        said += f" {'oh ' if int(minute) < 10 else ''}{cardinal(int(minute))}"
    elif minute and not half:
        said += " hundred" if hour > 12 else " o'clock"
    return said if half in (None, "", "x") else f"{said} {half[0].upper()}.M."


def _fraction(found: re.Match[str], before: str, after: str) -> str:
    top, bottom = int(found["a"]), int(found["b"])
    if found[0] == "24/7":
        return "twenty-four seven"
    if not 0 < top < bottom or bottom not in FRACTIONS:
        return f"{cardinal(top)} over {cardinal(bottom)}"
    name = FRACTIONS[bottom]
    many = "halves" if name == "half" else name + "s"
    said = f"{cardinal(top)} {name if top == 1 else many}"
    return f"and {said}" if before.isdigit() else said


def _numeral(found: re.Match[str], before: str, after: str) -> str:
    if before.lower().rstrip(".") in NUMBERED and len(found[0]) <= 2:
        return ordinal(int(found[0]))
    return number_words(found[0])


def _range(found: re.Match[str], before: str, after: str) -> str:
    return f"{number_words(found['a'])} to {number_words(found['b'])}{_percent(found['p'])}"


def _percent(sign: str) -> str:
    return " percent" if sign else ""


def _decade(found: re.Match[str], before: str, after: str) -> str:
    number = int(found["n"])
    return plural(year(number) if number >= 100 else cardinal(number))


def _expression(found: re.Match[str], before: str, after: str) -> str:
    parts = re.findall(rf"{_N}|[-−+×x*÷/=<>^]", found[0])
    return " ".join(OPERATORS.get(part) or number_words(part) for part in parts)


def _address(found: re.Match[str], before: str, after: str) -> str:
    text = found[0].lower().removeprefix("https://").removeprefix("http://").rstrip("/")
    text = re.sub(r"^www\.", "W.W.W. dot ", text)
    spelled = {".": " dot ", "@": " at ", "/": " slash ", "-": " dash ", "_": " underscore "}
    head, gap, rest = text.rpartition("W.W.W. ") if text.startswith("W.W.W.") else ("", "", text)
    return " ".join((head + gap + "".join(spelled.get(c, c) for c in rest)).split())


def _ordinal(found: re.Match[str], before: str, after: str) -> str:
    return ordinal(int(found[1].replace(",", "")))


def _telephone(found: re.Match[str], before: str, after: str) -> str:
    return ", ".join(digits(part) for part in found[0].split("-"))


def _marked(found: re.Match[str], before: str, after: str) -> str:
    """A number with one sign: 50%, #5, ~5."""
    number = number_words(found["n"])
    if found["sign"]:
        return f"{SYMBOLS[found['sign']]} {number}"
    return f"{number} percent"


def _measure(found: re.Match[str], before: str, after: str) -> str:
    return f"{number_words(found['n'])} {_unit(found['unit'], found['n'])}"


_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], str, str], str]]
_ANY_UNIT: Final = "|".join(map(re.escape, sorted(UNITS, key=len, reverse=True)))
_TOP_LEVEL: Final = "com|org|net|edu|gov|io|dev|uk|de|fr|es"
_HALF: Final = r"(?P<half>[aApP]\.?[mM]\.?)"
_RULES: Final[tuple[_Rule, ...]] = (
    (re.compile(rf"(?P<sign>[-−]?)(?P<coin>[$£€¥])(?P<n>{_N})(?P<scale>[kKmMbB]|bn|mn)?"), _money),
    (re.compile(rf"(?P<h>[012]?\d):(?P<m>[0-5]\d){_HALF}?"), _time),
    (re.compile(rf"(?P<h>1?\d)(?P<m>){_HALF}"), _time),
    (re.compile(r"(\d+(?:,\d{3})*)(?:st|nd|rd|th)"), _ordinal),
    (re.compile(r"'?(?P<n>\d{2}|\d{4})'?s"), _decade),
    (re.compile(r"(?:\d{3}-)?\d{3}-\d{4}"), _telephone),
    (re.compile(r"(?P<a>\d{1,2})/(?P<b>\d{1,3})"), _fraction),
    (re.compile(rf"(?P<a>{_N})[-–](?P<b>{_N})(?P<p>%?)"), _range),
    (re.compile(rf"(?P<sign>)(?P<n>[-−+]?(?:{_N}))%"), _marked),
    (re.compile(rf"(?P<sign>[#~])(?P<n>{_N})"), _marked),
    (re.compile(rf"[-−+]?(?:{_N})"), _numeral),
    (re.compile(rf"(?P<n>[-−+]?(?:{_N}))(?P<unit>{_ANY_UNIT})"), _measure),
    (re.compile(rf"[-−]?(?:{_N})(?:[-−+×x*÷/=<>^][-−]?(?:{_N})?)+"), _expression),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _address),
    (re.compile(rf"(?:https?://)?(?:[\w-]+\.)+(?:{_TOP_LEVEL})(?:/\S*)?", re.IGNORECASE), _address),
)


def _lettered(core: str, before: str) -> str:
    """The spoken form of words of letters, alone or mixed with digits and symbols."""
    if core in ROMAN and before[:1].isupper():
        number = ROMAN[core]
        return cardinal(number) if before in COUNTED else "the " + ordinal(number)
    pieces = re.findall(
        rf"{_N}|[^\W\d_]+(?:'[^\W\d_]+)*(?:\.[^\W\d_])*|[&+@%=]|[-—–/.,]+", core.replace("_", " ")
    )
    said = []
    for piece in pieces:
        if piece[0].isdecimal():
            said.append(number_words(piece))
        elif piece[0].isalpha():
            said.append(_word(piece, spell="&" in core))
        elif piece in SYMBOLS and piece != "/":
            said.append(SYMBOLS[piece])
        elif said and any(c in "—," for c in piece):
            said[-1] += ","
    if not any(c.isdigit() for c in core) and re.fullmatch(
        r"[^\W\d_]+(?:['.-][^\W\d_]+)*\.?", core
    ):
        return "-".join(_word(part) for part in core.split("-"))
    return " ".join(said)


def _word(word: str, spell: bool = False) -> str:
    letters, ending = (word[:-1], "'s") if re.fullmatch(r"[A-Z]{2,4}s", word) else (word, "")
    if letters.endswith("'S") or letters.endswith("'s"):
        letters, ending = letters[:-2], "'s"
    if not re.fullmatch(r"[A-Z]{2,}", letters) or (letters in SAID_CAPITALS and not spell):
        return word
    if len(letters) <= 3 or not re.search("[AEIOUY]", letters):
        return ".".join(letters) + "." + ending
    return letters.lower() + ending
