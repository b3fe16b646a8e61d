"""Frames that words are read in, from polygons and from masks, and what is cut out in them."""

import cv2
import numpy as np
import pytest
import torch

from text_spotting import frames
from text_spotting.frames import FrameJitter, cut_out, mask_frames, reading_frame, reads_forward
from text_spotting.models.frames import reading_frames
from text_spotting.models.mask_head import rasterise
from text_spotting.models.roi_extractors import Pyramid, RectifyingExtractor, widen
from text_spotting.words import FloatArray, Image


def rectangle(width: float, height: float, degrees: float, centre: tuple[float, float] = (100.0, 80.0)) -> FloatArray:
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    return np.asarray(corners @ turn.T + centre, np.float32)


UPRIGHT = [[70, 70], [60, 0], [0, 20]]
CASES = {
    "lying flat": (rectangle(60, 20, 0), UPRIGHT),
    "drawn from another corner": (np.roll(rectangle(60, 20, 0), 2, axis=0), UPRIGHT),
    "rising by 30 degrees": (rectangle(40, 20, -30), [[77.68, 81.34], [34.64, -20], [10, 17.32]]),
    "a letter, taller than wide, is read between its sides": (rectangle(20, 32, 0), [[90, 64], [20, 0], [0, 32]]),
    "a leaning letter stays upright": (rectangle(20, 32, 20), [[96.08, 61.55], [18.79, 6.84], [-10.94, 30.07]]),
    "a long shape on end is read along its length": (rectangle(20, 60, 0), [[110, 50], [0, 60], [-20, 0]]),
}


@pytest.mark.parametrize(("polygon", "frame"), CASES.values(), ids=CASES)
def test_a_rectangle_is_its_own_frame(polygon: FloatArray, frame: list[list[float]]) -> None:
    assert reading_frame(polygon) == pytest.approx(np.array(frame), abs=0.01)


@pytest.mark.parametrize(("height", "along"), [(42, [0, 42]), (38, [20, 0])], ids=["long", "a letter"])
def test_a_shape_on_end_is_long_from_twice_its_width_on(height: int, along: list[float]) -> None:
    assert np.abs(reading_frame(rectangle(20, height, 0))[1]) == pytest.approx(along, abs=0.01)


def test_a_polygon_without_area_is_read_in_its_bounds() -> None:
    assert reading_frame([[1, 2], [5, 2], [3, 2]]).tolist() == [[1, 2], [4, 0], [0, 0]]


@pytest.mark.parametrize(("height", "along"), [(42, [0, 42]), (36, [20, 0])], ids=["long", "a letter"])
def test_a_mask_is_taken_for_long_as_its_polygon_is(height: int, along: list[float]) -> None:
    polygon = rectangle(20, height, 0)
    box = torch.tensor([[*polygon.min(axis=0), *polygon.max(axis=0)]])
    frame = reading_frames(box, torch.ones(1, 28, 28), 0.5)[0]
    assert frame[1].abs().tolist() == pytest.approx(along, abs=0.1)


@pytest.mark.parametrize(
    ("edge", "forward"),
    [((30, 0), True), ((30, 50), True), ((30, 53), False), ((0, 40), False), ((-30, 0), False), ((0, 0), False)],
    ids=["as the frame has it", "59 degrees off", "61 degrees off", "across", "upside down", "no edge"],
)
def test_a_word_is_read_forward_within_60_degrees_of_its_frame_by_data_and_network_alike(
    edge: tuple[float, float], forward: bool
) -> None:
    along = (60.0, 0.0)
    assert bool(reads_forward(np.array(edge, np.float32), np.array(along, np.float32))) == forward
    assert reads_forward(torch.tensor([edge], dtype=torch.float32), torch.tensor([along])).tolist() == [forward]


@pytest.mark.parametrize("degrees", [0, 15, -40, 70, -80])
def test_a_mask_has_the_frame_of_its_polygon(degrees: float) -> None:
    polygon = rectangle(70, 20, degrees)
    box = torch.tensor([[*polygon.min(axis=0), *polygon.max(axis=0)]])
    mask = rasterise(torch.from_numpy(polygon)[None], box, 28)
    found = reading_frames(box, mask, 0.5).numpy()
    assert found[0] == pytest.approx(reading_frame(polygon), abs=0.5)
    assert mask_frames(box.numpy(), mask.numpy(), 0.5) == pytest.approx(found, abs=1e-2), "numpy has the same"


def test_an_empty_mask_is_read_in_its_box() -> None:
    box = torch.tensor([[10.0, 20, 50, 30]])
    frame = reading_frames(box, torch.zeros(1, 28, 28), 0.5)[0]
    assert mask_frames(box.numpy(), np.zeros((1, 28, 28), np.float32), 0.5)[0] == pytest.approx(frame.numpy(), abs=1e-3)
    torch.testing.assert_close(frame, torch.tensor([[10.0, 20], [40, 0], [0, 10]]), atol=1e-3, rtol=0)


def test_a_margin_is_a_share_of_the_height_on_every_side() -> None:
    wider = widen(torch.tensor([[[10.0, 20], [40, 0], [0, 10]]]), 0.1)[0]
    assert wider.tolist() == [[9, 19], [42, 0], [0, 12]]
    assert frames.widen(np.array([[[10, 20], [40, 0], [0, 10]]], np.float32), 0.1)[0].tolist() == wider.tolist()


def test_no_jitter_leaves_the_frame_and_some_moves_its_sides_by_shares_of_its_height() -> None:
    frame, rng = np.array(UPRIGHT, np.float32), np.random.default_rng(0)
    still = {"along": 0, "across": 0, "angle": 0, "slant": 0}
    assert FrameJitter(**still, centre=0)(frame, rng) == pytest.approx(frame, abs=1e-4)
    wider = np.array([[68, 68], [64, 0], [0, 24]])
    assert FrameJitter(**still, centre=0.1)(frame, rng) == pytest.approx(wider, abs=1e-3)


def test_loose_ends_are_off_more_often_than_loose_edges_and_no_side_cuts_deep() -> None:
    """Half of what Laplace's distribution gives lies within 0.69 of its scale."""
    rng, loose = np.random.default_rng(0), FrameJitter(angle=0, slant=0)
    frames = np.array([loose(np.array(UPRIGHT, np.float32), rng) for _ in range(2000)])
    left, top = ((np.array(UPRIGHT, np.float32)[0] - frames[:, 0]) / 20).T
    for shift, scale in ((left, 0.12), (top, 0.07)):
        assert np.median(shift) == pytest.approx(0.04, abs=0.01)
        assert np.median(np.abs(shift - 0.04)) == pytest.approx(0.69 * scale, abs=0.01)
        assert shift.min() == pytest.approx(-0.2, abs=0.01)
        assert shift.max() <= 0.601


def image_with_word(polygon: FloatArray) -> Image:
    """Dark, with a word whose left half is red and whose right half is white."""
    image = np.full((160, 200, 3), 20, np.uint8)
    middle_top, middle_bottom = (polygon[0] + polygon[1]) / 2, (polygon[2] + polygon[3]) / 2
    cv2.fillConvexPoly(image, np.round(polygon).astype(np.int32), (255, 255, 255))
    left = np.array([polygon[0], middle_top, middle_bottom, polygon[3]])
    cv2.fillConvexPoly(image, np.round(left).astype(np.int32), (0, 0, 255))
    return image


@pytest.mark.parametrize("degrees", [0, 25, -50])
def test_a_turned_word_is_cut_out_upright_by_the_data_and_the_network_alike(degrees: float) -> None:
    polygon = rectangle(90, 30, degrees)
    image, frame = image_with_word(polygon), reading_frame(polygon)
    cut = cut_out(image, frame, (32, 96))
    assert cut[4:28, 4:44].mean(axis=(0, 1)) == pytest.approx([0, 0, 255], abs=12)
    assert cut[4:28, 52:92].mean(axis=(0, 1)) == pytest.approx([255, 255, 255], abs=12)

    pixels = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    extractor = RectifyingExtractor((32, 96), margin=0)
    pooled = extractor(Pyramid.of([], pixels), torch.zeros(1), torch.from_numpy(frame)[None])
    difference = (pooled[0].permute(1, 2, 0).numpy() - cut).astype(np.float32)
    assert np.abs(difference).mean() < 1.5, "OpenCV rounds places to a 32nd of a pixel"


def test_words_are_pooled_from_the_image_that_they_are_in() -> None:
    images = torch.stack([torch.full((3, 40, 60), value) for value in (1.0, 2.0, 3.0)])
    frames = torch.tensor([[[5.0, 5], [20, 0], [0, 8]]]).repeat(3, 1, 1)
    pooled = RectifyingExtractor((4, 8), 1, margin=0)(Pyramid.of([], images), torch.tensor([0.0, 2, 2]), frames)
    assert pooled.mean(dim=(1, 2, 3)).tolist() == [1, 3, 3]
