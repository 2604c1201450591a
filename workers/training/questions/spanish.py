"""The Spanish families, and the phrases around their questions, in the polite form.

Names begin with `es`, because a family's name is unique across languages. Words keep their accents;
`spanish_pronunciation.py` pronounces them.
"""

from typing import Final

from workers.training.questions.question_families import (
    Form,
    Language,
    QuestionFamily,
    SlotWords,
    form,
    neighbours,
    pairs,
)

# The replies to Spanish speech that makes no sense, and to a follow-up without a first question.
UNKNOWN_REPLY: Final = "perdón, no le he entendido. repita, por favor."
NO_CONTEXT_REPLY: Final = "no sé qué vino antes. haga la pregunta entera, por favor."
LEADS: Final = ("bueno,", "oiga,", "por favor,", "pues,", "eh,", "y")
HESITATIONS: Final = ("eh,", "este,", "pues,", "eh, eh,", "bueno, eh,")
AGAIN: Final = (
    "repita, por favor",
    "¿puede repetirlo?",
    "otra vez, por favor",
    "¿cómo ha dicho?",
    "no le he oído",
    "¿qué ha dicho?",
)
# Other speech: neither a phrasing of a family nor part of one.
OTHER_SPEECH: Final = (
    "mañana vamos a la playa con los niños",
    "mi hermana trabaja en un hospital",
    "ayer llovió toda la tarde",
    "el perro duerme debajo de la mesa",
    "no encuentro las llaves de la casa",
    "quiero comprar dos kilos de patatas",
    "el tren llega muy tarde",
    "hemos comido arroz con pollo",
    "la película empieza a medianoche",
    "mi padre vive en un pueblo pequeño",
    "tenemos que hablar de trabajo",
    "el médico dice que no es grave",
    "ponga la radio un poco más baja",
    "los libros están encima de la silla",
    "me gusta mucho esta música",
    "han cerrado la tienda de la esquina",
    "el coche no arranca",
    "vamos a cenar a las nueve",
    "hace mucho viento en la montaña",
    "mis amigos juegan al fútbol",
    "he perdido el teléfono en el autobús",
    "la ventana de la cocina está rota",
    "creo que ella tiene razón",
    "nadie sabe dónde vive",
    "el profesor explica la lección",
    "se ha ido la luz en todo el barrio",
)

_NUMBERS: Final = (
    "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
    "diecisiete dieciocho diecinueve veinte"
).split()
_TERMS: Final = range(1, 11)
_DAYS: Final = "lunes martes miércoles jueves viernes sábado domingo".split()
_OPPOSITES: Final = (
    "grande:pequeño; alto:bajo; caliente:frío; bueno:malo; nuevo:viejo; rápido:lento; largo:corto;"
    "fuerte:débil; blanco:negro; abierto:cerrado; lleno:vacío; feliz:triste; dulce:amargo;"
    "limpio:sucio; fácil:difícil; día:noche"
)
_COLOURS: Final = (
    "la nieve:blanca; la leche:blanca; el cielo:azul; el mar:azul; la hierba:verde; la hoja:verde;"
    "el sol:amarillo; el limón:amarillo; la sangre:roja; el tomate:rojo; el carbón:negro"
)


def number(value: int) -> str:
    """1..20 in words."""
    if not 1 <= value <= len(_NUMBERS):
        raise ValueError(f"Expected a number in 1..{len(_NUMBERS)}, got {value}")
    return _NUMBERS[value - 1]


def _both_ways(cases: tuple[SlotWords, ...]) -> tuple[SlotWords, ...]:
    return cases + tuple({"x": case["y"], "y": case["x"]} for case in cases)


def _family(
    name: str, cases: tuple[SlotWords, ...], forms: tuple[Form, ...], weight: float
) -> QuestionFamily:
    return QuestionFamily(f"es {name}", cases, forms, weight=weight, language=Language.SPANISH)


def _chat(name: str, reply: str, seen: str, unseen: str) -> QuestionFamily:
    """A family of small talk: one question and its reply."""
    return _family(name, ({},), (form(reply, seen, unseen),), 0.7)


SUMS: Final = QuestionFamily(
    "es sum",
    tuple({"a": number(a), "b": number(b), "c": number(a + b)} for a in _TERMS for b in _TERMS),
    (
        form(
            "{a} más {b} son {c}.",
            "¿cuánto es {a} más {b}? | ¿cuántos son {a} más {b}? | {a} más {b} | suma {a} y {b}"
            "| ¿cuánto son {a} y {b}?"
            "| ¿cuál es la suma de {a} y {b}? | la suma de {a} y {b}"
            "| ¿qué resultado da {a} más {b}? | si sumo {a} y {b}, ¿cuánto me da?"
            "| necesito saber cuántos son {a} y {b}",
            "dígame cuánto es {a} más {b} | ¿cuánto suman {a} y {b}?",
        ),
    ),
    compositional=True,
    weight=5.0,
    language=Language.SPANISH,
)
COUNTING: Final = _family(
    "counting",
    tuple({"x": number(n), "list": ", ".join(_NUMBERS[:n])} for n in range(3, 11)),
    (
        form(
            "{list}.",
            "cuente hasta {x} | cuenta hasta {x} | ¿puede contar hasta {x}?"
            "| cuente de uno a {x}, por favor"
            "| diga los números hasta el {x} | ¿puede contar del uno al {x}?"
            "| los números del uno al {x} | quisiera oír los números hasta el {x}"
            "| empiece en el uno y llegue hasta el {x}",
            "quiero que cuente hasta {x} | ¿sabe contar hasta {x}?",
        ),
    ),
    1.5,
)
DAYS: Final = _family(
    "day after",
    neighbours(_DAYS, 1),
    (
        form(
            "después del {x} viene el {y}.",
            "¿qué día viene después del {x}? | ¿qué día sigue al {x}?"
            "| ¿cuál es el día después del {x}? | después del {x}, ¿qué día viene?"
            "| si hoy es {x}, ¿qué día es mañana? | el día siguiente al {x}"
            "| nombre el día que sigue al {x} | quiero saber qué día va después del {x}"
            "| ¿me dice cuál es el día siguiente al {x}?",
            "¿qué viene después del {x}? | dígame el día después del {x}",
        ),
    ),
    1.5,
)
OPPOSITES: Final = _family(
    "opposite",
    _both_ways(pairs(_OPPOSITES)),
    (
        form(
            "lo contrario de {x} es {y}.",
            "¿qué es lo contrario de {x}? | ¿cuál es el contrario de {x}? | lo contrario de {x}"
            "| ¿cómo se dice lo contrario de {x}?"
            "| ¿qué palabra es lo contrario de {x}? | lo opuesto a {x}"
            "| dígame una palabra que signifique lo contrario de {x}"
            "| quiero saber qué es lo contrario de {x}"
            "| ¿qué sería lo opuesto a {x}?",
            "dígame lo contrario de {x} | ¿sabe lo contrario de {x}?",
        ),
    ),
    2.5,
)
COLOURS: Final = _family(
    "colour",
    pairs(_COLOURS),
    (
        form(
            "{x} es {y}.",
            "¿de qué color es {x}? | ¿qué color tiene {x}? | dígame de qué color es {x}"
            "| {x}, ¿qué color tiene? | quiero saber de qué color es {x}"
            "| ¿me dice qué color tiene {x}? | ¿de qué color diría que es {x}?"
            "| necesito saber qué color tiene {x}",
            "¿cuál es el color de {x}? | el color de {x}, ¿cuál es?",
        ),
    ),
    1.5,
)
CHAT: Final = (
    _chat(
        "hello",
        "¡hola! me alegro de oírle. ¿qué quiere saber?",
        "hola | buenos días | buenas tardes | hola, buenos días | hola, buenas tardes"
        "| buenas | muy buenas tardes | saludos | encantado de saludarle",
        "muy buenos días | hola, hola",
    ),
    _chat(
        "how are you",
        "muy bien, gracias. ¿y usted?",
        "¿cómo está? | ¿cómo está usted? | ¿qué tal? | hola, ¿qué tal? | ¿cómo le va?"
        "| ¿cómo se encuentra hoy? | ¿todo bien? | ¿cómo van las cosas? | espero que esté bien"
        "| ¿qué tal le va todo?",
        "hola, ¿cómo está? | ¿qué tal está usted?",
    ),
    _chat(
        "name",
        "me llamo antiphon. soy una voz pequeña.",
        "¿cómo se llama? | ¿cómo te llamas? | ¿cuál es su nombre? | dígame su nombre"
        "| ¿quién es usted?"
        "| su nombre, por favor | ¿con quién hablo? | quisiera saber su nombre"
        "| ¿me dice cómo se llama?",
        "¿cómo se llama usted? | ¿cuál es tu nombre?",
    ),
    _chat(
        "thanks",
        "de nada. ¿quiere saber algo más?",
        "gracias | muchas gracias | muy amable, gracias | gracias por todo | se lo agradezco"
        "| gracias por su ayuda | le doy las gracias | es usted muy amable"
        "| le agradezco su respuesta | estoy muy agradecido",
        "muchísimas gracias | muchas gracias por todo",
    ),
    _chat(
        "goodbye",
        "adiós, hasta la próxima.",
        "adiós | hasta luego | hasta mañana | hasta pronto | buenas noches | me tengo que ir"
        "| hasta la vista | que tenga un buen día | ya me voy | hasta otro día"
        "| que le vaya bien",
        "adiós, hasta mañana | tengo que irme",
    ),
    _chat(
        "help",
        "puedo sumar, contar, decir los días, los colores y lo contrario de una palabra.",
        "¿qué sabe hacer? | ayuda | ¿qué puedo preguntar? | ¿en qué puede ayudarme?"
        "| ayúdeme, por favor | ¿para qué sirve? | ¿de qué podemos hablar?"
        "| quiero saber qué le puedo preguntar | explique qué sabe hacer"
        "| ¿qué preguntas puede contestar?",
        "necesito ayuda | ¿qué puede hacer?",
    ),
)

SPANISH: Final = (SUMS, COUNTING, DAYS, OPPOSITES, COLOURS, *CHAT)
