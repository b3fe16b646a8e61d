"""What drawing does to an image: colors where words are, nothing elsewhere, the scene given untouched."""

import numpy as np
import pytest

from text_spotting.draw import (
    GREEN,
    OUTCOME_COLORS,
    Color,
    Outcome,
    draw_outcomes,
    draw_words,
)
from text_spotting.fonts import face_for
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Image, Word


def image() -> Image:
    return np.full((200, 300, 3), 90, np.uint8)


def word(*box: float, text: str = "", score: float = 1.0) -> Word:
    return Word(box_to_polygon(box), text, score)


def is_color(pixels: Image, color: Color) -> bool:
    """Anti-aliased lines blend a little at their edges."""
    return bool(np.abs(pixels.astype(int) - color).max() <= 20)


def painted(before: Image, after: Image) -> tuple[int, int, int, int]:
    """Bounds x1, y1, x2, y2 of the pixels that differ."""
    rows, columns = np.nonzero((before != after).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def test_a_word_without_text_gets_its_outline_and_nothing_else() -> None:
    scene = image()
    drawn = draw_words(scene, [word(100, 80, 200, 120)])
    x1, y1, x2, y2 = painted(scene, drawn)
    assert np.abs(np.array([x1 - 100, y1 - 80, x2 - 200, y2 - 120])).max() <= 1
    assert is_color(drawn[80, 150], GREEN)
    assert (drawn[100, 150] == 90).all()


def test_the_scene_given_is_left_as_it_was_and_no_words_change_nothing() -> None:
    scene = image()
    draw_words(scene, [word(10, 10, 50, 50, text="abc")])
    assert (scene == 90).all()
    assert (draw_words(scene, []) == scene).all()


def test_the_label_stands_above_its_word() -> None:
    scene = image()
    _, top, _, bottom = painted(scene, draw_words(scene, [word(100, 80, 200, 120, text="abc")]))
    assert top < 75
    assert bottom <= 121


@pytest.mark.parametrize("box", [(0, 0, 60, 20), (260, 0, 299, 15), (250, 180, 299, 199), (-30, -30, -5, -5)])
def test_at_the_border_the_label_stays_inside_the_image(box: tuple[float, float, float, float]) -> None:
    scene = image()
    drawn = draw_words(scene, [word(*box, text="a long label")])
    assert drawn.shape == scene.shape
    x1, y1, x2, y2 = painted(scene, drawn)
    assert x2 - x1 > 60
    assert y2 - y1 >= 10


def test_the_label_moves_below_where_it_would_hide_another_word() -> None:
    scene, upper, lower = image(), word(100, 60, 200, 78), word(100, 80, 200, 120, text="abc")
    drawn = draw_words(scene, [upper, lower])
    assert (drawn[70, 110:190] == 90).all()
    assert is_color(drawn[124:127, 102], GREEN)


def test_every_outcome_has_its_own_color_and_ignored_regions_no_label() -> None:
    assert len(set(OUTCOME_COLORS.values())) == len(Outcome)
    scene, place = image(), word(100, 80, 200, 120, text="abc")
    for outcome in Outcome:
        assert is_color(draw_outcomes(scene, [(place, outcome)])[100, 100], OUTCOME_COLORS[outcome])
    assert painted(scene, draw_outcomes(scene, [(place, Outcome.IGNORED)]))[1] >= 79


@pytest.mark.parametrize("text", ["Ўлїца", "Çağlayan"], ids=["Cyrillic", "Latin with accents"])
def test_letters_outside_ascii_are_drawn_as_themselves(text: str) -> None:
    def label(said: str) -> Image:
        return draw_words(image(), [word(20, 80, 280, 120, text=said)])[50:80]

    drawn, marks = label(text), label("?" * len(text))
    assert (drawn != image()[50:80]).any()
    assert face_for(text)[1] == text, "a font of the machine has them all"
    assert not np.array_equal(drawn, label(text[::-1])), "letters have shapes of their own"
    assert not np.array_equal(drawn, marks)


def test_a_character_that_no_font_has_is_drawn_as_a_question_mark() -> None:
    assert face_for("a\U0010fffe")[1] == "a?"


def test_a_glyph_label_stays_inside_the_image() -> None:
    drawn = draw_words(image(), [word(290, 190, 299, 199, text="Щука")])
    assert drawn.shape == image().shape


def test_letters_that_the_font_lacks_do_not_break_drawing() -> None:
    scene = image()
    assert (draw_words(scene, [word(100, 80, 200, 120, text="caf\u00e9 \u6587")]) != scene).any()
