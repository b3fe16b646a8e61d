"""What a run over images says about the limits it met, once at its end rather than image by image."""

import logging
import sys
from types import TracebackType

from text_spotting.words import Image

_SHOWN = 3
_SPOTTING = "text_spotting.postprocess"


class Remarks(logging.Handler):
    """Collects images whose words reached the model's limit, and those too large to be read well at once.

    Args:
        input_size: width and height of the model's input; None where images are read in tiles.
    """

    def __init__(self, input_size: tuple[int, int] | None) -> None:
        super().__init__(logging.WARNING)
        self.input_size = input_size
        self.reached = False
        self.full: list[str] = []
        self.large: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """The model's limit was reached in the image at hand."""
        self.reached = True

    def note(self, name: str, image: Image) -> None:
        """An image is done."""
        from text_spotting.runtime.tiles import needs_tiles

        if self.reached:
            self.full.append(name)
        if self.input_size and needs_tiles((image.shape[1], image.shape[0]), self.input_size):
            self.large.append(name)
        self.reached = False

    def __enter__(self) -> "Remarks":
        logger = logging.getLogger(_SPOTTING)
        logger.addHandler(self)
        logger.propagate = False
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logger = logging.getLogger(_SPOTTING)
        logger.removeHandler(self)
        logger.propagate = True
        if self.full:
            print(
                f"note: {_some(self.full)} held as many words as the model finds at most, so some may be missing;"
                " export it with a larger --max-words, or read the images with --tiles auto",
                file=sys.stderr,
            )
        if self.large:
            print(
                f"note: {_some(self.large)} are much larger than the model's input; where text is small, --tiles auto"
                " finds more of it and takes longer",
                file=sys.stderr,
            )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{len(names)} image(s) ({', '.join(names[:_SHOWN])}{more})"
