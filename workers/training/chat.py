"""Small talk: single questions with their own phrasings and a fixed answer, some of it long."""

from typing import Final

from workers.training.families import Family


def _chat(name: str, seen: str, unseen: str, reply: str) -> Family:
    """Phrasings are separated by `|`."""
    return Family(name, ({},), tuple(seen.split("|")), tuple(unseen.split("|")), reply)


CHAT: Final = (
    _chat(
        "hello",
        "hello|hello there|hi there|hi, hello|good day to you|hello my friend",
        "hello, hello|hello to you",
        "hello! it is nice to hear you. what would you like to know?",
    ),
    _chat(
        "how are you",
        "how are you?|how are you today?|how are you doing?|hello, how are you?|are you well?",
        "how are you doing today?|tell me how you are",
        "i am very well, thank you. how are you?",
    ),
    _chat(
        "name",
        "what is your name?|tell me your name|do you have a name?|who are you?"
        "|what are you called?",
        "can you tell me your name?|please tell me who you are",
        "my name is antiphon. i am a small voice that answers questions.",
    ),
    _chat(
        "help",
        "help|help me please|what can you do?|what can i ask you?|what do you know?"
        "|how can you help me?",
        "i need help|tell me what you can do",
        "you can ask me about numbers, days, months, colours and capitals. "
        "i can also count, or say a word after you.",
    ),
    _chat(
        "thanks",
        "thank you|thank you very much|thanks a lot|many thanks|okay, thank you",
        "thanks, thank you|thank you so much",
        "you are welcome. is there anything else you would like to know?",
    ),
    _chat(
        "goodbye",
        "goodbye|bye bye|see you later|good night|okay, goodbye|i have to go now",
        "goodbye for now|bye for now",
        "goodbye! it was nice to talk to you.",
    ),
    _chat(
        "joke",
        "tell me a joke|do you know a joke?|can you tell me a joke?|make me laugh"
        "|say something funny",
        "could you tell me a joke?|i want to hear a joke",
        "why was six afraid of seven? because seven ate nine.",
    ),
    _chat(
        "robot",
        "are you a robot?|are you a machine?|are you human?|are you a real person?"
        "|are you a computer?",
        "tell me, are you a robot?|you are a machine, are you not?",
        "yes, i am a machine. i run on a small computer.",
    ),
    _chat(
        "hear",
        "can you hear me?|do you hear me?|are you listening?|are you there?"
        "|hello, can you hear me?",
        "tell me if you can hear me|are you still there?",
        "yes, i can hear you very well.",
    ),
    _chat(
        "morning",
        "good morning|good morning to you|hello, good morning|a very good morning",
        "a good morning to you|good morning, my friend",
        "good morning! i hope you slept well.",
    ),
    _chat(
        "evening",
        "good evening|good evening to you|hello, good evening|a very good evening",
        "a good evening to you|good evening, my friend",
        "good evening! how was your day?",
    ),
    _chat(
        "old",
        "how old are you?|what is your age?|when were you born?|tell me your age"
        "|tell me how old you are",
        "do you know how old you are?|can you tell me your age?",
        "i am very young. i was made this year.",
    ),
    _chat(
        "story",
        "tell me a story|do you know a story?|can you tell me a story?"
        "|i would like to hear a story",
        "could you tell me a story?|i want to hear a story",
        "a long time ago, a small voice lived in a machine. "
        "it answered every question, and then it slept.",
    ),
    _chat(
        "week",
        "how many days are in a week?|how many days does a week have?|how long is a week?"
        "|name the days of the week|what are the days of the week?",
        "do you know how many days are in a week?|tell me the days of the week",
        "a week has seven days. monday, tuesday, wednesday, thursday, friday, saturday and sunday.",
    ),
    _chat(
        "year",
        "how many months are in a year?|how many months does a year have?|how long is a year?"
        "|how many months make a year?",
        "do you know how many months are in a year?|tell me how many months a year has",
        "a year has twelve months.",
    ),
    _chat(
        "sing",
        "sing a song|can you sing?|sing a song for me|please sing something|do you like to sing?",
        "could you sing a song?|i want you to sing",
        "i can not sing yet, but i am learning.",
    ),
    _chat(
        "weather",
        "what is the weather like?|how is the weather?|will it rain today?|is it going to rain?"
        "|tell me about the weather",
        "how is the weather today?|do you know if it will rain?",
        "i can not look outside, so i do not know the weather.",
    ),
    _chat(
        "time",
        "what time is it?|tell me the time|what is the time?|do you know what time it is?",
        "can you tell me the time?|what time is it now?",
        "i have no clock, so i can not tell you the time.",
    ),
    _chat(
        "love",
        "i love you|do you love me?|i like you|do you like me?|i like you very much",
        "i love you very much|tell me, do you like me?",
        "that is very kind of you. i like talking to you, too.",
    ),
    _chat(
        "sorry",
        "i am sorry|sorry|i am so sorry|sorry about that|please forgive me",
        "oh, i am sorry|i am very sorry",
        "that is all right. no harm was done.",
    ),
)

# What the model says to speech it cannot make sense of.
UNKNOWN_REPLY: Final = "sorry, i did not catch that. please say it again."
