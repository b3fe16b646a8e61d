"""ICDAR 2019 ArT (arbitrary-shaped text): one JSON for all pictures, polygons with any number of points."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import checked_word, find_picture, picture_size
from text_spotting.annotations.json_files import load_object
from text_spotting.annotations.lines import numbered_lines
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError

LATIN = "latin"


@dataclass(frozen=True)
class ICDAR2019ART:
    """``train_labels.json`` is ``{"gt_0": [{points, transcription, language, illegibility}, ...]}``.

    Attributes:
        root: folder that the others are relative to.
        folder: holds ``train_images`` and ``train_labels.json``.
        is_latin_required: keep only pictures with at least one Latin word (all words of these are kept).
        exclude_totaltext_test: leave out pictures that are also Total-Text test pictures, so that a test on Total-Text
            stays honest; needs the two following.
        totaltext_to_art_path: the list of Total-Text names against ArT names that Total-Text publishes.
        totaltext_test_images_dir: the folder of Total-Text test pictures.
    """

    root: Path
    folder: str
    is_latin_required: bool = False
    exclude_totaltext_test: bool = False
    totaltext_to_art_path: str = ""
    totaltext_test_images_dir: str = ""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every picture of the label file."""
        folder = self.root / self.folder
        file = folder / "train_labels.json"
        excluded = self._totaltext_test(problems) if self.exclude_totaltext_test else set()
        for name, records in load_object(file).items():
            if name in excluded:
                continue
            path = find_picture(folder / "train_images", name)
            size = picture_size(path, f"{file}: {name}", problems)
            if size is None:
                continue
            words = list(_words(records, size, f"{file}: {name}", problems))
            if not self.is_latin_required or any(word.language.lower() == LATIN for word in words):
                yield AnnotatedImage(path, *size, words)

    def _totaltext_test(self, problems: Problems) -> set[str]:
        """ArT names of the Total-Text test pictures."""
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


def _words(
    records: list[Mapping[str, Any]], size: tuple[int, int], place: str, problems: Problems
) -> Iterator[LabelledWord]:
    for index, record in enumerate(records):
        word = checked_word(
            record.get("points", ()),
            size,
            f"{place}[{index}]",
            problems,
            text=str(record.get("transcription", "")),
            legible=not record.get("illegibility", False),
            language=str(record.get("language", "")),
        )
        if word is not None:
            yield word
