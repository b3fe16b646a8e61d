"""What is written on the synthetic images: words, numbers, prices, plates and the lines that they form."""

import functools
import random
import string
from collections.abc import Callable
from importlib import resources

Rng = random.Random

_CASES = ("upper", "title", "lower", "mixed")
_CASE_SHARES = (0.55, 0.28, 0.15, 0.02)
_LETTERS = string.ascii_uppercase
_DIGITS = string.digits


@functools.cache
def vocabulary() -> dict[str, tuple[str, ...]]:
    """Lower-case words by tier: signs, common, usual, wide, names. Sources and licence: the head of each file."""
    tiers: dict[str, list[str]] = {}
    for name in ("words.txt", "signs.txt"):
        words: list[str] = []
        for line in resources.files(__package__).joinpath(name).read_text("utf-8").splitlines():
            if line.startswith("["):
                words = tiers.setdefault(line.strip("[]"), [])
            elif not line.startswith("#"):
                words.extend(line.split())
    return {tier: tuple(words) for tier, words in tiers.items()}


def digits(rng: Rng, count: int) -> str:
    """Return ``count`` random digits."""
    return "".join(rng.choices(_DIGITS, k=count))


def letters(rng: Rng, count: int) -> str:
    """Return ``count`` random capitals."""
    return "".join(rng.choices(_LETTERS, k=count))


def apply_case(rng: Rng, word: str) -> str:
    """Set the case as signs do: mostly capitals, then Title, then lower."""
    case = rng.choices(_CASES, _CASE_SHARES)[0]
    if case == "upper":
        return word.upper()
    if case == "title":
        return word.capitalize()
    return word if case == "lower" else "".join(rng.choice((c, c.upper())) for c in word)


def _tier(name: str) -> Callable[[Rng], str]:
    def make(rng: Rng) -> str:
        words = vocabulary()[name]
        chosen = rng.choice(words)
        if rng.random() < 0.6:  # signs are written in shorter words than dictionaries are
            chosen = min(chosen, rng.choice(words), key=len)
        return apply_case(rng, chosen)

    return make


def _compound(rng: Rng) -> str:
    tiers = vocabulary()
    first, second = (rng.choice(tiers[rng.choice(("signs", "common"))])[:7] for _ in range(2))
    return rng.choice((first.capitalize() + second.capitalize(), (first + second).upper(), first + second))


def _fragment(rng: Rng) -> str:
    """A piece of a word, as left by an edge or a pillar, or letters that mean nothing."""
    if rng.random() < 0.5:
        return apply_case(rng, letters(rng, rng.randint(2, 6)).lower())
    word = rng.choice(vocabulary()["wide"])
    start = rng.randrange(max(1, len(word) - 2))
    return apply_case(rng, word[start : start + rng.randint(3, 6)])


def _number(rng: Rng) -> str:
    if rng.random() < 0.15:
        return str(rng.randint(1950, 2035))
    return digits(rng, rng.choices((1, 2, 3, 4, 5, 6, 8), (10, 22, 30, 18, 8, 6, 6))[0])


def _code(rng: Rng) -> str:
    """Stations, levels, gates, sizes, models: letters and digits together."""
    return rng.choice(
        (
            lambda: letters(rng, rng.randint(1, 2)) + digits(rng, rng.randint(1, 3)),
            lambda: digits(rng, rng.randint(1, 3)) + letters(rng, rng.randint(1, 2)),
            lambda: (
                digits(rng, rng.randint(1, 3)) + rng.choice(("am", "pm", "kg", "GB", "ml", "km", "mm", "th", "HRS"))
            ),
            lambda: "".join(rng.choices(_LETTERS + _DIGITS, k=rng.randint(4, 9))),
            lambda: rng.choice(("LEVEL", "Gate", "Block", "B", "L", "Room", "T")) + digits(rng, rng.randint(1, 2)),
        )
    )()


def _plate(rng: Rng) -> str:
    return letters(rng, rng.randint(2, 3)) + digits(rng, rng.randint(2, 4)) + letters(rng, rng.randint(0, 2))


def _price(rng: Rng) -> str:
    sign = rng.choice(("$", "$", "£", "€", "S$", ""))
    return sign + rng.choice(
        (f"{rng.randint(1, 99)}.{rng.choice(('00', '50', '90', '99', '95'))}", digits(rng, 2), "1,299")
    )


def _phone(rng: Rng) -> str:
    if rng.random() < 0.6:
        return digits(rng, rng.choice((7, 8, 10)))
    return rng.choice(
        (f"{digits(rng, 4)}-{digits(rng, 4)}", f"+{digits(rng, 2)}-{digits(rng, 7)}", f"1800-{digits(rng, 4)}")
    )


def _time(rng: Rng) -> str:
    hour, minute = rng.randint(0, 23), rng.choice((0, 15, 30, 45, rng.randint(0, 59)))
    return rng.choice((f"{hour}:{minute:02d}", f"{hour:02d}.{minute:02d}", f"{1 + hour % 12}-{1 + minute % 9}pm"))


def _unit(rng: Rng) -> str:
    return rng.choice(
        (f"#{digits(rng, 2)}-{digits(rng, 2)}", f"{digits(rng, 2)}-{digits(rng, 3)}", f"[{digits(rng, 2)}]")
    )


def _percent(rng: Rng) -> str:
    return f"{rng.choice((10, 15, 20, 25, 30, 40, 50, 60, 70, 80))}%"


def _address(rng: Rng) -> str:
    name = rng.choice(vocabulary()["signs"]) + rng.choice(vocabulary()["common"])[:5]
    return rng.choice((f"www.{name}.com", f"{name}.com", f"@{name}", f"#{name}"))


_KINDS: tuple[tuple[Callable[[Rng], str], float], ...] = (
    (_tier("signs"), 24),
    (_tier("common"), 20),
    (_tier("usual"), 12),
    (_tier("wide"), 13),
    (_tier("names"), 9),
    (_compound, 2),
    (_fragment, 4),
    (_number, 6),
    (_code, 3),
    (_plate, 1),
    (_price, 1.5),
    (_phone, 1),
    (_time, 0.7),
    (_unit, 0.7),
    (_percent, 0.7),
    (_address, 0.4),
)
_MAKERS = tuple(maker for maker, _ in _KINDS)
_WEIGHTS = tuple(weight for _, weight in _KINDS)

LONG = (12, 26)
"""Least and most letters of a long word."""

DECORATIONS = ("{}.", "{},", "{}!", "{}?", "{}:", "({})", '"{}"', "{}'s", "'{}'", "{}-", "&{}", "{}...", "*{}")
"""Marks that stand around words."""


def word(rng: Rng, punctuation: float = 0.04) -> str:
    """Return one word as it stands in an image, case and punctuation included.

    Args:
        punctuation: share of words that carry a mark or quotes around them.
    """
    text = rng.choices(_MAKERS, _WEIGHTS)[0](rng)
    if punctuation and rng.random() < punctuation:
        return rng.choice(DECORATIONS).format(text)
    return text


def long_word(rng: Rng) -> str:
    """Return a word of ``LONG`` letters or more: one from the vocabulary, or two written as one."""
    tiers = vocabulary()
    if rng.random() < 0.5:
        long = [word for word in tiers["wide"] if LONG[0] <= len(word) <= LONG[1]]
        return apply_case(rng, rng.choice(long))
    while True:
        first, second = (rng.choice(tiers[rng.choice(("signs", "common", "usual"))]) for _ in range(2))
        if LONG[0] <= len(first + second) <= LONG[1]:
            return apply_case(rng, first + second)


def line(rng: Rng, count: int) -> list[str]:
    """Return ``count`` words that stand side by side: one case for all of them more often than not."""
    words = [word(rng) for _ in range(count)]
    if rng.random() < 0.3:
        return words
    fold = rng.choices((str.upper, str.capitalize, str.lower), _CASE_SHARES[:3])[0]
    return [fold(text) for text in words]
