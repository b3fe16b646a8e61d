"""Readers of annotation tools and other sets against small samples in their own format; and their configs."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotation_samples import BOX, HEIGHT, WIDTH, corners, kinds, languages, read, save, save_image, texts

from text_spotting.annotations.cvat import write_cvat
from text_spotting.annotations.readers import make_readers
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError

CVAT = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><name>t</name></task></meta>
  <image id="0" name="a.jpg" width="120" height="80">
    <polygon label="text" occluded="0" points="10.00,10.00;50.00,10.00;50.00,30.00;10.00,30.00" z_order="0">
      <attribute name="language">english</attribute>
      <attribute name="legible">1</attribute>
      <attribute name="text">M&amp;S</attribute>
    </polygon>
    <box label="text" occluded="0" xtl="10" ytl="40" xbr="50" ybr="60">
      <attribute name="legible">false</attribute>
      <attribute name="text"></attribute>
    </box>
    <box label="car" xtl="1" ytl="1" xbr="9" ybr="9"></box>
    <polyline label="text" points="1,1;2,2"></polyline>
  </image>
  <image id="1" name="sub/b.jpg" width="120" height="80"></image>
  <image id="2" name="c.jpg" width="240" height="160"></image>
</annotations>
"""


def test_cvat(tmp_path: Path) -> None:
    for name in "abc":
        save_image(tmp_path / f"images/{name}.jpg")
    save(tmp_path / "annotations.xml", CVAT)
    images, problems = read(tmp_path, "CvatXml11Converter", images_folder="images", annotation_path="annotations.xml")
    assert [image.path.name for image in images] == ["a.jpg", "b.jpg"]  # c.jpg is half the size it was labelled at
    assert texts(images[0]) == [("M&S", True), ("", False), ("", False)]  # the last is where a line was drawn
    assert corners(images[0]) == BOX and languages(images[0]) == ["english", "", ""]
    assert kinds(problems) == [
        "a shape that cannot be a word: made a don't-care region",
        "image is not of the size that its labels state: skipped",
        "label other than 'text': dropped",
    ]
    assert problems.found["label other than 'text': dropped"][0].startswith(f"{tmp_path}/annotations.xml:15")


def test_cvat_names_the_line_of_broken_xml(tmp_path: Path) -> None:
    save(tmp_path / "annotations.xml", "<annotations>\n<image>\n</annotations>")
    with pytest.raises(UserError, match=r"annotations\.xml:3: not well-formed XML: mismatched tag"):
        read(tmp_path, "CvatXml11Converter", images_folder="", annotation_path="annotations.xml")


def test_words_go_to_cvat_and_come_back(tmp_path: Path) -> None:
    save_image(tmp_path / "photos/x/a.jpg")
    words = [
        LabelledWord(np.array([[10, 10], [50.25, 12], [50, 30], [30, 33], [10, 28]]), "A<\"&'b", language="french"),
        LabelledWord(np.array(BOX), ignore=True),
    ]
    image = AnnotatedImage(tmp_path / "photos/x/a.jpg", WIDTH, HEIGHT, words)
    write_cvat(tmp_path / "out.xml", [image], tmp_path / "photos")
    (back,), problems = read(tmp_path, "CvatXml11Converter", images_folder="photos", annotation_path="out.xml")
    assert texts(back) == [("A<\"&'b", True), ("", False)] and languages(back) == ["french", ""]
    assert corners(back) == words[0].polygon.tolist() and len(problems) == 0


def test_images_are_named_for_cvat_from_the_folder_that_holds_them_all(tmp_path: Path) -> None:
    flat = [AnnotatedImage(tmp_path / f"photos/{name}.jpg", WIDTH, HEIGHT) for name in "ab"]
    write_cvat(tmp_path / "flat.xml", flat)
    assert 'name="a.jpg"' in (tmp_path / "flat.xml").read_text()
    write_cvat(tmp_path / "deep.xml", [*flat, AnnotatedImage(tmp_path / "photos/x/c.jpg", WIDTH, HEIGHT)])
    assert (
        'name="a.jpg"' in (tmp_path / "deep.xml").read_text()
        and 'name="x/c.jpg"' in (tmp_path / "deep.xml").read_text()
    )


def test_total_text_as_text_files(tmp_path: Path) -> None:
    save_image(tmp_path / "Images/img1.jpg")
    save(
        tmp_path / "gt/poly_gt_img1.txt",
        "x: [[10 50 50 10]], y: [[10 10 30 30]], ornt: [u'c'], transcriptions: [u'PETROSAINS']\n"
        "x: [[ 10  50\n  50  10]], y: [[40 40\n 60 60]], ornt: [u'h'], transcriptions: [u\"Joe's\"]\n"  # wrapped
        "x: [[60 70 70 60]], y: [[40 40 60 60]], ornt: [u'#'], transcriptions: [u'#']\n"
        "x: [[60 70 70]], y: [[40 40 60 60]], ornt: [u'h'], transcriptions: [u'a']\n"
        "x: broken\n",
    )
    images, problems = read(tmp_path, "TotalTextConverter", images_folder="Images", annotations_folder="gt")
    assert texts(images[0]) == [("PETROSAINS", True), ("Joe's", True), ("", False)]
    assert corners(images[0]) == BOX
    file = tmp_path / "gt/poly_gt_img1.txt"
    assert problems.found == {
        "not as many x as y: dropped": [f"{file}:6: 3 and 4"],
        "not a Total-Text record: dropped": [f"{file}:7: x: broken"],
    }


def test_total_text_as_matlab_files(tmp_path: Path) -> None:
    from scipy.io import savemat

    save_image(tmp_path / "Images/img2.jpg")
    rows = np.empty((2, 6), dtype=object)
    x, y = np.array([[10, 50, 50, 10]], np.int16), np.array([[10, 10, 30, 30]], np.int16)
    rows[0] = ["x:", x, "y:", y, np.array(["Cafe"]), np.array(["c"])]
    rows[1] = ["x:", x, "y:", y, np.array(["#"]), np.array(["#"])]
    (tmp_path / "gt").mkdir()
    savemat(tmp_path / "gt/poly_gt_img2.mat", {"polygt": rows})
    images, _ = read(tmp_path, "TotalTextConverter", images_folder="Images", annotations_folder="gt")
    assert texts(images[0]) == [("Cafe", True), ("", False)] and corners(images[0]) == BOX


def coco_with_text(names: Sequence[str], **changes: Any) -> str:
    word = {
        "bbox": [10, 10, 40, 20],
        "segmentation": [[10, 10, 50, 10, 50, 30, 10, 30]],
        "attributes": {"transcription": "Shop", "legible": True, "language": "english"},
        "category_id": 1,
        **changes,
    }
    return json.dumps(
        {
            "images": [{"id": n, "file_name": name, "width": WIDTH, "height": HEIGHT} for n, name in enumerate(names)],
            "annotations": [{**word, "id": n, "image_id": n} for n in range(len(names))],
        }
    )


def test_openimages_v5_text(tmp_path: Path) -> None:
    save_image(tmp_path / "oi/train_1/a.jpg")
    save_image(tmp_path / "oi/validation/b.jpg")
    save(tmp_path / "oi/text_spotting_openimages_v5_train_1.json", coco_with_text(["train_1/a.jpg"]))
    save(tmp_path / "oi/text_spotting_openimages_v5_validation.json", coco_with_text(["validation/b.jpg", "gone.jpg"]))
    images, problems = read(tmp_path, "OpenImagesV5TextConverter", folder="oi", sets=["train_1", "validation"])
    assert [(image.path.name, texts(image)) for image in images] == [
        ("a.jpg", [("Shop", True)]),
        ("b.jpg", [("Shop", True)]),
    ]
    assert kinds(problems) == ["image missing: skipped with its words"]


def test_coco_with_text_itself(tmp_path: Path) -> None:
    save_image(tmp_path / "images/a.jpg")
    outside = [[200, 10, 220, 10, 220, 30, 200, 30]]
    save(tmp_path / "ann/d.json", coco_with_text(["a.jpg"]))
    save(tmp_path / "ann/outside.json", coco_with_text(["a.jpg"], segmentation=outside))
    images, _ = read(tmp_path, "CocoWithTextConverter", annotation_path="ann/d.json", images_folder="images")
    assert texts(images[0]) == [("Shop", True)] and languages(images[0]) == ["english"]
    images, problems = read(
        tmp_path, "CocoWithTextConverter", annotation_path="ann/outside.json", images_folder="images"
    )
    assert texts(images[0]) == [] and kinds(problems) == ["outside the image: dropped"]


ICDAR2003 = """<?xml version="1.0" encoding="ISO-8859-1"?>
<tagset>
  <image>
    <imageName>apanar_06.08.2002/IMG_1261.JPG</imageName>
    <resolution x="120" y="80" />
    <taggedRectangles>
      <taggedRectangle x="10.0" y="10.0" width="40.0" height="20.0" offset="0.0" rotation="0.0">
        <tag>Prês</tag>
      </taggedRectangle>
      <taggedRectangle x="60.0" y="10.0" width="10.0" height="20.0" offset="3.0" rotation="0.0">
        <tag>a</tag>
        <segmentation><xOff>14.0</xOff></segmentation>
      </taggedRectangle>
    </taggedRectangles>
  </image>
</tagset>
"""


def test_icdar2003(tmp_path: Path) -> None:
    save_image(tmp_path / "SceneTrialTrain/apanar_06.08.2002/IMG_1261.JPG")
    save(tmp_path / "SceneTrialTrain/words.xml", ICDAR2003.encode("latin-1"))
    images, problems = read(tmp_path, "ICDAR2003DatasetConverter", annotation_path="SceneTrialTrain/words.xml")
    assert texts(images[0]) == [("Prês", True), ("a", True)] and corners(images[0]) == BOX
    assert problems.found["box is rotated or slanted: its upright box is taken"] == [
        f"{tmp_path}/SceneTrialTrain/words.xml:10"
    ]


def test_word_crops(tmp_path: Path) -> None:
    save_image(tmp_path / "crops/word_1.png")
    save(tmp_path / "crops/gt.txt", '\ufeffword_1.png, "Genaxis Theatre"\r\n')
    images, _ = read(tmp_path, "WordCropsConverter", list_file="crops/gt.txt", images_folder="crops")
    assert texts(images[0]) == [("Genaxis Theatre", True)]
    assert corners(images[0]) == [[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]]


def test_labelme(tmp_path: Path) -> None:
    save_image(tmp_path / "a.jpg")
    shapes = [
        {"label": "Exit", "points": BOX, "shape_type": "polygon", "flags": {}},
        {"label": "text", "description": "Way Out", "points": [[50, 30], [10, 10]], "shape_type": "rectangle"},
        {"label": "###", "points": BOX, "shape_type": "polygon"},
        {"label": "dim", "points": BOX, "shape_type": "polygon", "flags": {"illegible": True}},
        {"label": "x", "points": [[1, 1], [2, 2]], "shape_type": "line"},
    ]
    document = {"imagePath": "..\\photos\\a.jpg", "imageWidth": WIDTH, "imageHeight": HEIGHT, "shapes": shapes}
    save(tmp_path / "labels/a.json", json.dumps(document))
    save_image(tmp_path / "photos/a.jpg")
    for images_folder in (None, "photos"):
        kwargs = {"annotations_folder": "labels", "images_folder": images_folder}
        images, problems = read(tmp_path, "LabelMeConverter", **kwargs)
        assert texts(images[0]) == [("Exit", True), ("Way Out", True), ("", False), ("dim", False), ("x", False)]
        assert corners(images[0], 1) == BOX
        assert kinds(problems) == ["neither a polygon nor a rectangle: made a don't-care region"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "expected a list"),
        ([], "expected a list"),
        ([{"name": "ICDAR1999", "kwargs": {}}], r"entry 0: unknown data set 'ICDAR1999'; known are COCOText"),
        ([{"name": "MSRATD500DatasetConverter"}], r"missing a required argument: 'folder'; its kwargs are folder"),
        (
            [{"name": "MSRATD500DatasetConverter", "kwargs": {"folder": "a", "dir": "b"}}],
            "unexpected keyword argument 'dir'",
        ),
    ],
)
def test_a_wrong_config_is_named_before_anything_is_read(config: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        make_readers(config, tmp_path, "my.json")


def test_every_ready_config_names_known_sets(tmp_path: Path) -> None:
    files = sorted((Path(__file__).parents[1] / "configs/datasets").glob("*.json"))
    assert {"dataset_train.json", "dataset_test.json"} <= {file.name for file in files}
    for file in files:
        assert make_readers(json.loads(file.read_text()), tmp_path, file.name)
