"""PPOCRLabel (PaddleOCR): ``Label.txt`` with an image and the JSON of its words a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.annotations.checks import Checked, annotated, checked_word, image_size, word_of
from text_spotting.annotations.lines import numbered_lines
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.json_files import parse_json
from text_spotting.files.values import MalformedError, mapping, sequence, text, truth
from text_spotting.files.writing import to_json, write_whole
from text_spotting.image_files import find_named, is_file
from text_spotting.words import DONT_CARE


@dataclass(frozen=True)
class PPOCRLabel:
    """Lines ``FOLDER/NAME.jpg<tab>[{"transcription": ..., "points": [[x, y], ...], "difficult": false}, ...]``.

    A word is don't care when it is difficult or says ``###`` or ``*``.

    Attributes:
        root: folder that the others are relative to.
        label_file: ``Label.txt``, or a detection list of PaddleOCR.
        images_folder: folder that image names start from; by default the folder of the label file, or the one above
            it, since PPOCRLabel writes the folder's own name too.
    """

    root: Path
    label_file: str
    images_folder: str | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the list."""
        file = self.root / self.label_file
        for place, line in numbered_lines(file, problems):
            name, tab, content = line.partition("\t")
            try:
                records = sequence(parse_json(content, place)) if tab else None
            except (MalformedError, UserError) as error:
                records = None
                content = str(error)
            if records is None:
                problems.add("not an image, a tab and a list of words: dropped", place, content[:80])
                continue
            path = self._image(file, name)
            size = image_size(path, place, problems)
            if size is not None:
                words = [_word(record, size, f"{place}[{index}]", problems) for index, record in enumerate(records)]
                yield from annotated(path, size, words, place, problems)

    def _image(self, file: Path, name: str) -> Path:
        folders = [file.parent, file.parent.parent] if self.images_folder is None else [self.root / self.images_folder]
        candidates = [find_named(folder, name) for folder in folders]
        bare = name.replace("\\", "/").rpartition("/")[2]
        return next((path for path in [*candidates, folders[0] / bare] if is_file(path)), candidates[0])


def _word(record: Any, size: tuple[int, int], place: str, problems: Problems) -> Checked:
    def make() -> Checked:
        entry = mapping(record)
        written = text(entry.get("transcription"))
        unreadable = truth(entry.get("difficult", False)) or written == "*"
        return checked_word(
            entry.get("points"), size, place, problems, text="" if unreadable else written, legible=not unreadable
        )

    return word_of(make, place, problems)


def write_ppocr(path: Path, images: Sequence[AnnotatedImage], names: Sequence[str]) -> None:
    """Write ``Label.txt``; don't-care words become difficult ones that say ``###``."""
    lines = []
    for image, name in zip(images, names, strict=True):
        words = [
            {
                "transcription": DONT_CARE if word.ignore else word.text,
                "points": word.polygon.round(2).tolist(),
                "difficult": word.ignore,
            }
            for word in image.words
        ]
        lines.append(f"{name}\t{to_json(words)}\n")
    write_whole(path, "".join(lines))
