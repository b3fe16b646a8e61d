"""What must cross the export border for a folder of graphs to be a spotter again."""

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from text_spotting.alphabet import MAX_LENGTH, START, STOP, SYMBOLS
from text_spotting.errors import UserError

FORMAT = 1
KEY = "text_spotting"
"""Name of the entry in the IR's ``rt_info`` and in the ONNX metadata."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Facts that the runtime needs and the graphs do not show.

    Attributes:
        input_size: width, height of the detector's input.
        keep_aspect: scale both sides alike and pad right and bottom, rather than stretch.
        mean, std: per channel in the colour order of ``to_rgb``, on the 0..255 scale.
        to_rgb: the network was trained on RGB; pictures are read as BGR.
        embedded: the graphs take raw BGR 0..255 because colour order, mean and std are inside (IR), or
            they expect a normalised picture (plain ONNX).
        input_order: colour order, "BGR" or "RGB", in which an ``embedded`` graph takes raw pictures.
        symbols, start, stop, max_length: the recogniser's classes and when decoding ends.
        score_thr, text_thr, mask_thr: least detection score, text confidence, and mask probability.
        text_weight: weight, 0..1, of the text confidence in a word's score, a geometric mean with the detection's.
        word_thr: least score of a word.
        detector, encoder, decoder: file names of the three graphs, beside each other.
        recognizer: file name of the graph, beside the others, that reads words cut out of the image's own pixels;
            empty where the encoder and the decoder read.
        read_margin: what the recognizer is shown around a found word, as a share of the word's height.
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
    read_margin: float = 0.0
    precision: str = ""
    symbols: str = SYMBOLS
    start: int = START
    stop: int = STOP
    max_length: int = MAX_LENGTH
    format: int = FORMAT

    def to_json(self) -> str:
        """One line of JSON with every field."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str, source: str) -> "Manifest":
        """Read what ``to_json`` wrote; ``source`` names the file in error messages.

        Raises:
            UserError: not JSON, a missing or unknown field, or a format newer than this code.
        """
        try:
            values: dict[str, Any] = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(f"{source}: its manifest is not JSON ({error}); export the model again") from error
        if values.get("format", 0) > FORMAT:
            raise UserError(f"{source}: manifest format {values['format']} is newer than this toolkit; update it")
        known = {field.name for field in fields(cls)}
        if unknown := set(values) - known:
            raise UserError(f"{source}: unknown manifest field(s) {', '.join(sorted(unknown))}; export the model again")
        for name in ("input_size", "mean", "std"):
            if name in values:
                values[name] = tuple(values[name])
        try:
            return cls(**values)
        except TypeError as error:
            raise UserError(f"{source}: incomplete manifest ({error}); export the model again") from error
