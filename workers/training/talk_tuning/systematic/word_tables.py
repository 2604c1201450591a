"""Tables of words: opposites, colors, plurals, past tenses, fruits, materials, translations."""

from typing import Final


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs written as "left=right", separated by commas and line ends."""
    parts = (part.strip() for part in text.replace("\n", ",").split(","))
    found = [part.split("=") for part in parts if part]
    return tuple((left, right) for left, right in found)


OPPOSITES: Final = _pairs("""
hot=cold, warm=cool, big=small, large=little, tall=short, long=short, high=low, deep=shallow,
wide=narrow, thick=thin, fat=thin, heavy=light, fast=slow, quick=slow, early=late, old=young,
new=old, good=bad, better=worse, best=worst, right=wrong, left=right, up=down, above=below,
over=under, in=out, inside=outside, on=off, open=closed, full=empty, wet=dry, clean=dirty,
hard=soft, strong=weak, rich=poor, cheap=expensive, happy=sad, funny=serious, kind=cruel,
nice=mean, brave=cowardly, clever=stupid, smart=dumb, wise=foolish, polite=rude,
honest=dishonest, loud=quiet, noisy=silent, bright=dark, light=dark, black=white, day=night,
morning=evening, summer=winter, north=south, east=west, yes=no, true=false, always=never,
everything=nothing, everybody=nobody, many=few, more=less, most=least, first=last, before=after,
begin=end, start=finish, beginning=end, come=go, arrive=leave, push=pull, give=take, buy=sell,
win=lose, remember=forget, love=hate, laugh=cry, smile=frown, sit=stand, sleep=wake, live=die,
build=destroy, break=repair, find=lose, catch=throw, lend=borrow, ask=answer, teach=learn,
lift=drop, rise=fall, increase=decrease, add=subtract, multiply=divide, save=spend,
accept=refuse, agree=disagree, appear=disappear, attack=defend, arrival=departure,
entrance=exit, front=back, top=bottom, near=far, here=there, now=then, alive=dead, awake=asleep,
asleep=awake, healthy=sick, safe=dangerous, easy=difficult, simple=complicated,
possible=impossible, certain=uncertain, sure=unsure, visible=invisible, important=unimportant,
necessary=unnecessary, lucky=unlucky, fair=unfair, friendly=unfriendly,
comfortable=uncomfortable, patient=impatient, legal=illegal, correct=incorrect,
regular=irregular, public=private, ancient=modern, sharp=blunt, smooth=rough, straight=crooked,
tight=loose, sweet=sour, fresh=stale, raw=cooked, solid=liquid, beautiful=ugly, friend=enemy,
success=failure, victory=defeat, peace=war, truth=lie, question=answer, problem=solution,
hope=despair, joy=sorrow, heaven=hell, boy=girl, man=woman, king=queen, husband=wife,
mother=father, brother=sister, uncle=aunt, hero=villain, giant=dwarf, noise=silence,
profit=loss, maximum=minimum, positive=negative, plus=minus, odd=even, single=married,
busy=idle, lazy=hardworking, generous=stingy, proud=ashamed, calm=nervous, careful=careless,
useful=useless, harmless=harmful, hungry=full, tired=rested, ascending=descending,
forward=backward, northern=southern, optimist=pessimist
""")
# "it is": things that have this color as everybody knows them.
COLORS: Final = _pairs("""
a banana=yellow, a lemon=yellow, the sun in a child's drawing=yellow, a ripe tomato=red,
a strawberry=red, a cherry=red, blood=red, a fire truck=usually red, a stop sign=red,
grass=green, a leaf in summer=green, a cucumber=green, a frog=usually green, spinach=green,
a pea=green, a lime=green, broccoli=green, an emerald=green, the sky on a clear day=blue,
a blueberry=blue, a sapphire=usually blue, snow=white, milk=white, salt=white,
sugar=usually white, a polar bear=white, a swan=usually white, rice=usually white,
a cloud on a sunny day=white, flour=white, coal=black, a raven=black, a panther=black,
licorice=usually black, the night sky=black, an orange=orange, a carrot=usually orange,
a pumpkin=usually orange, a ripe apricot=orange, chocolate=brown, coffee=dark brown,
a chestnut=brown, the trunk of a tree=usually brown, soil=usually brown, a potato=usually brown,
cinnamon=brown, an elephant=gray, a dolphin=gray, ash=gray, lead=gray, a flamingo=pink,
a pig=usually pink, a salmon fillet=pink, lavender=purple, an eggplant=purple,
a plum=often purple, a violet=purple, gold=yellow and shiny, silver=gray and shiny,
a zebra=black and white, a panda=black and white, a ladybug=red with black spots,
a bee=yellow and black, a tiger=orange with black stripes, mustard=yellow, corn=usually yellow,
a ruby=red, honey=golden, an egg yolk=yellow, a penguin=black and white
""")
PLURALS: Final = _pairs("""
child=children, man=men, woman=women, foot=feet, tooth=teeth, mouse=mice, goose=geese, ox=oxen,
sheep=sheep, deer=deer, fish=fish, person=people, leaf=leaves, knife=knives, wife=wives,
life=lives, wolf=wolves, half=halves, shelf=shelves, loaf=loaves, thief=thieves, calf=calves,
city=cities, baby=babies, lady=ladies, story=stories, cherry=cherries, party=parties,
country=countries, family=families, puppy=puppies, penny=pennies, box=boxes, fox=foxes,
bus=buses, glass=glasses, dress=dresses, church=churches, watch=watches, dish=dishes,
brush=brushes, peach=peaches, sandwich=sandwiches, potato=potatoes, tomato=tomatoes,
hero=heroes, echo=echoes, photo=photos, piano=pianos, radio=radios, boy=boys, key=keys,
toy=toys, monkey=monkeys, day=days, cat=cats, dog=dogs, house=houses, horse=horses, book=books,
roof=roofs, cactus=cacti, crisis=crises, louse=lice, policeman=policemen, snowman=snowmen,
scarf=scarves, butterfly=butterflies
""")
PASTS: Final = _pairs("""
go=went, come=came, see=saw, eat=ate, drink=drank, run=ran, swim=swam, sing=sang, ring=rang,
begin=began, sit=sat, stand=stood, write=wrote, read=read, speak=spoke, break=broke, wake=woke,
choose=chose, drive=drove, ride=rode, rise=rose, fly=flew, grow=grew, know=knew, throw=threw,
blow=blew, draw=drew, take=took, shake=shook, give=gave, find=found, buy=bought, bring=brought,
think=thought, catch=caught, teach=taught, fight=fought, sell=sold, tell=told, say=said,
pay=paid, make=made, have=had, do=did, be=was or were, get=got, forget=forgot, lose=lost,
leave=left, keep=kept, sleep=slept, feel=felt, meet=met, send=sent, spend=spent, build=built,
lend=lent, hear=heard, hold=held, win=won, put=put, cut=cut, hit=hit, let=let, hurt=hurt,
shut=shut, cost=cost, fall=fell, steal=stole, wear=wore, tear=tore, hide=hid, bite=bit,
shine=shone, become=became, understand=understood, walk=walked, talk=talked, play=played,
work=worked, ask=asked, help=helped, look=looked, call=called, stop=stopped, plan=planned,
carry=carried, cry=cried, study=studied, dance=danced, love=loved
""")
FRUITS: Final = (
    "apple,pear,banana,orange,lemon,lime,cherry,peach,plum,apricot,mango,pineapple,grape,strawberry,"
    "raspberry,blueberry,melon,kiwi,fig,papaya,grapefruit,coconut,pomegranate,nectarine"
).split(",")
VEGETABLES: Final = (
    "carrot,potato,onion,cabbage,spinach,lettuce,broccoli,cauliflower,leek,radish,beet,turnip,"
    "celery,asparagus,artichoke,parsnip,kale,garlic"
).split(",")
# Fruits to a botanist, vegetables in the kitchen.
BOTH: Final = "tomato,cucumber,pumpkin,zucchini,eggplant,bell pepper".split(",")
# The thing and the rest of "... comes from ...".
ORIGINS: Final = _pairs("""
milk=cows, honey=bees, wool=sheep, silk=silkworms, eggs=hens, ham=pigs, bacon=pigs, beef=cattle,
pork=pigs, leather=animal skins, cheese=milk, butter=cream, yogurt=milk, flour=ground grain,
bread=flour and water, wine=grapes, raisins=grapes, prunes=plums, cider=apples,
chocolate=cocoa beans, coffee=roasted coffee beans, tea=the leaves of the tea plant,
olive oil=olives, sugar=sugar cane and sugar beets, salt=the sea and salt mines, paper=wood,
wood=trees, cotton=the cotton plant, linen=the flax plant, rubber=the sap of rubber trees,
maple syrup=the sap of maple trees, glass=melted sand, bricks=clay, vanilla=the pods of an orchid,
cinnamon=the bark of a tree, pepper=dried berries of a vine, popcorn=corn kernels,
french fries=potatoes, ketchup=tomatoes, tofu=soybeans, pearls=oysters, feathers=birds,
amber=the resin of ancient trees, cork=the bark of the cork oak, gasoline=crude oil,
plastic=substances in crude oil, steel=iron and a little carbon, bronze=copper and tin,
pasta=flour and water or eggs, mayonnaise=egg yolk and oil, jam=fruit and sugar
""")
LANGUAGES: Final = ("Spanish", "French", "German", "Italian")
# English, then Spanish, French, German and Italian.
TRANSLATIONS: Final = tuple(
    tuple(line.split("|"))
    for line in """
hello|hola|bonjour|hallo|ciao
goodbye|adiós|au revoir|auf Wiedersehen|arrivederci
please|por favor|s'il vous plaît|bitte|per favore
thank you|gracias|merci|danke|grazie
yes|sí|oui|ja|sì
no|no|non|nein|no
good morning|buenos días|bonjour|guten Morgen|buongiorno
good evening|buenas tardes|bonsoir|guten Abend|buonasera
good night|buenas noches|bonne nuit|gute Nacht|buonanotte
friend|amigo|ami|Freund|amico
mother|madre|mère|Mutter|madre
father|padre|père|Vater|padre
brother|hermano|frère|Bruder|fratello
sister|hermana|sœur|Schwester|sorella
child|niño|enfant|Kind|bambino
man|hombre|homme|Mann|uomo
woman|mujer|femme|Frau|donna
dog|perro|chien|Hund|cane
cat|gato|chat|Katze|gatto
horse|caballo|cheval|Pferd|cavallo
bird|pájaro|oiseau|Vogel|uccello
fish|pez|poisson|Fisch|pesce
house|casa|maison|Haus|casa
door|puerta|porte|Tür|porta
window|ventana|fenêtre|Fenster|finestra
table|mesa|table|Tisch|tavolo
chair|silla|chaise|Stuhl|sedia
bed|cama|lit|Bett|letto
kitchen|cocina|cuisine|Küche|cucina
book|libro|livre|Buch|libro
school|escuela|école|Schule|scuola
water|agua|eau|Wasser|acqua
bread|pan|pain|Brot|pane
milk|leche|lait|Milch|latte
cheese|queso|fromage|Käse|formaggio
egg|huevo|œuf|Ei|uovo
apple|manzana|pomme|Apfel|mela
wine|vino|vin|Wein|vino
beer|cerveza|bière|Bier|birra
coffee|café|café|Kaffee|caffè
sugar|azúcar|sucre|Zucker|zucchero
salt|sal|sel|Salz|sale
sun|sol|soleil|Sonne|sole
moon|luna|lune|Mond|luna
star|estrella|étoile|Stern|stella
sea|mar|mer|Meer|mare
mountain|montaña|montagne|Berg|montagna
tree|árbol|arbre|Baum|albero
flower|flor|fleur|Blume|fiore
city|ciudad|ville|Stadt|città
street|calle|rue|Straße|strada
car|coche|voiture|Auto|macchina
train|tren|train|Zug|treno
day|día|jour|Tag|giorno
night|noche|nuit|Nacht|notte
time|tiempo|temps|Zeit|tempo
love|amor|amour|Liebe|amore
heart|corazón|cœur|Herz|cuore
red|rojo|rouge|rot|rosso
green|verde|vert|grün|verde
white|blanco|blanc|weiß|bianco
one|uno|un|eins|uno
two|dos|deux|zwei|due
three|tres|trois|drei|tre
""".strip().splitlines()
)
