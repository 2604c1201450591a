"""Tables of common knowledge: what is the same for everyone and fits a few words. Pure.

The language model was tuned on most of these facts and still mixes many of them up.
"""

from typing import Final


def _table(text: str) -> dict[str, str]:
    """Pairs written as "left=right", separated by commas and line ends."""
    parts = (part.strip() for part in text.replace("\n", ",").split(","))
    pairs = (part.split("=") for part in parts if part)
    return {left: right for left, right in pairs}  # noqa: C416 - mypy: lists are no pairs


# Each also holds the other way round, where the other word has no entry.
OPPOSITES: Final = _table("""
hot=cold, big=small, up=down, happy=sad, fast=slow, old=young, light=dark, open=closed,
full=empty, early=late, strong=weak, rich=poor, wet=dry, hard=soft, left=right, loud=quiet,
sweet=sour, clean=dirty, near=far, tall=short, day=night, black=white, good=bad, true=false,
right=wrong, thick=thin, high=low, inside=outside, first=last, always=never, begin=end, win=lose,
buy=sell, love=hate, heavy=light, north=south, east=west, wide=narrow, deep=shallow,
easy=difficult, cheap=expensive, alive=dead, asleep=awake, boy=girl, front=back, husband=wife,
king=queen, question=answer, summer=winter, sharp=blunt, smooth=rough, brave=afraid, polite=rude,
before=after, more=less, push=pull, remember=forget, success=failure, war=peace, yes=no,
warm=cool, large=little, long=short, fat=thin, quick=slow, new=old, better=worse, best=worst,
above=below, over=under, in=out, on=off, funny=serious, kind=cruel, nice=mean, clever=stupid,
smart=dumb, wise=foolish, honest=dishonest, noisy=silent, bright=dark, morning=evening,
everything=nothing, everybody=nobody, many=few, most=least, start=finish, beginning=end, come=go,
arrive=leave, give=take, laugh=cry, smile=frown, sit=stand, sleep=wake, live=die, build=destroy,
break=repair, find=lose, catch=throw, lend=borrow, ask=answer, teach=learn, lift=drop, rise=fall,
increase=decrease, add=subtract, multiply=divide, save=spend, accept=refuse, agree=disagree,
appear=disappear, attack=defend, arrival=departure, entrance=exit, top=bottom, here=there,
now=then, awake=asleep, healthy=sick, safe=dangerous, simple=complicated, possible=impossible,
certain=uncertain, sure=unsure, visible=invisible, important=unimportant, necessary=unnecessary,
lucky=unlucky, fair=unfair, friendly=unfriendly, comfortable=uncomfortable, patient=impatient,
legal=illegal, correct=incorrect, regular=irregular, public=private, ancient=modern,
straight=crooked, tight=loose, fresh=stale, raw=cooked, solid=liquid, beautiful=ugly,
friend=enemy, victory=defeat, peace=war, truth=lie, problem=solution, hope=despair, joy=sorrow,
heaven=hell, man=woman, mother=father, brother=sister, uncle=aunt, hero=villain, giant=dwarf,
noise=silence, profit=loss, maximum=minimum, positive=negative, plus=minus, odd=even,
single=married, busy=idle, lazy=hardworking, generous=stingy, proud=ashamed, calm=nervous,
careful=careless, useful=useless, harmless=harmful, hungry=full, tired=rested,
ascending=descending, forward=backward, northern=southern, optimist=pessimist
""")
# Countries, and the parts of the United Kingdom.
CAPITALS: Final = _table("""
Albania=Tirana, Algeria=Algiers, Andorra=Andorra la Vella, Angola=Luanda, Argentina=Buenos Aires,
Armenia=Yerevan, Australia=Canberra, Austria=Vienna, Azerbaijan=Baku, Bahamas=Nassau,
Bangladesh=Dhaka, Barbados=Bridgetown, Belarus=Minsk, Belgium=Brussels, Belize=Belmopan,
Bhutan=Thimphu, Bosnia and Herzegovina=Sarajevo, Botswana=Gaborone, Brazil=Brasília,
Bulgaria=Sofia, Burkina Faso=Ouagadougou, Cambodia=Phnom Penh, Cameroon=Yaoundé, Canada=Ottawa,
Chad=N'Djamena, Chile=Santiago, China=Beijing, Colombia=Bogotá, Costa Rica=San José,
Croatia=Zagreb, Cuba=Havana, Cyprus=Nicosia, Czech Republic=Prague, Denmark=Copenhagen,
Dominican Republic=Santo Domingo, Ecuador=Quito, Egypt=Cairo, El Salvador=San Salvador,
Estonia=Tallinn, Ethiopia=Addis Ababa, Fiji=Suva, Finland=Helsinki, France=Paris,
Georgia=Tbilisi, Germany=Berlin, Ghana=Accra, Greece=Athens, Guatemala=Guatemala City,
Guyana=Georgetown, Haiti=Port-au-Prince, Honduras=Tegucigalpa, Hungary=Budapest,
Iceland=Reykjavik, India=New Delhi, Indonesia=Jakarta, Iran=Tehran, Iraq=Baghdad, Ireland=Dublin,
Italy=Rome, Jamaica=Kingston, Japan=Tokyo, Jordan=Amman, Kazakhstan=Astana, Kenya=Nairobi,
Kuwait=Kuwait City, Kyrgyzstan=Bishkek, Laos=Vientiane, Latvia=Riga, Lebanon=Beirut,
Liberia=Monrovia, Libya=Tripoli, Lithuania=Vilnius, Luxembourg=Luxembourg City,
Madagascar=Antananarivo, Malaysia=Kuala Lumpur, Mali=Bamako, Malta=Valletta, Mexico=Mexico City,
Moldova=Chisinau, Mongolia=Ulaanbaatar, Montenegro=Podgorica, Morocco=Rabat, Mozambique=Maputo,
Namibia=Windhoek, Nepal=Kathmandu, Netherlands=Amsterdam, New Zealand=Wellington,
Nicaragua=Managua, Niger=Niamey, Nigeria=Abuja, North Macedonia=Skopje, Norway=Oslo, Oman=Muscat,
Pakistan=Islamabad, Panama=Panama City, Papua New Guinea=Port Moresby, Paraguay=Asunción,
Peru=Lima, Philippines=Manila, Poland=Warsaw, Portugal=Lisbon, Qatar=Doha, Romania=Bucharest,
Russia=Moscow, Rwanda=Kigali, Saudi Arabia=Riyadh, Senegal=Dakar, Serbia=Belgrade,
Slovakia=Bratislava, Slovenia=Ljubljana, Somalia=Mogadishu, South Korea=Seoul, Spain=Madrid,
Sudan=Khartoum, Sweden=Stockholm, Switzerland=Bern, Syria=Damascus, Thailand=Bangkok,
Tunisia=Tunis, Turkey=Ankara, Uganda=Kampala, Ukraine=Kyiv, United Arab Emirates=Abu Dhabi,
United Kingdom=London, United States=Washington, Uruguay=Montevideo, Uzbekistan=Tashkent,
Venezuela=Caracas, Vietnam=Hanoi, Zambia=Lusaka, Zimbabwe=Harare, England=London,
Scotland=Edinburgh, Israel=Jerusalem, Taiwan=Taipei, Afghanistan=Kabul, Wales=Cardiff
""")
# Things that have one color for everybody.
COLORS: Final = _table("""
sky=blue, grass=green, snow=white, banana=yellow, blood=red, coal=black, orange=orange,
chocolate=brown, elephant=grey, tomato=red, milk=white, frog=green, sea=blue, lemon=yellow,
leaf=green, salt=white, cherry=red, carrot=orange, coffee=brown, swan=white, gold=yellow,
mouse=grey, cucumber=green, sun=yellow, pumpkin=orange, mud=brown, butter=yellow, raven=black,
sugar=white, emerald=green, ruby=red, pig=pink, rice=white, wolf=grey, tea=brown, strawberry=red,
fire truck=red, stop sign=red, leaf in summer=green, spinach=green, pea=green, lime=green,
broccoli=green, blueberry=blue, sapphire=blue, polar bear=white, cloud on a sunny day=white,
flour=white, panther=black, licorice=black, night sky=black, ripe apricot=orange, chestnut=brown,
trunk of a tree=brown, soil=brown, potato=brown, cinnamon=brown, dolphin=gray, ash=gray,
lead=gray, flamingo=pink, salmon fillet=pink, lavender=purple, eggplant=purple, plum=purple,
violet=purple, silver=gray and shiny, zebra=black and white, panda=black and white,
ladybug=red with black spots, bee=yellow and black, tiger=orange with black stripes,
mustard=yellow, corn=yellow, honey=golden, egg yolk=yellow, penguin=black and white
""")
# What an animal does when it makes itself heard.
SOUNDS: Final = _table("""
dog=says woof, cat=says meow, cow=says moo, duck=says quack, sheep=says baa, horse=says neigh,
lion=says roar, bee=says buzz, crow=says caw, snake=says hiss, frog=says ribbit, owl=says hoot,
mouse=says squeak, bird=says tweet, wolf=says howl, pig=oinks, hen=clucks, rooster=crows,
tiger=roars, donkey=brays, goose=honks, elephant=trumpets, pigeon=coos, turkey=gobbles,
bear=growls, chick=cheeps, monkey=chatters, goat=bleats, songbird=chirps
""")
# How many legs an animal has.
LEGS: Final = _table("""
dog=four, cat=four, horse=four, cow=four, bird=two, spider=eight, ant=six, bee=six, snake=no,
fish=no, duck=two, chicken=two, person=two, lion=four, mouse=four, beetle=six, sheep=four,
worm=no, goat=four, eagle=two, octopus=no, fly=six, penguin=two, ostrich=two, scorpion=eight,
tick=eight, butterfly=six, mosquito=six, ladybug=six, snail=no, crab=ten, lobster=ten, frog=four,
lizard=four, turtle=four, elephant=four, giraffe=four, grasshopper=six, whale=no, parrot=two,
wasp=six, dragonfly=six, pig=four, rabbit=four
""")
# What the young are called.
YOUNG: Final = _table("""
cat=kitten, dog=puppy, cow=calf, horse=foal, sheep=lamb, goat=kid, pig=piglet, hen=chick,
duck=duckling, goose=gosling, swan=cygnet, deer=fawn, bear=cub, lion=cub, tiger=cub, fox=cub,
wolf=pup, seal=pup, kangaroo=joey, koala=joey, elephant=calf, whale=calf, dolphin=calf,
giraffe=calf, eagle=eaglet, owl=owlet, frog=tadpole, butterfly=caterpillar, zebra=foal,
donkey=foal, hippo=calf, bat=pup, otter=pup, turkey=poult, spider=spiderling, hare=leveret,
moose=calf, camel=calf
""")
# Where an animal lives.
HOMES: Final = _table("""
fish=in water, bird=in a nest, bee=in a hive, horse=in a stable,
lion=in grassland and sometimes in the jungle, spider=in a web, camel=in the desert,
whale=in the sea, monkey=in the forest, pig=on a farm, dog=in a house with people,
penguin=on the ice, mole=in a hole in the ground, bear=in the forest and sleeps in a cave,
rabbit=in a burrow, fox=in a den, beaver=in a lodge, ant=in an anthill, wasp=in a nest,
badger=in a sett, hen=in a coop, chicken=in a coop, goldfish=in a tank,
squirrel=in a nest called a drey, eagle=in a nest called an eyrie, cow=in a barn and on meadows,
bat=in caves and attics, shark=in the sea, dolphin=in the sea, frog=in ponds and wet places,
polar bear=on the ice of the Arctic, kangaroo=in Australia,
koala=in the eucalyptus trees of Australia, panda=in the bamboo forests of China,
tiger=in the forests of Asia, elephant=in the grasslands and forests of Africa and Asia,
giraffe=in the grasslands of Africa, wolf=in a den in the wild, cat=in a house with people,
sheep=on a farm, duck=on ponds and lakes, octopus=in the sea, crocodile=in rivers and swamps,
hedgehog=in gardens and hedges, owl=in hollow trees and barns, mouse=in a hole
""")
# What people of a trade do.
JOBS: Final = _table("""
teacher=teaches children, doctor=helps sick people, baker=bakes bread, pilot=flies planes,
farmer=grows food, writer=writes books, painter=paints pictures, singer=sings songs,
driver=drives a car, cook=cooks dinner, dentist=looks after teeth, gardener=looks after plants,
sailor=sails a ship, judge=decides what is right, soldier=fights in a war, builder=builds houses,
nurse=cares for sick people, firefighter=puts out fires, police officer=keeps people safe,
plumber=repairs pipes, carpenter=makes things of wood, waiter=serves food, waitress=serves food,
tailor=makes clothes, butcher=cuts and sells meat, librarian=looks after books,
mechanic=repairs cars, electrician=repairs electric wires, lawyer=helps people with the law,
astronaut=flies into space, chef=cooks in a restaurant, hairdresser=cuts hair, barber=cuts hair,
vet=helps sick animals, veterinarian=helps sick animals, actor=plays in films and on the stage,
journalist=writes the news, scientist=finds out how the world works, architect=plans buildings,
engineer=designs machines, mailman=brings letters, postman=brings letters, florist=sells flowers,
fisherman=catches fish, optician=makes glasses, translator=puts words into another language,
president=leads a country, surgeon=operates on people, pharmacist=sells medicine,
secretary=runs an office, cashier=takes the money in a shop, musician=makes music, dancer=dances,
potter=makes pots of clay, shepherd=looks after sheep, miner=digs for coal and metals
""")
# What people do with a thing.
USES: Final = _table("""
knife=cut, pen=write, spoon=eat soup, key=open a door, phone=call people, bed=sleep,
clock=tell the time, broom=sweep the floor, cup=drink tea, car=drive, soap=wash your hands,
camera=take pictures, hammer=hit nails, chair=sit, umbrella=keep dry, lamp=read at night,
map=find the way, towel=dry yourself, boat=cross water, oven=bake bread,
scissors=cut paper and cloth, fork=eat, ruler=measure and draw lines, pencil=write and draw,
mirror=see yourself, ladder=climb up, bucket=carry water, needle=sew, saw=cut wood,
screwdriver=turn screws, thermometer=measure the temperature, telescope=look at the stars,
microscope=see very small things, compass=find north, toothbrush=clean your teeth,
comb=comb your hair, fridge=keep food cold, refrigerator=keep food cold,
freezer=keep food frozen, kettle=boil water, iron=smooth clothes, vacuum cleaner=clean the floor,
shovel=dig, spade=dig, rake=gather leaves, bicycle=ride, bike=ride, candle=make light,
pillow=rest your head, blanket=keep warm, helmet=protect your head, calculator=work out sums,
corkscrew=open bottles, toaster=toast bread, washing machine=wash clothes,
dishwasher=wash the dishes, stapler=fasten paper, glue=stick things together, rope=tie things up,
axe=chop wood, drill=make holes, wallet=carry money, backpack=carry things,
sunscreen=protect your skin from the sun, glasses=see better, watch=tell the time,
calendar=see the date, dictionary=look up words, bag=carry things, pot=cook, pan=fry food,
plate=put food on, bowl=eat soup, coat=keep warm, bridge=cross a river,
whistle=make a loud sound, alarm clock=wake up, eraser=rub out pencil
""")
PLURALS: Final = _table("""
child=children, man=men, woman=women, foot=feet, tooth=teeth, mouse=mice, goose=geese, ox=oxen,
sheep=sheep, deer=deer, fish=fish, person=people, leaf=leaves, knife=knives, wife=wives,
life=lives, wolf=wolves, half=halves, shelf=shelves, loaf=loaves, thief=thieves, calf=calves,
city=cities, baby=babies, lady=ladies, story=stories, cherry=cherries, party=parties,
country=countries, family=families, puppy=puppies, penny=pennies, box=boxes, fox=foxes,
bus=buses, glass=glasses, dress=dresses, church=churches, watch=watches, dish=dishes,
brush=brushes, peach=peaches, sandwich=sandwiches, potato=potatoes, tomato=tomatoes, hero=heroes,
echo=echoes, photo=photos, piano=pianos, radio=radios, boy=boys, key=keys, toy=toys,
monkey=monkeys, day=days, cat=cats, dog=dogs, house=houses, horse=horses, book=books, roof=roofs,
cactus=cacti, crisis=crises, louse=lice, policeman=policemen, snowman=snowmen, scarf=scarves,
butterfly=butterflies
""")
PASTS: Final = _table("""
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
# What a thing comes from.
ORIGINS: Final = _table("""
milk=cows, honey=bees, wool=sheep, silk=silkworms, eggs=hens, ham=pigs, bacon=pigs, beef=cattle,
pork=pigs, leather=animal skins, cheese=milk, butter=cream, yogurt=milk, flour=ground grain,
bread=flour and water, wine=grapes, raisins=grapes, prunes=plums, cider=apples,
chocolate=cocoa beans, tea=the leaves of the tea plant,
olive oil=olives, sugar=sugar cane and sugar beets, salt=the sea and salt mines, paper=wood,
wood=trees, cotton=the cotton plant, linen=the flax plant, rubber=the sap of rubber trees,
maple syrup=the sap of maple trees, glass=melted sand, bricks=clay,
vanilla=the pods of an orchid, cinnamon=the bark of a tree, pepper=dried berries of a vine,
popcorn=corn kernels, french fries=potatoes, ketchup=tomatoes, tofu=soybeans, pearls=oysters,
feathers=birds, amber=the resin of ancient trees, cork=the bark of the cork oak,
gasoline=crude oil, plastic=substances in crude oil, steel=iron and a little carbon,
bronze=copper and tin, pasta=flour and water or eggs, mayonnaise=egg yolk and oil,
jam=fruit and sugar
""")
