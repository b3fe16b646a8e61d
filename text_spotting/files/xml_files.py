"""XML elements that remember the line they came from, so that problems can be shown by file and line."""

from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from text_spotting.errors import UserError
from text_spotting.files.reading import read_bytes

LINE = "source-line"
"""Attribute under which every element carries its line number."""
DEEPEST = 100
"""Elements within elements; annotations need five."""


def parse_xml(path: Path) -> Element:
    """Return the root element.

    Raises:
        UserError: if the file is missing or is not well-formed XML, or nests too deeply.
    """
    reader = _Reader(path)
    try:
        return reader.parse(read_bytes(path, "annotation file"))
    except expat.ExpatError as error:
        raise UserError(f"{path}:{error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}") from error
    except (ValueError, LookupError) as error:  # encodings that expat or Python does not know
        raise UserError(f"{path}: XML in an encoding that cannot be read ({error}); save it as UTF-8") from error


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.depth = 0
        self.tree = TreeBuilder()
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self.tree.data

    def parse(self, data: bytes) -> Element:
        self.parser.Parse(data, True)
        return self.tree.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise UserError(f"{self.path}:{self.parser.CurrentLineNumber}: elements nest too deeply to be annotations")
        self.tree.start(tag, {**attributes, LINE: str(self.parser.CurrentLineNumber)})

    def _end(self, tag: str) -> None:
        self.depth -= 1
        self.tree.end(tag)
