"""Tables of text_normalisation.py: how signs, units, abbreviations and capitals are spoken."""

from typing import Final

COINS: Final = {
    "$": ("dollar", "dollars", "cent", "cents"),
    "€": ("euro", "euros", "cent", "cents"),
    "£": ("pound", "pounds", "penny", "pence"),
    "¥": ("yen", "yen", "sen", "sen"),
}
SCALES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
LARGE: Final = frozenset(("hundred", "thousand", "million", "billion", "trillion"))
UNITS: Final = {
    "km": "kilometer", "m": "meter", "cm": "centimeter", "mm": "millimeter", "mi": "mile",
    "kg": "kilogram", "g": "gram", "mg": "milligram", "lb": "pound", "lbs": "pound", "oz": "ounce",
    "ft": "foot", "yd": "yard", "ml": "milliliter", "mL": "milliliter", "l": "liter", "L": "liter",
    "h": "hour", "hr": "hour", "hrs": "hour", "min": "minute", "mins": "minute", "sec": "second",
    "secs": "second", "s": "second", "ms": "millisecond", "W": "watt", "kW": "kilowatt",
    "kWh": "kilowatt hour", "V": "volt", "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz",
    "GHz": "gigahertz", "KB": "kilobyte", "kB": "kilobyte", "MB": "megabyte", "GB": "gigabyte",
    "TB": "terabyte", "mph": "mile per hour", "kmh": "kilometer per hour",
    "km/h": "kilometer per hour", "kph": "kilometer per hour", "m/s": "meter per second",
    "°": "degree", "°C": "degree Celsius", "°F": "degree Fahrenheit", "%": "percent",
    "km²": "square kilometer", "m²": "square meter", "m³": "cubic meter", "cal": "calorie",
    "kcal": "kilocalorie", "¢": "cent",
}  # fmt: skip
SAME: Final = frozenset(("percent", "hertz", "kilohertz", "megahertz", "gigahertz"))
ABBREVIATIONS: Final = {
    "dr.": "doctor", "mr.": "mister", "mrs.": "missus", "ms.": "miz", "prof.": "professor",
    "vs.": "versus", "vs": "versus", "etc.": "et cetera", "etc": "et cetera",
    "e.g.": "for example", "i.e.": "that is", "approx.": "approximately", "jr.": "junior",
    "sr.": "senior", "inc.": "incorporated", "ltd.": "limited", "mt.": "mount", "ave.": "avenue",
    "blvd.": "boulevard", "dept.": "department", "govt.": "government", "est.": "established",
    "jan.": "January", "feb.": "February", "apr.": "April", "aug.": "August", "sept.": "September",
    "oct.": "October", "nov.": "November", "dec.": "December", "w/": "with", "w/o": "without",
    "tsp": "teaspoon", "tsp.": "teaspoon", "tbsp": "tablespoon", "tbsp.": "tablespoon",
    "mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay",
}  # fmt: skip
SYMBOLS: Final = {
    "&": "and", "+": "plus", "=": "equals", "×": "times", "*": "times", "÷": "divided by",
    "@": "at", "<": "is less than", ">": "is greater than", "%": "percent", "~": "about",
    "≈": "is about", "/": "slash", "±": "plus or minus", "#": "number",
}  # fmt: skip
OPERATORS: Final = SYMBOLS | {
    "-": "minus", "−": "minus", "–": "to", "x": "times", "/": "over", "^": "to the power of",
    "*": "times",
}  # fmt: skip
FRACTIONS: Final = {
    2: "half", 3: "third", 4: "quarter", 5: "fifth", 6: "sixth", 8: "eighth", 10: "tenth",
}  # fmt: skip
GLYPHS: Final = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "’": "'", "‘": "'"}
# Capitals that are said as a word; others of up to three letters, or without a vowel, are spelled.
SAID_CAPITALS: Final = frozenset(
    "NASA NATO AIDS OPEC FIFA COVID LASER RADAR SIM PIN ZIP RAM ROM GIF "
    "I A AN AM AS AT BE BY DO GO HE IF IN IS IT ME MY NO OF OH ON OR SO TO UP WE ALL AND ANY ARE "
    "BIG BUT CAN DAY DID END FOR GET GOT HAD HAS HER HIM HIS HOT HOW ITS LET MAY NEW NOT NOW OFF "
    "OLD ONE OUR OUT OWN SAD SAY SEE SHE SIX TEN THE TOO TOP TRY TWO USE WAS WAY WHO WHY WIN YES "
    "YET YOU".split()
)
ROMAN: Final = {
    "II": 2, "III": 3, "IV": 4, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "XI": 11, "XII": 12,
    "XIII": 13, "XIV": 14, "XV": 15, "XVI": 16,
}  # fmt: skip
COUNTED: Final = frozenset("War Chapter Part Act Volume Type Phase Episode Level Book".split())
NUMBERED: Final = frozenset(
    "january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sept sep oct nov dec".split()
)
