"""What a model can sound like, by name: what a worker offers, and what a caller has chosen."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.errors import SchemaError

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Persona:
    """What one session's assistant sounds like; "" leaves it to the model."""

    voice: str = ""
    style: str = ""


UNCHOSEN: Final = Persona()


@dataclass(frozen=True, slots=True)
class Offer:
    """Voices and styles; the first of each is the default."""

    voices: tuple[str, ...] = (DEFAULT,)
    styles: tuple[str, ...] = (DEFAULT,)

    def check(self, persona: Persona) -> None:
        """Raises SchemaError on a name that is not offered, with those that are."""
        _check("voice", persona.voice, self.voices)
        _check("style", persona.style, self.styles)

    def settle(self, persona: Persona) -> Persona:
        """The persona with a name for each; what is not chosen, or not offered, is the default."""
        voice = persona.voice if persona.voice in self.voices else self.voices[0]
        style = persona.style if persona.style in self.styles else self.styles[0]
        return Persona(voice, style)


def common(offers: Iterable[Offer]) -> Offer | None:
    """What all of them offer, in the order of the first; None when there is none of them."""
    found: Offer | None = None
    for offer in offers:
        found = (
            offer
            if found is None
            else Offer(
                tuple(name for name in found.voices if name in offer.voices),
                tuple(name for name in found.styles if name in offer.styles),
            )
        )
    return found


def _check(kind: str, name: str, offered: Sequence[str]) -> None:
    if name and name not in offered:
        wanted = " or ".join(offered) or "the default alone"
        raise SchemaError(f"Expected {kind} as {wanted}, got {name!r:.80}")
