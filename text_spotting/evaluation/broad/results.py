"""The file of a measured model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.evaluation.broad.columns import Column
from text_spotting.evaluation.broad.faults import Faults
from text_spotting.evaluation.broad.measuring import SetMeasurement
from text_spotting.files.writing import write_whole

FORMAT = 1
RESULTS = "measured.json"
_EXAMPLES = 30


@dataclass(frozen=True, slots=True)
class SetResult:
    """What the file says about one set.

    Attributes:
        fingerprint: of its images and truth.
    """

    title: str
    fingerprint: str
    images: int
    columns: list[Column]
    faults: Faults | None


@dataclass(frozen=True, slots=True)
class Results:
    """A measured model.

    Attributes:
        label: name for people.
        identity: of what was measured; results of other weights do not belong to it.
        sets: by their names.
    """

    label: str
    identity: str
    sets: Mapping[str, SetResult]

    def with_set(self, name: str, title: str, measured: SetMeasurement) -> "Results":
        """These and one more, or a set's new figures in place of its old ones."""
        result = SetResult(title, measured.fingerprint, measured.images, measured.columns, measured.faults)
        return Results(self.label, self.identity, {**self.sets, name: result})

    def only(self, name: str) -> "Results":
        """One set's."""
        return Results(self.label, self.identity, {name: self.sets[name]})

    def save(self, path: Path) -> None:
        """Write the file in one piece."""
        content = {
            "format": FORMAT,
            "label": self.label,
            "identity": self.identity,
            "sets": {name: _set_to_json(result) for name, result in self.sets.items()},
        }
        write_whole(path, _compact(content))


def read_results(path: Path, option: str = "") -> Results:
    """Read what ``save`` wrote; a folder stands for the file in it.

    Args:
        option: that names the path, for the message.

    Raises:
        UserError: it is missing, broken or of another format.
    """
    file = path / RESULTS if path.is_dir() else path
    try:
        content = json.loads(file.read_text("utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"{file}: format {content['format']}, not {FORMAT}; measure again", about=option)
        sets = {name: _set_from_json(entry) for name, entry in content["sets"].items()}
        return Results(content["label"], content["identity"], sets)
    except OSError as error:
        raise UserError(f"{file}: cannot read it ({error.strerror or error})", about=option) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f"{file}: not a file that measuring wrote ({error}); name its {RESULTS}"
        raise UserError(message, about=option) from error


def _set_to_json(result: SetResult) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "title": result.title,
        "fingerprint": result.fingerprint,
        "pictures": result.images,
        "columns": [column.to_json() for column in result.columns],
    }
    if result.faults:
        entry["faults"] = _faults_to_json(result.faults)
    return entry


def _set_from_json(entry: dict[str, Any]) -> SetResult:
    columns = [Column.from_json(column) for column in entry["columns"]]
    faults = _faults_from_json(entry["faults"]) if "faults" in entry else None
    return SetResult(entry["title"], entry["fingerprint"], entry["pictures"], columns, faults)


def _faults_to_json(faults: Faults) -> dict[str, Any]:
    kinds = [
        {"what": what, "kind": kind, "count": count, "examples": faults.examples.get((what, kind), [])[:_EXAMPLES]}
        for (what, kind), count in faults.kinds.items()
    ]
    return {"words": faults.words, "right": faults.right, "kinds": kinds}


def _faults_from_json(entry: dict[str, Any]) -> Faults:
    faults = Faults(entry["words"], entry["right"])
    for row in entry["kinds"]:
        faults.kinds[row["what"], row["kind"]] = row["count"]
        faults.examples[row["what"], row["kind"]] = [(first, second) for first, second in row["examples"]]
    return faults


def _compact(content: dict[str, Any]) -> str:
    """JSON with a line for every column, so that counts of thousands of images do not fill the screen."""
    sets = content.pop("sets")
    head = json.dumps(content, ensure_ascii=False)[:-1]
    lines = []
    for name, entry in sets.items():
        columns = ",\n    ".join(json.dumps(column, ensure_ascii=False) for column in entry.pop("columns"))
        rest = json.dumps(entry, ensure_ascii=False)[:-1]
        lines.append(f'  {json.dumps(name)}: {rest}, "columns": [\n    {columns}]}}')
    return head + ', "sets": {\n' + ",\n".join(lines) + "}}\n"
