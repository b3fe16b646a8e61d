"""Which images are never trained on, so that a model can be measured on the like of what it was trained on.

Recipes leave out exactly what measuring takes: both ask here.
"""

from collections.abc import Iterable, Sequence

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError

EVERY = 10
FIRST = 9
"""Of the file names in plain order those at places 9, 19, 29, ... are held back."""


def held_back(names: Iterable[str]) -> frozenset[str]:
    """The names of a set's images that are for measuring alone; the set must be given whole.

    Args:
        names: file names with their endings, in any order; a name given twice counts once.
    """
    return frozenset(sorted(set(names))[FIRST::EVERY])


def split_held_back(images: Sequence[AnnotatedImage]) -> tuple[list[AnnotatedImage], list[AnnotatedImage]]:
    """Images to train on and images to measure on, each part in the given order; the set must be given whole."""
    apart = held_back(image.path.name for image in images)
    train = [image for image in images if image.path.name not in apart]
    return train, [image for image in images if image.path.name in apart]


def split_crops(
    crops: Sequence[AnnotatedImage], photos: Sequence[AnnotatedImage]
) -> tuple[list[AnnotatedImage], list[AnnotatedImage]]:
    """Word crops of photos to train on and of photos that are held back.

    Args:
        crops: ICDAR 2015's ``word_1``, ``word_2``, ... in this order.
        photos: what they were cut from, whole and in natural order.

    Raises:
        UserError: they do not belong together.
    """
    owners = crop_owners(crops, photos)
    apart = held_back(photo.path.name for photo in photos)
    pairs = list(zip(crops, owners, strict=True))
    return [crop for crop, owner in pairs if owner not in apart], [crop for crop, owner in pairs if owner in apart]


def crop_owners(crops: Sequence[AnnotatedImage], photos: Sequence[AnnotatedImage]) -> list[str]:
    """File name of the photo that each crop was cut from; see ``split_crops``.

    The crops of a set are the legible words of its photos one after the other.
    """
    said = [(photo.path.name, word.text) for photo in photos for word in photo.words if not word.ignore]
    if [text for _, text in said] != [crop.words[0].text if crop.words else "" for crop in crops]:
        raise UserError(f"{len(crops)} word crops do not say what the {len(said)} legible words of the photos do")
    return [name for name, _ in said]
