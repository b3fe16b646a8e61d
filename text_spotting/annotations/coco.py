"""COCO with text itself: to check it, merge it with others, or read the OpenImages V5 text annotations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from text_spotting.annotations.checks import Checked, agreed_size, annotated, checked_word
from text_spotting.annotations.coco_records import CATEGORY
from text_spotting.annotations.dataset_file import read_known
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled


@dataclass(frozen=True)
class CocoWithText:
    """A file of the format that ``create_dataset`` writes; both keys, ``text`` and ``attributes``, are understood.

    Attributes:
        root: folder that the others are relative to.
        annotation_path: the JSON file.
        images_folder: folder that its file names are relative to; by default the folder of the JSON file.
        label: name of the category of words, in any case.
    """

    root: Path
    annotation_path: str
    images_folder: str | None = None
    label: str = CATEGORY

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image."""
        images_folder = None if self.images_folder is None else self.root / self.images_folder
        yield from _checked(self.root / self.annotation_path, images_folder, problems, self.label)


@dataclass(frozen=True)
class OpenImagesV5Text:
    """``text_spotting_openimages_v5_<set>.json`` with the images in folders beside it, as its file names say.

    Attributes:
        root: folder that ``folder`` is relative to.
        sets: among ``train_1``, ``train_2``, ``train_5``, ``train_f`` and ``validation``.
    """

    root: Path
    folder: str
    sets: Sequence[str] = ("train_1", "train_2", "train_5", "train_f")

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the sets."""
        for name in self.sets:
            file = self.root / self.folder / f"text_spotting_openimages_v5_{name}.json"
            yield from _checked(file, None, problems)


def _checked(
    file: Path, images_folder: Path | None, problems: Problems, label: str = CATEGORY
) -> Iterator[AnnotatedImage]:
    for image in read_known(file, images_folder, problems, label):
        place = f"{file}: {image.path.name}"
        size = agreed_size(image.path, (image.width, image.height), place, problems)
        if size is not None:
            words = [_word(labelled(word), size, f"{place}, word {k}", problems) for k, word in enumerate(image.words)]
            yield from annotated(image.path, size, words, place, problems)


def _word(word: LabelledWord, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    checked = checked_word(
        word.polygon,
        size,
        place,
        problems,
        text=word.text,
        legible=word.legible,
        language=word.language,
        attributes=word.attributes,
    )
    return replace(checked, score=word.score) if isinstance(checked, LabelledWord) else checked
