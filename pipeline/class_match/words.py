"""The words of a sound class: what is named in it, without the words for the sound and for what is done."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

IRREGULAR = {
    "axes": "axe", "buses": "bus", "canoes": "canoe", "children": "child", "feet": "foot", "geese": "goose",
    "halves": "half", "hooves": "hoof", "knives": "knife", "leaves": "leaf", "loaves": "loaf", "men": "man",
    "mice": "mouse", "oboes": "oboe", "oxen": "ox", "people": "person", "shelves": "shelf", "shoes": "shoe",
    "teeth": "tooth", "toes": "toe", "viruses": "virus", "wolves": "wolf", "women": "woman",
}  # fmt: skip
"""Plurals that no rule forms."""

NO_PLURAL = frozenset({
    "always", "asparagus", "bagpipes", "binoculars", "bus", "cactus", "canvas", "christmas", "clothes", "darts",
    "gas", "glasses", "goggles", "headphones", "hippopotamus", "iris", "jeans", "lens", "octopus", "pants",
    "platypus", "rhinoceros", "scissors", "shorts", "species", "sports", "sunglasses", "this", "tennis",
    "trousers", "walrus",
})  # fmt: skip
"""Words with an ``s`` that is not a plural, or whose plural is the name."""

NOUNS_IN_ING = frozenset({
    "building", "ceiling", "clothing", "conditioning", "duckling", "earring", "king", "lightning", "morning", "offspring",
    "pudding", "ring", "sibling", "sling", "spring", "starling", "sting", "string", "swing", "thing", "wing", "yearling",
})  # fmt: skip
"""Words that end in ``ing`` and say nothing of a deed."""

SOUND_WORDS = frozenset({
    "alarm", "bang", "bark", "beat", "beep", "beeps", "bleat", "blip", "boom", "bounce", "bow-wow", "buzz", "cackle",
    "call", "caw", "chant", "chatter", "chirp", "chirrup", "chorus", "clang", "clap", "clatter", "click", "clink",
    "clip-clop", "cluck", "conversation", "coo", "cough", "crack", "crackle", "crash", "creak", "croak", "cry", "drone",
    "echo", "growl", "grunt", "hiccup", "hiss", "honk", "hoot", "howl", "hum", "impact", "jingle", "knock", "laugh",
    "laughter", "melody", "meow", "moan", "moo", "murmur", "music", "noise", "oink", "pant-hoot", "purr", "quack",
    "rattle", "ring", "ringtone", "roar", "rumble", "rustle", "scream", "screech", "shout", "shriek", "sigh", "siren",
    "slam", "smash", "snap", "sneeze", "snore", "sob", "song", "sound", "speech", "splash", "squawk", "squeak",
    "squeal", "talk", "thud", "thump", "tick", "toot", "tweet", "vocalization", "voice", "vroom", "wail", "whimper",
    "whine", "whir", "whisper", "whistle", "whoosh", "woof", "yell", "yelp",
})  # fmt: skip
"""Nouns for what is heard."""

ACTION_WORDS = frozenset({
    "acceleration", "activity", "burst", "drill", "drive", "explosion", "flight", "flyby", "flyover", "hit", "launch",
    "move", "open", "close", "play", "race", "ride", "run", "sharpen", "shot", "start", "stop", "strike", "use", "work",
})  # fmt: skip
"""Words for what is done, where they are not in ``-ing``."""

BETWEEN = frozenset(
    {"at", "by", "from", "in", "inside", "into", "near", "of", "on", "onto", "over", "under", "with"}
)
"""Prepositions: what follows is not what the phrase is about."""

EMPTY = frozenset(
    {
        "a",
        "an",
        "and",
        "another",
        "etc",
        "no",
        "not",
        "or",
        "out",
        "off",
        "some",
        "someone",
        "something",
        "the",
        "to",
        "up",
    }
)
"""Words that name nothing."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One of the alternatives of a sound class: ``driving motorcycle``, or ``wasp`` in ``bee, wasp, etc. buzzing``.

    ``words`` are all words as base forms; ``deeds`` those in ``-ing``; ``things`` the words of what it is about, in
    their order (the last one is the head noun); ``others`` what stands after the deed or a preposition.
    """

    words: tuple[str, ...]
    deeds: tuple[str, ...]
    things: tuple[str, ...]
    others: tuple[str, ...]


def normalised(name: str) -> str:
    """Write a sound class so that spellings that mean the same are the same: no capitals, single spaces.

    >>> normalised(" Cow  Lowing")
    'cow lowing'
    """
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def base_form(word: str) -> str:
    """Return the singular of a word.

    >>> [base_form(word) for word in ("buses", "sheep", "wolves", "canaries", "houses", "bus", "glass", "churches")]
    ['bus', 'sheep', 'wolf', 'canary', 'house', 'bus', 'glass', 'church']
    """
    if word in IRREGULAR:
        return IRREGULAR[word]
    if word in NO_PLURAL or not word.endswith("s") or word.endswith(("ss", "us", "is")) or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 5:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes", "oes")):
        return word[:-2]
    return word[:-1]


def is_deed(word: str) -> bool:
    """Say whether a word is a verb in ``-ing``."""
    return word.endswith("ing") and len(word) > 4 and word not in NOUNS_IN_ING


def stems(deed: str) -> tuple[str, ...]:
    """Return the words that a verb in ``-ing`` may come from.

    >>> stems("hammering"), stems("drumming"), stems("skiing")
    (('hammer', 'hammere'), ('drumm', 'drumme', 'drum'), ('ski', 'skie'))
    """
    stem = deed.removesuffix("ing")
    doubled = (stem[:-1],) if len(stem) > 3 and stem[-1] == stem[-2] else ()
    return (stem, f"{stem}e", *doubled)


def tokens(text: str) -> tuple[str, ...]:
    """Return the words of a text in lower case, as base forms."""
    return tuple(base_form(word) for word in re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", normalised(text)))


def phrases(sound_class: str) -> tuple[Phrase, ...]:
    """Split a sound class at its commas, and each part into what it is about and the rest.

    >>> [phrase.things for phrase in phrases("female speech, woman speaking")]
    [('female',), ('woman',)]
    >>> phrases("woodpecker pecking tree")[0].things, phrases("typing on computer keyboard")[0].things
    (('woodpecker',), ('computer', 'keyboard'))
    """
    whole = re.sub(r"[()\[\]]", " ", sound_class)
    found = [_phrase(tokens(part)) for part in whole.split(",")]
    return tuple(phrase for phrase in found if phrase.words)


def _phrase(words: tuple[str, ...]) -> Phrase:
    deeds = tuple(word for word in words if is_deed(word))
    sections: list[list[str]] = [[]]
    for word in words:
        if is_deed(word) or word in BETWEEN:
            sections.append([])
        elif word not in EMPTY:
            sections[-1].append(word)
    named = [tuple(w for w in section if w not in SOUND_WORDS | ACTION_WORDS) for section in sections]
    full = [section for section in named if section]
    return Phrase(
        words, deeds, full[0] if full else (), tuple(word for section in full[1:] for word in section)
    )
