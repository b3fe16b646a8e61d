"""Prediction files: ours (JSON) and ICDAR submissions (one text file an image), read strictly and paired by name.

JSON is ``{"<image>": [{"polygon": [[x, y], ...], "text": str, "score": float}, ...]}`` in pixels of the image;
``<image>`` is the file name without its ending, and ``"text_score"`` may say how sure the reading is. A folder holds
``res_<image>.txt`` with lines ``x1,y1,...,x4,y4,text`` (ICDAR 2015), ``x1,y1,x2,y2,text`` (ICDAR 2013) or
``x1,y1,...,xK,yK,####text`` (outlines of any number of points, as Total-Text results are usually kept).
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from text_spotting.errors import UserError
from text_spotting.files.json_files import load_json
from text_spotting.files.reading import listing, read_text, split_lines
from text_spotting.files.values import NUMBER, MalformedError, mapping, number, points, shown
from text_spotting.files.values import text as whole_text
from text_spotting.files.writing import entries, write_whole
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import IMAGE_SUFFIXES
from text_spotting.words import FloatArray, Word

Predictions = dict[str, list[Word]]
"""Words by image name."""

_NUMBER = rf"\s*+{NUMBER}\s*+"
_OUTLINE = re.compile(rf"({_NUMBER}(?:,{_NUMBER}){{5,}}),####(.*)")
_QUAD = re.compile(rf"({_NUMBER}(?:,{_NUMBER}){{7}})(?:,(.*))?")
_BOX = re.compile(rf"({_NUMBER}(?:,{_NUMBER}){{3}})(?:,(.*))?")


def read_predictions(path: Path) -> Predictions:
    """Read a JSON file or a folder of ICDAR text files.

    Raises:
        UserError: it is missing, holds a malformed entry (named by file and line or index), or names an image twice.
    """
    if path.is_dir():
        return _read_folder(path)
    if not path.is_file():
        raise UserError(f"predictions {path} do not exist; expected a JSON file or a folder of res_<image>.txt")
    return _read_json(path)


def write_predictions(path: Path, predictions: Mapping[str, Sequence[Word]]) -> None:
    """Write the JSON form in one piece."""
    write_whole(path, entries({name: prediction_records(words) for name, words in predictions.items()}))


def prediction_records(words: Sequence[Word]) -> list[dict[str, Any]]:
    """The words of one image as the JSON form has them."""
    return [_entry(word) for word in words]


def image_names(paths: Sequence[Path]) -> list[str]:
    """Return the name of every image: its stem, or with as many parent folders as tell equal stems apart.

    Images that differ only in their ending are called with it: ``shop.jpg`` and ``shop.png``.

    Raises:
        UserError: one image is named twice.
    """
    twins = Counter(path.with_suffix("") for path in paths)
    bare = [path.name if twins[path.with_suffix("")] > 1 else path.stem for path in paths]
    names = list(bare)
    depth = 1
    while clashes := {name for name, count in Counter(names).items() if count > 1}:
        depth += 1
        if depth > max(len(path.parts) for path in paths):
            raise UserError(f"images of the same name: {_some(sorted(clashes))}; every image needs its own")
        for index, (name, path) in enumerate(zip(names, paths, strict=True)):
            if name in clashes:
                names[index] = "/".join((*path.parts[-depth:-1], bare[index]))
    return names


def pair_predictions(
    predictions: Predictions, names: Sequence[str], sizes: Sequence[tuple[int, int]], source: Path
) -> tuple[list[list[Word]], list[str]]:
    """Order predictions as the images are, and say what does not fit.

    Args:
        names: the images' names.
        sizes: their width and height.
        source: where the predictions come from, for messages.

    Returns:
        The words of every image, none where the file is silent; and one warning for each kind of trouble.

    Raises:
        UserError: not one prediction belongs to an image.
    """
    predictions = _without_endings(predictions, set(names))
    strangers = sorted(set(predictions) - set(names))
    silent = [name for name in names if name not in predictions]
    if predictions and len(strangers) == len(predictions):
        raise UserError(
            f"{source}: none of its {len(predictions)} names is an image of the test set "
            f"(it has {_some(strangers)}; the set has {_some(list(names))})"
        )
    outside = [
        name for name, size in zip(names, sizes, strict=True) if any(map(_outside(size), predictions.get(name, ())))
    ]
    warnings = []
    if strangers:
        warnings.append(f"{len(strangers)} predicted images are not in the test set, left out: {_some(strangers)}")
    if silent:
        warnings.append(f"{len(silent)} of {len(names)} images have no predictions, scored as empty: {_some(silent)}")
    if outside:
        warnings.append(f"{len(outside)} images have words outside their bounds, scored as they are: {_some(outside)}")
    return [predictions.get(name, []) for name in names], [f"{source}: {warning}" for warning in warnings]


def _without_endings(predictions: Predictions, names: set[str]) -> Predictions:
    """Predictions named with an image's ending under the name without it, where only that one is in the set."""
    renamed = {}
    for name, words in predictions.items():
        stem, dot, suffix = name.rpartition(".")
        takes = f"{dot}{suffix}".lower() in IMAGE_SUFFIXES and name not in names
        renamed[stem if takes and stem in names and stem not in predictions else name] = words
    return renamed


def _outside(size: tuple[int, int]) -> Any:
    """Return a test for words that leave an image of that size by more than a pixel."""
    limit = np.array(size, dtype=np.float32)
    return lambda word: bool((word.polygon < -1).any() or (word.polygon > limit + 1).any())


def _some(names: Sequence[str], shown: int = 3) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _entry(word: Word) -> dict[str, Any]:
    polygon = [[round(float(value), 4) for value in point] for point in word.polygon]
    entry = {"polygon": polygon, "text": word.text, "score": round(float(word.score), 6)}
    if word.text_score != 1:
        entry["text_score"] = round(float(word.text_score), 6)
    return entry


def _read_json(path: Path) -> Predictions:
    document = load_json(path, "predictions", lambda pairs: _unique(pairs, path))
    if not isinstance(document, dict):
        raise UserError(f'{path}: expected an object {{"<image>": [words]}}, found a {type(document).__name__}')
    predictions = {}
    for name, records in document.items():
        if not isinstance(records, list):
            raise UserError(f"{path}: {shown(name)} must hold a list of words")
        predictions[name] = [_word(record, f"{path}: '{name}'[{index}]") for index, record in enumerate(records)]
    return predictions


def _unique(pairs: list[tuple[str, Any]], path: Path) -> dict[str, Any]:
    counts = Counter(key for key, _ in pairs)
    if twice := [key for key, count in counts.items() if count > 1]:
        raise UserError(f"{path}: {len(twice)} names occur more than once: {_some(twice)}")
    return dict(pairs)


def _word(record: Any, place: str) -> Word:
    try:
        entry = mapping(record)
        outline = entry.get("polygon")
        score, text_score = number(entry.get("score", 1.0)), number(entry.get("text_score", 1.0))
    except MalformedError as error:
        raise UserError(f"{place}: needs a polygon [[x, y], ...], a text and a score ({error})") from error
    if not isinstance(outline, list):
        raise UserError(f"{place}: needs a polygon [[x, y], ...], a text and a score")
    if not isinstance(text := entry.get("text", ""), str):
        raise UserError(f"{place}: text must be a string, not {shown(text)}")
    return Word(_polygon(outline, place), whole_text(text), score, text_score=text_score)


def _polygon(outline: Sequence[Any], place: str) -> FloatArray:
    try:
        return points(outline).astype(np.float32)
    except MalformedError as error:
        raise UserError(f"{place}: {error}") from error


def _read_folder(folder: Path) -> Predictions:
    files = listing(folder, "*.txt")
    if not files:
        raise UserError(f"{folder}: holds no .txt file; expected res_<image>.txt for every image")
    predictions: Predictions = {}
    for file in files:
        name = file.stem.removeprefix("res_")
        if name in predictions:
            raise UserError(f"{folder}: res_{name}.txt and {name}.txt are both there for image {name}; keep one")
        lines = split_lines(read_text(file, "predictions"))
        predictions[name] = [_icdar_word(line, f"{file}:{n}") for n, line in lines if line.strip()]
    return predictions


def _icdar_word(line: str, place: str) -> Word:
    match = _OUTLINE.fullmatch(line) or _QUAD.fullmatch(line) or _BOX.fullmatch(line)
    if match is None:
        raise UserError(f"{place}: expected x1,y1,...,x4,y4,text but found {shown(line)}")
    values = [float(value.strip()) for value in match[1].split(",")]
    if len(values) % 2:
        raise UserError(f"{place}: an odd number of coordinates")
    return Word(_polygon(box_to_polygon(values).tolist() if len(values) == 4 else values, place), match[2] or "")
