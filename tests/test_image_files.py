"""Image files: color order, what cannot be read or written."""

import struct
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.image_files import read_image, write_image


def test_a_grey_image_is_read_as_bgr_and_written_images_read_back(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    image = read_image(tmp_path / "grey.png")
    assert (image == grey[..., None]).all()
    write_image(tmp_path / "new folder" / "copy.png", image)
    assert (read_image(tmp_path / "new folder" / "copy.png") == image).all()


def test_missing_images_and_unwritable_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read image .*gone\.jpg: No such file"):
        read_image(tmp_path / "gone.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_image(tmp_path / "file" / "x.png", np.zeros((2, 2, 3), np.uint8))


def test_a_small_file_that_unfolds_to_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    """40000 x 40000 pixels in some hundred kB: 4.8 GB once decoded."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 40000, 40000, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(10_000_000))
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(UserError, match="1600000000 pixels"):
        read_image(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
