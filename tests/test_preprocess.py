"""Images of every kind become the same input tensor, or are refused in one line."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sample_graphs import MANIFEST

from text_spotting.errors import UserError
from text_spotting.preprocess import fit_to_input, prepare, to_bgr


def test_raw_input_keeps_bgr_order_and_range() -> None:
    image = np.zeros((4, 8, 3), np.uint8)
    image[..., 0], image[..., 2] = 255, 7
    tensor, scale = prepare(image, MANIFEST)
    assert tensor.shape == (1, 3, 4, 8)
    assert tensor.dtype == np.float32
    assert scale == (1.0, 1.0)
    assert tensor[0, :, 0, 0].tolist() == [255.0, 0.0, 7.0]


def test_raw_input_for_a_graph_that_takes_rgb() -> None:
    image = np.full((4, 8, 3), (1, 2, 3), np.uint8)
    tensor, _ = prepare(image, replace(MANIFEST, input_order="RGB"))
    assert tensor[0, :, 0, 0].tolist() == [3.0, 2.0, 1.0]


def test_normalised_input_is_rgb_less_mean_over_std() -> None:
    image = np.full((4, 8, 3), (50, 40, 30), np.uint8)
    tensor, _ = prepare(image, replace(MANIFEST, embedded=False))
    assert tensor[0, :, 0, 0].tolist() == [20.0, 10.0, 5.0]


def test_stretching_gives_each_axis_its_own_factor() -> None:
    _, scale = prepare(np.zeros((16, 16, 3), np.uint8), MANIFEST)
    assert scale == (0.5, 0.25)


def test_keeping_the_aspect_fills_the_rest_with_the_mean_color() -> None:
    canvas, scale = fit_to_input(np.full((8, 8, 3), 200, np.uint8), replace(MANIFEST, keep_aspect=True))
    assert scale == (0.5, 0.5)
    assert (canvas[:, :4] == 200).all()
    assert (canvas[:, 4:] == (30, 20, 10)).all(), "mean is RGB, the canvas BGR"


def test_padding_is_zero_once_normalised() -> None:
    tensor, _ = prepare(np.full((8, 8, 3), 200, np.uint8), replace(MANIFEST, keep_aspect=True, embedded=False))
    assert (tensor[..., 4:] == 0).all()


def test_a_sliver_keeps_at_least_one_pixel() -> None:
    canvas, scale = fit_to_input(np.full((1, 4000, 3), 9, np.uint8), replace(MANIFEST, keep_aspect=True))
    assert canvas.shape == (4, 8, 3)
    assert scale == (8 / 4000, 1.0)


@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 1), (5, 6, 4)], ids=["grey", "grey with an axis", "with alpha"])
def test_other_layouts_become_three_channels(shape: tuple[int, ...]) -> None:
    assert to_bgr(np.full(shape, 77, np.uint8)).tolist() == np.full((5, 6, 3), 77).tolist()


def test_sixteen_bits_keep_their_high_byte() -> None:
    assert to_bgr(np.full((2, 2), 0x12FF, np.uint16))[0, 0].tolist() == [0x12] * 3


@pytest.mark.parametrize(
    ("image", "complaint"),
    [
        (None, "not NoneType"),
        (np.zeros((0, 5, 3), np.uint8), "empty: 5x0"),
        (np.zeros((5, 5, 2), np.uint8), "not \\(5, 5, 2\\)"),
        (np.zeros((5, 5, 3), np.float32), "not float32"),
        (np.zeros((1, 32768, 3), np.uint8), "too large: 32768x1"),
    ],
    ids=["nothing", "no rows", "two channels", "floats", "wider than OpenCV can"],
)
def test_what_is_no_image_is_refused(image: Any, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        prepare(image, MANIFEST)
