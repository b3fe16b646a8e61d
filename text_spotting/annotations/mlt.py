"""ICDAR 2017 and 2019 MLT (multi-lingual text): lines ``x1,y1,...,x4,y4,language,text``."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from text_spotting.annotations.checks import Checked, annotated, checked_word, image_size
from text_spotting.annotations.icdar import annotation_files
from text_spotting.annotations.lines import parse_lines, read_each
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.image_files import is_image

LATIN = "latin"


@dataclass(frozen=True)
class ICDAR2017MLT:
    """Images ``img_1.jpg`` or ``.png`` in up to eight folders, annotations ``gt_img_1.txt``.

    Attributes:
        root: folder that ``folder`` is relative to.
        folder: holds ``ch8_training_images_1`` ... ``_8`` (or ``ch8_training_images``), ``ch8_validation_images`` and
            the two folders ``ch8_..._localization_transcription_gt_v2``.
        subset: ``train`` or ``val``.
        is_latin_required: keep only images with at least one Latin word (all words of these are kept).
    """

    root: Path
    folder: str
    subset: str
    is_latin_required: bool = False

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        parts = {"train": "training", "val": "validation"}
        if self.subset not in parts:
            raise UserError(f"ICDAR2017MLT: subset must be one of {', '.join(parts)}, not {self.subset!r}")
        part, folder = parts[self.subset], self.root / self.folder
        images = sorted(folder.glob(f"ch8_{part}_images*"))
        truth = folder / f"ch8_{part}_localization_transcription_gt_v2"
        yield from _read(truth, images, self.is_latin_required, problems)


@dataclass(frozen=True)
class ICDAR2019MLT:
    """Images ``tr_img_00001.jpg`` or ``.png`` in ``ImagesPart1`` and ``2``, annotations in ``train_gt_t13``.

    Attributes:
        root: folder that ``folder`` is relative to.
        is_latin_required: keep only images with at least one Latin word (all words of these are kept).
    """

    root: Path
    folder: str
    is_latin_required: bool = False

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image that has an annotation file."""
        folder = self.root / self.folder
        images = sorted(folder.glob("ImagesPart*"))
        yield from _read(folder / "train_gt_t13", images, self.is_latin_required, problems)


def _read(
    truth: Path, image_folders: Sequence[Path], is_latin_required: bool, problems: Problems
) -> Iterator[AnnotatedImage]:
    images = {path.stem: path for folder in image_folders for path in folder.rglob("*") if is_image(path)}

    def read(file: Path) -> Iterator[AnnotatedImage]:
        stem = file.stem.removeprefix("gt_")
        path = images.get(stem, truth.parent / f"{stem}.jpg")
        size = image_size(path, str(file), problems)
        if size is None:
            return
        words = list(_words(file, size, problems))
        latin = (isinstance(word, LabelledWord) and word.language.lower() == LATIN for word in words)
        if not is_latin_required or any(latin):
            yield from annotated(path, size, words, str(file), problems)

    yield from read_each(annotation_files(truth), read, problems)


def _words(file: Path, size: tuple[int, int], problems: Problems) -> Iterator[Checked]:
    for line in parse_lines(file, problems, numbers=8, fields=1):
        yield checked_word(line.numbers, size, line.place, problems, text=line.rest, language=line.fields[0])
