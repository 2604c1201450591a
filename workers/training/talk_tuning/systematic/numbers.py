"""Numbers, letters and lists as a voice says them."""

from workers.models.text_to_speech.number_words import cardinal


def words(number: int) -> str:
    """`105` is "one hundred five"; the range is 0 to 999,999."""
    if not 0 <= number < 1_000_000:
        raise ValueError(f"Expected a number from 0 to 999,999, got {number}")
    return cardinal(number)


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
