"""VGG-Sound's groups: what kinds of things a class of theirs can be, and what to say where no name fits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from vggss.annotations import sound_classes
from vggss.pipeline.class_match.kinds import Kind, is_under
from vggss.pipeline.class_match.words import EMPTY, normalised, phrases, tokens

DIFFUSE = frozenset({
    "atmosphere", "avalanche", "blizzard", "breeze", "cloudburst", "cyclone", "downpour", "drizzle", "earthquake", "fire",
    "fog", "gale", "gust", "hail", "hailstone", "hailstorm", "heartbeat", "hurricane", "ice", "lightning", "mist",
    "monsoon", "rain", "raindrop", "rainfall", "rainstorm", "rainy", "sandstorm", "sea", "silence", "sky", "sleet", "snow",
    "snowfall", "snowstorm", "snowy", "squall", "steam", "storm", "stormy", "surf", "thunder", "thunderclap",
    "thunderstorm", "tide", "tornado", "typhoon", "underwater", "wave", "weather", "wind", "windstorm", "windy",
})  # fmt: skip
"""Words for what has no outline: a class about nothing else has no visible object."""

UNSEEN_DEEDS = frozenset({
    "blowing", "bubbling", "cracking", "crackling", "crashing", "drizzling", "falling", "gusting", "hailing", "howling",
    "lapping", "pattering", "pouring", "raining", "roaring", "rolling", "rumbling", "rustling", "sleeting", "snowing",
    "storming", "thundering",
})  # fmt: skip
"""What weather and waves do."""

BESIDE_DIFFUSE = UNSEEN_DEEDS | frozenset({
    "ambience", "background", "beach", "big", "boom", "clap", "close", "coast", "crack", "crackle", "crash", "day",
    "distant", "evening", "far", "gentle", "heavy", "hiss", "howl", "light", "loud", "morning", "murmur", "night",
    "noise", "outside", "patter", "roar", "rumble", "rustle", "shore", "soft", "sound", "splash", "strong", "whoosh",
})  # fmt: skip
"""Words that make nothing visible beside those: when, where, how loud. An alarm, a siren, a whistle are things."""

SCENERY = frozenset({
    "brook", "creek", "lake", "liquid", "mud", "ocean", "river", "water", "waterfall",
})  # fmt: skip
"""Words for what can be seen and is not a thing: no OpenImages class names it, a person may still draw a box."""

PEOPLE = {
    "baby": ("Person", "Girl", "Boy"), "boy": ("Boy",), "child": ("Person", "Girl", "Boy"), "female": ("Woman",),
    "girl": ("Girl",), "infant": ("Person", "Girl", "Boy"), "kid": ("Person", "Girl", "Boy"), "lady": ("Woman",),
    "male": ("Man",), "man": ("Man",), "toddler": ("Person", "Girl", "Boy"), "woman": ("Woman",),
}  # fmt: skip
"""Words for people, and what OpenImages calls them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What things a group is about: kinds under ``within`` (empty: all) and not under ``without``; the kind to fall back to."""

    within: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    fallback: str = ""
    by_vectors: bool = True  # a near neighbour in word vectors is taken for the thing itself

    by_hand: bool = False  # what is done to a thing without a name is put down to the person who does it

    guessed: bool = (
        False  # by single words of the class: it refuses no class of OpenImages that is named in full
    )

    def holds(self, kind: Kind) -> bool:
        """Say whether a class of OpenImages comes into question."""
        return (not self.within or is_under(kind, self.within)) and not is_under(kind, self.without)


OBJECTS = Scope(without=frozenset({"Animal", "Person", "Clothing"}), by_hand=True)
SCOPES = {
    "animals": Scope(frozenset({"Animal"}), frozenset({"Teddy bear"}), "Animal"),
    "music": Scope(frozenset({"Musical instrument"}), fallback="Musical instrument", by_vectors=False),
    "vehicle": Scope(frozenset({"Vehicle", "Tool"}), frozenset({"Container", "Kitchen utensil"}), "Vehicle"),
    "people": Scope(frozenset({"Person"}), fallback="Person"),
    "sports": Scope(frozenset({"Person", "Sports equipment", "Vehicle"}), fallback="Person"),
    "tools": OBJECTS,
    "home": OBJECTS,
    "others": OBJECTS,
    "nature": OBJECTS,
    "": Scope(),
}
"""By group; the empty name for a class of which nothing is known."""


BY_VGGSOUND = "VGG-Sound"
"""Who tells the group of a class that VGG-Sound has; of others it is guessed."""

NO_VOTE = DIFFUSE | SCENERY | frozenset({"noise", "sound"})
"""Words that say nothing of the group of a class: snow lies under footsteps, under a plow and under skis."""


@lru_cache(maxsize=1)
def own_spellings() -> dict[str, str]:
    """Return the 309 classes, as VGG-Sound writes them, by their normalised name."""
    return {normalised(name): name for name in sound_classes()}


def own_spelling(sound_class: str) -> str:
    """Return a sound class as VGG-Sound writes it; one that it does not have comes back as it is.

    >>> own_spelling("Cow  Lowing"), own_spelling("Cow  Mooing")
    ('cow lowing', 'Cow  Mooing')
    """
    return own_spellings().get(normalised(sound_class), sound_class)


@lru_cache(maxsize=1)
def _votes() -> dict[str, Counter[str]]:
    """Count for each word of the 309 classes the groups it stands in."""
    votes: dict[str, Counter[str]] = {}
    for known in sound_classes().values():
        for word in set(tokens(known.name)) - EMPTY - NO_VOTE:
            votes.setdefault(word, Counter())[known.group] += 1
    return votes


def is_about_people(word: str) -> bool:
    """Say whether a word stands among VGG-Sound's classes in the group of people alone, as a crowd does."""
    return set(_votes().get(word, ())) == {"people"}


def group_of(sound_class: str) -> tuple[str, str]:
    """Return the group of a sound class, and what tells it.

    A class that VGG-Sound does not have takes the group in which most of its words stand there, if two thirds agree.

    >>> group_of("playing kora")[0], group_of("wolf howling")[0], group_of("teleporter")
    ('music', 'animals', ('', ''))
    """
    known = sound_classes().get(own_spelling(sound_class))
    if known is not None:
        return known.group, BY_VGGSOUND
    shares: dict[str, float] = {}
    telling: dict[str, list[str]] = {}
    for word in dict.fromkeys(word for phrase in phrases(sound_class) for word in phrase.words):
        votes = _votes().get(word)
        if votes:
            for group, number in votes.items():
                shares[group] = shares.get(group, 0.0) + number / votes.total()
                telling.setdefault(group, []).append(word)
    group, most = min(shares.items(), key=lambda item: (-item[1], item[0]), default=("", 0.0))
    if group in ("", "nature") or most < 2 / 3 * sum(
        shares.values()
    ):  # a wind turbine has a word of nature, too
        return "", ""
    return group, f"the word {', '.join(repr(word) for word in telling[group])} in VGG-Sound"
