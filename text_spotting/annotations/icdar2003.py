"""ICDAR 2003 (and SVT, which borrowed its format): one XML for all images, axis-aligned boxes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from text_spotting.annotations.checks import Checked, Rejection, annotated, checked_word, image_size
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.files.values import MalformedError, number
from text_spotting.files.xml_files import LINE, parse_xml
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import find_named


@dataclass(frozen=True)
class ICDAR2003:
    """``words.xml`` or ``locations.xml``: ``tagset/image/{imageName, taggedRectangles/taggedRectangle/tag}``.

    Attributes:
        root: folder that the others are relative to.
        images_folder: folder that image names are relative to; by default the folder of the XML file.
    """

    root: Path
    annotation_path: str
    images_folder: str | None = None

    def read(self, problems: Problems) -> Iterator[AnnotatedImage]:
        """Yield every image of the file."""
        file = self.root / self.annotation_path
        folder = file.parent if self.images_folder is None else self.root / self.images_folder
        tagset = parse_xml(file)
        if tagset.tag != "tagset":
            raise UserError(f"{file}: the root element is <{tagset.tag}>, not <tagset>; is this ICDAR 2003 or SVT?")
        for image in tagset.iter("image"):
            path = find_named(folder, (image.findtext("imageName") or "").strip())
            place = f"{file}:{image.get(LINE)}"
            size = image_size(path, place, problems)
            if size is not None:
                words = (_word(shape, size, file, problems) for shape in image.iter("taggedRectangle"))
                yield from annotated(path, size, words, place, problems)


def _word(shape: Element, size: tuple[int, int], file: Path, problems: Problems) -> Checked:
    place = f"{file}:{shape.get(LINE)}"
    try:
        x, y, width, height = (number(shape.get(key)) for key in ("x", "y", "width", "height"))
        turned = any(number(shape.get(key, 0)) for key in ("rotation", "offset"))
    except MalformedError as error:
        problems.add("not a box: dropped", place, str(error))
        return Rejection.UNUSABLE
    if turned:
        problems.add("box is rotated or slanted: its upright box is taken", place)
    text = (shape.findtext("tag") or "").strip()
    return checked_word(box_to_polygon((x, y, x + width, y + height)), size, place, problems, text=text)
