"""Which reader understands which data set, and how a list of sets becomes one list of images."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, get_type_hints

from text_spotting.annotations.art import ICDAR2019ART
from text_spotting.annotations.coco import CocoWithText, OpenImagesV5Text
from text_spotting.annotations.cocotext import COCOText
from text_spotting.annotations.ctw1500 import CTW1500
from text_spotting.annotations.cvat import CvatXml11
from text_spotting.annotations.icdar import ICDAR2013, ICDAR2015, PlainQuads
from text_spotting.annotations.icdar2003 import ICDAR2003
from text_spotting.annotations.label_studio import LabelStudio
from text_spotting.annotations.labelme import LabelMe
from text_spotting.annotations.mlt import ICDAR2017MLT, ICDAR2019MLT
from text_spotting.annotations.open_images import HierText, TextOCR
from text_spotting.annotations.ppocr import PPOCRLabel
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.quad_lists import UberText, YoloObb
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.annotations.td500 import MSRATD500
from text_spotting.annotations.totaltext import TotalText
from text_spotting.annotations.via import Via
from text_spotting.annotations.word_crops import WordCrops
from text_spotting.errors import UserError
from text_spotting.files.values import shown


class Reader(Protocol):
    """Reads one data set from its own files."""

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every usable image, reporting what was repaired, marked or dropped.

        Raises:
            UserError: a file that all depends on is missing, unreadable or of another format.
        """


READERS: Mapping[str, type[Any]] = {
    "COCOTextDatasetConverter": COCOText,
    "CocoWithTextConverter": CocoWithText,
    "CvatXml11Converter": CvatXml11,
    "CTW1500Converter": CTW1500,
    "HierTextConverter": HierText,
    "ICDAR2003DatasetConverter": ICDAR2003,
    "ICDAR2013DatasetConverter": ICDAR2013,
    "ICDAR2015DatasetConverter": ICDAR2015,
    "ICDAR2017MLTDatasetConverter": ICDAR2017MLT,
    "ICDAR2019ARTDatasetConverter": ICDAR2019ART,
    "ICDAR2019MLTDatasetConverter": ICDAR2019MLT,
    "LabelMeConverter": LabelMe,
    "LabelStudioConverter": LabelStudio,
    "MSRATD500DatasetConverter": MSRATD500,
    "OpenImagesV5TextConverter": OpenImagesV5Text,
    "PPOCRLabelConverter": PPOCRLabel,
    "PlainQuadsConverter": PlainQuads,
    "SVTConverter": ICDAR2003,
    "TextOCRConverter": TextOCR,
    "TotalTextConverter": TotalText,
    "UberTextConverter": UberText,
    "VIAConverter": Via,
    "WordCropsConverter": WordCrops,
    "YoloObbConverter": YoloObb,
}
"""Names that the ``name`` of a data set config may take; its ``kwargs`` are the attributes of the reader."""


def make_readers(config: Any, root: Path, source: str) -> list[tuple[str, Reader]]:
    """Build the readers of a data set config, a list of ``{"name": ..., "kwargs": {...}}``.

    Args:
        root: folder that all paths of the config are relative to.
        source: name of the config, for error messages.

    Raises:
        UserError: for an unknown name or argument, or a missing one, before anything is read.
    """
    if not isinstance(config, list) or not config:
        raise UserError(f'{source}: expected a list of {{"name": ..., "kwargs": {{...}}}}')
    return [_make_reader(entry, root, f"{source}: entry {index}") for index, entry in enumerate(config)]


def _make_reader(entry: Any, root: Path, place: str) -> tuple[str, Reader]:
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str) or entry["name"] not in READERS:
        name = entry.get("name") if isinstance(entry, dict) else entry
        raise UserError(f"{place}: unknown data set {shown(name)}; known are {', '.join(READERS)}")
    name, kwargs = entry["name"], entry.get("kwargs", {})
    reader = READERS[name]
    if not isinstance(kwargs, dict):
        raise UserError(f"{place} ({name}): kwargs must be an object {{...}}, not {shown(kwargs)}")
    try:
        inspect.signature(reader).bind(root=root, **kwargs)
    except TypeError as error:
        known: Sequence[str] = [key for key in inspect.signature(reader).parameters if key != "root"]
        raise UserError(f"{place} ({name}): {error}; its kwargs are {', '.join(known)}") from error
    _check_types(reader, kwargs, f"{place} ({name})")
    return name, reader(root=root, **kwargs)


def _check_types(reader: type[Any], kwargs: Mapping[str, Any], place: str) -> None:
    from pydantic import TypeAdapter, ValidationError

    hints = get_type_hints(reader)
    for key, value in kwargs.items():
        try:
            TypeAdapter(hints[key]).validate_python(value)
        except ValidationError as error:
            raise UserError(f"{place}: {key}={shown(value)}: {error.errors()[0]['msg']}") from error
        if isinstance(value, str) and "\0" in value:
            raise UserError(f"{place}: {key}={shown(value)}: no path holds a null character")
