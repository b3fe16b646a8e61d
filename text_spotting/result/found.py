"""What a spotter found in one image."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from text_spotting.result.lines import in_reading_order, reading_lines
from text_spotting.words import Image, Word


class Words(list[Word]):
    """The words of an image, as the spotter found them.

    Attributes:
        size: width and height of the image.
    """

    def __init__(self, words: Iterable[Word] = (), size: tuple[int, int] = (0, 0)) -> None:
        super().__init__(words)
        self.size = size

    @property
    def lines(self) -> list[list[Word]]:
        """Words with text in reading order, see ``result.lines.reading_lines``."""
        return reading_lines(self)

    @property
    def text(self) -> str:
        """What was read, a line for each line of text."""
        return "\n".join(" ".join(word.text for word in line) for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Numbers, strings, lists and dictionaries alone; words come in reading order."""
        width, height = self.size
        return {
            "width": width,
            "height": height,
            "text": self.text,
            "words": [word.to_dict() for word in in_reading_order(self)],
        }

    def to_json(self, indent: int | None = None) -> str:
        """``to_dict`` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def save(self, path: str | Path) -> None:
        """Write the words to a file of the kind that its ending names.

        Raises:
            UserError: an unknown ending, or the file cannot be written.
        """
        from text_spotting.result.formats import save_words

        save_words(self, Path(path))

    def draw(self, image: Any) -> Image:
        """Return the image, given in any way that a spotter takes it, with the words painted over it."""
        from text_spotting.draw import draw_words
        from text_spotting.images import load_image

        return draw_words(load_image(image), self)

    def to_supervision(self) -> Any:
        """The words as ``supervision.Detections``: boxes, scores, and ``text`` and ``polygon`` under ``data``.

        Raises:
            UserError: the package supervision is not installed.
        """
        import numpy as np

        from text_spotting.errors import require_package

        supervision = require_package("supervision", "to_supervision()")
        return supervision.Detections(
            xyxy=np.array([word.box for word in self], np.float32).reshape(-1, 4),
            confidence=np.array([word.score for word in self], np.float32),
            class_id=np.zeros(len(self), int),
            data={
                "class_name": np.array(["text"] * len(self)),
                "text": np.array([word.text for word in self]),
                "polygon": np.array([word.polygon for word in self], np.float32).reshape(len(self), -1, 2),
            },
        )
