"""Invented prose and names: every text of the sample that is not a fact is put together here."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


NOUNS = _words(
    """
    anchor apple attic baker balloon bandit barber beacon bell bicycle blanket bottle bridge bucket
    button cactus candle canyon caravan carpet castle cellar chimney circus clock comet compass copper
    cousin crab curtain desert dolphin drummer echo engine falcon feather ferry fiddle forest fountain
    garden ghost glacier gondola hammer harbour hedgehog helmet horizon island jacket jungle kettle
    kitchen kite ladder lagoon lantern lemon letter library lighthouse machine magnet map market meadow
    mirror moon mountain needle notebook ocean onion orchard orchestra owl painter parade parrot pepper
    piano pilot planet pocket postman puzzle quarry rabbit radio railway ribbon river robot rocket
    sailor saddle satellite shadow shoe singer snowstorm spoon staircase stranger suitcase sunflower
    tailor teapot telegram theatre thunder tiger tower train tunnel umbrella valley village violin
    volcano waiter walnut whistle window winter wizard zebra
    """
)
ADJECTIVES = _words(
    """
    absent amber ancient borrowed brave bright broken careful cheerful clever clumsy crooked curious
    distant dusty early electric empty endless faithful famous foggy forgotten friendly frozen gentle
    golden hidden hollow honest hungry imaginary invisible jealous last lazy lonely lost lucky midnight
    modest narrow nervous noisy northern painted patient paper polite proud quiet reluctant restless
    rusty salty second secret silent silver sleepy stolen stubborn sudden sunken talkative tiny twisted
    unlikely velvet wandering weary wild wooden yellow
    """
)
VERBS = _words(
    """
    borrows builds buries buys carries chases counts defends discovers follows forgets guards hides
    inherits invents loses mends misplaces outwits paints polishes protects races repairs rescues
    returns sells smuggles steals studies swaps teaches trades trusts unlocks visits watches
    """
)
PLACES = _words(
    """
    Alderport Brimwick Calderstone Dunmarrow Eastermoor Fennholm Gullhaven Harrowgate Inverlock Juniper
    Kestrelby Larkfield Mossbridge Norrland Ottervale Pellworth Quillon Ravensby Saltmere Thornbury
    Umberton Vellaby Wexcombe Yarrow Zennick
    """
)
FIRST_NAMES = _words(
    """
    Ada Agnes Aiko Alan Alberto Alma Amir Ana Andrei Anita Astrid Bela Bernard Bianca Boris Bruno
    Camille Carla Carlos Chen Clara Claude Dagmar Daniel Diego Dmitri Edith Elena Elif Emil Enzo Erik
    Esther Eva Farid Felix Fiona François Gabriel Gerda Gloria Greta Gustav Hana Hans Harold Hector
    Helen Henri Hugo Ida Igor Ines Ingrid Irene Isaac Ivan Jack Jana Jane Javier Jin Joan John José
    Judith Jules Julia Karin Kenji Klaus Lars Laura Leila Leo Lena Li Louis Lucia Luis Magda Marc
    Margaret Maria Mark Marta Max Mei Michael Mina Nadia Naomi Nils Nina Noah Nora Olga Olivia Omar
    Oscar Otto Pablo Patrick Paul Petra Pilar Ravi Renée Robert Rosa Ruth Sami Sara Sergei Simon Sofia
    Søren Stefan Susan Tara Theo Tomás Ursula Vera Victor Viola Walter Wanda Wei Yasmin Yuki Yves Zoë
    """
)
LAST_NAMES = _words(
    """
    Abbott Acosta Adler Almeida Andersson Arnold Baker Balogh Barnes Bauer Becker Bell Bergman Bianchi
    Black Boyd Brandt Brown Byrne Cabral Campos Carver Castillo Chan Clark Cohen Costa Cross D'Amico
    Dahl Davies DeVries Diaz Dubois Duran Ekström Ellis Eriksen Evans Faber Farkas Ferrari Fischer
    Flores Fontaine Foster Fuchs Fujita García Gibson Gómez Grant Gray Gruber Hahn Hansen Harper Hayes
    Hoffmann Holm Horvat Hughes Ito Ivanova Jansen Jensen Jones Kaplan Kaya Keller Kim Klein Kovács
    Kowalski Kumar Lambert Lang Larsen Laurent Lee Lehmann Lindqvist Lopez Lund Marino Marsh Martin
    Mason Mehta Mercier Meyer Mills Moreau Moretti Morgan Müller Nakamura Neumann Nguyen Nielsen Novak
    O'Brien O'Dell Okafor Olsen Ortega Park Parker Pereira Peters Petrov Popescu Porter Quinn Rao Reyes
    Ricci Rivera Romano Rossi Roy Ruiz Sandoval Santos Sato Schmidt Schneider Serra Shaw Silva Singh
    Smith Sokolov Stein Stone Suzuki Szabó Takeda Tanaka Taylor Torres Tran Turner Valdez Varga Vega
    Virtanen Vogel Wagner Walsh Ward Weber Weiss West White Wong Wood Yamada Young Zapata Zhang Zimmer
    """
)
FOREIGN_TITLES = {
    "ja": ("青い", "静かな", "最後の", "川", "月の庭", "猫", "鉄道", "夏の手紙"),
    "ru": ("Тихий", "Последний", "Синий", "маяк", "поезд", "сад", "ветер", "чемодан"),
    "zh": ("安静的", "最后的", "灯塔", "火车", "花园", "月亮", "蓝色", "箱子"),
    "ko": ("조용한", "마지막", "등대", "기차", "정원", "달", "푸른", "가방"),
    "hi": ("आखिरी", "नीला", "बाग़", "चाँद", "रेल", "चिट्ठी", "शांत", "नदी"),
    "el": ("τελευταίος", "φάρος", "κήπος", "τρένο", "φεγγάρι", "ήσυχος", "μπλε"),
    "fr": ("Le", "dernier", "phare", "été", "château", "silencieux", "L'hôtel", "forêt"),
}
# Roles as they are typed by hand: both quotes, tabs, no-break spaces, backslashes, text like syntax.
ODD_ROLES = (
    "Nurse\u00a0Ada", "The Clerk\t", 'Joe "the Ox" O\'Dell', "Man with a back\\slash", "Herself\u200b",
    "Who said ': None, then?", "It's {1: 'odd'}, [really]", 'Guest ("as is")', "Zoë 🎬", "line one\nline two",
)  # fmt: skip
ROLES = ("Himself", "Herself", "Narrator", "Doctor", "Waiter", "Policeman", "Neighbour", "Nurse", "Driver")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
# Every run of two: an image's name is put together from a few of them.
_PAIRS = tuple(a + b for a in _LETTERS for b in _LETTERS)


def pick(rng: Random, items: Sequence[str]) -> str:
    """One of the items; faster than Random.choice, and the same on every version of Python."""
    return items[int(rng.random() * len(items))]


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def sentence(rng: Random) -> str:
    """One sentence of well-formed nonsense."""
    adjective, noun, verb, other = pick(rng, ADJECTIVES), pick(rng, NOUNS), pick(rng, VERBS), pick(rng, NOUNS)
    shape = rng.random()
    if shape < 0.4:
        start = f"A{_a(adjective)[1:]} {noun} {verb}"
        return f"{start} the {pick(rng, ADJECTIVES)} {other} of {pick(rng, PLACES)}."
    if shape < 0.7:
        start = f"When {pick(rng, FIRST_NAMES)} {verb} {_a(adjective)} {noun}"
        return f"{start}, the {other} {pick(rng, VERBS)} the {pick(rng, NOUNS)}."
    if shape < 0.98:
        start = f"In {pick(rng, PLACES)}, nobody {verb} {_a(noun)}"
        return f"{start} without the {adjective} {other}'s {pick(rng, NOUNS)}."
    return f'They call it "the {adjective} {noun}", and it {verb} — against all odds — {_a(other)}.'


def overview(rng: Random) -> str:
    """A few sentences; now and then with a line break, which makes the record span lines."""
    draw = rng.random()
    count = 1 + int(draw * 7.3) + (int(rng.random() * 7) if draw > 0.85 else 0)
    joint = "\n\n" if rng.random() < 0.002 else " "
    return joint.join([sentence(rng) for _ in range(count)])


def title(rng: Random) -> str:
    """A movie's title."""
    shape = rng.random()
    noun, adjective = pick(rng, NOUNS).capitalize(), pick(rng, ADJECTIVES).capitalize()
    if shape < 0.45:
        return f"The {adjective} {noun}"
    if shape < 0.7:
        return f"{adjective} {noun}"
    if shape < 0.85:
        return f"{noun} of {pick(rng, PLACES)}"
    if shape < 0.93:
        return f"{pick(rng, FIRST_NAMES)} and the {noun}"
    return f"{noun}, {pick(rng, NOUNS).capitalize()} & {adjective} {pick(rng, NOUNS).capitalize()}s"


def foreign_title(rng: Random, language: str) -> str | None:
    """A title in the letters of the language, where the sample knows some."""
    words = FOREIGN_TITLES.get(language)
    return f"{pick(rng, words)} {pick(rng, words)}" if words else None


def image(number: int) -> str:
    """The path of an image, always the same for a number."""
    state = number * 2_654_435_761 + 97
    name = ""
    for _ in range(13):
        state = (state * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        name += _PAIRS[(state >> 8) % 3844]
    return f"/{name}{_LETTERS[number % 62]}.jpg"
