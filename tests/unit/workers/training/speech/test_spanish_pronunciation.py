"""Spanish words in English phones, from recorded pronunciations of espeak-ng."""

import pytest

from workers.training.questions import listener_texts
from workers.training.speech import spanish_pronunciation

# Pronunciations of espeak-ng 1.51, by accent.
IPA = {
    ("roa/es", "gracias"): "ɡɾˈaθjas",
    ("roa/es-419", "gracias"): "ɡɾˈasjas",
    ("roa/es-419", "próxima"): "pɾˈoksima",
    ("roa/es-419", "veinte"): "bˈeɪnte",
    ("roa/es-419", "pequeño"): "pekˈeɲo",
    ("roa/es-419", "contrario"): "kontɾˈaɾjo",
    ("roa/es-419", "días"): "dˈias",
    ("roa/es-419", "amarillo"): "ˌamaɾˈiʝo",
    ("roa/es-419", "la"): "lˈa",
    ("roa/es-419", "foreign"): "fˈɒɹən",
}


class Library:
    """The part of espeak-ng that the module uses."""

    def ipa(self, voice: str, word: str) -> str:
        return IPA[voice, word]


@pytest.fixture(autouse=True)
def library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spanish_pronunciation, "espeak", Library)
    spanish_pronunciation.pronounced.cache_clear()
    spanish_pronunciation.syllables.cache_clear()


@pytest.mark.parametrize(
    ("word", "accent", "phones"),
    [
        ("gracias", spanish_pronunciation.CASTILIAN, "G R AA TH Y AA S"),
        ("gracias", spanish_pronunciation.AMERICAN, "G R AA S Y AA S"),
        ("veinte", spanish_pronunciation.AMERICAN, "B EY N T EY"),
        ("pequeño", spanish_pronunciation.AMERICAN, "P EH K EH N Y OW"),
        ("amarillo", spanish_pronunciation.AMERICAN, "AA M AA R IY Y OW"),
    ],
)
def test_each_sound_becomes_its_nearest_english_phone(word: str, accent: str, phones: str) -> None:
    assert " ".join(spanish_pronunciation.pronounced(word, accent)) == phones
    assert set(phones.split()) <= set(listener_texts.PHONES)


def test_syllables_begin_with_allowed_consonants_and_carry_stress() -> None:
    assert spanish_pronunciation.syllables("contrario") == (
        (("K", "OW", "N"), False),
        (("T", "R", "AA"), True),
        (("R", "Y", "OW"), False),
    )
    assert [part for part, _ in spanish_pronunciation.syllables("próxima")] == [
        ("P", "R", "OW", "K"),
        ("S", "IY"),
        ("M", "AA"),
    ]
    assert [stress for _, stress in spanish_pronunciation.syllables("días")] == [True, False]
    assert not any(stress for _, stress in spanish_pronunciation.syllables("la"))


def test_the_lexicon_gets_each_word_once_under_an_ascii_name() -> None:
    assert spanish_pronunciation.entries(["¡días! ¿la días?"]) == [
        '(lex.add.entry \'("zzdiqas" nil (((d iy) 1) ((aa s) 0))))',
        '(lex.add.entry \'("zzla" nil (((l aa) 0))))',
    ]
    assert spanish_pronunciation.respelled("¡Pequeño! ¿La?") == "zzpequenqo! zzla?"


def test_different_words_have_different_names() -> None:
    assert (
        len(
            {
                spanish_pronunciation.spelled(word)
                for word in ("mas", "más", "ano", "año", "si", "sí")
            }
        )
        == 6
    )


def test_a_symbol_that_is_not_spanish_is_refused() -> None:
    with pytest.raises(ValueError, match="Expected IPA of Spanish, got 'ɒ' of 'fˈɒɹən'"):
        spanish_pronunciation.pronounced("foreign")


def test_spanish_phones_are_classes_of_the_listener() -> None:
    classes = listener_texts.spanish_phones("¿gracias?", spanish_pronunciation.CASTILIAN)
    assert [listener_texts.PHONES[c - 1] for c in classes] == "G R AA TH Y AA S".split()
