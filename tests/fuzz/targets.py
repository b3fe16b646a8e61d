"""Every door for files, each with a sound file to begin with."""

# ruff: noqa: E501 (samples stay on one line)

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from text_spotting.annotations.dataset_file import read_datasets
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.readers import make_readers
from text_spotting.annotations.word_crops import read_word_crops
from text_spotting.evaluation.lexicon import read_lexicon
from text_spotting.evaluation.metrics_file import read_metrics_file
from text_spotting.evaluation.predictions import pair_predictions, read_predictions
from text_spotting.files.json_files import load_json
from text_spotting.image_files import read_header, read_image
from text_spotting.manifest import Manifest
from text_spotting.workdir.template import load_template

TEMPLATES = Path(__file__).parents[2] / "model_templates" / "alphanumeric-text-spotting"
QUAD = [[10, 10], [50, 10], [50, 30], [10, 30]]
FLAT = [value for point in QUAD for value in point]


@dataclass(frozen=True)
class Target:
    """A file that is spoiled, and what then reads it."""

    name: str
    file: Path
    seed: bytes
    read: Callable[[], object]
    slow: bool = False


def targets(root: Path) -> list[Target]:
    """Lay out a small data set below ``root`` and return all targets."""
    for name in ("img_1", "img1", "0001", "a"):
        for suffix in (".jpg", ".png") if name == "a" else (".jpg",):
            path = root / "im" / f"{name}{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((80, 120, 3), 127, np.uint8))
    return [*_readers(root), *_others(root), *_images(root)]


def _readers(root: Path) -> list[Target]:
    samples: list[tuple[str, str, str | bytes, dict[str, Any]]] = [
        ("CocoWithTextConverter", "a.json", _coco(), {"annotation_path": "{file}", "images_folder": "im"}),
        ("CvatXml11Converter", "a.xml", _CVAT, {"annotation_path": "{file}", "images_folder": "im"}),
        ("LabelMeConverter", "a.json", _labelme(), {"annotations_folder": "{folder}", "images_folder": "im"}),
        ("ICDAR2015DatasetConverter", "gt_img_1.txt", f"{_line()},Exit\n{_line()},###\n", _FOLDERS),
        ("PlainQuadsConverter", "img_1.txt", f"{_line()}\n", _FOLDERS),
        ("ICDAR2013DatasetConverter", "gt_img_1.txt", '10 10 50 30 "Exit"\n', {**_FOLDERS, "is_train": None}),
        ("TotalTextConverter", "poly_gt_img1.txt", _TOTAL_TEXT, _FOLDERS),
        ("ICDAR2003DatasetConverter", "w.xml", _ICDAR2003, {"annotation_path": "{file}", "images_folder": "im"}),
        ("WordCropsConverter", "l.txt", 'img_1.jpg, "Exit"\na.jpg\tWay Out\n', {"list_file": "{file}", "images_folder": "im"}),
        ("PPOCRLabelConverter", "Label.txt", f"a.jpg\t{_ppocr()}\n", {"label_file": "{file}", "images_folder": "im"}),
        ("LabelStudioConverter", "a.json", _label_studio(), {"annotation_path": "{file}", "images_folder": "im"}),
        ("TextOCRConverter", "t.json", _textocr(), {"annotation_path": "{file}", "images_folder": "im"}),
        ("HierTextConverter", "h.json", _hiertext(), {"annotation_path": "{file}", "images_folder": "im"}),
        ("CTW1500Converter", "0001.xml", _CTW, _FOLDERS),
        ("CTW1500Converter", "0001.txt", f"{_line()},####Exit\n", _FOLDERS),
        ("UberTextConverter", "truth_img_1.txt", f"{_line().replace(',', ' ')}\tExit\tx\n", _FOLDERS),
        ("VIAConverter", "v.json", _via(), {"annotation_path": "{file}", "images_folder": "im"}),
        ("YoloObbConverter", "a.txt", "0 0.1 0.1 0.4 0.1 0.4 0.3 0.1 0.3 Exit\n", {"images_folder": "im", "labels_folder": "{folder}"}),
    ]  # fmt: skip
    found = []
    for index, (name, file_name, seed, kwargs) in enumerate(samples):
        folder = f"{index}_{name}"
        filled = {
            key: value.format(file=f"{folder}/{file_name}", folder=folder) if isinstance(value, str) else value
            for key, value in kwargs.items()
        }
        ((_, reader),) = make_readers([{"name": name, "kwargs": filled}], root, "fuzz")
        found.append(
            Target(name, root / folder / file_name, _bytes(seed), lambda reader=reader: list(reader.read(Problems())))  # type: ignore[misc]
        )
    return [*found, _td500(root), _mlt(root), _art(root), _cocotext(root), _matlab(root)]  # fmt: skip


def _others(root: Path) -> list[Target]:
    def target(name: str, file: str, seed: str | bytes, read: Callable[[Path], object]) -> Target:
        path = root / file
        return Target(name, path, _bytes(seed), lambda: read(path))

    predictions = json.dumps({"img_1": [{"polygon": QUAD, "text": "exit", "score": 0.5}], "a.jpg": []})
    manifest = Manifest((1280, 720), True, (1, 2, 3), (1, 2, 3), True, False, "a", "b", "c").to_json()
    names, sizes = ["img_1", "a"], [(120, 80)] * 2

    def predicted(path: Path) -> object:
        return pair_predictions(read_predictions(path), names, sizes, path)

    return [
        target("data set", "ds/a.json", _coco(), lambda path: read_datasets(str(path), str(root / "im"), Problems())),
        target("predictions", "p.json", predictions, predicted),
        target("predictions folder", "res/res_img_1.txt", f"{_line()},exit\n", lambda path: predicted(path.parent)),
        target("manifest", "m.json", manifest, lambda path: Manifest.from_json(path.read_bytes().decode("latin-1"), "m")),
        target("metrics", "m.yaml", "metrics:\n- {key: f1, value: 1.5}\nowner: me\n", read_metrics_file),
        target("template", "template.yaml", (TEMPLATES / "text-spotting-0003/template.yaml").read_bytes(), load_template),
        target("lexicon", "voc.txt", "exit\nway out\n", lambda path: read_lexicon(str(path), names)),
        target("word crops", "im/list.txt", "img_1.jpg Exit\n", lambda path: read_word_crops(path, problems=Problems())),
        target("config", "c.json", json.dumps([{"name": "LabelMeConverter", "kwargs": {"annotations_folder": "x"}}]),
               lambda path: make_readers(load_json(path), root, "c.json")),
    ]  # fmt: skip


def _images(root: Path) -> list[Target]:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 4), np.uint8)
    found = []
    for suffix in (".jpg", ".png", ".webp", ".tif", ".gif", ".bmp", ".ppm", ".jp2", ".avif"):
        path = root / "images" / f"p{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        exif = Image.Exif()
        exif[0x0112] = 6
        color = pixels if suffix in (".png", ".webp", ".tif") else pixels[:, :, :3]
        also: Any = {} if suffix in (".ppm", ".bmp", ".gif", ".jp2") else {"exif": exif}
        Image.fromarray(color).save(path, **also)

        def read(path: Path = path) -> object:
            return read_header(path), read_image(path)

        found.append(Target(f"image {suffix}", path, path.read_bytes(), read))
    return found


_FOLDERS = {"images_folder": "im", "annotations_folder": "{folder}"}


def _bytes(seed: str | bytes) -> bytes:
    return seed if isinstance(seed, bytes) else seed.encode()


def _line() -> str:
    return ",".join(map(str, FLAT))


def _reader(root: Path, name: str, file: str, seed: str | bytes, slow: bool = False, **kwargs: Any) -> Target:
    ((_, reader),) = make_readers([{"name": name, "kwargs": kwargs}], root, "fuzz")
    return Target(name, root / file, _bytes(seed), lambda: list(reader.read(Problems())), slow)


def _td500(root: Path) -> Target:
    (root / "td").mkdir(exist_ok=True)
    cv2.imwrite(str(root / "td/IMG_1.JPG"), np.zeros((80, 120, 3), np.uint8))
    return _reader(root, "MSRATD500DatasetConverter", "td/IMG_1.gt", "0 0 10 10 40 20 0.1\n", folder="td")


def _mlt(root: Path) -> Target:
    (root / "mlt/ImagesPart1").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / "mlt/ImagesPart1/tr_1.jpg"), np.zeros((80, 120, 3), np.uint8))
    file = "mlt/train_gt_t13/tr_1.txt"
    return _reader(root, "ICDAR2019MLTDatasetConverter", file, f"{_line()},Latin,Exit\n", folder="mlt")


def _art(root: Path) -> Target:
    (root / "art/train_images").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / "art/train_images/gt_0.jpg"), np.zeros((80, 120, 3), np.uint8))
    words = [{"points": QUAD, "transcription": "Exit", "language": "Latin", "illegibility": False}]
    return _reader(
        root, "ICDAR2019ARTDatasetConverter", "art/train_labels.json", json.dumps({"gt_0": words}), folder="art"
    )


def _cocotext(root: Path) -> Target:
    (root / "ct/train2014").mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / "ct/train2014/a.jpg"), np.zeros((80, 120, 3), np.uint8))
    word = {"mask": FLAT, "bbox": [1, 1, 9, 9], "utf8_string": "Exit", "legibility": "legible", "language": "english"}
    document = {"imgs": {"1": {"set": "train", "file_name": "a.jpg"}}, "anns": {"2": word}, "imgToAnns": {"1": [2]}}
    return _reader(root, "COCOTextDatasetConverter", "ct/c.json", json.dumps(document), path="ct/c.json")


def _matlab(root: Path) -> Target:
    import io

    from scipy.io import savemat

    rows = np.empty((1, 6), dtype=object)
    x, y = (np.array([axis]) for axis in zip(*QUAD, strict=True))
    rows[0] = ["x:", x, "y:", y, np.array(["Exit"]), np.array(["h"])]
    content = io.BytesIO()
    savemat(content, {"polygt": rows})
    kwargs = {"images_folder": "im", "annotations_folder": "mat"}
    return _reader(root, "TotalTextConverter", "mat/poly_gt_img1.mat", content.getvalue(), slow=True, **kwargs)


def _coco() -> str:
    word = {"bbox": [10, 10, 40, 20], "segmentation": [FLAT], "category_id": 1, "iscrowd": 0, "image_id": 1}
    masked = {**word, "id": 2, "segmentation": {"size": [80, 120], "counts": [810, 20, 8770]}}
    words = [{**word, "id": 1, "attributes": {"transcription": "Exit", "legible": 1, "rotation": 5}}, masked]
    images = [{"id": 1, "file_name": "a.jpg", "width": 120, "height": 80}]
    return json.dumps({"images": images, "categories": [{"id": 1, "name": "text"}], "annotations": words})


def _labelme() -> str:
    shapes = [{"label": "Exit", "points": QUAD, "shape_type": "polygon", "flags": {}}]
    return json.dumps({"shapes": shapes, "imagePath": "a.jpg", "imageWidth": 120, "imageHeight": 80})


def _ppocr() -> str:
    return json.dumps([{"transcription": "Exit", "points": QUAD, "difficult": False}])


def _label_studio() -> str:
    value = {"x": 10, "y": 10, "width": 30, "height": 20, "rotation": 3, "text": ["Exit"]}
    result = [{"id": "x", "value": value}, {"id": "y", "value": {"points": QUAD, "polygonlabels": ["text"]}}]
    return json.dumps([{"data": {"image": "a.jpg"}, "annotations": [{"result": result}]}])


def _textocr() -> str:
    image = {"width": 120, "height": 80, "file_name": "train/a.jpg"}
    return json.dumps(
        {"imgs": {"1": image}, "anns": {"2": {"utf8_string": "Exit", "points": FLAT}}, "imgToAnns": {"1": ["2"]}}
    )


def _hiertext() -> str:
    line = {"vertices": QUAD, "words": [{"vertices": QUAD, "text": "Exit", "legible": True}]}
    image = {
        "image_id": "a",
        "image_width": 120,
        "image_height": 80,
        "paragraphs": [{"vertices": QUAD, "lines": [line]}],
    }
    return json.dumps({"annotations": [image]})


def _via() -> str:
    xs, ys = (list(axis) for axis in zip(*QUAD, strict=True))
    shape = {"name": "polygon", "all_points_x": xs, "all_points_y": ys}
    return json.dumps(
        {"a": {"filename": "a.jpg", "regions": [{"shape_attributes": shape, "region_attributes": {"text": "x"}}]}}
    )


_CVAT = """<annotations><image id="0" name="a.jpg" width="120" height="80">
<polygon label="text" points="10,10;50,10;50,30;10,30"><attribute name="text">Exit</attribute></polygon>
<box label="text" xtl="10" ytl="10" xbr="50" ybr="30" rotation="7"/>
<mask label="text" rle="0, 4, 2, 6" left="2" top="3" width="4" height="3"/>
<ellipse label="text" cx="20" cy="20" rx="9" ry="5"/><polyline label="text" points="1,1;40,40"/>
</image></annotations>"""
_TOTAL_TEXT = "x: [[10 50 50 10]], y: [[10 10 30 30]], ornt: [u'c'], transcriptions: [u'EXIT']\n"
_ICDAR2003 = """<tagset><image><imageName>a.jpg</imageName><taggedRectangles>
<taggedRectangle x="10" y="10" width="40" height="20" offset="0" rotation="0"><tag>Exit</tag></taggedRectangle>
</taggedRectangles></image></tagset>"""
_CTW = (
    f"<Annotations><image><box><label>Exit</label><segs>{','.join(map(str, FLAT))}</segs></box></image></Annotations>"
)
