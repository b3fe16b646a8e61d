"""Find and read words in photos: training, evaluation, export and runtime.

::

    from text_spotting import Spotter

    words = Spotter()("photo.jpg")
    print(words.text)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from text_spotting.draw import draw_words
    from text_spotting.errors import UserError
    from text_spotting.result.found import Words
    from text_spotting.runtime.spotter import Spotter
    from text_spotting.words import Word

__version__ = "0.1.0"
__all__ = ["Spotter", "UserError", "Word", "Words", "__version__", "draw_words"]

_HOMES = {
    "Spotter": "text_spotting.runtime.spotter",
    "UserError": "text_spotting.errors",
    "Word": "text_spotting.words",
    "Words": "text_spotting.result.found",
    "draw_words": "text_spotting.draw",
}
"""Loaded with their first use: importing the package costs nothing."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
