"""Four hundred common words to spell, and families of words that rhyme."""

from typing import Final

COMMON: Final = (
    "cat dog house mouse horse bird fish apple bread water milk sugar salt butter cheese tea "
    "coffee table chair door window floor wall roof garden kitchen bedroom pillow blanket mirror "
    "lamp clock book paper pencil letter word story school teacher student lesson number music "
    "piano guitar violin drum song dance friend family mother father sister brother daughter son "
    "baby child uncle aunt cousin grandma grandpa neighbor people woman man girl boy name heart "
    "hand finger foot nose mouth eye ear hair head neck shoulder knee stomach tongue tooth skin "
    "bone blood doctor nurse hospital medicine city village street bridge river lake ocean "
    "island mountain valley forest tree flower grass leaf rose tulip sun moon star sky cloud "
    "rain snow wind storm thunder lightning weather summer winter spring autumn Monday Tuesday "
    "Wednesday Thursday Friday Saturday Sunday January February March April August September "
    "October November December morning evening night today tomorrow yesterday minute hour week "
    "month year birthday holiday present party cake candle balloon circus theater movie camera "
    "picture color yellow orange purple green blue black white brown pink gray silver gold "
    "banana cherry lemon peach pear plum grape melon strawberry potato tomato carrot onion "
    "garlic pepper cabbage lettuce spinach pumpkin mushroom chicken beef pork sausage sandwich "
    "soup salad pizza noodle rice pasta cookie chocolate candy honey kettle spoon fork knife "
    "plate bowl glass bottle cup basket bucket hammer nail ladder rope needle thread button "
    "pocket jacket coat shirt sweater trousers skirt dress shoe boot sock hat glove scarf "
    "umbrella wallet purse money coin bank market shop bakery library museum church castle "
    "palace king queen prince princess dragon giant witch ghost treasure pirate ship boat train "
    "plane airplane bicycle wheel engine car bus truck tractor rocket planet earth world country "
    "nation language English animal elephant giraffe monkey tiger lion zebra camel kangaroo "
    "rabbit squirrel hedgehog turtle snake lizard frog spider beetle butterfly bee ant whale "
    "dolphin shark octopus penguin eagle owl parrot pigeon swan goose duck turkey sheep goat cow "
    "pig donkey lamb puppy kitten soccer tennis basketball football hockey swimming running "
    "winner game puzzle chess ball doll toy happy sad angry tired hungry thirsty beautiful ugly "
    "strong weak quick slow young old new clean dirty heavy light bright dark quiet loud easy "
    "difficult different important dangerous favorite necessary believe receive because enough "
    "through thought laugh daughter island answer question listen write knock climb comb autumn "
    "science history address business calendar separate definitely restaurant vegetable "
    "chocolate breakfast lunch dinner Wednesday rhythm eight friendship love hope peace truth "
    "dream journey ticket station airport luggage passport suitcase hello please sorry thank "
    "welcome goodbye"
).split()

# Words of one line rhyme with each other.
RHYMES: Final = tuple(
    tuple(line.split())
    for line in (
        "cat hat bat mat rat",
        "dog fog log frog",
        "house mouse blouse",
        "day play way say May",
        "night light bright kite white",
        "tree bee sea knee key",
        "sun fun run bun one",
        "moon spoon soon June noon",
        "star car far jar",
        "cake lake snake make bake",
        "rain train plane brain chain",
        "snow go slow toe show",
        "ring king sing wing spring",
        "ball wall tall fall small",
        "book cook look hook",
        "boat coat goat note",
        "bed red head bread",
        "fish dish wish",
        "bell well shell smell",
        "blue shoe two new glue",
        "bear chair hair pear",
        "fox box socks rocks",
        "fly sky pie eye high",
        "rose nose toes goes",
        "hand sand land band",
        "pen ten men hen",
        "pig big dig wig",
        "clock sock rock lock",
        "duck truck luck",
        "nice mice rice ice dice",
        "door floor four more store",
        "gold old cold told",
        "heart art part start",
        "hill bill pill fill",
        "green queen bean seen",
        "meat feet seat street",
        "fight right tight bite",
        "dream cream team stream",
        "sleep sheep deep keep",
        "cow now how",
        "town brown down crown",
        "ship trip lip chip",
        "bug rug mug hug",
        "fan man can pan",
        "cap map nap tap",
        "joke smoke",
        "stone phone bone alone",
        "love dove glove above",
        "friend end bend send",
        "time rhyme lime climb",
        "mine line nine fine",
        "face place race space",
        "name game flame same",
        "table able stable",
        "bridge fridge",
        "wood good could",
        "school pool cool rule",
        "food mood rude",
        "dance France chance",
        "park dark bark shark",
        "fast last past cast",
        "stick kick brick trick",
        "nest best test west",
        "kitten mitten written",
        "honey money funny sunny",
        "berry cherry merry",
        "jelly belly smelly",
        "flower power shower hour",
        "sister twister",
        "feather weather leather together",
        "mother brother another",
        "daughter water",
        "lamp stamp camp damp",
        "tank bank thank",
        "ear deer year near",
    )
)
