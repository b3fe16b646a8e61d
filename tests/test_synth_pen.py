"""Handwriting: strokes become lines in one piece, a pen draws them again, and words stay where they were."""

import random
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from text_spotting.fonts import find_faces
from text_spotting.synth import pen
from text_spotting.synth.generate import SceneGenerator, SceneOptions, WordGenerator, WordOptions
from text_spotting.synth.layout import by_hand, single
from text_spotting.synth.render import Ink, bend, draw_word
from text_spotting.synth.texts import plain_options

FACE = find_faces()[0]
EM = 128


def pieces(line: NDArray[np.uint8], connectivity: int = 8) -> int:
    return int(cv2.connectedComponents(line, connectivity=connectivity)[0]) - 1


def test_a_bar_thins_to_the_line_in_its_middle() -> None:
    bar = np.zeros((11, 40), np.uint8)
    bar[2:9, 3:37] = 1
    line = pen.thin(bar)
    assert set(np.unique(np.nonzero(line)[0])) == {5}
    assert 27 <= line.sum() <= 34 and pieces(line) == 1


def test_a_ring_stays_a_ring_one_pixel_wide() -> None:
    ring = np.zeros((60, 60), np.uint8)
    cv2.circle(ring, (30, 30), 20, 1, 7)
    line = pen.thin(ring)
    assert pieces(line) == 1 and pieces(1 - line, connectivity=4) == 2, "what lies outside, and the hole"
    away = np.hypot(*(np.argwhere(line) - 30).T)
    assert away.min() > 18.5 and away.max() < 21.5


def test_what_is_one_pixel_wide_already_stays() -> None:
    line = np.zeros((9, 9), np.uint8)
    line[4, 1:8] = line[1:5, 4] = 1
    assert np.array_equal(pen.thin(line), line)


def test_nothing_thins_to_nothing() -> None:
    assert not pen.thin(np.zeros((5, 7), np.uint8)).any()


@pytest.mark.parametrize("text", ["stop", "Exit", "24"])
def test_a_pens_line_is_as_wide_everywhere_and_touches_all_borders(text: str) -> None:
    ink = draw_word(FACE, EM, text)
    assert ink is not None
    for seed in range(8):
        written, _, _ = pen.write(random.Random(seed), ink, EM)
        solid = np.where(written.mask > 127, 255, 0).astype(np.uint8)
        assert all(side.any() for side in (solid[0], solid[-1], solid[:, 0], solid[:, -1]))
        depth = cv2.distanceTransform(np.pad(solid, 1), cv2.DIST_L2, 5)
        middle = depth[1:-1, 1:-1][pen.thin(np.where(solid > 0, 1, 0).astype(np.uint8)) > 0]
        assert 0.03 * EM < 2 * float(np.median(middle.astype(float))) < 0.1 * EM


def test_a_word_by_hand_lies_where_the_printed_one_lay() -> None:
    laid = single(FACE, EM, "market")
    assert laid is not None
    for seed in range(8):
        written = by_hand(random.Random(seed), laid)
        ink = written.pieces[0].ink
        height, width = ink.mask.shape
        assert (written.width, written.height) == (width, height)
        assert abs(width - laid.width) < 0.3 * EM and abs(height - laid.height) < 0.3 * EM
        assert ink.chars.shape == (6, 4, 2)
        assert ink.chars.min() >= 0 and (ink.chars.max(axis=(0, 1)) <= (width, height)).all()
        assert abs(ink.baseline - laid.pieces[0].ink.baseline) < 0.3 * EM
        assert np.array_equal(ink.outline, [[0, 0], [width, 0], [width, height], [0, height]])


def test_a_bowed_word_keeps_its_bowed_outline() -> None:
    ink = draw_word(FACE, EM, "market")
    assert ink is not None
    bowed = bend(ink, 0.4)
    written, left, top = pen.write(random.Random(3), bowed, EM)
    assert written.outline == pytest.approx(bowed.outline - [left, top], abs=1e-3)


def test_the_hand_is_off_by_some_hundredths_of_an_em() -> None:
    strokes = draw_word(FACE, EM, "l" * 12, spacing=0.3 * EM)
    assert strokes is not None
    printed = strokes.chars[:, :, 0].mean(axis=1)
    off: list[NDArray[Any]] = []
    for seed in range(20):
        written, left, _ = pen.write(random.Random(seed), strokes, EM)
        found = cv2.connectedComponentsWithStats(np.where(written.mask > 127, 255, 0).astype(np.uint8))[3][1:, 0]
        assert len(found) == 12
        off.append(np.sort(found) + left - printed)
    near = np.corrcoef(np.concatenate([row[:-1] for row in off]), np.concatenate([row[1:] for row in off]))[0, 1]
    assert near < 0.5, "a letter may lean to the other side than its neighbour"
    assert 0.008 * EM < np.std(off) < 0.04 * EM and abs(np.mean(off)) < 0.01 * EM


def test_images_without_handwriting_are_what_they_were() -> None:
    options = SceneOptions(size=(320, 200), words=(3, 6), height=(9, 30))
    assert options.handwritten == WordOptions().handwritten == 0
    plain, written = SceneGenerator(options)(7), SceneGenerator(replace(options, handwritten=1.0))(7)
    assert not np.array_equal(plain.image, written.image)
    noted: dict[str, Any] = plain_options(asdict(options))
    assert "handwritten" not in noted, "sets that were begun before go on"
    assert plain_options(asdict(replace(options, handwritten=0.1)))["handwritten"] == 0.1


@pytest.mark.parametrize(
    ("make", "images"),
    [
        (lambda share: WordGenerator(WordOptions(handwritten=share)), 100),
        (lambda share: SceneGenerator(SceneOptions((320, 200), (4, 4), (9, 20), handwritten=share)), 15),
    ],
    ids=["words", "signs"],
)
def test_a_share_is_written_by_hand(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[float], Callable[[int], Any]], images: int
) -> None:
    written = [0]

    def write(rng: random.Random, ink: Ink, em: int) -> tuple[Ink, int, int]:
        written[-1] += 1
        return ink, 0, 0

    monkeypatch.setattr(pen, "write", write)
    for share in (1.0, 0.3):
        generator = make(share)
        for seed in range(images):
            generator(seed)
        written.append(0)
    assert written[0] >= 50 and 0.2 < written[1] / written[0] < 0.4, written
