"""Families of questions about facts: words, countries, colours, animals, and comparisons."""

from itertools import combinations
from typing import Final

from workers.training.questions.question_families import QuestionFamily, SlotWords, form, pairs

_OPPOSITES: Final = (
    "hot:cold; big:small; up:down; happy:sad; fast:slow; old:young; light:dark; open:closed; "
    "full:empty; early:late; strong:weak; rich:poor; wet:dry; hard:soft; left:right; "
    "loud:quiet; sweet:sour; clean:dirty; near:far; tall:short; day:night; black:white; "
    "good:bad; true:false; right:wrong; thick:thin; high:low; inside:outside; first:last; "
    "always:never; begin:end; win:lose; buy:sell; love:hate; heavy:light; north:south; "
    "east:west; wide:narrow; deep:shallow; easy:difficult; cheap:expensive; alive:dead; "
    "asleep:awake; boy:girl; front:back; husband:wife; king:queen; question:answer; "
    "summer:winter; sharp:blunt; smooth:rough; brave:afraid; polite:rude; before:after; "
    "more:less; push:pull; remember:forget; success:failure; war:peace; yes:no"
)
_CAPITALS: Final = (
    "france:paris; germany:berlin; italy:rome; spain:madrid; england:london; japan:tokyo; "
    "china:beijing; russia:moscow; egypt:cairo; greece:athens; portugal:lisbon; "
    "austria:vienna; norway:oslo; canada:ottawa; sweden:stockholm; finland:helsinki; "
    "denmark:copenhagen; poland:warsaw; hungary:budapest; ireland:dublin; scotland:edinburgh; "
    "belgium:brussels; turkey:ankara; india:delhi; thailand:bangkok; australia:canberra; "
    "cuba:havana; peru:lima; chile:santiago; kenya:nairobi; iran:tehran; iraq:baghdad; "
    "israel:jerusalem; lebanon:beirut; syria:damascus; taiwan:taipei; ukraine:kiev; "
    "romania:bucharest; bulgaria:sofia; serbia:belgrade; cyprus:nicosia; jamaica:kingston; "
    "venezuela:caracas; tunisia:tunis; indonesia:jakarta; afghanistan:kabul; "
    "vietnam:hanoi; wales:cardiff; qatar:doha"
)
_COLOURS: Final = (
    "the sky:blue; grass:green; snow:white; a banana:yellow; blood:red; coal:black; "
    "an orange:orange; chocolate:brown; an elephant:grey; a tomato:red; milk:white; "
    "a frog:green; the sea:blue; a lemon:yellow; a leaf:green; salt:white; a cherry:red; "
    "a carrot:orange; coffee:brown; a swan:white; gold:yellow; a mouse:grey; a cucumber:green; "
    "the sun:yellow; a pumpkin:orange; mud:brown; butter:yellow; a raven:black; sugar:white; "
    "an emerald:green; a ruby:red; a pig:pink; rice:white; a wolf:grey; tea:brown"
)
_SOUNDS: Final = (
    "dog:woof; cat:meow; cow:moo; duck:quack; sheep:baa; horse:neigh; lion:roar; bee:buzz; "
    "crow:caw; snake:hiss; frog:ribbit; owl:hoot; mouse:squeak; bird:tweet; wolf:howl"
)
_LEGS: Final = (
    "dog:four; cat:four; horse:four; cow:four; bird:two; spider:eight; ant:six; bee:six; "
    "snake:no; fish:no; duck:two; chicken:two; person:two; lion:four; mouse:four; beetle:six; "
    "sheep:four; worm:no; goat:four; eagle:two; octopus:no; fly:six"
)
_HOMES: Final = (
    "fish:water; bird:nest; bee:hive; horse:stable; lion:jungle; spider:web; camel:desert; "
    "whale:sea; monkey:forest; pig:farm; dog:house; penguin:ice; mole:hole; bear:cave"
)
_JOBS: Final = (
    "teacher:teaches children; doctor:helps sick people; baker:bakes bread; "
    "pilot:flies planes; farmer:grows food; writer:writes books; painter:paints pictures; "
    "singer:sings songs; driver:drives a car; cook:cooks dinner; dentist:looks after teeth; "
    "gardener:looks after plants; sailor:sails a ship; judge:decides what is right; "
    "soldier:fights in a war; builder:builds houses"
)
_TOOLS: Final = (
    "a knife:cut; a pen:write; a spoon:eat soup; a key:open a door; a phone:call people; "
    "a bed:sleep; a clock:tell the time; a broom:sweep the floor; a cup:drink tea; "
    "a car:drive; soap:wash your hands; a camera:take pictures; a hammer:hit nails; "
    "a chair:sit; an umbrella:keep dry; a lamp:read at night; a map:find the way; "
    "a towel:dry yourself; a boat:cross water; an oven:bake bread"
)
# Each list runs from the least to the most.
_SIZES: Final = (
    "an ant; a bee; a mouse; a cat; a dog; a sheep; a lion; a horse; an elephant; a whale; "
    "a house; a mountain; the moon; the earth; the sun"
)
_SPEEDS: Final = (
    "a snail; a turtle; a person; a bicycle; a horse; a car; a train; a plane; a rocket; light"
)
_WARMTHS: Final = "ice; snow; cold water; warm milk; hot tea; boiling water; fire; the sun"
_WEIGHTS: Final = (
    "a feather; a letter; an apple; a book; a chair; a table; a cow; a car; a truck; a ship"
)


def _ordered(text: str) -> tuple[SlotWords, ...]:
    """Every pair of a list from least to most, in an order that does not reveal the answer."""
    things = [thing.strip() for thing in text.split(";")]
    found = []
    for i, j in combinations(range(len(things)), 2):
        less, most = things[i], things[j]
        a, b = (less, most) if (i + j) % 2 else (most, less)
        found.append({"a": a, "b": b, "x": most, "y": less})
    return tuple(found)


def _compared(name: str, things: str, more: str, less: str) -> QuestionFamily:
    """A family that asks which of two things is more, or less."""
    return QuestionFamily(
        name,
        _ordered(things),
        (
            form(
                f"{{x}} is {more} than {{y}}.",
                f"which is {more}, {{a}} or {{b}}? | what is {more}, {{a}} or {{b}}?"
                f"| is {{a}} or {{b}} {more}?"
                f"| of {{a}} and {{b}}, which is {more}? | what would be {more}, {{a}} or {{b}}?"
                f"| name the {more} of {{a}} and {{b}}"
                f"| i would like to know if {{a}} or {{b}} is {more}"
                f"| would you say {{a}} or {{b}} is {more}?",
                f"which one is {more}, {{a}} or {{b}}? | tell me which is {more}, {{a}} or {{b}}",
            ),
            form(
                f"{{y}} is {less} than {{x}}.",
                f"which is {less}, {{a}} or {{b}}? | what is {less}, {{a}} or {{b}}?"
                f"| is {{a}} or {{b}} {less}?"
                f"| of {{a}} and {{b}}, which is {less}? | what would be {less}, {{a}} or {{b}}?"
                f"| name the {less} of {{a}} and {{b}}"
                f"| i would like to know if {{a}} or {{b}} is {less}"
                f"| would you say {{a}} or {{b}} is {less}?",
                f"which one is {less}, {{a}} or {{b}}? | tell me which is {less}, {{a}} or {{b}}",
            ),
        ),
        compositional=True,
        weight=3.0,
    )


def _claims() -> tuple[SlotWords, ...]:
    """`is paris the capital of france?`: each country with its capital and two others."""
    cases = pairs(_CAPITALS)
    found = []
    for i, case in enumerate(cases):
        others = [cases[(i + step) % len(cases)]["y"] for step in (7, 19)]
        for city in (case["y"], *others):
            right = city == case["y"]
            found.append({"c": city, "x": case["x"], "z": "yes" if right else "no", "y": case["y"]})
    return tuple(found)


OPPOSITES: Final = QuestionFamily(
    "opposite",
    pairs(_OPPOSITES),
    (
        form(
            "the opposite of {x} is {y}.",
            "what is the opposite of {x}? | tell me the opposite of {x}"
            "| which word is the opposite of {x}? | what word means the opposite of {x}?"
            "| the opposite of {x}, please"
            "| name the opposite of {x} | give me a word that means the opposite of {x}"
            "| i would like to know the opposite of {x} | {x} is the opposite of what?"
            "| which word is opposite to {x}?",
            "can you give me the opposite of {x}? | do you know the opposite of {x}?",
        ),
    ),
    weight=5.5,
)
CAPITALS: Final = QuestionFamily(
    "capital",
    pairs(_CAPITALS),
    (
        form(
            "the capital of {x} is {y}.",
            "what is the capital of {x}? | tell me the capital of {x}"
            "| which city is the capital of {x}? | what is the capital city of {x}?"
            "| the capital of {x}, please"
            "| name the capital of {x} | what is the name of the capital of {x}?"
            "| i would like to know the capital of {x} | what capital does {x} have?"
            "| i need the capital city of {x}",
            "can you give me the capital of {x}? | do you know the capital of {x}?",
        ),
    ),
    weight=5.5,
)
CLAIMS: Final = QuestionFamily(
    "is it the capital",
    _claims(),
    (
        form(
            "{z}, the capital of {x} is {y}.",
            "is {c} the capital of {x}? | is the capital of {x} {c}?"
            "| tell me, is {c} the capital of {x}?"
            "| is it true that {c} is the capital of {x}? | {c} is the capital of {x}, is it not?"
            "| does {x} have {c} as its capital? | am i right that {c} is the capital of {x}?"
            "| i would like to know if {c} is the capital of {x}",
            "do you think {c} is the capital of {x}?",
        ),
    ),
    compositional=True,
    weight=4.0,
)
COUNTRIES: Final = QuestionFamily(
    "country",
    pairs(_CAPITALS),
    (
        form(
            "{y} is the capital of {x}.",
            "which country has {y} as its capital? | what country is {y} the capital of?"
            "| {y} is the capital of which country?"
            "| name the country that has {y} as its capital | whose capital is {y}?"
            "| i would like to know which country {y} is the capital of"
            "| the capital {y} belongs to which country?"
            "| give me the country with the capital {y}",
            "of which country is {y} the capital?",
        ),
    ),
    weight=3.0,
)
COLOURS: Final = QuestionFamily(
    "colour",
    pairs(_COLOURS),
    (
        form(
            "{x} is {y}.",
            "what colour is {x}? | which colour is {x}? | tell me the colour of {x}"
            "| what is the colour of {x}? | can you tell me what colour {x} is?"
            "| name the colour of {x} | the colour of {x}, please | {x} is which colour?"
            "| i would like to know the colour of {x} | what colour would you say {x} is?",
            "do you know what colour {x} is? | what colour does {x} have?",
        ),
    ),
    weight=4.5,
)
ANIMALS: Final = QuestionFamily(
    "animal",
    pairs(_SOUNDS),
    (
        form(
            "the {x} says {y}.",
            "what does a {x} say? | what sound does a {x} make? | what noise does a {x} make?"
            "| tell me what a {x} says | which sound does a {x} make?"
            "| what does the {x} say? | how does the {x} sound? | make a sound like the {x}"
            "| i would like to know what the {x} says | what kind of noise does the {x} make?"
            "| give me the sound that the {x} makes",
            "do you know what a {x} says? | what is the sound of a {x}?",
        ),
    ),
    weight=3.0,
)
LEGS: Final = QuestionFamily(
    "legs",
    pairs(_LEGS),
    (
        form(
            "a {x} has {y} legs.",
            "how many legs does a {x} have? | how many legs has a {x}?"
            "| tell me how many legs a {x} has"
            "| how many legs does the {x} have? | the {x} has how many legs?"
            "| i would like to know how many legs the {x} has",
            "do you know how many legs a {x} has?",
        ),
    ),
    weight=3.5,
)
HOMES: Final = QuestionFamily(
    "home",
    pairs(_HOMES),
    (
        form(
            "the home of the {x} is the {y}.",
            "where does a {x} live? | where is the home of the {x}? | tell me where a {x} lives"
            "| what is the home of the {x}? | name the home of the {x}"
            "| i would like to know where the {x} lives | in what place does the {x} live?"
            "| where does the {x} have its home?",
            "do you know where a {x} lives?",
        ),
    ),
    weight=3.0,
)
JOBS: Final = QuestionFamily(
    "job",
    pairs(_JOBS),
    (
        form(
            "a {x} {y}.",
            "what does a {x} do? | what is the job of a {x}? | tell me what a {x} does"
            "| what does a {x} do all day?"
            "| i would like to know what a {x} does | describe the job of a {x}"
            "| what kind of work does a {x} do?",
            "do you know what a {x} does?",
        ),
    ),
    weight=3.5,
)
TOOLS: Final = QuestionFamily(
    "tool",
    pairs(_TOOLS),
    (
        form(
            "you use {x} to {y}.",
            "what is {x} for? | what do you do with {x}? | what do people use {x} for?"
            "| what is the use of {x}? | what is {x} used for? | why do people need {x}?"
            "| i would like to know the use of {x} | tell me what to do with {x}",
            "do you know what {x} is for?",
        ),
    ),
    weight=3.5,
)

KNOWLEDGE: Final = (
    OPPOSITES,
    CAPITALS,
    CLAIMS,
    COUNTRIES,
    COLOURS,
    ANIMALS,
    LEGS,
    HOMES,
    JOBS,
    TOOLS,
    _compared("size", _SIZES, "bigger", "smaller"),
    _compared("speed", _SPEEDS, "faster", "slower"),
    _compared("warmth", _WARMTHS, "hotter", "colder"),
    _compared("heaviness", _WEIGHTS, "heavier", "lighter"),
)
