"""Names of voices and styles: accepted, refused, and common to a mixed fleet."""

import pytest

from shared.errors import SchemaError
from shared.voices import UNCHOSEN, Offer, Persona, common

OFFER = Offer(("alto", "baritone"), ("neutral", "calm"))


@pytest.mark.parametrize("persona", [UNCHOSEN, Persona("baritone"), Persona("alto", "calm")])
def test_a_name_that_is_offered_or_not_chosen_passes(persona: Persona) -> None:
    OFFER.check(persona)


def test_an_unknown_name_is_refused_with_the_offered_ones() -> None:
    with pytest.raises(SchemaError, match="voice as alto or baritone, got 'bass'"):
        OFFER.check(Persona("bass"))
    with pytest.raises(SchemaError, match="style as neutral or calm, got 'alto'"):
        OFFER.check(Persona("alto", "alto"))
    with pytest.raises(SchemaError, match="only the default"):
        Offer((), ()).check(Persona("alto"))


def test_the_first_name_is_the_default() -> None:
    assert OFFER.settle(UNCHOSEN) == Persona("alto", "neutral")
    assert OFFER.settle(Persona("bass", "calm")) == Persona("alto", "calm")


def test_a_fleet_offers_what_all_its_workers_offer() -> None:
    assert common([]) is None
    assert common([OFFER]) == OFFER
    other = Offer(("baritone", "tenor", "alto"), ("calm",))
    assert common([OFFER, other]) == Offer(("alto", "baritone"), ("calm",))
