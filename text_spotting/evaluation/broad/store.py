"""What a model said about each set, kept so that an interrupted run goes on where it stopped.

Everything is kept under what it depends on: the weights, the code that computes with them, the images and the truth.
Where any of these is another, it is measured anew; figures are always computed from what is kept.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import text_spotting
from text_spotting.evaluation.broad.imports import files_behind
from text_spotting.evaluation.broad.reading import Readings
from text_spotting.evaluation.broad.sets import AnySet, ImageSet
from text_spotting.evaluation.predictions import read_predictions, write_predictions
from text_spotting.files.writing import write_whole
from text_spotting.words import Word

_ANSWERING = (
    "evaluation.broad.positions",
    "evaluation.broad.rapid",
    "evaluation.broad.readers",
    "evaluation.broad.reading",
    "export.export",
    "engine.torch_spotter",
    "runtime.spotter",
)
"""The modules that make answers of weights, matching included: it says which found words are read."""


@cache
def code_hash() -> str:
    """Hash of the code between weights and answers: ``_ANSWERING`` and all that it imports."""
    package = Path(text_spotting.__path__[0])
    return hash_of(file.read_bytes() for file in files_behind(package, _ANSWERING))


def set_hash(measured: AnySet) -> str:
    """Hash of a set's images and truth."""
    digest = hashlib.sha256()
    for index, image in enumerate(measured.images):
        turns = measured.turns[index] if isinstance(measured, ImageSet) and measured.turns else 0
        digest.update(f"{image.path.name} {turns}".encode() + image.path.read_bytes())
        for word in image.words:
            digest.update(f"{word.text} {word.ignore}".encode() + word.polygon.tobytes())
    return digest.hexdigest()


def hash_of(contents: Iterable[bytes]) -> str:
    """Hash of byte strings one after the other."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(content)
    return digest.hexdigest()


@dataclass(frozen=True)
class AnswerStore:
    """The answers for one set, in a folder of its own.

    Attributes:
        folder: holds answers under ``key`` alone.
        names: of the set's images.
    """

    folder: Path
    names: Sequence[str]

    @classmethod
    def open(cls, folder: Path, key: str, names: Sequence[str]) -> "AnswerStore":
        """Take up what is there, or begin anew where it was made with something else."""
        file = folder / "key.txt"
        if folder.is_dir() and not (file.is_file() and file.read_text("utf-8") == key):
            shutil.rmtree(folder)
        write_whole(file, key)
        return cls(folder, names)

    def words(self, position: int) -> list[list[Word]] | None:
        """The words found in each image; None where that is still to be done."""
        file = self._words_file(position)
        if not file.is_file():
            return None
        kept = read_predictions(file)
        return [kept[name] for name in self.names]

    def keep_words(self, position: int, found: Sequence[Sequence[Word]]) -> None:
        write_predictions(self._words_file(position), dict(zip(self.names, found, strict=True)))

    def readings(self, name: str, made_by: str) -> Readings | None:
        """What a reader read; None where that is still to be done, or was done by another one."""
        file = self.folder / f"{name}.json"
        kept = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        return [tuple(row) for row in kept["readings"]] if kept.get("made_by") == made_by else None

    def keep_readings(self, name: str, made_by: str, readings: Readings) -> None:
        content = {"made_by": made_by, "readings": readings}
        write_whole(self.folder / f"{name}.json", json.dumps(content, ensure_ascii=False))

    def _words_file(self, position: int) -> Path:
        return self.folder / f"words_{position}.json"
