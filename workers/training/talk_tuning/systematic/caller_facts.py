"""What callers tell about themselves: the values, how they say it, how they ask for it later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MALE_NAMES: Final = (
    "James John Robert Michael William David Richard Joseph Thomas Charles Christopher Daniel "
    "Matthew Anthony Mark Donald Steven Paul Andrew Joshua Kevin Brian George Edward Ronald "
    "Timothy Jason Jeffrey Ryan Jacob Gary Nicholas Eric Jonathan Stephen Larry Justin Scott "
    "Brandon Benjamin Samuel Gregory Frank Alexander Raymond Patrick Jack Dennis Ahmed Tariq "
    "Mateo Lars"
).split()
FEMALE_NAMES: Final = (
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Betty "
    "Sandra Margaret Ashley Kimberly Emily Donna Michelle Carol Amanda Melissa Deborah "
    "Stephanie Rebecca Sharon Laura Cynthia Kathleen Amy Angela Shirley Anna Brenda Pamela Emma "
    "Nicole Helen Samantha Katherine Christine Rachel Carolyn Janet Maria Fatima Ingrid Yuki "
    "Sofia Olga Priya Wei Amara"
).split()
NAMES: Final = (*MALE_NAMES, *FEMALE_NAMES)
CITIES: Final = (
    "Oslo,Boston,Chicago,Madrid,Paris,Rome,Vienna,Prague,Warsaw,Lisbon,Berlin,Munich,Hamburg,"
    "Zurich,Geneva,Brussels,Amsterdam,Copenhagen,Stockholm,Helsinki,Edinburgh,Glasgow,Manchester,"
    "Liverpool,Leeds,Bristol,Cardiff,Belfast,Cork,Toronto,Montreal,Vancouver,Seattle,Portland,"
    "Denver,Dallas,Houston,Austin,Atlanta,Miami,Orlando,Phoenix,San Diego,San Francisco,Detroit,"
    "Cleveland,Nashville,Memphis,New Orleans,Minneapolis,Sydney,Melbourne,Perth,Auckland,Tokyo,"
    "Seoul,Mumbai,Delhi,Cairo,Nairobi,Lagos,Cape Town,Lima,Bogotá,Santiago,Naples,Milan,Florence,"
    "Venice,Seville,Barcelona,Porto,Athens,Budapest,Krakow,Istanbul,Philadelphia,Baltimore,"
    "Salt Lake City,Kansas City"
).split(",")
PETS: Final = "dog cat rabbit hamster parrot horse goldfish turtle pony canary lizard goat".split()
PET_NAMES: Final = (
    "Bella Max Charlie Lucy Rocky Daisy Buddy Molly Teddy Ruby Oscar Coco Toby Rosie Bruno Lola "
    "Simba Nala Milo Poppy Felix Smokey Ginger Pepper Muffin Cookie Sunny Shadow Lucky Peanut"
).split()
COLORS: Final = "red blue green yellow purple orange pink black white brown gray turquoise".split()
FOODS: Final = (
    "pizza,spaghetti,pancakes,sushi,tacos,mashed potatoes,chicken soup,fried rice,ice cream,"
    "apple pie,curry,dumplings,salmon,cheese,chocolate cake,grilled vegetables,hamburgers,ravioli"
).split(",")
DRINKS: Final = "coffee,green tea,orange juice,hot chocolate,apple juice,milk,lemonade,water".split(
    ","
)
JOBS: Final = (
    "teacher,baker,bus driver,carpenter,gardener,lawyer,dentist,painter,plumber,pilot,cook,"
    "farmer,librarian,mechanic,hairdresser,firefighter,tailor,waiter,photographer,bookkeeper"
).split(",")
HOBBIES: Final = (
    "chess,swimming,painting,hiking,knitting,gardening,fishing,cycling,dancing,cooking,reading,"
    "singing,pottery,tennis,sailing,photography,running,bird watching"
).split(",")
MONTHS: Final = (
    "January February March April May June July August September October November December"
).split()
DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
COUNTRIES: Final = (
    "Poland,India,Brazil,Mexico,Canada,Japan,Kenya,Ireland,Sweden,Turkey,Vietnam,Egypt,Peru,"
    "Norway,Ukraine,Morocco,Chile,Nepal,Hungary,Scotland"
).split(",")
MALE_RELATIVES: Final = "brother husband son uncle boss neighbor grandfather cousin".split()
FEMALE_RELATIVES: Final = "sister wife daughter aunt boss neighbor grandmother cousin".split()
WORDS_TO_KEEP: Final = (
    "lantern,thunder,pancake,rocket,meadow,copper,walnut,harbor,feather,compass,marble,saddle,"
    "cactus,blanket,trumpet,pebble,candle,ladder,velvet,anchor"
).split(",")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact. {v} is its value; {o}, if it has one, the person or thing it is about."""

    name: str
    values: tuple[str, ...]
    statements: tuple[str, ...]
    replies: tuple[str, ...]
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    owners: tuple[str, ...]
    reported: str


def _kind(name: str, values: Sequence[str], *texts: str, owners: Sequence[str] = ("",)) -> Kind:
    """The texts: statements, replies, questions and answers, each joined by "/", and a report."""
    statements, replies, questions, answers = (tuple(text.split("/")) for text in texts[:4])
    return Kind(
        name, tuple(values), statements, replies, questions, answers, tuple(owners), texts[4]
    )


RELATIVE_TEXTS: Final = (
    "My {o} is called {v}./My {o}'s name is {v}./I have a {o} called {v}./{v} is my {o}./"
    "I'm visiting my {o} {v}./My {o} {v} is here./I want to call my {o} {v} later.",
    "{v} is a nice name./That's nice. Do you see {v} often?/Say hello to {v} from me./"
    "I hope {v} is doing well.",
    "What's my {o}'s name?/What is my {o} called?/What's the name of my {o}?/"
    "Do you remember my {o}'s name?/Who is my {o}?/Tell me my {o}'s name./"
    "What did I say my {o} is called?",
    "Your {o} is called {v}./Your {o}'s name is {v}./{v}./It's {v}.",
    "your {o} is called {v}",
)
KINDS: Final = (
    _kind(
        "name",
        NAMES,
        "My name is {v}./I'm {v}./Hi, I'm {v}./Hello, my name's {v}./You can call me {v}./"
        "Hey, this is {v}./People call me {v}./By the way, my name is {v}./{v} is my name./"
        "My name's {v}, what's yours?/Hi there, {v} here./I am {v}. Nice to meet you./"
        "My friends call me {v}./I should introduce myself. I'm {v}./Good morning, I'm {v}.",
        "Nice to meet you, {v}./Hello, {v}. How can I help?/Hi, {v}! What's on your mind?/"
        "Good to meet you, {v}./Welcome, {v}. I'm Antiphon./A pleasure, {v}. I'm Antiphon.",
        "What's my name?/What is my name?/Do you remember my name?/Who am I?/What am I called?/"
        "Do you know my name?/Can you tell me my name?/Say my name./What did I say my name was?/"
        "Do you still know my name?/Tell me my name./So, what's my name?/And my name is?",
        "Your name is {v}./You're {v}./It's {v}./You told me your name is {v}./"
        "You're {v}, of course./Of course, your name is {v}.",
        "your name is {v}",
    ),
    _kind(
        "age",
        [str(n) for n in range(5, 91)],
        "I'm {v} years old./I am {v}./I'm {v}./I just turned {v}./My age is {v}./"
        "I turned {v} last week./I'm already {v} years old./Well, I'm {v} now.",
        "{V} is a fine age./{V}, that's a good age./Thanks for telling me. I'll remember that./"
        "{V} already! How does it feel?",
        "How old am I?/What's my age?/How old did I say I was?/Do you remember how old I am?/"
        "Tell me how old I am./Do you know my age?/Can you say how old I am?",
        "You're {w} years old./You said you're {w}./You're {w}./You told me that you're {w}.",
        "you're {w} years old",
    ),
    _kind(
        "city",
        CITIES,
        "I live in {v}./My home is in {v}./I moved to {v}./"
        "We live in {v}./Our family lives in {v}./I've lived in {v} for years./"
        "I live here in {v}./{v} is where I live./I've just moved to {v}.",
        "{v}, how nice! Do you like it there?/{v} is an interesting place./"
        "I'd love to hear about {v}./Lovely. What do you like best about {v}?",
        "Where do I live?/Which city do I live in?/What city am I in?/"
        "Do you remember where I live?/Where did I say I live?/"
        "Tell me where I live./Do you know where I live?/"
        "Which city did I mention?",
        "You live in {v}./In {v}./You told me that you live in {v}./You said {v}.",
        "you live in {v}",
    ),
    _kind(
        "pet",
        PET_NAMES,
        "I have a {o} called {v}./My {o} is called {v}./My {o}'s name is {v}./"
        "I've got a {o} named {v}./We have a {o}, and the name is {v}./{v} is my {o}./"
        "There's {v}, my {o}./I just got a {o}. I named it {v}.",
        "{v} is a lovely name for a {o}./What a sweet name, {v}!/Say hello to {v} from me./"
        "{v} sounds like a happy {o}.",
        "What's my {o}'s name?/What is my {o} called?/What's the name of my {o}?/"
        "Do you remember my {o}'s name?/How is my {o} called?/Tell me the name of my {o}./"
        "What did I say my {o} is called?",
        "Your {o} is called {v}./Your {o}'s name is {v}./{v}./It's {v}.",
        "your {o} is called {v}",
        owners=PETS,
    ),
    _kind("male relative", MALE_NAMES, *RELATIVE_TEXTS, owners=MALE_RELATIVES),
    _kind("female relative", FEMALE_NAMES, *RELATIVE_TEXTS, owners=FEMALE_RELATIVES),
    _kind(
        "favorite color",
        COLORS,
        "My favorite color is {v}./I like {v} best of all colors./{V} is my favorite color./"
        "The color I love most is {v}./I love the color {v}./For colors, I'd always pick {v}.",
        "{V} is a beautiful color./Good choice, {v} goes with a lot./{V}, how nice!",
        "What's my favorite color?/Which color do I like best?/Do you remember my favorite color?/"
        "What color do I love?/What was my favorite color?/Tell me my favorite color.",
        "Your favorite color is {v}./{V}./You like {v} best./You said it's {v}.",
        "your favorite color is {v}",
    ),
    _kind(
        "favorite food",
        FOODS,
        "My favorite food is {v}./I love {v}./I could eat {v} every day./"
        "What I like to eat most is {v}./For dinner I always want {v}.",
        "Good choice!/That sounds delicious./Now that's a tasty favorite./Do you make it yourself?",
        "What's my favorite food?/What do I like to eat most?/Which food do I love?/"
        "Do you remember my favorite food?/What food did I mention?",
        "Your favorite food is {v}./{V}./You love {v}./You told me it's {v}.",
        "your favorite food is {v}",
    ),
    _kind(
        "drink",
        DRINKS,
        "I drink {v} every morning./My favorite drink is {v}./I always have {v} for breakfast.",
        "A good start to the day./That sounds nice./Enjoy it!",
        "What do I drink in the morning?/Which drink did I mention?/What do I like to drink?",
        "You drink {v}./{V}./You said {v}.",
        "you like to drink {v}",
    ),
    _kind(
        "job",
        JOBS,
        "I work as a {v}./I'm a {v}./My job is {v}./I've been a {v} for ten years./"
        "I make my living as a {v}.",
        "That sounds like interesting work./A {v}! Do you enjoy it?/The world needs a good {v}.",
        "What's my job?/What do I do for a living?/Do you remember my job?/What's my profession?/"
        "What do I work as?/What did I say I do?",
        "You're a {v}./You work as a {v}./You told me that you're a {v}.",
        "you're a {v}",
    ),
    _kind(
        "hobby",
        HOBBIES,
        "My hobby is {v}./I love {v}./In my free time I enjoy {v}./I'm really into {v}./"
        "On weekends it's all about {v}.",
        "{V} is a great hobby./How nice! How did you start with {v}?/{V}, wonderful!",
        "What's my hobby?/What do I do in my free time?/Which hobby do I have?/"
        "What do I enjoy doing?/Do you remember my hobby?",
        "Your hobby is {v}./{V}./You enjoy {v}./You told me about {v}.",
        "your hobby is {v}",
    ),
    _kind(
        "birthday month",
        MONTHS,
        "My birthday is in {v}./I was born in {v}./I have my birthday in {v}./"
        "{v} is my birthday month.",
        "{v} is a good month for a party./{v}, I see. How do you like to celebrate?/Nice, {v}!",
        "When is my birthday?/In which month is my birthday?/Which month was I born in?/"
        "Do you remember when my birthday is?",
        "Your birthday is in {v}./In {v}./You were born in {v}.",
        "your birthday is in {v}",
    ),
    _kind(
        "appointment",
        DAYS,
        "My {o} is on {v}./I have my {o} on {v}./On {v} I've got my {o}./"
        "Don't forget, my {o} is {v}.",
        "{v}, got it./All right, {v} it is./I'll keep that in mind while we talk.",
        "When is my {o}?/What day is my {o}?/On which day is my {o}?/"
        "Do you remember the day of my {o}?",
        "Your {o} is on {v}./On {v}./You said {v}.",
        "your {o} is on {v}",
        owners=(
            "dentist appointment",
            "job interview",
            "piano lesson",
            "math test",
            "driving test",
            "first day at work",
        ),
    ),
    _kind(
        "origin",
        COUNTRIES,
        "I come from {v}./I was born in {v}./My family is from {v}./I grew up in {v}.",
        "{v}, how interesting! Do you go back sometimes?/I'd like to hear more about {v}./Ah, {v}!",
        "Where do I come from?/Which country am I from?/Where did I say I come from?/"
        "What country did I mention?",
        "You come from {v}./From {v}./You told me that you're from {v}.",
        "you come from {v}",
    ),
    _kind(
        "secret word",
        WORDS_TO_KEEP,
        "Remember the word {v}./Please remember the word {v}./The password is {v}./"
        "My word for you is {v}./Keep this word in mind, {v}.",
        "All right, {v}./Got it, {v}./I'll remember {v}.",
        "What was the word?/Which word should you remember?/What was the word I gave you?/"
        "Do you still know the word?/Tell me the word from before.",
        "The word was {v}./{V}./It was {v}.",
        "the word is {v}",
    ),
    _kind(
        "secret number",
        [str(n) for n in range(11, 100)],
        "Remember the number {v}./Please keep the number {v} in mind./My lucky number is {v}./"
        "The number is {v}. Don't forget it.",
        "All right, {w}./Got it, {w}./{W}, I'll remember.",
        "What was the number?/Which number did I say?/What's the number from before?/"
        "Do you still know my number?",
        "The number was {w}./{W}./You said {w}.",
        "the number is {w}",
    ),
)
