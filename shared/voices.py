"""Names voices and styles: those that a worker offers, and those that a caller chose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import SchemaError

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Persona:
    """The voice and the style of one session's assistant; "" leaves it to the model."""

    voice: str = ""
    style: str = ""


UNCHOSEN: Final = Persona()


@dataclass(frozen=True, slots=True)
class Offer:
    """The voices and styles that a model has; the first of each is its default."""

    voices: tuple[str, ...] = (DEFAULT,)
    styles: tuple[str, ...] = (DEFAULT,)

    def check(self, persona: Persona) -> None:
        """Refuse a name that the model lacks. Raises SchemaError with the names that it has."""
        _check("voice", persona.voice, self.voices)
        _check("style", persona.style, self.styles)

    def settle(self, persona: Persona) -> Persona:
        """The persona with every name set: the default replaces one that is empty or unknown."""
        voice = persona.voice if persona.voice in self.voices else self.voices[0]
        style = persona.style if persona.style in self.styles else self.styles[0]
        return Persona(voice, style)


def common(offers: Iterable[Offer]) -> Offer | None:
    """The names that all offers have, in the first one's order; None without any offer."""
    found: Offer | None = None
    for offer in offers:
        found = offer if found is None else _both(found, offer)
    return found


def _both(one: Offer, other: Offer) -> Offer:
    return Offer(
        tuple(name for name in one.voices if name in other.voices),
        tuple(name for name in one.styles if name in other.styles),
    )


def _check(kind: str, name: str, offered: Sequence[str]) -> None:
    if name and name not in offered:
        wanted = " or ".join(offered) or "only the default"
        raise SchemaError(f"Expected {kind} as {wanted}, got {name!r:.80}")
