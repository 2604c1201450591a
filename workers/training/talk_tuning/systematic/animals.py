"""Animals: their young, homes, sounds and legs."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several
from workers.training.talk_tuning.systematic.numbers import capitalized, with_article
from workers.training.talk_tuning.systematic.phrasing import Caller, Deck


def _table(text: str) -> tuple[tuple[str, str], ...]:
    parts = [part.strip().split("=") for part in text.replace("\n", ",").split(",") if part.strip()]
    return tuple((left, right) for left, right in parts)


YOUNG: Final = _table("""
cat=kitten, dog=puppy, cow=calf, horse=foal, sheep=lamb, goat=kid, pig=piglet, hen=chick,
duck=duckling, goose=gosling, swan=cygnet, deer=fawn, bear=cub, lion=cub, tiger=cub, fox=cub,
wolf=pup, seal=pup, kangaroo=joey, koala=joey, elephant=calf, whale=calf, dolphin=calf,
giraffe=calf, eagle=eaglet, owl=owlet, frog=tadpole, butterfly=caterpillar, zebra=foal,
donkey=foal, hippo=calf, bat=pup, otter=pup, turkey=poult, spider=spiderling, hare=leveret,
moose=calf, camel=calf
""")
HOMES: Final = _table("""
bird=nest, bee=hive, spider=web, rabbit=burrow, dog=kennel, horse=stable, pig=sty, fox=den,
bear=den, lion=den, beaver=lodge, ant=anthill, wasp=nest, badger=sett, mole=burrow, hen=coop,
goldfish=tank, squirrel=nest called a drey, eagle=nest called an eyrie, pigeon=loft, cow=barn,
bat=cave or an attic
""")
SOUNDS: Final = _table("""
dog=bark, cat=meow, cow=moo, sheep=bleat, pig=oink, horse=neigh, duck=quack, hen=cluck,
rooster=crow, lion=roar, tiger=roar, wolf=howl, owl=hoot, frog=croak, bee=buzz, snake=hiss,
mouse=squeak, donkey=bray, goose=honk, elephant=trumpet, pigeon=coo, crow=caw, turkey=gobble,
bear=growl, chick=cheep, monkey=chatter, goat=bleat, songbird=chirp
""")
LEGS: Final = _table("""
dog=four, cat=four, cow=four, horse=four, bird=two, chicken=two, duck=two, penguin=two,
ostrich=two, spider=eight, scorpion=eight, tick=eight, ant=six, bee=six, fly=six, beetle=six,
butterfly=six, mosquito=six, ladybug=six, snake=no, worm=no, fish=no, snail=no, crab=ten,
lobster=ten, frog=four, lizard=four, turtle=four, elephant=four, mouse=four, giraffe=four,
grasshopper=six, person=two, whale=no, parrot=two, wasp=six, dragonfly=six, pig=four,
rabbit=four
""")
QUESTIONS: Final = {
    "young": (
        "What do you call a baby {w}?",
        "What is a baby {w} called?",
        "What's a baby {w} called?",
        "What's the name for a baby {w}?",
        "How do you call a young {w}?",
        "What's the young of {a} called?",
        "A baby {w} is called what?",
        "What's the word for a baby {w}?",
        "Do you know what a baby {w} is called?",
        "Tell me what a baby {w} is called.",
    ),
    "home": (
        "Where does {a} live?",
        "What's the home of {a} called?",
        "What do you call the home of {a}?",
        "Where does {a} sleep?",
        "What kind of home does {a} have?",
        "{a} lives in what?",
        "What's the name of the place where {a} lives?",
        "Tell me where {a} lives.",
    ),
    "sound": (
        "What sound does {a} make?",
        "What noise does {a} make?",
        "What does {a} say?",
        "How does {a} sound?",
        "What does {a} do when it makes a noise?",
        "What do you call the sound of {a}?",
        "What's the sound {a} makes?",
        "Which sound does {a} make?",
    ),
    "legs": (
        "How many legs does {a} have?",
        "How many legs has {a} got?",
        "How many legs are on {a}?",
        "{a} has how many legs?",
        "Do you know how many legs {a} has?",
        "Tell me how many legs {a} has.",
        "What's the number of legs of {a}?",
        "Count the legs of {a}.",
    ),
}
MORE: Final = ("And {a}?", "What about {a}?", "How about {a}?", "Okay, and {a}?")
TABLES: Final = {"young": YOUNG, "home": HOMES, "sound": SOUNDS, "legs": LEGS}


def answer(kind: str, animal: str, found: str, random: Random) -> str:
    """The fact, in one of several wordings."""
    named = with_article(animal)
    start = capitalized(named)
    if kind == "young":
        return random.choice(
            (
                f"A baby {animal} is called {with_article(found)}.",
                f"{capitalized(with_article(found))}.",
                f"It's called {with_article(found)}.",
            )
        )
    if kind == "home":
        place = with_article(found)
        return random.choice((f"{start} lives in {place}.", f"Usually in {place}."))
    if kind == "sound":
        return random.choice(
            (f"{start} {found}s.", f"The sound of {named} is {with_article(found)}.")
        )
    legs = f"{found} legs"
    short = f"{capitalized(legs)}." if found != "no" else "None at all."
    return random.choice((f"{start} has {legs}.", f"{start} has {legs}.", short))


def animals(random: Random) -> Iterator[Conversation]:
    """One animal, or the same question about two or three."""
    caller, more = Caller(random), Deck(MORE, random)
    kinds = Deck(("young", "young", "home", "sound", "legs", "legs"), random)
    questions = {kind: Deck(texts, random) for kind, texts in QUESTIONS.items()}
    tables = {kind: Deck(rows, random) for kind, rows in TABLES.items()}
    while True:
        kind = kinds.deal()
        animal, found = tables[kind].deal()
        text = questions[kind].deal().format(w=animal, a=with_article(animal))
        turns = [(caller.ask(text), answer(kind, animal, found, random))]
        if random.random() < 0.25:
            for _ in range(random.choice((1, 1, 2))):
                animal, found = tables[kind].deal()
                asked = f"a baby {animal}" if kind == "young" else with_article(animal)
                turns.append((more.deal().format(a=asked), answer(kind, animal, found, random)))
        yield several("animals", *turns)
