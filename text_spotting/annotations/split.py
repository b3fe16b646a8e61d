"""Shuffling and splitting by seed, always whole images."""

import random
from collections.abc import Sequence

from text_spotting.annotations.records import AnnotatedImage


def shuffled(images: Sequence[AnnotatedImage], seed: int) -> list[AnnotatedImage]:
    """Return the images in an order that depends on the seed only."""
    order = list(images)
    random.Random(seed).shuffle(order)
    return order


def train_val_split(
    images: Sequence[AnnotatedImage], val_share: float, seed: int
) -> tuple[list[AnnotatedImage], list[AnnotatedImage]]:
    """Split at random, each part in the given order.

    Args:
        val_share: share of images in the second part, 0..1, rounded to the nearest whole number of images.
    """
    chosen = set(random.Random(seed).sample(range(len(images)), round(val_share * len(images))))
    train = [image for index, image in enumerate(images) if index not in chosen]
    return train, [images[index] for index in sorted(chosen)]
