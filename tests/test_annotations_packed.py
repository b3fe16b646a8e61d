"""Annotated images in arrays: the same as before, and what reading left over goes with the process that read."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.annotations import packed
from text_spotting.annotations.packed import PackedImages, read_packed
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.words import Word

SQUARE = np.array([[0, 0], [9, 0], [9, 5], [0, 5]], np.float32)
TRIANGLE = np.array([[1, 1], [4, 1], [4, 3]], np.float32)
IMAGES = [
    AnnotatedImage(Path("a/one.png"), 30, 20, [Word(SQUARE, "one"), Word(TRIANGLE, "żółw", ignore=True)]),
    AnnotatedImage(Path("empty.png"), 7, 8),
    AnnotatedImage(Path("bild ü.png"), 640, 480, [Word(SQUARE + 1, "")]),
]


def test_packed_images_are_what_went_in() -> None:
    images = PackedImages.of(IMAGES)
    assert len(images) == 3
    assert [(image.path, image.width, image.height) for image in images] == [
        (image.path, image.width, image.height) for image in IMAGES
    ]
    for image, own in zip(images, IMAGES, strict=True):
        assert [(word.text, word.ignore) for word in image.words] == [(word.text, word.ignore) for word in own.words]
        assert all(
            np.array_equal(word.polygon, other.polygon) for word, other in zip(image.words, own.words, strict=True)
        )
    assert images[-1].words[0].polygon.tolist() == (SQUARE + 1).tolist()
    assert [len(image.words) for image in images[:2]] == [2, 0]
    with pytest.raises(IndexError):
        images[3]
    with pytest.raises(IndexError):
        images[0].words[2]


def test_no_image_at_all_can_be_packed() -> None:
    assert list(PackedImages.of([])) == []


@pytest.mark.parametrize("large", [10**9, 0], ids=["read here", "read in another process"])
def test_files_are_read_once_until_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int) -> None:
    monkeypatch.setattr(packed, "_LARGE", large)
    cv2.imwrite(str(tmp_path / "one.png"), np.zeros((20, 30, 3), np.uint8))
    document: dict[str, Any] = {
        "images": [{"id": 1, "file_name": "one.png", "width": 30, "height": 20}],
        "annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0, 9, 5], "attributes": {"transcription": "one"}}],
    }
    path = tmp_path / "annotation.json"
    path.write_text(json.dumps(document))
    first = read_packed(str(path), str(tmp_path))
    assert read_packed(str(path), str(tmp_path)) is first
    assert first[0].words[0].text == "one"
    document["annotations"][0]["attributes"]["transcription"] = "another"
    path.write_text(json.dumps(document))
    assert read_packed(str(path), str(tmp_path))[0].words[0].text == "another"
    path.write_text("{")
    with pytest.raises(UserError, match=r"annotation\.json"):
        read_packed(str(path), str(tmp_path))
