"""Answers requests for things that the assistant cannot do, so that no model pretends. Pure.

It sets no timer, makes no call, sends no message, switches nothing, plays nothing and buys nothing.
It has no clock, calendar, forecast or news. Patterns cover the whole turn from its first word on.
"""

import re
from typing import Final

_OPENING: Final = (
    r"(?:(?:hey|hi|hello|okay|ok|so|um|uh|well|please|antiphon|now|and)[ ,]+)*"
    r"(?:(?:can|could|would|will) you (?:please )?(?:tell me )?|i (?:want|need|would like|'d like) "
    r"you to |please |do you know |tell me )?"
)
_HOME: Final = (
    r"(?:light|lamp|heat|fan|oven|stove|tv|television|radio|door|window|blind|curtain|garage|gate"
    r"|thermostat|air condition|washing machine|dishwasher|kettle|vacuum)"
)
LIMITS: Final = tuple(
    (re.compile(f"{_OPENING}(?:{pattern})"), answer)
    for pattern, answer in (
        (r"(?:set|start|make|create)(?: me| up)? (?:a|an|the|my|another)(?: \w+){0,2}? "
         r"(?:timer|alarm|reminder)\b|wake me\b|remind me (?:to|about|at|in|on|that|tomorrow)\b",
         "I can't set timers, alarms or reminders. Your phone's clock app can do that."),
        (r"(?:call|phone|ring|dial) (?:the police|an ambulance|the fire|9 ?1 ?1|nine one one)",
         "I can't make calls. If you're in danger, please dial your local emergency number now."),
        (r"(?:call|phone|ring|dial) (?!me\b|it\b|you\b|us\b|that\b|this\b|them \w|him \w|her a)"
         r"(?:up )?(?:my|the|a|an|mr|mrs|dr|doctor|\d|[a-z]+(?: for me| please| now)?$)",
         "I can't make calls. You'd have to dial the number yourself."),
        (r"(?:send|write)(?: \w+){0,3}? (?:text|message|email|e-mail|mail)\b"
         r"|(?:text|message|email) (?:my|the|mr|mrs|[a-z]+ (?:that|and|to)\b)",
         "I can't send messages, but I'll gladly help you work out what to say."),
        (rf"(?:turn|switch|shut)(?: \w+){{0,5}}? (?:on|off|up|down)\b(?: \w+){{0,5}}? {_HOME}"
         rf"|(?:turn|switch|shut) (?:on|off|up|down)\b.*{_HOME}"
         rf"|(?:turn|switch|shut)\b.*{_HOME}.* (?:on|off|up|down)\b"
         rf"|(?:open|close|lock|unlock|dim) (?:the|my) (?:\w+ )?{_HOME}",
         "I can't do that, because I'm not connected to anything in your home."),
        (r"play (?:me )?(?:some |a |the |my )?(?:\w+ ){0,3}?"
         r"(?:music|song|songs|radio|playlist|album)\b",
         "I can't play music. I could recite a poem or tell you about a composer."),
        (r"(?:order|buy|book|reserve)(?: me)? (?:a|an|some|the|two|three|me)\b",
         "I can't order or book anything. You'd need to call them or use an app."),
        (r"(?:what's the time|what is the time|what time is it|what time it is"
         r"|the time|what time do we have)"
         r"(?: now| right now| please| here| exactly)*$",
         "I have no clock, so I can't tell you the time."),
        (r"(?:what's|what is) (?:today's date|the date(?: today)?|today)(?: please)?$"
         r"|what (?:day|date|month|year) (?:is it|it is)(?: today| now| right now)*$",
         "I have no calendar, so I can't tell you today's date."),
        (r"(?:(?:what's|what is|how's|how is) the (?:weather|temperature)(?: like| outside| today"
         r"| now| tomorrow| tonight| right now| here| this weekend| going to be)*$"
         r"|(?:will|is) it (?:going to |gonna )?(?:be )?"
         r"(?:rain|snow|sunny|cold|hot|warm|windy)\w*"
         r"(?: outside| today| tomorrow| tonight| this weekend| later| now)+$)",
         "I can't look up the weather or a forecast. A weather report will tell you."),
        (r"(?:what's|what is|what's happening|anything|what are)(?: new)? (?:in|on) the news\b"
         r"|what(?:'s| is| are) (?:the|today's) (?:latest |big )?(?:news|headlines)\b",
         "I have no access to news. The radio or a newspaper will be up to date."),
    )
)  # fmt: skip


def limits_answer(words: str) -> str:
    """The fixed answer to a request for something that the assistant cannot do; "" otherwise."""
    text = words.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    text = " ".join(re.sub(r"[?!.,;:]+", " ", text).split())
    return next((answer for pattern, answer in LIMITS if pattern.match(text)), "")
