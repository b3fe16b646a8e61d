"""Measured models side by side, as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from text_spotting.evaluation.broad.columns import Column
from text_spotting.evaluation.broad.faults import KINDS, Faults
from text_spotting.evaluation.broad.results import Results

FIGURES = {
    "ic15_detection": "detection",
    "f1": "detection",
    "ic15_word_spotting": "word spotting",
    "word_spotting": "word spotting",
    "ic15_end_to_end": "end-to-end",
    "e2e_recognition": "end-to-end",
    "true_frames": "read in true frames",
    "found_frames": "read in found frames",
    "crops": "read",
}
"""Names for people."""

_SIGNIFICANT = 2.0
"""Standard errors beyond which a change is more than chance."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one set for every model.

    Attributes:
        set_title, figure: names for people.
        columns: one for each model; None where it was not measured, or on other images.
    """

    set_title: str
    figure: str
    columns: Sequence[Column | None]


def rows(models: Sequence[Results]) -> list[Row]:
    """All figures of all models, in the order in which they were first measured."""
    found = []
    for name, title, fingerprint in _sets(models):
        columns = [_by_key(model, name, fingerprint) for model in models]
        for key in dict.fromkeys(key for of_model in columns for key in of_model):
            found.append(Row(title, _figure_title(*key), [of_model.get(key) for of_model in columns]))
    return found


def _sets(models: Sequence[Results]) -> Iterator[tuple[str, str, str]]:
    """Name, title and fingerprint of every version of every set."""
    seen: dict[tuple[str, str], str] = {}
    for model in models:
        for name, result in model.sets.items():
            seen.setdefault((name, result.fingerprint), f"{result.title}, {result.images} images")
    for name in dict.fromkeys(name for name, _ in seen):
        for (other, fingerprint), title in seen.items():
            if other == name:
                yield name, title, fingerprint


def _by_key(model: Results, name: str, fingerprint: str) -> dict[tuple[str, str], Column]:
    result = model.sets.get(name)
    if result is None or result.fingerprint != fingerprint:
        return {}
    return {(column.figure, column.reader): column for column in result.columns}


def _figure_title(figure: str, reader: str) -> str:
    return f"{FIGURES[figure]}, {reader}" if reader else FIGURES[figure]


def figure_table(models: Sequence[Results]) -> str:
    """Every figure of every model in per cent with its standard error; from the second model on also the change.

    In brackets stands the standard error over positions. A change is followed by its standard error on the same
    images, and by ``*`` where it is more than chance.
    """
    lines = [["set", "figure", "words", *(model.label for model in models)]]
    title = ""
    for row in rows(models):
        words = next(column.words for column in row.columns if column)
        cells = [_cell(column, row.columns[0] if number else None) for number, column in enumerate(row.columns)]
        lines.append([row.set_title if row.set_title != title else "", row.figure, str(words), *cells])
        title = row.set_title
    return _aligned(lines)


def _cell(column: Column | None, first: Column | None) -> str:
    if column is None:
        return "-"
    text = f"{100 * column.value:.1f} ±{100 * column.error:.1f}"
    if column.position_error is not None:
        text += f" ({100 * column.position_error:.1f})"
    if first is None or len(first.runs[0]) != len(column.runs[0]):
        return text
    change, error = first.change_to(column)
    return f"{text} {100 * change:+.1f} ±{100 * error:.1f}{'*' if abs(change) > _SIGNIFICANT * error else ''}"


def fault_table(models: Sequence[Results]) -> str:
    """What becomes of missed, misread and false words, set by set and kind by kind."""
    parts = []
    for name in dict.fromkeys(name for model in models for name in model.sets):
        there = [model.sets[name].faults if name in model.sets else None for model in models]
        if any(there):
            title = next(model.sets[name].title for model in models if name in model.sets)
            parts.append(_faults_of_set(title, [model.label for model in models], there))
    return "\n\n".join(parts)


def _faults_of_set(title: str, labels: Sequence[str], faults: Sequence[Faults | None]) -> str:
    lines = [
        [title, *labels],
        ["words whose text is known", *(str(one.words) if one else "-" for one in faults)],
        ["found and read right", *(str(one.right) if one else "-" for one in faults)],
    ]
    for what, kinds in KINDS.items():
        lines.append([what, *(_count(one, what, kinds) for one in faults)])
        lines += [[f"  {kind}", *(_count(one, what, [kind]) for one in faults)] for kind in kinds]
    return _aligned(lines)


def _count(faults: Faults | None, what: str, kinds: Sequence[str]) -> str:
    return str(sum(faults.kinds[what, kind] for kind in kinds)) if faults else "-"


def example_lines(model: Results) -> str:
    """Some words of each kind of fault: truth and reading of the misread, text and image of the others."""
    lines = []
    for result in model.sets.values():
        for (what, kind), examples in result.faults.examples.items() if result.faults else ():
            shown = ", ".join(f"{first or '(no text)'}: {second or '(no text)'}" for first, second in examples[:_SHOWN])
            lines.append(f"{result.title}; {what}, {kind}: {shown}")
    return "\n".join(lines)


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)
