"""ICDAR 2019 ArT (arbitrary-shaped text): one JSON for all images, polygons with any number of points."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, Rejection, annotated, checked_word, find_image, image_size
from text_spotting.annotations.lines import numbered_lines
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.values import MalformedError, mapping, sequence, shown, text, truth

LATIN = "latin"


@dataclass(frozen=True)
class ICDAR2019ART:
    """``train_labels.json`` is ``{"gt_0": [{points, transcription, language, illegibility}, ...]}``.

    Attributes:
        root: folder that the others are relative to.
        folder: holds ``train_images`` and ``train_labels.json``.
        is_latin_required: keep only images with at least one Latin word (all words of these are kept).
        exclude_totaltext_test: leave out images that are also Total-Text test images, so that a test on Total-Text
            stays honest; needs the two following.
        totaltext_to_art_path: the list of Total-Text names against ArT names that Total-Text publishes.
        totaltext_test_images_dir: the folder of Total-Text test images.
    """

    root: Path
    folder: str
    is_latin_required: bool = False
    exclude_totaltext_test: bool = False
    totaltext_to_art_path: str = ""
    totaltext_test_images_dir: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the label file."""
        folder = self.root / self.folder
        file = folder / "train_labels.json"
        excluded = self._totaltext_test(problems) if self.exclude_totaltext_test else set()
        for name, records in load_object(file).items():
            if name in excluded:
                continue
            place = f"{file}: {shown(name)}"
            path = find_image(folder / "train_images", name, place, problems)
            size = image_size(path, place, problems)
            if size is None:
                continue
            words = list(_words(records, size, place, problems))
            latin = (isinstance(word, LabelledWord) and word.language.lower() == LATIN for word in words)
            if not self.is_latin_required or any(latin):
                yield from annotated(path, size, words, place, problems)

    def _totaltext_test(self, problems: Problems) -> set[str]:
        """ArT names of the Total-Text test images."""
        table, folder = self.root / self.totaltext_to_art_path, self.root / self.totaltext_test_images_dir
        if not table.is_file() or not folder.is_dir():
            raise UserError(
                "ICDAR2019ART: exclude_totaltext_test needs totaltext_to_art_path (a file) and "
                f"totaltext_test_images_dir (a folder); {table if not table.is_file() else folder} does not exist"
            )
        test = {path.stem.lower() for path in folder.iterdir()}
        names = set()
        for place, line in numbered_lines(table, problems):
            numbers = re.findall(r"\d+", line)
            if len(numbers) != 2:
                problems.add("not a pair of Total-Text and ArT names: passed over", place, line[:80])
            elif f"img{numbers[0]}" in test:
                names.add(f"gt_{numbers[1]}")
        return names


def _words(records: Any, size: tuple[int, int], place: str, problems: Problems) -> Iterator[Checked]:
    if not isinstance(records, list):
        problems.add("not a list of words: dropped", place, shown(records))
        yield Rejection.UNUSABLE
        return
    for index, record in enumerate(records):
        try:
            yield _word(record, size, f"{place}[{index}]", problems)
        except MalformedError as error:
            problems.add("not a word: dropped", f"{place}[{index}]", str(error))
            yield Rejection.UNUSABLE


def _word(record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    entry = mapping(record)
    return checked_word(
        sequence(entry.get("points")),
        size,
        place,
        problems,
        text=text(entry.get("transcription")),
        legible=not truth(entry.get("illegibility", False)),
        language=text(entry.get("language")),
    )
