"""XML elements that remember the line they came from, so that problems can be shown by file and line."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement
from xml.parsers import expat

from text_spotting.errors import UserError

LINE = "source-line"
"""Attribute under which every element carries its line number."""


def parse_xml(path: Path) -> Element:
    """Return the root element.

    Raises:
        UserError: if the file is missing or is not well-formed XML.
    """
    if not path.is_file():
        raise UserError(f"annotation file {path} does not exist")
    builder = _Builder()
    try:
        return builder.parse(path.read_bytes())
    except expat.ExpatError as error:
        raise UserError(f"{path}:{error.lineno}: not well-formed XML: {expat.ErrorString(error.code)}") from error


class _Builder:
    def __init__(self) -> None:
        self.open: list[Element] = []
        self.root: Element | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def parse(self, data: bytes) -> Element:
        self.parser.Parse(data, True)
        assert self.root is not None, "expat refuses a document without a root"
        return self.root

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        attributes = {**attributes, LINE: str(self.parser.CurrentLineNumber)}
        if self.open:
            self.open.append(SubElement(self.open[-1], tag, attributes))
        else:
            self.root = Element(tag, attributes)
            self.open.append(self.root)

    def _end(self, _tag: str) -> None:
        self.open.pop()

    def _text(self, text: str) -> None:
        element = self.open[-1]
        if len(element):
            element[-1].tail = (element[-1].tail or "") + text
        else:
            element.text = (element.text or "") + text
