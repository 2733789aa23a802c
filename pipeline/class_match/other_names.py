"""Names of animals that OpenImages has under another name: the young, the sexes, and those whose last word misleads."""

from __future__ import annotations

_OTHERS = {
    "Carnivore": "mountain lion, raccoon dog",
    "Cat": "kitten, kitty, tomcat",
    "Cattle": "calf, cow, heifer, ox, steer",
    "Chicken": "chick, cockerel, hen, rooster",
    "Deer": "fawn, stag",
    "Dog": "hound, pup, puppy",
    "Duck": "drake, duckling",
    "Goose": "gander, gosling",
    "Horse": "colt, filly, foal, mare, pony, stallion",
    "Mammal": "guinea pig, prairie dog",
    "Marine mammal": "sea cow",
    "Pig": "boar, hog, piglet, swine",
    "Sheep": "ewe, lamb",
}

OTHER_NAMES = {tuple(name.split()): kind for kind, names in _OTHERS.items() for name in names.split(", ")}
"""The name that OpenImages has, by the words of the other one."""
