"""What the renderer says about its words is what the images show."""

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting import fonts
from text_spotting.fonts import Face, by_family, draws, find_faces, pick
from text_spotting.geometry import to_shape
from text_spotting.synth.compose import Canvas
from text_spotting.synth.judge import judge, word_height
from text_spotting.synth.layout import Block, block, single
from text_spotting.synth.pixels import as_floats
from text_spotting.synth.render import Pose, bend, draw_word, size_for
from text_spotting.synth.style import Style, contrasting, luminance
from text_spotting.words import FloatArray, Image

FACE = find_faces()[0]
BLACK_INK = Style((0.0, 0.0, 0.0))


def white(width: int = 400, height: int = 200) -> Canvas:
    return Canvas(np.full((height, width, 3), 255, np.uint8))


def hung(laid: Block, pose: Pose, centre: tuple[float, float], width: float) -> FloatArray:
    return as_floats(pose.corners(width, width * laid.height / laid.width) + as_floats(centre))


def inside(quad: FloatArray, shape: tuple[int, ...], by: float = 0.0) -> Image:
    mask = np.zeros(shape[:2], np.uint8)
    grown = np.asarray(to_shape(quad).buffer(by).exterior.coords)
    cv2.fillPoly(mask, [np.round(grown).astype(np.int32)], 1)
    return mask > 0


def test_a_drawn_words_ink_touches_all_four_borders_of_its_mask() -> None:
    ink = draw_word(FACE, 64, "Hpx7")
    assert ink is not None
    mask = ink.mask > 0
    assert mask[0].any() and mask[-1].any() and mask[:, 0].any() and mask[:, -1].any()
    assert ink.chars.shape == (4, 4, 2)


def test_every_character_has_ink_in_its_own_quad_and_all_ink_is_in_some_quad() -> None:
    ink = draw_word(FACE, 64, "STOP", spacing=8)
    assert ink is not None
    left = ink.mask.copy()
    for quad in ink.chars:
        (x1, y1), (x2, y2) = quad[0].astype(int), quad[2].astype(int)
        assert left[y1:y2, x1:x2].any()
        left[y1:y2, x1:x2] = 0
    assert not left.any()


def test_a_word_without_ink_or_with_a_mark_that_the_face_lacks_is_not_drawn() -> None:
    assert draw_word(FACE, 30, " ") is None
    assert not draws(FACE, "\U0010fffd")
    assert draw_word(FACE, 30, "a\U0010fffd") is None


@pytest.mark.parametrize("depth", [0.5, -0.5], ids=["arch", "smile"])
def test_a_bent_words_ink_stays_inside_its_bent_outline(depth: float) -> None:
    ink = draw_word(FACE, 64, "AROUNDTHE")
    assert ink is not None
    bent = bend(ink, depth)
    ink_mask = bent.mask > 60
    assert ink_mask.sum() > 0.9 * (ink.mask > 60).sum()
    assert ink_mask[~inside(bent.outline, bent.mask.shape, by=2.0)].sum() == 0
    middle, ends = bent.chars[4, 0, 1], bent.chars[0, 0, 1]
    assert (middle < ends) == (depth > 0)


@pytest.mark.parametrize(
    "pose",
    [
        Pose(),
        Pose(angle=25),
        Pose(turn=0.4, slant=0.2),
        Pose(pitch=-0.2, shear=0.1),
        Pose(angle=-90),
    ],
    ids=["level", "turned", "from the side", "from below", "upwards"],
)
def test_ink_lies_inside_the_words_polygon_and_fills_most_of_its_height(pose: Pose) -> None:
    canvas = white()
    laid = single(FACE, 64, "Hxk")
    assert laid is not None
    canvas.write(laid, hung(laid, pose, (200, 100), 110), BLACK_INK)
    (placed,) = canvas.placed
    ink = canvas.image[..., 0] < 128
    assert ink.sum() > 300
    assert (ink & ~inside(placed.word.polygon, ink.shape, by=1.0)).sum() == 0
    covered = np.asarray(to_shape(cv2.convexHull(np.argwhere(ink)[:, ::-1].astype(np.float32))[:, 0]).area)
    assert covered > 0.6 * to_shape(placed.word.polygon).area
    assert placed.word.text == "Hxk" and not placed.word.ignore


def test_a_turned_words_first_corner_stays_its_own_top_left() -> None:
    canvas = white()
    laid = single(FACE, 64, "LEFT")
    assert laid is not None
    canvas.write(laid, hung(laid, Pose(angle=90), (200, 100), 120), BLACK_INK)  # reads downwards
    first, second, *_ = canvas.placed[0].word.polygon
    assert first[1] < second[1] and first[0] > canvas.placed[0].word.polygon[3][0]


def test_the_words_of_a_block_get_a_polygon_each_in_reading_order_without_overlap() -> None:
    canvas = white()
    laid = block(random.Random(3), FACE, 30, [["NO", "ENTRY"], ["AFTER", "6pm"]])
    assert laid is not None
    canvas.write(laid, hung(laid, Pose(angle=10), (200, 100), 200), BLACK_INK)
    assert [placed.word.text for placed in canvas.placed] == ["NO", "ENTRY", "AFTER", "6pm"]
    masks = [inside(placed.word.polygon, canvas.image.shape) for placed in canvas.placed]
    assert np.sum(masks, axis=0).max() == 1
    for number, mask in enumerate(masks, start=1):
        assert set(np.unique(canvas.ids[mask])) <= {0, number}


def test_a_word_that_leaves_the_image_is_clipped_and_becomes_dont_care() -> None:
    canvas = white()
    laid = single(FACE, 64, "OUTSIDE")
    assert laid is not None
    canvas.write(laid, hung(laid, Pose(), (380, 100), 200), BLACK_INK)
    (placed,) = canvas.placed
    assert placed.word.ignore
    assert placed.word.polygon[:, 0].max() == 400


def test_a_covered_word_becomes_dont_care_and_a_free_one_does_not() -> None:
    canvas = white()
    laid = single(FACE, 64, "MOTEL")
    assert laid is not None
    canvas.write(laid, hung(laid, Pose(), (100, 100), 120), BLACK_INK)
    canvas.write(laid, hung(laid, Pose(), (300, 100), 120), BLACK_INK)
    canvas.cover(np.ones((200, 100), np.bool_), (0, 0, 100, 200))
    covered, free = judge(canvas.image, canvas, softness=0.0)
    assert covered.word.ignore and not free.word.ignore
    assert covered.word.text == "MOTEL"


@pytest.mark.parametrize(
    ("color", "width", "softness", "readable"),
    [
        (0.0, 120, 0.0, True),
        (250.0, 120, 0.0, False),  # faint: 5 grey levels from white
        (0.0, 16, 0.0, False),  # 4 pixels tall
        (0.0, 120, 9.0, False),  # blurred by a third of its height
    ],
    ids=["clear", "faint", "tiny", "blurred"],
)
def test_unreadable_words_become_dont_care(color: float, width: float, softness: float, readable: bool) -> None:
    canvas = white()
    laid = single(FACE, 64, "HOTEL")
    assert laid is not None
    canvas.write(laid, hung(laid, Pose(), (200, 100), width), Style((color,) * 3))
    (placed,) = judge(canvas.image, canvas, softness)
    assert placed.word.ignore != readable


def test_the_height_of_a_word_is_that_of_its_short_ends() -> None:
    assert word_height(as_floats([[0, 0], [100, 0], [100, 30], [0, 20]])) == 25
    six = as_floats([[0, 0], [50, 9], [100, 0], [100, 20], [50, 29], [0, 20]])
    assert word_height(six) == 20


def test_a_word_squeezed_to_two_pixels_a_character_becomes_dont_care() -> None:
    canvas = white()
    laid = single(FACE, 64, "RECEDING")
    assert laid is not None
    canvas.write(laid, as_floats([[100, 50], [115, 50], [115, 80], [100, 80]]), BLACK_INK)
    (placed,) = judge(canvas.image, canvas, softness=0.0)
    assert placed.word.ignore


def test_a_place_is_never_taken_twice_and_a_full_image_has_none_left() -> None:
    canvas, rng = white(), random.Random(1)
    quad = Pose(angle=5).corners(60, 20)
    places = []
    while (place := canvas.find_place(rng, quad)) is not None:
        canvas.reserve(place)
        places.append(place)
    assert 15 <= len(places) <= 66
    shapes = [to_shape(place) for place in places]
    assert not any(a.intersects(b) for number, a in enumerate(shapes) for b in shapes[:number])
    assert all(place.min() >= 0 and place[:, 0].max() <= 400 and place[:, 1].max() <= 200 for place in places)


def test_text_seeks_the_quiet_side_of_an_image() -> None:
    image = np.full((200, 400, 3), 128, np.uint8)
    image[:, 200:] = np.random.default_rng(0).integers(0, 255, (200, 200, 3))
    canvas = Canvas(image)
    quad = Pose().corners(80, 30)
    places = [canvas.find_place(random.Random(seed), quad) for seed in range(20)]
    assert sum(place is not None and place[:, 0].max() <= 205 for place in places) >= 18


def test_ink_keeps_the_asked_for_distance_from_what_lies_behind() -> None:
    rng = random.Random(0)
    for level in (0.0, 90.0, 128.0, 170.0, 255.0):
        for _ in range(50):
            ink = contrasting(rng, (level, level, level), 60)
            assert abs(luminance(ink) - level) > 45


def test_letters_are_drawn_larger_than_they_are_shown() -> None:
    assert size_for(10) == 32
    assert size_for(30) == 64
    assert size_for(500) == 128


def test_a_family_of_many_weights_is_drawn_no_more_often_than_one_of_a_single_weight() -> None:
    faces = [Face(f"a{number}", 0, "Many") for number in range(9)] + [Face("b", 0, "Single")]
    rng = random.Random(0)
    picked = [pick(rng, by_family(faces)).family for _ in range(1000)]
    assert 420 < picked.count("Single") < 580


def test_fonts_that_pip_packages_announce_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bold = tmp_path / "Some-Bold.ttf"
    monkeypatch.setattr(fonts, "entry_points", lambda group: [Announced(group, {"SomeBold": str(bold)})])
    found = [face for face in fonts._packaged() if face.family == "fonts_ttf"]
    assert found == [Face(str(bold), 0, "fonts_ttf", 200)]


@dataclass(frozen=True)
class Announced:
    """Stands for an entry point of an installed package."""

    name: str
    listed: dict[str, str]

    def load(self) -> dict[str, str]:
        return self.listed


def test_without_any_installed_font_there_is_still_a_face_that_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_fontconfig", lambda language: [])
    monkeypatch.setattr(fonts, "_packaged", list)
    monkeypatch.setattr(fonts, "_matplotlib", list)
    (face,) = find_faces.__wrapped__()
    assert face.path == ""
    assert draw_word(face, 48, "Exit7") is not None
