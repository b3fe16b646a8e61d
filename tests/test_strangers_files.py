"""Files that people really have, after public bug reports: each with its right answer."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from annotation_samples import corners, kinds, read, save, texts
from PIL import Image
from sample_graphs import EXPORTED

from text_spotting.annotations.dataset_file import read_datasets
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import labelled
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.evaluation.predictions import read_predictions
from text_spotting.image_files import read_header, read_image
from text_spotting.many.run import RECORD, Reading, take_folder
from text_spotting.runtime.card import describe

MARKET = [[60, 71], [287, 71], [287, 121], [60, 121]]
OPEN24 = [[330, 212], [571, 212], [571, 273], [330, 273]]
SIZE = (640, 360)


def blank(path: Path, size: tuple[int, int] = SIZE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((size[1], size[0], 3), 200, np.uint8))


def flat(quad: list[list[int]]) -> list[int]:
    return [value for point in quad for value in point]


def coco(root: Path, *records: dict[str, Any], categories: Any = ((1, "text"),), name: str = "pic.jpg") -> Path:
    blank(root / name)
    shared = {"image_id": 1, "category_id": 1, "iscrowd": 0}
    document = {
        "images": [{"file_name": name, "width": SIZE[0], "height": SIZE[1], "id": 1}],
        "categories": [{"id": key, "name": label} for key, label in categories],
        "annotations": [{**shared, "id": index, **record} for index, record in enumerate(records)],
    }
    save(root / "a.json", json.dumps(document))
    return root / "a.json"


def word(quad: list[list[int]] = MARKET, text: Any = "market", **changes: Any) -> dict[str, Any]:
    x, y = quad[0]
    box = [x, y, quad[2][0] - x, quad[2][1] - y]
    attributes = {"transcription": text, "legible": 1}
    return {"bbox": box, "segmentation": [flat(quad)], "attributes": attributes, **changes}


def read_coco(root: Path) -> tuple[list[Any], Problems]:
    return read(root, "CocoWithTextConverter", annotation_path="a.json")


# Categories (mmdetection#2047, datumaro#156)


@pytest.mark.parametrize(
    ("category", "kind"),
    [
        (0, "category that is not listed: taken for the only one that is"),
        ("1", None),  # a string id is its number
        (1.0, None),
        (None, None),  # says nothing
    ],
)
def test_words_of_a_lone_category_are_text_whatever_its_id(tmp_path: Path, category: Any, kind: str | None) -> None:
    coco(tmp_path, word(category_id=category))
    (image,), problems = read_coco(tmp_path)
    assert texts(image) == [("market", True)] and kinds(problems) == ([kind] if kind else [])


def test_where_no_annotation_is_text_there_is_nothing_to_score_and_nothing_to_convert(tmp_path: Path) -> None:
    path = coco(tmp_path, word(category_id=2), word(category_id=2), categories=((1, "text"), (2, "number")))
    message = (
        "not one annotation could be used, .*2 times 'category other than 'text': dropped', first at .*annotations"
    )
    with pytest.raises(UserError, match=message):
        read_coco(tmp_path)
    with pytest.raises(UserError, match=message):
        read_datasets(str(path), str(tmp_path))


def test_an_image_whose_words_were_all_dropped_is_no_image_without_text(tmp_path: Path) -> None:
    categories = ((1, "Text"), (2, "number"))
    path = coco(tmp_path, word(category_id=2), word(image_id=2), categories=categories)
    document = json.loads(path.read_text())
    document["images"] += [{"file_name": f"{n}.jpg", "width": 9, "height": 9, "id": n} for n in (2, 3)]
    path.write_text(json.dumps(document))
    for name in "23":
        blank(tmp_path / f"{name}.jpg", (9, 9))
    problems = Problems()
    images = read_datasets(str(path), str(tmp_path), problems)
    assert [(image.path.name, len(image.words)) for image in images] == [("2.jpg", 1), ("3.jpg", 0)]
    assert problems.found["none of its shapes could be used: image left out"] == [f"{path}: pic.jpg"]


# Shapes of COCO files (cvat#2600, cvat#7030, cvat#4745)


@pytest.mark.parametrize(
    ("polygons", "outline"),
    [
        ([[60, 71, 173.5, 71, 173.5, 121, 60, 121], [173.5, 71, 287, 71, 287, 121, 173.5, 121]], MARKET),
        ([[60, 71, 160, 71, 160, 121, 60, 121], [187, 71, 287, 71, 287, 121, 187, 121]], MARKET),  # a gap between
        ([MARKET], MARKET),  # pairs
        (flat(MARKET), MARKET),  # numbers alone
    ],
    ids=["two that touch", "two apart", "pairs", "numbers"],
)
def test_polygons_of_a_word_become_one_that_covers_them(tmp_path: Path, polygons: Any, outline: Any) -> None:
    coco(tmp_path, word(segmentation=polygons))
    (image,), _ = read_coco(tmp_path)
    assert corners(image) == outline


def run_lengths(quad: list[list[int]]) -> list[int]:
    mask = np.zeros((SIZE[1], SIZE[0]), bool)
    mask[quad[0][1] : quad[2][1], quad[0][0] : quad[2][0]] = True
    columns = mask.T.ravel()
    edges = np.flatnonzero(np.diff(columns)) + 1
    return [int(run) for run in np.diff([0, *edges, columns.size])]


def test_a_run_length_mask_is_read_by_its_outline_compressed_or_not(tmp_path: Path) -> None:
    from pycocotools.mask import frPyObjects

    plain = {"counts": run_lengths(MARKET), "size": [SIZE[1], SIZE[0]]}
    packed = frPyObjects({"counts": run_lengths(OPEN24), "size": [SIZE[1], SIZE[0]]}, SIZE[1], SIZE[0])
    packed["counts"] = packed["counts"].decode()
    coco(tmp_path, word(segmentation=plain, iscrowd=1), word(text="open24", segmentation=packed, iscrowd=1))
    (image,), problems = read_coco(tmp_path)
    assert (corners(image, 0), corners(image, 1)) == (MARKET, OPEN24)
    assert texts(image) == [("market", True), ("open24", True)], "legible beats iscrowd"
    assert kinds(problems) == ["a run-length mask: its outline is taken", "legible, but a crowd: legible is believed"]


@pytest.mark.parametrize(
    "mask",
    [
        {"counts": [1, 2], "size": [360, 640]},
        {"counts": [0, 10**12], "size": [10**6, 10**6]},
        {"counts": "~~~", "size": [360, 640]},
        {"counts": [360 * 640], "size": [360, 640]},
        {"counts": None, "size": None},
    ],
    ids=["too short", "larger than any image", "no mask", "empty", "nothing"],
)
def test_a_mask_that_is_none_is_dropped_with_its_place(tmp_path: Path, mask: Any) -> None:
    coco(tmp_path, word(segmentation=mask), word(OPEN24, "open24"))
    (image,), problems = read_coco(tmp_path)
    assert texts(image) == [("open24", True)]
    assert "annotations[0]" in problems.found["neither a polygon nor a box with a text: dropped"][0]


CVAT_BOX = """<annotations><image id="0" name="s.png" width="640" height="480">
<box label="{label}" xtl="128.50" ytl="210.50" xbr="511.50" ybr="269.50" rotation="40.00">
<attribute name="{text}">restaurant</attribute></box></image></annotations>"""


@pytest.mark.parametrize("segmentation", [[], [[128.5, 210.5, 511.5, 210.5, 511.5, 269.5, 128.5, 269.5]]])
def test_a_turned_box_gives_the_same_quad_from_coco_and_from_cvat(tmp_path: Path, segmentation: Any) -> None:
    attributes = {"occluded": False, "rotation": 40.0, "transcription": "restaurant", "legible": True}
    record = {"segmentation": segmentation, "bbox": [128.5, 210.5, 383, 59], "attributes": attributes}
    path = coco(tmp_path, record, name="s.png")
    document = json.loads(path.read_text())
    document["images"][0].update(width=640, height=480)
    path.write_text(json.dumps(document))
    (tmp_path / "s.png").unlink()
    blank(tmp_path / "images/s.png", (640, 480))  # where CVAT's exports have it
    save(tmp_path / "a.xml", CVAT_BOX.format(label="text", text="text"))
    (by_coco,), _ = read_coco(tmp_path)
    (by_cvat,), _ = read(tmp_path, "CvatXml11Converter", images_folder="images", annotation_path="a.xml")
    assert np.allclose(corners(by_coco), corners(by_cvat), atol=0.01)
    assert np.allclose(corners(by_cvat)[0], [192.26, 94.31], atol=0.01), "turned clockwise about its middle"


def test_attributes_by_the_names_of_the_cvat_task_and_a_category_of_ones_own(tmp_path: Path) -> None:
    record = word(attributes={"Text": "market", "Legible": "true", "Language": "english", "font": "x"}, category_id=2)
    coco(tmp_path, record, word(), categories=((1, "logo"), (2, "Word")))
    (image,), problems = read(tmp_path, "CocoWithTextConverter", annotation_path="a.json", label="word")
    assert texts(image) == [("market", True)]
    assert (labelled(image.words[0]).language, labelled(image.words[0]).attributes) == ("english", {"font": "x"})
    assert kinds(problems) == ["category other than 'word': dropped"]


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (24, "24"), (True, "true"), (1.5, "1.5"), (None, "")])
def test_a_number_is_a_text(tmp_path: Path, value: Any, text: str) -> None:
    coco(tmp_path, word(text=value))
    (image,), problems = read_coco(tmp_path)
    assert texts(image) == [(text, True)]
    assert len(problems) == (value is not None)


# CVAT (cvat PR#8176, #4207, #8124)

CVAT_ENTRY = """<image id="{id}" name="{name}" {more} width="640" height="360">
<box label="text" xtl="60" ytl="71" xbr="287" ybr="121"><attribute name="text">{text}</attribute></box></image>"""


def cvat(root: Path, *entries: str, **kwargs: Any) -> tuple[list[Any], Problems]:
    save(root / "a.xml", f"<annotations><version>1.1</version>{''.join(entries)}</annotations>")
    return read(root, "CvatXml11Converter", images_folder="images", annotation_path="a.xml", **kwargs)


def test_the_subset_of_a_cvat_project_is_a_folder(tmp_path: Path) -> None:
    for folder in ("Train", "Validation"):
        blank(tmp_path / "images" / folder / "frame_1.png")
    entries = [
        CVAT_ENTRY.format(id=n, name="frame_1.png", more=f'subset="{subset}"', text=subset)
        for n, subset in enumerate(("Train", "Validation"))
    ]
    images, problems = cvat(tmp_path, *entries)
    assert [(image.path.parent.name, *texts(image)) for image in images] == [
        ("Train", ("Train", True)),
        ("Validation", ("Validation", True)),
    ]
    assert len(problems) == 0


def test_an_entry_never_borrows_the_image_of_another(tmp_path: Path) -> None:
    blank(tmp_path / "images/1.png")
    day, night = (CVAT_ENTRY.format(id=0, name=f"{time}/1.png", more="", text=time) for time in ("day", "night"))
    images, problems = cvat(tmp_path, day, night)
    assert images == [] and kinds(problems) == ["image missing: skipped with its words"]
    assert [texts(image) for image in cvat(tmp_path, day)[0]] == [[("day", True)]], "one alone may be renamed"
    own = CVAT_ENTRY.format(id=0, name="1.png", more="", text="own")
    assert [texts(image) for image in cvat(tmp_path, day, own)[0]] == [[("own", True)]]


def test_cvat_masks_are_words_and_lines_are_dont_care(tmp_path: Path) -> None:
    blank(tmp_path / "images/1.png")
    shapes = (
        '<mask label="text" rle="0, 11350" left="60" top="71" width="227" height="50">'
        '<attribute name="text">market</attribute></mask>'
        '<polyline label="text" points="330,273;571,273"><attribute name="text">open24</attribute></polyline>'
    )
    (image,), problems = cvat(tmp_path, f'<image name="1.png" width="640" height="360">{shapes}</image>')
    assert texts(image) == [("market", True), ("open24", False)]
    assert corners(image) == MARKET
    assert kinds(problems) == ["a shape that cannot be a word: made a don't-care region"]


def test_a_cvat_image_of_which_no_shape_could_be_read_is_left_out(tmp_path: Path) -> None:
    blank(tmp_path / "images/1.png")
    (*images,), problems = cvat(
        tmp_path, '<image name="1.png" width="640" height="360"><polygon label="text" points="1,1;x"/></image>'
    )
    assert images == []
    assert kinds(problems) == [
        "neither a polygon nor a box: dropped",
        "none of its shapes could be used: image left out",
    ]


def test_labels_and_attributes_of_cvat_in_any_case_and_by_any_name(tmp_path: Path) -> None:
    blank(tmp_path / "images/s.png", (640, 480))
    save(tmp_path / "a.xml", CVAT_BOX.format(label="Word", text="Reading"))
    kwargs = {"images_folder": "images", "annotation_path": "a.xml"}
    (image,), _ = read(tmp_path, "CvatXml11Converter", **kwargs, label="WORD", text_attribute="reading")
    assert texts(image) == [("restaurant", True)]


def test_a_cvat_video_says_what_to_export_instead(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"tracks through a video.*CVAT for images"):
        cvat(tmp_path, '<track id="0" label="text"><box frame="0"/></track>')


# LabelMe's descendants (X-AnyLabeling#397)


@pytest.mark.parametrize("kind", ["rotation", "oriented_rectangle", "polygon", "quadrilateral"])
def test_turned_boxes_of_labelme_are_quads(tmp_path: Path, kind: str) -> None:
    blank(tmp_path / "p.jpg")
    shapes = [
        {"label": "Text", "description": text, "points": quad, "shape_type": kind, "direction": 0.0}
        for text, quad in (("market", MARKET), ("open24", OPEN24))
    ]
    save(tmp_path / "p.json", json.dumps({"shapes": shapes, "imagePath": "p.jpg", "imageHeight": 360}))
    save(tmp_path / "other_tool.json", "[1]")
    save(tmp_path / "settings.json", "{}")
    save(tmp_path / "._p.json", b"\x00\x05\x16\x07")
    (image,), problems = read(tmp_path, "LabelMeConverter", annotations_folder="")
    assert texts(image) == [("market", True), ("open24", True)] and corners(image, 1) == OPEN24
    assert kinds(problems) == ["no 'shapes', so not LabelMe's: passed over"]
    assert len(problems) == 2 and problems.unreadable == []


# Word crops (attention-ocr PR#101)


def test_a_tab_splits_path_and_text_whatever_blanks_either_holds(tmp_path: Path) -> None:
    for n in (1, 2, 3, 4):
        blank(tmp_path / f"train data/word {n}.png", (90, 30))
    lines = ["train data/word 1.png\tmarket", "train data/word 2.png\topen24\r", "train data/word 3.png\tHello World"]
    save(tmp_path / "rec_gt.txt", "\n".join([*lines, "train data/word 4.png, by, the way"]))
    images, problems = read(tmp_path, "WordCropsConverter", list_file="rec_gt.txt")
    assert [texts(image)[0][0] for image in images] == ["market", "open24", "Hello World", "by, the way"]
    assert len(problems) == 0


# Images (opencv#10703, PaddleOCR#16148)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".jpg", ".tif", ".webp", ".png"])
def test_every_format_is_turned_upright(tmp_path: Path, ending: str, orientation: int) -> None:
    upright = np.zeros((32, 64, 3), np.uint8)
    upright[:16, :32] = 255  # only the top left is white
    # What the camera stored, so that turning it as EXIF says gives the upright image.
    undo = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    method = [None, None, *(Image.Transpose(n) for n in (0, 3, 1, 5, 4, 6, 2))][undo]
    stored = Image.fromarray(upright) if method is None else Image.fromarray(upright).transpose(method)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"o{ending}"
    stored.save(path, exif=exif, **({"lossless": True} if ending == ".webp" else {}))  # type: ignore[arg-type]
    image, header = read_image(path), read_header(path)
    assert (header.width, header.height) == (64, 32) == image.shape[1::-1]
    assert np.abs(image.astype(int) - upright).max() < 20


@pytest.mark.parametrize(
    ("ending", "mode"), [(".png", "RGBA"), (".png", "LA"), (".png", "P"), (".webp", "RGBA"), (".tif", "RGBA")]
)
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0)], ids=["black", "white"])
def test_transparent_images_are_laid_over_what_shows_them(
    tmp_path: Path, ending: str, mode: str, ink: int, paper: int
) -> None:
    image = Image.new("RGBA", (40, 20), (ink, ink, ink, 0))
    image.paste((ink, ink, ink, 255), (10, 5, 30, 15))
    path = tmp_path / f"t{ending}"
    if mode == "P":
        flat_image = Image.new("P", (40, 20), 0)
        flat_image.putpalette([ink] * 6)
        flat_image.paste(1, (10, 5, 30, 15))
        flat_image.save(path, transparency=0)
    else:
        image.convert(mode).save(path, **({"lossless": True} if ending == ".webp" else {}))  # type: ignore[arg-type]
    read_back = read_image(path)
    assert read_back[10, 20].tolist() == [ink] * 3 and read_back[0, 0].tolist() == [paper] * 3


@pytest.mark.slow
def test_an_image_is_refused_by_its_size_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    start = time.perf_counter()
    with pytest.raises(UserError, match=r"pixels are more than 89478485; .*TEXT_SPOTTING_MAX_PIXELS"):
        read_image(path)
    assert time.perf_counter() - start < 0.5
    small = tmp_path / "small.png"
    blank(small, (30, 20))
    monkeypatch.setenv("TEXT_SPOTTING_MAX_PIXELS", "599")
    with pytest.raises(UserError, match="30x20 pixels are more than 599"):
        read_image(small)
    monkeypatch.setenv("TEXT_SPOTTING_MAX_PIXELS", "600")
    assert read_image(small).shape == (20, 30, 3)


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_an_image_that_was_cut_off_is_named(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a{ending}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(UserError, match="is cut off: its end is missing"):
        read_image(path)


# Files beside a model and beside results, as an editor or a full disk left them


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("card.json", '{"name": ', r"card\.json:1: not valid JSON"),
        ("card.json", "[1]", r"card\.json: expected a JSON object, found list"),
        ("manifest.json", "[1]", r"manifest\.json: expected a JSON object, found list; export the model again"),
        ("manifest.json", "{}", r"manifest\.json: has no manifest of onnx graphs; export the model again"),
        ("manifest.json", None, r"manifest\.json does not exist; export the model again"),
    ],
)
def test_a_broken_file_beside_a_model_is_named(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    manifest = replace(EXPORTED, embedded=False).to_json().replace(".xml", ".onnx")
    (tmp_path / "manifest.json").write_text(f'{{"onnx": {manifest}}}')
    for graph in ("model", "model_text_recognition_head_encoder", "model_text_recognition_head_decoder"):
        (tmp_path / f"{graph}.onnx").touch()
    assert "input       8x4" in describe(tmp_path / "model.onnx")
    (tmp_path / name).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(UserError, match=message):
        describe(tmp_path / "model.onnx")


@pytest.mark.parametrize("content", ["[1]", "{", '{"inputs": "\xff"}'], ids=["a list", "cut off", "not UTF-8"])
def test_a_broken_record_of_many_images_is_named(tmp_path: Path, content: str) -> None:
    reading = Reading("model.onnx")
    take_folder(tmp_path, [], reading)
    take_folder(tmp_path, [], reading)
    (tmp_path / RECORD).write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"_read-many\.json:.*; choose another folder"):
        take_folder(tmp_path, [], reading)


# Hostile ones


@pytest.mark.slow
def test_a_file_that_crashes_its_parser_is_named_and_costs_no_other(tmp_path: Path) -> None:
    from scipy.io import savemat

    for n in (1, 2):
        blank(tmp_path / f"im/img{n}.jpg")
    hostile = Path(__file__).parent / "data" / "crashes_scipy.mat"
    save(tmp_path / "gt/poly_gt_img1.mat", hostile.read_bytes())
    rows = np.empty((1, 6), dtype=object)
    x, y = (np.array([values]) for values in np.array(MARKET).T)
    rows[0] = ["x:", x, "y:", y, np.array(["market"]), np.array(["h"])]
    savemat(tmp_path / "gt/poly_gt_img2.mat", {"polygt": rows})
    images, problems = read(tmp_path, "TotalTextConverter", images_folder="im", annotations_folder="gt")
    assert [texts(image) for image in images] == [[("market", True)]]
    assert (
        len(problems.unreadable) == 1
        and "poly_gt_img1.mat: not a MATLAB file, or a broken one" in problems.unreadable[0]
    )


@pytest.mark.parametrize(
    "line", ["1234567," * 8 + "1234567x", "1" * 5000 + ",x", "\t" * 3000 + "1", ("1" + "\t" * 200) * 7 + "x"]
)
def test_no_line_keeps_a_pattern_busy(tmp_path: Path, line: str) -> None:
    save(tmp_path / "p/res_img_1.txt", line)
    start = time.perf_counter()
    with pytest.raises(UserError, match=r"res_img_1\.txt:1: "):
        read_predictions(tmp_path / "p")
    blank(tmp_path / "im/img_1.jpg")
    for name in ("ICDAR2015DatasetConverter", "ICDAR2013DatasetConverter"):
        read(tmp_path, name, images_folder="im", annotations_folder="p", is_train=None)
    assert time.perf_counter() - start < 1


def test_annotations_written_outside_of_the_root_work_with_the_root_and_without(tmp_path: Path) -> None:
    root, out = tmp_path / "data", tmp_path / "elsewhere" / "deep" / "train.json"
    blank(root / "images" / "img_1.jpg")
    save(root / "gt" / "gt_img_1.txt", "60,71,287,71,287,121,60,121,market\n")
    kwargs = {"images_folder": "images", "annotations_folder": "gt"}
    save(tmp_path / "c.json", json.dumps([{"name": "ICDAR2015DatasetConverter", "kwargs": kwargs}]))
    flags = ["--config", tmp_path / "c.json", "--root", root, "--output", out]
    assert run_tool("create_dataset", [str(flag) for flag in flags]) == 0
    assert json.loads(out.read_text())["images"][0]["file_name"] == "images/img_1.jpg"
    for data_root in (root, out.parent):
        assert read_datasets(str(out), str(data_root))[0].path.samefile(root / "images" / "img_1.jpg")


def test_paths_with_commas_are_given_by_repeating_the_flag(tmp_path: Path) -> None:
    first, second = tmp_path / "a,b", tmp_path / "c"
    for folder in (first, second):
        coco(folder, word())
    (tmp_path / "p.json").write_text('{"a,b/pic": [], "c/pic": []}')
    flags = [flag for folder in (first, second) for flag in ("--test-ann-files", folder / "a.json")]
    flags += [flag for folder in (first, second) for flag in ("--test-data-roots", folder)]
    assert run_tool("eval", [str(flag) for flag in [*flags, "--from-predictions", tmp_path / "p.json"]]) == 0
    one = ["--test-ann-files", first / "a.json", "--test-data-roots", first, "--from-predictions", tmp_path / "p.json"]
    assert run_tool("eval", [str(flag) for flag in one]) == 2, "names of another set"


def test_strict_ends_at_the_first_oddity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = coco(tmp_path, word(text=0))
    (tmp_path / "p.json").write_text('{"pic": []}')
    flags = ["--test-ann-files", str(path), "--test-data-roots", str(tmp_path), "--from-predictions"]
    assert run_tool("eval", [*flags, str(tmp_path / "p.json")]) == 0
    assert "1  text is a number or a truth value" in capsys.readouterr().err
    assert run_tool("eval", [*flags, str(tmp_path / "p.json"), "--strict"]) == 2
    assert f"error: {path}: annotations[0]: 0: text is a number" in capsys.readouterr().err
