"""tools/create_dataset.py from the command line to its files."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.cli.main import run_tool

FLAT = "10,10,50,10,50,30,10,30"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Ten images of one word in the ICDAR 2015 format; the tenth has a short line too."""
    root = tmp_path / "data"
    (root / "gt").mkdir(parents=True)
    (root / "images").mkdir()
    for number in range(1, 11):
        cv2.imwrite(str(root / f"images/img_{number}.jpg"), np.full((60, 100, 3), 127, np.uint8))
        (root / f"gt/gt_img_{number}.txt").write_text(f"{FLAT},word{number}\n" + "1,2,3\n" * (number == 10))
    entry = {"name": "ICDAR2015DatasetConverter", "kwargs": {"images_folder": "images", "annotations_folder": "gt"}}
    (root / "config.json").write_text(json.dumps([entry, entry]))
    return root


def create(root: Path, *flags: str) -> int:
    arguments = ["--config", f"{root}/config.json", "--root", f"{root}", "--output", f"{root}/out/all.json", *flags]
    return run_tool("create_dataset", arguments)


def texts(path: Path) -> list[str]:
    return [word.text for image in read_dataset(path) for word in image.words]


def test_sets_are_merged_in_order_with_new_ids(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert create(root) == 0
    assert texts(root / "out/all.json") == [f"word{number}" for number in range(1, 11)] * 2
    document = json.loads((root / "out/all.json").read_text())
    assert [image["id"] for image in document["images"]] == list(range(20))
    assert [word["id"] for word in document["annotations"]] == list(range(20))
    assert document["images"][0]["file_name"] == "../images/img_1.jpg"
    printed = capsys.readouterr().out
    assert "all.json: 20 images, 20 words: 20 with text, 0 without, 0 don't care" in printed
    assert "2  does not begin with 8 numbers: dropped" in printed and "gt_img_10.txt:2: 1,2,3" in printed


def test_strict_ends_at_the_first_oddity_and_writes_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert create(root, "--strict") == 2
    assert "gt_img_10.txt:2" in capsys.readouterr().err
    assert not (root / "out").exists()


def test_shuffling_and_splitting_depend_on_the_seed_only(root: Path) -> None:
    split = ["--shuffle", "--val-share", "0.2", "--val-output", f"{root}/out/val.json"]
    assert create(root, *split, "--seed", "3") == 0
    first = texts(root / "out/all.json"), texts(root / "out/val.json")
    assert create(root, *split, "--seed", "3") == 0
    assert (texts(root / "out/all.json"), texts(root / "out/val.json")) == first
    assert (len(first[0]), len(first[1])) == (16, 4)
    assert sorted(first[0] + first[1]) == sorted(f"word{number}" for number in range(1, 11) for _ in range(2))
    assert create(root, *split, "--seed", "4") == 0
    assert (texts(root / "out/all.json"), texts(root / "out/val.json")) != first


@pytest.mark.slow
def test_images_histograms_and_cvat_are_written_on_request(root: Path) -> None:
    flags = ["--visualize", f"{root}/drawn", "--stats", f"{root}/stats.png", "--cvat", f"{root}/cvat.xml"]
    assert create(root, *flags) == 0
    drawn = cv2.imread(f"{root}/drawn/images/img_1.jpg")
    assert drawn is not None and drawn.shape == (60, 100, 3) and np.ptp(drawn) > 50
    stats = cv2.imread(f"{root}/stats.png")
    assert stats is not None and stats.shape[1] > 800
    assert (root / "cvat.xml").read_text().count("<polygon") == 20
    assert not [path for path in root.rglob("*tmp*") if path.is_file()]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--val-share", "0.2"], "--val-share and --val-output belong together"),
        (["--val-share", "2", "--val-output", "v.json"], "--val-share 2.0: must lie between 0 and 1"),
        (["--config", "nowhere.json"], "--config nowhere.json: no such file"),
        (["--root", "nowhere"], "--root nowhere: no such folder"),
    ],
)
def test_wrong_flags_are_named(root: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str) -> None:
    assert create(root, *flags) == 2
    assert message in capsys.readouterr().err


def test_a_set_without_any_usable_image_is_an_error(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (root / "images").iterdir():
        path.unlink()
    assert create(root) == 2
    assert "no usable image" in capsys.readouterr().err
