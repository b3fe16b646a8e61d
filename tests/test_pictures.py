"""Picture files: color order, what cannot be read or written."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.pictures import read_picture, write_picture


def test_a_grey_picture_is_read_as_bgr_and_written_pictures_read_back(tmp_path: Path) -> None:
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    picture = read_picture(tmp_path / "grey.png")
    assert (picture == grey[..., None]).all()
    write_picture(tmp_path / "new folder" / "copy.png", picture)
    assert (read_picture(tmp_path / "new folder" / "copy.png") == picture).all()


def test_missing_pictures_and_unwritable_places_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read picture .*gone\.jpg: No such file"):
        read_picture(tmp_path / "gone.jpg")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        write_picture(tmp_path / "file" / "x.png", np.zeros((2, 2, 3), np.uint8))
