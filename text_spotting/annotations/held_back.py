"""Which pictures are never trained on, so that a model can be measured on the like of what it was trained on.

Recipes leave out exactly what measuring takes: both ask here.
"""

from collections.abc import Iterable, Sequence

from text_spotting.annotations.records import AnnotatedImage

EVERY = 10
FIRST = 9
"""Of the file names in plain order those at places 9, 19, 29, ... are held back."""


def held_back(names: Iterable[str]) -> frozenset[str]:
    """The names of a set's pictures that are for measuring alone; the set must be given whole.

    Args:
        names: file names with their endings, in any order; a name given twice counts once.
    """
    return frozenset(sorted(set(names))[FIRST::EVERY])


def split_held_back(images: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], list[AnnotatedImage]]:
    """Pictures to train on and pictures to measure on, each part in the given order; the set must be given whole."""
    apart = held_back(image.path.name for image in images)
    train = [image for image in images if image.path.name not in apart]
    return train, [image for image in images if image.path.name in apart]


def crop_owners(images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """The picture that each of ICDAR 2015's word crops ``word_1``, ``word_2``, ... was cut from.

    Args:
        images: the set's pictures in natural order; its crops are its legible words one after the other.
    """
    return [image for image in images for word in image.words if not word.ignore]
