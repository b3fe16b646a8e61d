"""What must cross the export border for a folder of graphs to be a spotter again."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from text_spotting.alphabet import DEFAULT, SPECIAL, START, STOP, Alphabet
from text_spotting.errors import UserError
from text_spotting.files.json_files import parse_json
from text_spotting.files.values import MalformedError, numbers, shown, whole_number

FORMAT = 2
KEY = "text_spotting"
"""Name of the entry in the IR's ``rt_info`` and in the ONNX metadata."""
MAX_SIDE = 32767
"""Longest side in pixels, of images and of a detector's input, that OpenCV resizes reliably."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Facts that the runtime needs and the graphs do not show.

    Attributes:
        input_size: width, height of the detector's input.
        keep_aspect: scale both sides alike and pad right and bottom, rather than stretch.
        mean, std: per channel in the color order of ``to_rgb``, on the 0..255 scale.
        to_rgb: the network was trained on RGB; images are read as BGR.
        embedded: the graphs take raw BGR 0..255 because color order, mean and std are inside (IR), or
            they expect a normalised image (plain ONNX).
        input_order: color order, "BGR" or "RGB", in which an ``embedded`` graph takes raw images.
        symbols, start, stop, max_length, fold_case: the recogniser's classes, when decoding ends, and whether upper
            and lower case are one; see ``alphabet``.
        score_thr, text_thr, mask_thr: least detection score, text confidence, and mask probability.
        text_weight: weight, 0..1, of the text confidence in a word's score, a geometric mean with the detection's.
        word_thr: least score of a word.
        detector, encoder, decoder: file names of the three graphs, beside each other.
        recognizer: file name of the graph, beside the others, that reads words cut out of the image's own pixels;
            empty where the encoder and the decoder read.
        read_stretch: most that the recognizer's crops are made wider than a word's shape; see ``runtime.reading``.
        read_margin: what the recognizer is shown around a found word, as a share of the word's height.
        max_words: most words of an image that the detector gives out.
        precision: what an IR wants to be computed in, where its user asks for nothing; empty for what is fastest.
    """

    input_size: tuple[int, int]
    keep_aspect: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    to_rgb: bool
    embedded: bool
    detector: str
    encoder: str
    decoder: str
    input_order: str = "BGR"
    score_thr: float = 0.5
    text_thr: float = 0.5
    mask_thr: float = 0.5
    text_weight: float = 0.0
    word_thr: float = 0.0
    recognizer: str = ""
    read_stretch: float = 1.0
    read_margin: float = 0.0
    precision: str = ""
    max_words: int = 100
    symbols: str = DEFAULT.table
    start: int = START
    stop: int = STOP
    max_length: int = DEFAULT.max_length
    fold_case: bool = DEFAULT.fold_case
    format: int = FORMAT

    @property
    def alphabet(self) -> Alphabet:
        """What the recogniser reads."""
        return Alphabet(self.symbols[SPECIAL:], self.max_length, self.fold_case)

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str, source: str) -> "Manifest":
        """Read what ``to_json`` wrote; ``source`` names the file in error messages.

        Raises:
            UserError: not JSON, a missing or unknown field, or a format newer than this code.
        """
        values = parse_json(text, f"{source}: its manifest")
        if not isinstance(values, dict):
            raise UserError(f"{source}: its manifest is not an object; export the model again")
        if (newer := values.get("format", 0)) != FORMAT and isinstance(newer, int) and newer > FORMAT:
            raise UserError(f"{source}: manifest format {newer} is newer than this toolkit; update it")
        known = {field.name for field in fields(cls)}
        if unknown := set(values) - known:
            raise UserError(f"{source}: unknown manifest field(s) {', '.join(sorted(unknown))}; export the model again")
        for name in _TUPLES:
            if name in values:
                values[name] = _tuple_of(values[name], name, source)
        for name, value in values.items():
            if not isinstance(value, _TYPES.get(name, str)) or isinstance(value, bool) != (name in _FLAGS):
                raise UserError(f"{source}: its manifest has a wrong {name} ({shown(value)}); export the model again")
        try:
            manifest = cls(**values)
        except TypeError as error:
            raise UserError(f"{source}: incomplete manifest ({error}); export the model again") from error
        manifest._check(source)
        return manifest

    def _check(self, source: str) -> None:
        """Refuse values of the right type that no model can mean."""
        shares = (self.score_thr, self.text_thr, self.mask_thr, self.text_weight, self.word_thr)
        wrong = {
            "input_size": not all(0 < side <= MAX_SIDE for side in self.input_size),
            "std": not all(value > 0 for value in self.std),
            "mean": not all(abs(value) <= 255 for value in self.mean),
            "threshold": not all(0 <= share <= 1 for share in shares),
            "read_stretch": not 0.25 <= self.read_stretch <= 4,
            "read_margin": not 0 <= self.read_margin <= 1,
            "max_words": self.max_words < 1,
            "max_length": not 0 < self.max_length <= _LONGEST_WORD,
            "symbols": not (0 <= self.start < len(self.symbols) and 0 <= self.stop < len(self.symbols)),
            "input_order": self.input_order not in ("BGR", "RGB"),
        }
        if named := [key for key, is_wrong in wrong.items() if is_wrong]:
            raise UserError(f"{source}: its manifest has an impossible {named[0]}; export the model again")


def _tuple_of(value: Any, name: str, source: str) -> tuple[Any, ...]:
    """So many finite numbers as the field has."""
    try:
        found = numbers(value, _TUPLES[name], name)
        return tuple(whole_number(one) for one in found) if name == "input_size" else tuple(found)
    except MalformedError as error:
        raise UserError(f"{source}: its manifest has a wrong {name} ({error}); export the model again") from error


_TUPLES = {"input_size": 2, "mean": 3, "std": 3}
_NUMBERS = ("score_thr", "text_thr", "mask_thr", "text_weight", "word_thr", "read_stretch", "read_margin")
_FLAGS = ("keep_aspect", "to_rgb", "embedded", "fold_case")
_TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_TUPLES, tuple),
    **dict.fromkeys(_FLAGS, bool),
    **dict.fromkeys(_NUMBERS, (int, float)),
    **dict.fromkeys(("max_words", "start", "stop", "max_length", "format"), int),
}
"""Types of the fields in JSON; all others are texts."""
_LONGEST_WORD = 1000
