"""Words of a set read on their own: (image, truth, reading) for each."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from text_spotting.evaluation.broad.frames import found_frame, true_frame, whole_frame
from text_spotting.evaluation.broad.readers import Reader
from text_spotting.evaluation.evaluate import compare
from text_spotting.evaluation.protocols import protocol
from text_spotting.image_files import read_image
from text_spotting.words import FloatArray, Image, Word

if TYPE_CHECKING:
    from text_spotting.evaluation.broad.sets import CropSet, ImageSet

Readings = list[tuple[str, str, str]]
"""(image, truth, reading)."""
Framed = tuple[str, str, FloatArray]
"""(image, truth, frame)."""


class FramedImage(NamedTuple):
    """An image and what is to be read in it; the pixels are only asked for where there is something."""

    pixels: Callable[[], Image]
    words: Sequence[Framed]


_AT_ONCE = 512
"""Words that are cut out before they are read together."""


def crop_frames(crops: "CropSet", index: int) -> tuple[Image, list[Framed]]:
    """A crop's pixels and its word; a word that fills its crop is read as the crop is."""
    crop = crops.images[index]
    pixels = read_image(crop.path)
    words = [word for word in crop.words if word.text]
    whole = (0.0, 0.0, float(crop.width), float(crop.height))
    return pixels, [
        (crops.groups[index], word.text, whole_frame(pixels) if word.box == whole else true_frame(word.polygon))
        for word in words
    ]


def true_frames(images: "ImageSet", index: int, name: str) -> list[Framed]:
    """The words of an image that can be read, in their true frames."""
    counts = protocol("f1").counts
    return [(name, word.text, true_frame(word.polygon)) for word in images.truth(index) if counts(word)]


def found_words(truth: Sequence[Word], found: Sequence[Word]) -> list[tuple[Word, Word]]:
    """Pairs (true, found) of the words that were found and whose text is known."""
    image = compare([truth], [found])[0]
    return [(truth[true], found[predicted]) for true, predicted in image.match(protocol("f1")).pairs]


def found_frames(truth: Sequence[Word], found: Sequence[Word], name: str) -> list[Framed]:
    """The same words in the frames in which a spotter found them; those that it missed are left out."""
    return [(name, true.text, found_frame(one.polygon)) for true, one in found_words(truth, found)]


def read_all(reader: Reader, images: Iterable[FramedImage], count: int) -> Iterator[Readings]:
    """Yield, for each of ``count`` images, what has been read by then; words of many are read together."""
    waiting: list[tuple[str, str]] = []
    cuts: list[Any] = []
    for number, shown in enumerate(images, start=1):
        pixels = shown.pixels() if shown.words else None
        for image, truth, frame in shown.words:
            assert pixels is not None
            waiting.append((image, truth))
            cuts.append(reader.cut(pixels, frame))
        if len(cuts) < _AT_ONCE and number < count:
            yield []
            continue
        texts = reader.read(cuts) if cuts else []
        yield [(image, truth, text) for (image, truth), text in zip(waiting, texts, strict=True)]
        waiting.clear()
        cuts.clear()
