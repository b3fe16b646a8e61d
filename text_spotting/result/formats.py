"""Words as text, tables and documents that other programs read."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path

from text_spotting.errors import UserError
from text_spotting.files.writing import write_whole
from text_spotting.result.found import Words
from text_spotting.result.lines import in_reading_order, reading_lines
from text_spotting.words import Word

Named = Iterable[tuple[str, Words]]
"""Images by what they are called, each with its words."""
Writer = Callable[[Named], Iterator[str]]
"""Pieces of a file, one or more for each image as it comes."""

_COLUMNS = ("image", "line", "text", "score", "text_score", "angle", "x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4")


def as_text(images: Named) -> Iterator[str]:
    """The lines of the text."""
    for _, words in images:
        yield "".join(f"{line}\n" for line in words.text.splitlines())


def as_named_text(images: Named) -> Iterator[str]:
    """The same for several images, each under its name."""
    for index, (name, words) in enumerate(images):
        yield ("\n" if index else "") + f"==> {name} <==\n" + "".join(f"{line}\n" for line in words.text.splitlines())


def as_json(images: Named) -> Iterator[str]:
    """A list with an object for each image."""
    lead = "["
    for name, words in images:
        yield f"{lead}\n{_object(name, words)}"
        lead = ","
    yield "]\n" if lead == "," else "[]\n"


def as_jsonl(images: Named) -> Iterator[str]:
    """A line with an object for each image."""
    for name, words in images:
        yield f"{_object(name, words)}\n"


def _object(name: str, words: Words) -> str:
    return json.dumps({"image": name, **words.to_dict()}, ensure_ascii=False)


def as_csv(images: Named) -> Iterator[str]:
    """A row for each word, its line in the image counted from 1; ``line`` is empty where nothing was read."""
    return _table(images, ",")


def as_tsv(images: Named) -> Iterator[str]:
    """The same parted by tabs."""
    return _table(images, "\t")


def _table(images: Named, delimiter: str) -> Iterator[str]:
    yield _row(_COLUMNS, delimiter)
    for name, words in images:
        lines = {id(word): number for number, line in enumerate(reading_lines(words), start=1) for word in line}
        for word in in_reading_order(words):
            scores = (f"{word.score:.4f}", f"{word.text_score:.4f}", f"{word.angle:.1f}")
            corners = [f"{value:.1f}" for value in word.polygon.ravel()]
            yield _row((name, lines.get(id(word), ""), word.text, *scores, *corners), delimiter)


def _row(values: Iterable[object], delimiter: str) -> str:
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="\n").writerow(values)
    return line.getvalue()


def as_hocr(images: Named) -> Iterator[str]:
    """One hOCR document (version 1.2) with a page for each image."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
        ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml">\n<head>\n<title>text-spotting</title>\n'
        '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        '<meta name="ocr-system" content="text-spotting"/>\n'
        '<meta name="ocr-capabilities" content="ocr_page ocr_line ocrx_word"/>\n</head>\n<body>\n'
    )
    for number, (name, words) in enumerate(images, start=1):
        yield _hocr_page(number, name, words)
    yield "</body>\n</html>\n"


def _hocr_page(number: int, name: str, words: Words) -> str:
    width, height = words.size
    title = f'image "{name}"; bbox 0 0 {width} {height}; ppageno {number - 1}'
    parts = [f"<div class='ocr_page' id='page_{number}' title='{escape(title)}'>\n"]
    for index, line in enumerate(reading_lines(words), start=1):
        spans = " ".join(
            f"<span class='ocrx_word' id='word_{number}_{index}_{place}'"
            f" title='{_hocr_box([word])}; x_wconf {round(100 * word.score)}'>{escape(word.text)}</span>"
            for place, word in enumerate(line, start=1)
        )
        parts.append(
            f"<span class='ocr_line' id='line_{number}_{index}' title='{_hocr_box(line)}'>{spans}</span><br/>\n"
        )
    return "".join([*parts, "</div>\n"])


def _hocr_box(words: list[Word]) -> str:
    boxes = [word.box for word in words]
    low = [max(0, int(min(box[side] for box in boxes))) for side in (0, 1)]
    high = [round(max(box[side] for box in boxes)) for side in (2, 3)]
    return "bbox " + " ".join(map(str, [*low, *high]))


def as_icdar(images: Named) -> Iterator[str]:
    """``x1,y1,...,x4,y4,text`` a word, as ICDAR 2015 submissions have it; it has no place for an image's name."""
    for _, words in images:
        for word in in_reading_order(words):
            yield ",".join(str(round(float(value))) for value in word.polygon.ravel()) + f",{word.text}\n"


FORMATS: dict[str, Writer] = {
    "text": as_text,
    "json": as_json,
    "jsonl": as_jsonl,
    "csv": as_csv,
    "tsv": as_tsv,
    "hocr": as_hocr,
    "icdar": as_icdar,
}
_ENDINGS = {".txt": "text", ".html": "hocr", **{f".{name}": name for name in FORMATS if name not in ("text", "icdar")}}


def save_words(words: Words, path: Path) -> None:
    """Write one image's words to a file of the kind that its ending names.

    Raises:
        UserError: an unknown ending, or the file cannot be written.
    """
    name = _ENDINGS.get(path.suffix.lower())
    if name is None:
        raise UserError(f"{path}: words are saved as {', '.join(_ENDINGS)}; choose one of these endings")
    if name == "json":
        write_whole(path, words.to_json(indent=2) + "\n")
    else:
        write_whole(path, "".join(FORMATS[name]([(path.stem, words)])))
