"""Transcripts that lost their meaning, and single words that a caller says as a whole turn."""

from collections.abc import Iterator
from random import Random
from typing import Final

from workers.training.talk_tuning.conversations import Conversation, several, single
from workers.training.talk_tuning.systematic.phrasing import Deck
from workers.training.talk_tuning.systematic.repeating import Questions

TOPIC: Final = "unclear or broken transcripts"
# Openings that lost their object in Whisper.
CUT: Final = (
    "What's the|What is the|How many|Can you tell me the|Where is the|Who was the|How do I|"
    "Why is the|When did the|Tell me about the|Could you please|I want to know if the|"
    "How much is the|Which one is the|Is it true that the|Do you know the|I'd like to|"
    "What happens if the|Have you ever|Give me the|My friend said that the|How long does the|"
    "Would it be|Explain the|I was wondering if you|Should I|Did the|What would the"
).split("|")
# Bits that add no meaning.
SCRAPS: Final = (
    "of the|in a|uh|and the|with|for the|to|from that|about a|or the|was in|on it|by the|"
    "that one|is|at the|into the|so the|like a|but"
).split("|")
GARBLED: Final = (
    "The of and in the to.|Blanket under seven the why.|Green if the Tuesday spoon.|"
    "And then the, and then the.|Wall her ten is for.|Over the the over.|"
    "Sand which when they tall.|Not the the one of.|Seven walking the of maybe.|"
    "It's the for in at.|Can the because when it.|Milk or the running did.|A the lamp who for.|"
    "Bring under the very is.|Did the of where in.|So when to the of it.|"
    "Purple and the how with.|He the then for no in.|Which of to the wall it.|"
    "Under with a the my.|Ten the was soon of.|What the for it the was.|Is in the on the by.|"
    "Maybe the of a of.|Chair do the when why seven.|And if the or the and.|"
    "Going the to was with.|Lemon of the then if.|Uh the thing with the.|I the you with the it.|"
    "They was the if in for.|Windows of who then by.|It to of be the when.|"
    "Where the of can will.|How the in if the so.|Door of two the under maybe.|"
    "Along the it for the ball why.|Yet in an of the the.|Spoon if going the but.|"
    "Rain the or which do.|To the and the to the.|Mm the of mm.|Was it the in with a.|"
    "Ham the sky when too of.|In the in the in the.|Four of the never shoe.|Button why the over.|"
    "Can you the of the?|Will the with it a?|For of the what with?|You it then the and?|"
    "Where of the in?|Do the with two it?|Who the to and of?|The when do of a?|"
    "Is the by with it?|But the an in of?|How with the it the?|Tell me of the it.|"
    "I want to the of.|Please the and with.|Say of to the.|My the is of the.|We the under but."
).split("|")
REQUESTS: Final = (
    "Sorry, I didn't catch that. Could you say it again?",
    "I'm sorry, I didn't understand. Could you repeat that?",
    "I missed part of that. Could you say it once more?",
    "Sorry, some words got lost. What would you like to know?",
    "I couldn't make that out. Can you say it another way?",
    "Hmm, I only got part of that. Please try again.",
    "That didn't reach me clearly. Could you repeat it?",
    "Sorry, could you say that again?",
    "I didn't quite get that. What did you mean?",
    "I think I lost a few words. Could you ask again?",
    "I'm afraid I didn't follow. Please say it again.",
    "Please say that again, I only heard bits of it.",
    "I'm not sure what you said. Could you try it once more?",
    "The end of that got lost. Can you repeat it?",
)
CUT_REQUESTS: Final = (
    "The end of that got lost. Could you ask again?",
    "I only heard the beginning. What was your question?",
    "Your question broke off. Please say it once more.",
    "Sorry, I missed the rest. What would you like to know?",
    "I didn't hear the last words. Can you repeat them?",
    "That was cut off. Could you say the whole thing again?",
    "Sorry, the last part didn't reach me. Say it again, please?",
)


def garbled(random: Random) -> Iterator[Conversation]:
    """Words without meaning, and questions that break off, sometimes asked again and answered."""
    garble, openings = Deck(GARBLED, random), Deck(CUT, random)
    scraps = Deck(SCRAPS, random)
    requests, cut_requests = Deck(REQUESTS, random), Deck(CUT_REQUESTS, random)
    questions = Questions(random)
    while True:
        if random.random() < 0.45:
            turn = garble.deal(), requests.deal()
        else:
            extra = [scraps.deal() for _ in range(random.choice((0, 1, 1, 2)))]
            caller = " ".join([openings.deal(), *extra]) + random.choice(("?", ".", "", "..."))
            turn = caller, cut_requests.deal()
        if random.random() < 0.2:
            yield several(TOPIC, turn, questions.deal()[0])
        else:
            yield single(TOPIC, *turn)


# What the caller says alone, in several wordings, and what Antiphon answers.
ALONE: Final = (
    (
        "Hello?/Hello hello?/Hello, anybody there?/Is anybody there?",
        "Hello, I'm here. How can I help?",
    ),
    ("Hi./Hi there./Hey.", "Hi there! What can I do for you?"),
    ("Yeah./Yes./Yep./Yes, yes.", "Yes? What would you like to talk about?"),
    ("No./Nope./No, no.", "All right. Is there something else I can help with?"),
    ("What?/What what?", "I haven't said anything yet. What would you like to know?"),
    ("Okay./Okay okay./OK then.", "Okay. What shall we talk about?"),
    ("Hmm./Mm./Mm-hmm.", "Take your time. I'm listening."),
    ("Um./Uh./Er.", "No hurry. What's on your mind?"),
    ("Huh?/Eh?", "I'm here. What would you like to ask?"),
    ("Please./Please, please.", "Of course. What can I do for you?"),
    ("Thanks./Thank you./Thank you so much.", "You're welcome. Is there anything else?"),
    ("Sorry./Oh, sorry.", "No need to be sorry. How can I help?"),
    ("Wait./Wait a second./One moment.", "I'll wait. Just speak when you're ready."),
    ("Stop./Stop it.", "All right, I'll stop. Say something when you need me."),
    ("Why?/But why?", "Why what? Tell me a bit more and I'll try to answer."),
    ("How?/But how?", "How what? Give me a few more words, please."),
    ("When?/Since when?", "What do you want to know the time of? Tell me a bit more."),
    ("Who?/Who then?", "Whom do you mean? Tell me a bit more."),
    ("Where?/Where then?", "What place are you looking for? Tell me a bit more."),
    ("Bye./Goodbye./Bye bye.", "Goodbye! It was nice to talk with you."),
    ("Good./Great./Nice.", "Glad to hear it. What shall we do next?"),
    (
        "Help./Help me.",
        "I'm here. What do you need help with? If it's urgent, call your emergency number.",
    ),
    ("Test./Testing./Testing, one, two.", "I can hear you well. What would you like to try?"),
    ("Really?/Is that so?", "What are you surprised about? Tell me more."),
    ("Maybe./Perhaps.", "Maybe what? I'm curious."),
    ("And?/So?/Well?", "I'm all ears. What would you like to hear?"),
    ("Antiphon?/Antiphon./Hey Antiphon.", "Yes, I'm listening. What can I do for you?"),
    ("Can you hear me?/Do you hear me?", "Yes, I can hear you. What's on your mind?"),
)
AFTER: Final = (
    ("Really?/Is that right?/Is that true?/Sure?", "Yes, really. {a}"),
    ("What?/Huh?/Hm?/Sorry?", "{a}"),
    ("Okay./Okay, good./Good./All right.", "Good. Is there anything else you'd like to know?"),
    ("Thanks./Thank you./Great, thanks./Cool, thanks.", "You're welcome."),
    ("Ah./Oh./Aha./I see.", "Would you like to know anything else?"),
    ("Yeah./Yes./Right.", "Good. What would you like to know next?"),
    ("Wow./Oh wow./Interesting.", "Glad you like it. What else can I tell you?"),
    ("And?/So?/Go on.", "That was the whole answer. What else would you like to know?"),
)


def alone(random: Random) -> Iterator[Conversation]:
    """Single words at the start of a call."""
    cards = Deck([(text, answer) for texts, answer in ALONE for text in texts.split("/")], random)
    while True:
        yield single("single words", *cards.deal())


def after_answers(random: Random) -> Iterator[Conversation]:
    """Single words after an answer."""
    questions = Questions(random)
    cards = Deck([(text, answer) for texts, answer in AFTER for text in texts.split("/")], random)
    while True:
        (caller, answer), _ = questions.deal()
        word, reply = cards.deal()
        yield several("single words", (caller, answer), (word, reply.format(a=answer)))
