"""Font faces: finding them, and a fast cache of drawn glyphs."""

import functools
import random
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from text_spotting.errors import UserError

Mask = NDArray[np.uint8]

ANY_LANGUAGE = ""
_LATIN = "AZaz09gQ"
"""What stands for Latin letters and digits when a face is looked at."""
_MISSING = "\U0010fffd"
_UNREADABLE = ("symbol", "dingbat", "d050000l", "dseg", "math", "ecolier", "unifont", "keyfont", "staypuft", "redacted")
"""Parts of family names whose Latin letters are ornaments, or shapes that no reader takes for the letter."""


@dataclass(frozen=True, slots=True)
class Face:
    """One drawable font: a file, the face's number in it, its family, and its weight as fontconfig counts it.

    Weights: 50 light, 80 regular, 180 semibold, 200 bold.
    """

    path: str
    index: int = 0
    family: str = ""
    weight: int = 80


@dataclass(frozen=True, slots=True, eq=False)
class Glyph:
    """A drawn character: ink coverage (h, w) 0..255, its place against the pen and the baseline, and the pen's step."""

    mask: Mask
    left: int
    top: int
    advance: float


@functools.cache
def find_faces(folders: tuple[str | Path, ...] = (), language: str = "en") -> tuple[Face, ...]:
    """List the faces that cover a language (``ANY_LANGUAGE``: all there are), ordered by path.

    Looked for in ``folders`` if given; otherwise through fontconfig and in pip packages that announce their fonts
    (entry points ``fonts_ttf`` and ``fonts_otf``), with matplotlib's fonts and Pillow's built-in face as last resorts.

    Raises:
        UserError: a folder is given and no font in it draws Latin letters.
    """
    found = _in_folders(folders) if folders else _installed(language)
    unique = {(face.path, face.index): face for face in found}
    faces = [face for face in unique.values() if not any(part in face.family.lower() for part in _UNREADABLE)]
    if language == "en":
        faces = [face for face in faces if draws(face, _LATIN)]
    if folders and not faces:
        raise UserError(f"{folders[0]}: no .ttf or .otf file there draws Latin letters and digits", about="fonts")
    return tuple(sorted(faces, key=lambda face: (face.path, face.index)))


def _in_folders(folders: Iterable[str | Path]) -> list[Face]:
    files = (path for folder in folders for path in Path(folder).rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    return [Face(str(path), 0, path.stem.split("-")[0], _weight_of(path.stem)) for path in files]


def _weight_of(name: str) -> int:
    return 200 if any(part in name.lower() for part in ("bold", "black", "heavy")) else 80


def _installed(language: str) -> list[Face]:
    faces = _fontconfig(language)
    if language in ("en", ANY_LANGUAGE):
        faces = faces + _packaged() or _matplotlib() or [Face("")]
    return faces


def _fontconfig(language: str) -> list[Face]:
    if not shutil.which("fc-list"):
        return []
    pattern = "%{file}\t%{index}\t%{family[0]}\t%{weight}\n"
    listing = subprocess.run(
        ["fc-list", f":lang={language}" if language else ":", "--format", pattern],
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    rows = (row.split("\t") for row in listing.splitlines())
    return [
        Face(path, int(index), family, int(float(weight)) if weight.replace(".", "").isdigit() else 80)
        for path, index, family, weight in rows
        if Path(path).suffix.lower() in (".ttf", ".otf", ".ttc") and int(index) < 1 << 16
    ]


def _packaged() -> list[Face]:
    """Faces of pip packages such as ``font-roboto``: entry points of the groups below are {name: path} dictionaries."""
    faces = []
    for group in ("fonts_ttf", "fonts_otf"):
        for entry in entry_points(group=group):
            listed: dict[str, str] = entry.load()
            faces += [Face(str(path), 0, entry.name, _weight_of(name)) for name, path in listed.items()]
    return faces


def _matplotlib() -> list[Face]:
    try:
        from matplotlib import get_data_path
    except ImportError:
        return []
    paths = sorted((Path(get_data_path()) / "fonts" / "ttf").glob("DejaVu*.ttf"))
    return [Face(str(path), 0, path.stem.split("-")[0]) for path in paths]


def draws(face: Face, text: str) -> bool:
    """Whether the face has every character of the text."""
    return not missing_characters(face, text)


def missing_characters(face: Face, text: str) -> str:
    """The characters of the text, each once, that the face lacks or draws nothing for; all where it cannot be read."""
    try:
        sign = glyph(face, 24, _MISSING).mask.tobytes()
        drawn = {char: glyph(face, 24, char).mask for char in dict.fromkeys(text) if char != " "}
    except OSError:
        return text
    return "".join(char for char, mask in drawn.items() if not mask.size or mask.tobytes() == sign)


@functools.lru_cache(maxsize=4096)
def face_for(text: str) -> tuple[Face, str]:
    """The plainest installed face for a short text, and the text with ``?`` for each character that it lacks."""
    faces = sorted(find_faces(language=ANY_LANGUAGE), key=_ornament)
    face = min(faces, key=lambda face: len(missing_characters(face, text)))
    lacking = set(missing_characters(face, text))
    return face, "".join("?" if char in lacking else char for char in text)


def _ornament(face: Face) -> tuple[bool, bool, int, str]:
    """How far a face is from the plain sans serif that labels are set in."""
    name = Path(face.path).stem.lower()
    return (
        "sans" not in name,
        any(part in name for part in ("mono", "oblique", "italic", "condensed")),
        abs(face.weight - 80),
        face.path,
    )


def by_family(faces: Sequence[Face]) -> tuple[tuple[Face, ...], ...]:
    """Group faces, so that a family of eighteen weights is not drawn eighteen times as often as others."""
    groups: dict[str, list[Face]] = {}
    for face in faces:
        groups.setdefault(face.family, []).append(face)
    return tuple(tuple(group) for _, group in sorted(groups.items()))


def pick(rng: random.Random, families: Sequence[Sequence[Face]]) -> Face:
    """Draw a family, then one of its faces: signs are painted bold more often than light."""
    faces = rng.choice(families)
    return rng.choices(faces, [0.4 if face.weight < 70 else 2.5 if face.weight >= 180 else 1.0 for face in faces])[0]


@functools.lru_cache(maxsize=1000)
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    if not face.path:
        font = ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font
    return ImageFont.truetype(face.path, size, face.index, layout_engine=ImageFont.Layout.BASIC)


@functools.lru_cache(maxsize=60_000)
def glyph(face: Face, size: int, char: str) -> Glyph:
    """Draw one character at ``size`` pixels per em, cut to its ink; do not write to the result, it is kept."""
    font = _font(face, size)
    core, (left, top) = font.getmask2(char, mode="L", anchor="ls")
    width, height = core.size
    mask = np.frombuffer(bytes(core), np.uint8).reshape(height, width)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Glyph(np.zeros((0, 0), np.uint8), int(left), int(top), float(font.getlength(char)))
    first_row, first_column = int(rows[0]), int(columns[0])
    ink = mask[first_row : rows[-1] + 1, first_column : columns[-1] + 1]
    return Glyph(ink, int(left) + first_column, int(top) + first_row, float(font.getlength(char)))


_KERNING_SIZE = 64
_KERNED_PAIRS = ("AV", "To", "Wa", "Ty", "LT", "P.", "VA", "Te")


def kerning(face: Face, pair: str) -> float:
    """Ems to add between two characters, mostly negative or 0."""
    return _kerning(face, pair) if _has_kerning(face) else 0.0


@functools.lru_cache(maxsize=4096)
def _has_kerning(face: Face) -> bool:
    return any(_kerning(face, pair) for pair in _KERNED_PAIRS)


@functools.lru_cache(maxsize=200_000)
def _kerning(face: Face, pair: str) -> float:
    """Measured at one size for the sake of the cache."""
    font = _font(face, _KERNING_SIZE)
    return float(font.getlength(pair) - _advance(face, pair[0]) - _advance(face, pair[1])) / _KERNING_SIZE


@functools.lru_cache(maxsize=60_000)
def _advance(face: Face, char: str) -> float:
    return float(_font(face, _KERNING_SIZE).getlength(char))
