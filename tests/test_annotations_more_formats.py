"""Readers of annotation tools and sets against samples in their own form, and writers against the readers."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotation_samples import BOX, HEIGHT, WIDTH, corners, kinds, read, save, save_image, texts

from text_spotting.annotations.readers import READERS, make_readers
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.annotations.writers import WRITERS, names_from
from text_spotting.cli.create_dataset import FORMATS
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.words import Word


def test_ppocrlabel(tmp_path: Path) -> None:
    save_image(tmp_path / "shop/a.jpg")
    words = [
        {"transcription": "Café", "points": BOX, "difficult": False},
        {"transcription": "###", "points": BOX, "difficult": False},
        {"transcription": "dim", "points": BOX, "difficult": True},
        {"transcription": 24, "points": [[1, 2]], "difficult": False},
    ]
    save(tmp_path / "shop/Label.txt", f"shop/a.jpg\t{json.dumps(words, ensure_ascii=False)}\nshop/b.jpg\t[{{\n")
    (image,), problems = read(tmp_path, "PPOCRLabelConverter", label_file="shop/Label.txt")
    assert texts(image) == [("Café", True), ("", False), ("", False)] and corners(image) == BOX
    assert kinds(problems) == [
        "not a polygon of 3 or more finite points: dropped",
        "not an image, a tab and a list of words: dropped",
    ]


def label_studio_task(**value: Any) -> dict[str, Any]:
    shared = {"original_width": WIDTH, "original_height": HEIGHT, "to_name": "image"}
    result = [
        {**shared, "id": "x", "from_name": "bbox", "type": "rectangle", "value": value},
        {**shared, "id": "x", "from_name": "label", "type": "labels", "value": {**value, "labels": ["Text"]}},
        {**shared, "id": "x", "from_name": "t", "type": "textarea", "value": {**value, "text": ["Way", "Out"]}},
    ]
    data = {"ocr": "/data/upload/1/0a1b2c3d-a.jpg"}
    return {"id": 1, "data": data, "annotations": [{"was_cancelled": False, "result": result}]}


def test_label_studio(tmp_path: Path) -> None:
    save_image(tmp_path / "a.jpg")
    upright = {"x": 10 / 1.2, "y": 12.5, "width": 40 / 1.2, "height": 25, "rotation": 0}
    save(tmp_path / "e.json", json.dumps([label_studio_task(**upright), {"data": {"ocr": "a.jpg"}, "annotations": []}]))
    (image,), problems = read(tmp_path, "LabelStudioConverter", annotation_path="e.json")
    assert texts(image) == [("Way Out", True)]
    assert np.allclose(corners(image), BOX, atol=1e-3)
    assert kinds(problems) == ["nobody annotated the task: skipped"]
    save(tmp_path / "e.json", json.dumps([label_studio_task(**{**upright, "rotation": 90})]))
    (image,), _ = read(tmp_path, "LabelStudioConverter", annotation_path="e.json")
    assert np.allclose(corners(image), [[10, 10], [10, 50], [-10, 50], [-10, 10]], atol=1e-3), "about the top left"


def test_textocr(tmp_path: Path) -> None:
    save_image(tmp_path / "train_images/0a1.jpg")
    flat = [value for point in BOX for value in point]
    document = {
        "info": {},
        "imgs": {"0a1": {"id": "0a1", "width": WIDTH, "height": HEIGHT, "set": "train", "file_name": "train/0a1.jpg"}},
        "anns": {
            "0a1_1": {"id": "0a1_1", "image_id": "0a1", "utf8_string": "EXIT", "points": flat},
            "0a1_2": {"id": "0a1_2", "image_id": "0a1", "utf8_string": ".", "points": flat},
        },
        "imgToAnns": {"0a1": ["0a1_1", "0a1_2", "0a1_3"]},
    }
    save(tmp_path / "t.json", json.dumps(document))
    (image,), problems = read(tmp_path, "TextOCRConverter", annotation_path="t.json", images_folder="train_images")
    assert texts(image) == [("EXIT", True), ("", False)] and corners(image) == BOX
    assert kinds(problems) == ["not a word: dropped"]


def test_hiertext(tmp_path: Path) -> None:
    save_image(tmp_path / "train/00f.jpg")
    words = [{"vertices": BOX, "text": "EXIT", "legible": True}, {"vertices": BOX, "text": "", "legible": False}]
    unread = {"vertices": BOX, "text": "", "legible": False, "words": []}
    paragraph = {"vertices": BOX, "legible": True, "lines": [{"vertices": BOX, "words": words}, unread]}
    entry = {"image_id": "00f", "image_width": WIDTH, "image_height": HEIGHT, "paragraphs": [paragraph]}
    save(tmp_path / "gt/train.jsonl", json.dumps({"info": {}, "annotations": [entry]}))
    (image,), _ = read(tmp_path, "HierTextConverter", annotation_path="gt/train.jsonl", images_folder="train")
    assert texts(image) == [("EXIT", True), ("", False), ("", False)]


def test_ctw1500_in_its_three_forms(tmp_path: Path) -> None:
    for name in ("0001", "1001", "0002"):
        save_image(tmp_path / f"im/{name}.jpg")
    flat = "10,10,20,10,30,10,40,10,50,10,50,20,50,30,40,30,30,30,20,30,10,30,10,25,10,20,10,15"
    relative = ",".join(str(int(number) - 10) for number in flat.split(","))
    save(
        tmp_path / "gt/0001.xml",
        f'<Annotations><image file="0001.jpg"><box left="10" top="10"><label>way out</label><segs>{flat}</segs></box>'
        "<box><label>x</label><segs>1,2,x</segs></box></image></Annotations>",
    )
    save(tmp_path / "gt/1001.txt", f"{flat},####by, the way\n")
    save(tmp_path / "gt/0002.txt", f"10,10,50,30,{relative}\n")
    images, problems = read(tmp_path, "CTW1500Converter", images_folder="im", annotations_folder="gt")
    assert [texts(image) for image in images] == [[("way out", True)], [("", True)], [("by, the way", True)]]
    assert all(corners(image)[0] == [10, 10] and corners(image)[6] == [50, 30] for image in images)
    assert kinds(problems) == ["not a word: dropped"]


def test_svt_reads_as_icdar2003(tmp_path: Path) -> None:
    save_image(tmp_path / "img/14_03.jpg")
    save(
        tmp_path / "train.xml",
        "<tagset><image><imageName>img/14_03.jpg</imageName><address>a</address><lex>LIVING,ROOM</lex>"
        '<Resolution x="120" y="80"/><taggedRectangles><taggedRectangle height="20" width="40" x="10" y="10">'
        "<tag>LIVING</tag></taggedRectangle></taggedRectangles></image></tagset>",
    )
    (image,), _ = read(tmp_path, "SVTConverter", annotation_path="train.xml")
    assert texts(image) == [("LIVING", True)] and corners(image) == BOX


def test_uber_text(tmp_path: Path) -> None:
    save_image(tmp_path / "im/img_1.jpg")
    save(
        tmp_path / "gt/truth_img_1.txt",
        "10 10 50 10 50 30 10 30\tMAIN ST\tstreet_name\n10 10 50 10 50 30 10 30\t***\tnone\n1 2 3\tx\ty\n",
    )
    (image,), problems = read(tmp_path, "UberTextConverter", images_folder="im", annotations_folder="gt")
    assert texts(image) == [("MAIN ST", True), ("", False)] and corners(image) == BOX
    assert kinds(problems) == ["not a word: dropped"]


@pytest.mark.parametrize("regions", [list, lambda shapes: {str(n): shape for n, shape in enumerate(shapes)}])
def test_via_in_both_versions(tmp_path: Path, regions: Any) -> None:
    save_image(tmp_path / "a.jpg")
    xs, ys = (list(axis) for axis in zip(*BOX, strict=True))
    shapes = [
        {
            "shape_attributes": {"name": "polygon", "all_points_x": xs, "all_points_y": ys},
            "region_attributes": {"Text": "Exit"},
        },
        {
            "shape_attributes": {"name": "rect", "x": 10, "y": 10, "width": 40, "height": 20},
            "region_attributes": {"w": 0},
        },
        {"shape_attributes": {"name": "point", "cx": 20, "cy": 20}, "region_attributes": {}},
        {"shape_attributes": {"name": "polygon", "all_points_x": xs, "all_points_y": [1]}, "region_attributes": {}},
    ]
    entry = {"filename": "a.jpg", "size": 1, "regions": regions(shapes), "file_attributes": {}}
    save(tmp_path / "via.json", json.dumps({"_via_settings": {}, "_via_img_metadata": {"a.jpg1": entry}}))
    (image,), problems = read(tmp_path, "VIAConverter", annotation_path="via.json")
    assert texts(image) == [("Exit", True), ("0", True), ("", False)]
    assert corners(image, 0) == corners(image, 1) == BOX
    assert kinds(problems) == ["a shape that cannot be a word: made a don't-care region", "not a word: dropped"]


def test_yolo_obb_with_and_without_texts(tmp_path: Path) -> None:
    save_image(tmp_path / "im/a.jpg")
    quad = " ".join(f"{x / WIDTH:.6f} {y / HEIGHT:.6f}" for x, y in BOX)
    save(tmp_path / "labels/a.txt", f"0 {quad} Way Out\n0 {quad}\n1 {quad}\n")
    save(tmp_path / "labels/classes.txt", "text\nlogo\n")
    kwargs = {"images_folder": "im", "labels_folder": "labels", "text_class": 0}
    (image,), problems = read(tmp_path, "YoloObbConverter", **kwargs)
    assert texts(image) == [("Way Out", True), ("", True)] and np.allclose(corners(image), BOX, atol=1e-3)
    assert kinds(problems) == ["class other than text: dropped"]


READ_BACK: dict[str, tuple[str, str, dict[str, Any]]] = {
    "cvat": ("CvatXml11Converter", "out.xml", {"images_folder": "im", "annotation_path": "out.xml"}),
    "label-studio": ("LabelStudioConverter", "out.json", {"images_folder": "im", "annotation_path": "out.json"}),
    "labelme": ("LabelMeConverter", "out", {"annotations_folder": "out"}),
    "ppocr": ("PPOCRLabelConverter", "Label.txt", {"images_folder": "im", "label_file": "Label.txt"}),
    "yolo-obb": ("YoloObbConverter", "out", {"images_folder": "im", "labels_folder": "out/labels"}),
}


@pytest.mark.parametrize("kind", READ_BACK)
def test_what_is_written_reads_back(tmp_path: Path, kind: str) -> None:
    save_image(tmp_path / "im/a.jpg")
    turned = np.array([[60, 20], [90, 30], [85, 45], [55, 35]])
    words = [Word(np.array(BOX), "A<\"&'b"), Word(turned, "Way Out"), Word(np.array(BOX) + 30, "", ignore=True)]
    image = AnnotatedImage(tmp_path / "im/a.jpg", WIDTH, HEIGHT, words)
    reader, path, kwargs = READ_BACK[kind]
    WRITERS[kind](tmp_path / path, [image], names_from([image]))
    (back,), problems = read(tmp_path, reader, **kwargs)
    kept = words[:2] if kind == "yolo-obb" else words  # it has no word for don't care
    assert [(word.text, word.ignore) for word in back.words] == [(word.text, word.ignore) for word in kept]
    for found, wanted in zip(back.words, kept, strict=True):
        assert np.allclose(found.polygon, wanted.polygon, atol=0.02)
    assert len(problems) == 0


@pytest.mark.parametrize(
    ("task", "lines"),
    [("icdar-task4", "10,10,50,10,50,30,10,30,Way Out\n"), ("icdar-task1", "10,10,50,10,50,30,10,30\n" * 2)],
)
def test_an_icdar_submission_is_a_zip_of_results(tmp_path: Path, task: str, lines: str) -> None:
    words = [Word(np.array(BOX), "Way  Out"), Word(np.array(BOX)), Word(np.array(BOX), "no", ignore=True)]
    image = AnnotatedImage(tmp_path / "im/img_1.jpg", WIDTH, HEIGHT, words)
    WRITERS[task](tmp_path / "submit.zip", [image], ["img_1.jpg"])
    with zipfile.ZipFile(tmp_path / "submit.zip") as archive:
        assert archive.namelist() == ["res_img_1.txt"]
        assert archive.read("res_img_1.txt").decode() == lines


def test_the_tool_writes_other_forms_and_names_unknown_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tuple(sorted(WRITERS)) == FORMATS
    save_image(tmp_path / "im/img_1.jpg")
    save(tmp_path / "gt/gt_img_1.txt", "10,10,50,10,50,30,10,30,Exit\n")
    kwargs = {"images_folder": "im", "annotations_folder": "gt"}
    save(tmp_path / "c.json", json.dumps([{"name": "ICDAR2015DatasetConverter", "kwargs": kwargs}]))
    flags = ["--config", f"{tmp_path}/c.json", "--root", str(tmp_path), "--output", f"{tmp_path}/o.json"]
    forms = [flag for kind in FORMATS for flag in ("--write", f"{kind}={tmp_path}/out_{kind}")]
    assert run_tool("create_dataset", [*flags, *forms]) == 0
    assert all((tmp_path / f"out_{kind}").exists() for kind in FORMATS)
    assert run_tool("create_dataset", [*flags, "--write", "pascal=x"]) == 2
    assert "--write pascal=x: expected FORMAT=PATH; the formats are cvat, icdar-task1" in capsys.readouterr().err


@pytest.mark.parametrize("kwargs", [{"folder": 3}, {"folder": None}, [], {"folder": "a\0b"}])
def test_wrong_types_in_a_config_are_named(tmp_path: Path, kwargs: Any) -> None:
    with pytest.raises(UserError, match=r"c\.json: entry 0 \(MSRATD500DatasetConverter\)"):
        make_readers([{"name": "MSRATD500DatasetConverter", "kwargs": kwargs}], tmp_path, "c.json")
    assert "MSRATD500DatasetConverter" in READERS
