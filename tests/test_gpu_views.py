"""Views and words on the card: labels stay on their pixels, and words are cut as the spotter cuts them."""

from dataclasses import fields
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from text_spotting.alphabet import DEFAULT, Alphabet
from text_spotting.data.transforms import RandomView
from text_spotting.frames import FrameJitter, cut_out, reading_frame
from text_spotting.gpu import words as card_words
from text_spotting.gpu.light import blur, relight
from text_spotting.gpu.packing import CANVAS
from text_spotting.gpu.shards import Packed
from text_spotting.gpu.views import Card, ViewOptions, choose, clipped_boxes, show, visible
from text_spotting.gpu.words import Jitter, WordPool, laplace
from text_spotting.words import FloatArray

STILL: dict[str, Any] = {"scales": (1, 1), "aspect": 1.0, "max_angle": 0.0, "tilts": 0.0, "quarter_turns": 0.0}
"""Options of a view that shows the whole image as it is, where it has the view's size."""


def square(x1: float, y1: float, x2: float, y2: float) -> FloatArray:
    return np.array([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], np.float32)


def card_of(*quads: FloatArray, size: tuple[int, int] = (320, 192), stretch: tuple[float, float] = (1.0, 1.0)) -> Card:
    """White words on black."""
    image = np.zeros((size[1], size[0]), np.uint8)
    for quad in quads:
        cv2.fillPoly(image, [quad.astype(np.int32)], 255)
    ignore = np.zeros(len(quads), bool)
    return Card(torch.from_numpy(np.stack([image] * 3)), np.stack(quads), ignore, stretch)


@pytest.mark.slow
@pytest.mark.parametrize("stretch", [(1.0, 1.0), (1.5, 1.0)], ids=["own shape", "stored squeezed"])
def test_a_drawn_word_lies_where_its_polygon_says_in_any_view(stretch: tuple[float, float]) -> None:
    card = card_of(square(90, 60, 190, 100), stretch=stretch)
    options = ViewOptions(size=(320, 256), fit=(320, 256), on_word=1.0, quarter_turns=0.4, tilts=0.4)
    rng = np.random.default_rng(0)
    images, truth = show([card] * 16, [choose(card, options, rng) for _ in range(16)], options.size)
    assert images.shape == (16, 3, 256, 320)
    agreed = []
    for image, quad in zip(images, truth.polygons[:, 0].numpy(), strict=True):
        if not quad.any():
            continue
        drawn = np.zeros((256, 320), np.uint8)
        cv2.fillPoly(drawn, [np.rint(quad - 0.5).astype(np.int32)], 1)
        seen = image[0].numpy() > 127
        agreed.append((seen & (drawn > 0)).sum() / (seen | (drawn > 0)).sum())
    assert len(agreed) > 8
    assert min(agreed) > 0.93


def test_a_squeezed_image_gets_its_own_shape_back() -> None:
    card = card_of(square(40, 40, 60, 60), size=(160, 160), stretch=(2.0, 1.0))
    view = choose(card, ViewOptions(size=(320, 160), fit=(320, 160), **STILL), np.random.default_rng(0))
    np.testing.assert_allclose(view.polygons, [square(80, 40, 120, 60)], atol=1e-4)


def test_the_share_of_a_word_that_a_view_shows_is_counted_on_a_grid() -> None:
    quads = np.stack([square(10, 10, 50, 30), square(-10, 10, 30, 30), square(-50, 10, -10, 30)])
    np.testing.assert_allclose(visible(quads, (100, 100)), [1, 5 / 7, 0], atol=1e-6)
    assert clipped_boxes(quads, (100, 100)).tolist() == [[10, 10, 50, 30], [0, 10, 30, 30], [0, 10, 0, 30]]


def test_cut_small_and_unreadable_words_are_dont_care_and_those_outside_are_gone() -> None:
    quads = [square(10, 10, 50, 30), square(-10, 50, 30, 70), square(60, 60, 90, 63), square(-60, 0, -20, 20)]
    card = card_of(*quads, square(100, 100, 140, 120))
    card.ignore[4] = True
    view = choose(card, ViewOptions(size=(320, 192), fit=(320, 192), **STILL), np.random.default_rng(0))
    np.testing.assert_allclose(view.polygons, quads[:1], atol=1e-4)
    np.testing.assert_allclose(view.ignored, [(0, 50, 30, 70), (60, 60, 90, 63), (100, 100, 140, 120)], atol=1e-4)


def test_relighting_no_image_changes_none_and_blur_spreads_light_without_losing_it() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 16, 16) * 255
    torch.testing.assert_close(relight(images, 0.0), images, atol=1e-2, rtol=0)
    assert (relight(images, 1.0) - images).abs().mean() > 5
    dot = torch.zeros(2, 3, 17, 17)
    dot[:, :, 8, 8] = 100
    sharp, soft = blur(dot, torch.tensor([0.0, 1.0]))
    torch.testing.assert_close(sharp, dot[0])
    assert float(soft[0].sum()) == pytest.approx(100, rel=1e-4)
    assert float(soft[0, 8, 8]) == pytest.approx(100 / (2 * np.pi), rel=0.01), "a Gaussian of deviation 1"


def word_of(text: str, size: tuple[int, int] = (60, 24)) -> Packed:
    rng = np.random.default_rng(len(text))
    image = cv2.GaussianBlur(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8), (0, 0), 2)
    quad = np.array([(6, 5), (50, 8), (49, 20), (5, 17)], np.float32)
    return Packed("rendered", image, quad[None], [text], [False])


@pytest.mark.parametrize("width", [48, 96])
def test_a_word_is_cut_from_the_pool_as_the_spotter_cuts_it_from_the_photo(width: int) -> None:
    pool = WordPool(4, DEFAULT, torch.device("cpu"))
    pool.add([word_of("one"), word_of("three")])
    frames = pool.frames[:2].clone()
    frames[1, 0] -= 12  # beyond the image its edge goes on
    cuts = pool.cut(torch.tensor([0, 1]), frames, (32, width))
    for cut, frame, text in zip(cuts, frames, ("one", "three"), strict=True):
        theirs = cut_out(word_of(text).image, frame.numpy(), (32, width))[:, :, ::-1].transpose(2, 0, 1)
        assert np.abs(cut.numpy() - theirs).max() < 3
        assert np.abs(cut.numpy() - theirs).mean() < 0.6


def test_a_full_pool_gives_its_oldest_words_up() -> None:
    pool = WordPool(2, DEFAULT, torch.device("cpu"))
    pool.add([word_of("one"), word_of("three")])
    pool.add([word_of("fifth")])
    assert ["".join(DEFAULT.table[index] for index in row).strip() for row in pool.texts] == ["fifth", "three"]
    assert (pool.held, pool.next) == (2, 1)
    assert pool.canvases.shape == (2, 3, *CANVAS)
    np.testing.assert_allclose(pool.frames[0], reading_frame(word_of("fifth").polygons[0]), atol=1e-4)


def test_a_pool_encodes_in_its_own_alphabet() -> None:
    pool = WordPool(1, Alphabet("abc!", max_length=5), torch.device("cpu"))
    pool.add([word_of("Cab!")])
    assert pool.texts.tolist() == [[4, 2, 3, 5, 1]]


class Drawn:
    """Random numbers that are known, each in units of its spread: one after the other, two for two sides."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = list(numbers)

    def laplace(self, loc: float, scale: float, size: int | None = None) -> Any:
        drawn = [loc + scale * self.numbers.pop(0) for _ in range(size or 1)]
        return np.array(drawn) if size else drawn[0]

    def normal(self, loc: float, scale: float) -> float:
        return loc + scale * self.numbers.pop(0)


@pytest.mark.parametrize(
    "numbers", [(0, 0, 0, 0, 0, 0), (1, -2, 0.5, 3, -2, 1), (-9, 9, 9, -9, 4, -2)], ids=["none", "some", "far"]
)
def test_the_cards_jitter_moves_a_frame_as_frame_jitter_does(
    numbers: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = np.array([(10, 20), (40, 9), (-3, 12)], np.float32)
    loose = FrameJitter(along=0.2, across=0.1, centre=0.05, angle=5.0)
    drawn: Any = Drawn(*numbers)
    wanted = loose(frame, drawn)
    assert not drawn.numbers
    left = list(numbers)
    monkeypatch.setattr(card_words, "laplace", lambda n, scale, device: torch.full((n, 1), scale * left.pop(0)))
    monkeypatch.setattr(torch, "randn", lambda n, _, device: torch.full((n, 1), float(left.pop(0))))
    moved = Jitter(loose, tight=0.0)(torch.from_numpy(frame)[None])
    assert not left
    np.testing.assert_allclose(moved[0], wanted, atol=1e-4)


def test_views_on_a_card_have_values_of_their_own_for_what_is_listed_here() -> None:
    theirs = RandomView(size=(768, 544), fit=(1024, 576))
    own = {field.name: getattr(ViewOptions(), field.name) for field in fields(ViewOptions)}
    del own["min_visible"]
    differing = {name: value for name, value in own.items() if value != getattr(theirs, name)}
    assert differing == {"scales": (0.6, 1.8), "aspect": 1.3, "tilts": 0.15, "quarter_turns": 0.1}


def test_tight_frames_get_the_usual_margin_alone_and_others_vary_within_bounds() -> None:
    torch.manual_seed(0)
    frames = torch.tensor([[[10.0, 10], [40, 0], [0, 10]]]).repeat(500, 1, 1)
    tight = Jitter(tight=1.0)(frames)
    wanted = torch.tensor([[10 - 0.4, 10 - 0.4], [40.8, 0], [0, 10.8]])
    torch.testing.assert_close(tight, wanted.expand_as(tight), atol=1e-4, rtol=0)
    loose = Jitter(loose=FrameJitter(angle=0.0, slant=0.0), tight=0.0)(frames)
    along = loose[:, 1, 0]
    assert 36 <= float(along.min()) < 39, "two ends, each cut by 0.2 heights at most"
    assert 43 < float(along.max()) <= 52, "each 0.6 heights farther out at most"


def test_draws_around_zero_have_laplaces_spread() -> None:
    torch.manual_seed(0)
    drawn = laplace(20000, 0.5, torch.device("cpu"))
    assert float(drawn.abs().mean()) == pytest.approx(0.5, rel=0.03)
    assert float(drawn.mean()) == pytest.approx(0, abs=0.02)
