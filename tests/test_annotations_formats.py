"""Every reader against a small sample in the data set's own format."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.annotations.cvat import write_cvat
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.readers import make_readers
from text_spotting.annotations.records import AnnotatedImage, LabelledWord, labelled
from text_spotting.errors import UserError
from text_spotting.geometry import iou

BOX = [[10, 10], [50, 10], [50, 30], [10, 30]]
FLAT = "10,10,50,10,50,30,10,30"
WIDTH, HEIGHT = 120, 80


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((HEIGHT, WIDTH, 3), 127, np.uint8))


def save(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def read(root: Path, name: str, **kwargs: Any) -> tuple[list[AnnotatedImage], Problems]:
    problems = Problems()
    ((_, reader),) = make_readers([{"name": name, "kwargs": kwargs}], root, "test.json")
    return list(reader.read(problems)), problems


def texts(image: AnnotatedImage) -> list[tuple[str, bool]]:
    """Text and whether it is to be found, of every word."""
    return [(word.text, not word.ignore) for word in image.words]


def languages(image: AnnotatedImage) -> list[str]:
    return [labelled(word).language for word in image.words]


def corners(image: AnnotatedImage, index: int = 0) -> list[list[float]]:
    polygon: list[list[float]] = image.words[index].polygon.tolist()
    return polygon


def kinds(problems: Problems) -> list[str]:
    return sorted(problems.found)


def test_icdar2015(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        picture(tmp_path / f"images/img_{number}.jpg")
    save(tmp_path / "gt/gt_img_1.txt", f"\ufeff{FLAT},Genaxis Theatre\r\n{FLAT},###\r\n")
    save(tmp_path / "gt/gt_img_10.txt", f"{FLAT},$5,000\n")
    images, problems = read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="gt")
    assert [image.path.name for image in images] == ["img_1.jpg", "img_10.jpg"]
    assert texts(images[0]) == [("Genaxis Theatre", True), ("", False)]
    assert (images[0].width, images[0].height, corners(images[0])) == (WIDTH, HEIGHT, BOX)
    assert texts(images[1]) == [("$5,000", True)]
    assert problems.found["picture without annotation file: skipped"] == [str(tmp_path / "images/img_2.jpg")]


def test_icdar2015_says_when_the_official_set_is_not_whole(tmp_path: Path) -> None:
    picture(tmp_path / "images/img_1.jpg")
    save(tmp_path / "gt/gt_img_1.txt", f"{FLAT},a\n")
    kwargs = {"images_folder": "images", "annotations_folder": "gt", "is_train": True}
    _, problems = read(tmp_path, "ICDAR2015DatasetConverter", **kwargs)
    assert problems.found["not the whole official set"] == [f"{tmp_path}/images: 1 of 1000 pictures are labelled"]


def test_a_missing_picture_is_reported_and_no_annotations_at_all_is_an_error(tmp_path: Path) -> None:
    save(tmp_path / "gt/gt_img_1.txt", f"{FLAT},a\n")
    images, problems = read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="gt")
    assert images == [] and kinds(problems) == ["picture missing: skipped with its words"]
    with pytest.raises(UserError, match="no annotation files"):
        read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="other")


def test_plain_quads_without_transcription(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.png")
    save(tmp_path / "quads/a.txt", "10.5,10,50,10,50,30,10,30\n")
    images, _ = read(tmp_path, "PlainQuadsConverter", images_folder="images", annotations_folder="quads")
    assert texts(images[0]) == [("", True)] and corners(images[0])[0] == [10.5, 10]


def test_icdar2013_training_part_with_characters(tmp_path: Path) -> None:
    picture(tmp_path / "images/100.jpg")
    save(tmp_path / "words/gt_100.txt", '10 10 50 30 "Tiredness"\n10 40 50 60 "it"\n')
    character = '120 100 90 15 20 {} 10 {} 30 "{}"\n'
    first = "".join(character.format(10 + 4 * k, 13 + 4 * k, letter) for k, letter in enumerate("Tiredness"))
    save(
        tmp_path / "chars/100_GT.txt",
        first + "\r\n" + '#1 1 1 1 1 1 1 2 2 "x"\r\n' + character.format(10, 20, "I") + character.format(30, 40, "t"),
    )
    images, problems = read(
        tmp_path,
        "ICDAR2013DatasetConverter",
        images_folder="images",
        annotations_folder="words",
        character_annotations_folder="chars",
        is_train=None,
    )
    assert texts(images[0]) == [("Tiredness", True), ("It", True)]
    assert corners(images[0]) == BOX
    chars = labelled(images[0].words[0]).attributes["chars"]
    assert len(chars) == 9
    assert chars[1] == {"char": "i", "bbox": [14, 10, 3, 20], "segmentation": [[14, 10, 17, 10, 17, 30, 14, 30]]}
    (mismatch,) = problems.found["characters spell another word: believed"]
    assert mismatch.endswith("gt_100.txt:2: 'it' became 'It'")


def test_icdar2013_leaves_characters_out_when_their_words_do_not_match(tmp_path: Path) -> None:
    picture(tmp_path / "images/100.jpg")
    save(tmp_path / "words/gt_100.txt", '10 10 50 30 "ab"\n10 40 50 60 "c"\n')
    save(tmp_path / "chars/100_GT.txt", '0 0 0 0 0 10 10 20 30 "a"\n0 0 0 0 0 20 10 30 30 "b"\n')
    folders = {"images_folder": "images", "annotations_folder": "words", "character_annotations_folder": "chars"}
    images, problems = read(tmp_path, "ICDAR2013DatasetConverter", **folders, is_train=None)
    assert texts(images[0]) == [("ab", True), ("c", True)]
    assert problems.found["character file does not match: left out"][0].endswith("100_GT.txt: 1 words, not 2")


def test_icdar2013_test_part(tmp_path: Path) -> None:
    picture(tmp_path / "images/img_1.jpg")
    save(tmp_path / "gt/gt_img_1.txt", '10, 10, 50, 30, "Kids, 5+"\r\n')
    images, _ = read(
        tmp_path, "ICDAR2013DatasetConverter", images_folder="images", annotations_folder="gt", is_train=False
    )
    assert texts(images[0]) == [("Kids, 5+", True)] and corners(images[0]) == BOX


def mlt2017(root: Path) -> None:
    picture(root / "mlt/ch8_training_images_1/img_1.jpg")
    picture(root / "mlt/ch8_training_images_8/img_7001.png")
    picture(root / "mlt/ch8_validation_images/img_1.jpg")
    truth = "ch8_{}_localization_transcription_gt_v2/gt_img_{}.txt"
    save(root / "mlt" / truth.format("training", 1), f"{FLAT},Latin,a, b\n{FLAT},Arabic,###\n")
    save(root / "mlt" / truth.format("training", 7001), f"\ufeff{FLAT},Korean,안녕\n{FLAT}\n")
    save(root / "mlt" / truth.format("validation", 1), f"{FLAT},Symbols,&\n")


def test_icdar2017_mlt(tmp_path: Path) -> None:
    mlt2017(tmp_path)
    images, problems = read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="train")
    assert [texts(image) for image in images] == [[("a, b", True), ("", False)], [("안녕", True)]]
    assert languages(images[0]) == ["Latin", "Arabic"]
    assert kinds(problems) == ["a field after the numbers is missing: dropped"]
    images, _ = read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="val")
    assert texts(images[0]) == [("&", True)]


def test_icdar2017_mlt_keeps_all_words_of_pictures_with_a_latin_one(tmp_path: Path) -> None:
    mlt2017(tmp_path)
    images, _ = read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="train", is_latin_required=True)
    assert [image.path.name for image in images] == ["img_1.jpg"] and len(images[0].words) == 2


def test_icdar2017_mlt_refuses_another_subset(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="subset must be one of train, val, not 'test'"):
        read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="test")


def test_icdar2019_mlt(tmp_path: Path) -> None:
    picture(tmp_path / "mlt/ImagesPart1/tr_img_00001.jpg")
    picture(tmp_path / "mlt/ImagesPart2/tr_img_05001.png")
    save(tmp_path / "mlt/train_gt_t13/tr_img_00001.txt", f"{FLAT},Arabic,###\n")
    save(tmp_path / "mlt/train_gt_t13/tr_img_05001.txt", f"{FLAT},Latin,Shop\n")
    images, _ = read(tmp_path, "ICDAR2019MLTDatasetConverter", folder="mlt")
    assert [texts(image) for image in images] == [[("", False)], [("Shop", True)]]
    images, _ = read(tmp_path, "ICDAR2019MLTDatasetConverter", folder="mlt", is_latin_required=True)
    assert [image.path.name for image in images] == ["tr_img_05001.png"]


def art(root: Path) -> None:
    def word(text: str, language: str = "Latin", illegible: bool = False) -> dict[str, Any]:
        return {"points": [*BOX, [5, 20]], "transcription": text, "language": language, "illegibility": illegible}

    labels = {"gt_0": [word("CAFE"), word("###", illegible=True)], "gt_1": [word("店", "Chinese")], "gt_2": [word("x")]}
    save(root / "art/train_labels.json", json.dumps(labels))
    for name in labels:
        picture(root / f"art/train_images/{name}.jpg")


def test_icdar2019_art(tmp_path: Path) -> None:
    art(tmp_path)
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", folder="art")
    assert [texts(image) for image in images] == [[("CAFE", True), ("", False)], [("店", True)], [("x", True)]]
    assert len(corners(images[0])) == 5 and languages(images[1]) == ["Chinese"]
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", folder="art", is_latin_required=True)
    assert [image.path.stem for image in images] == ["gt_0", "gt_2"]


def test_icdar2019_art_without_the_test_pictures_of_total_text(tmp_path: Path) -> None:
    art(tmp_path)
    save(tmp_path / "art/ids.list", "poly_gt_img5.txt gt_2.txt\npoly_gt_img6.txt gt_1.txt\n")
    picture(tmp_path / "totaltext/img5.jpg")
    kwargs = {"folder": "art", "exclude_totaltext_test": True, "totaltext_to_art_path": "art/ids.list"}
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", **kwargs, totaltext_test_images_dir="totaltext")
    assert [image.path.stem for image in images] == ["gt_0", "gt_1"]
    with pytest.raises(UserError, match=r"totaltext_test_images_dir .* does not exist"):
        read(tmp_path, "ICDAR2019ARTDatasetConverter", **kwargs, totaltext_test_images_dir="nowhere")


def test_msra_td500_turns_boxes_about_their_centre(tmp_path: Path) -> None:
    picture(tmp_path / "train/IMG_0059.JPG")
    save(tmp_path / "train/IMG_0059.gt", "0 0 10 10 40 20 0.0\n1 1 40 30 40 20 1.5707963\n")
    images, _ = read(tmp_path, "MSRATD500DatasetConverter", folder="train")
    assert texts(images[0]) == [("", True), ("", False)]
    assert corners(images[0]) == BOX
    # 40 x 20 around (60, 40), a quarter turn clockwise: its top left corner goes to the top right
    assert np.allclose(corners(images[0], 1), [[70, 20], [70, 60], [50, 60], [50, 20]], atol=1e-3)


def test_cocotext(tmp_path: Path) -> None:
    for number in (1, 2):
        picture(tmp_path / f"coco-text/train2014/COCO_train2014_{number}.jpg")
    picture_of = {"width": WIDTH, "height": HEIGHT}
    word = {"class": "machine printed", "language": "english", "image_id": 1}
    document = {
        "imgs": {
            str(number): {**picture_of, "id": number, "set": part, "file_name": f"COCO_train2014_{number}.jpg"}
            for number, part in ((1, "train"), (2, "train"), (3, "val"))
        },
        "anns": {
            "45": {
                **word,
                "mask": [10, 10, 50, 10, 50, 30, 10, 30, 9, 20],
                "legibility": "legible",
                "utf8_string": "BUS",
            },
            "46": {**word, "mask": [], "bbox": [10, 10, 40, 20], "legibility": "illegible", "utf8_string": ""},
        },
        "imgToAnns": {"1": [45, 46], "2": []},
    }
    save(tmp_path / "coco-text/cocotext.v2.json", json.dumps(document))
    images, problems = read(tmp_path, "COCOTextDatasetConverter", path="coco-text/cocotext.v2.json", sets=["train"])
    assert [texts(image) for image in images] == [[("BUS", True), ("", False)], []]
    assert len(corners(images[0])) == 4 and iou(corners(images[0]), [[9, 10], [50, 10], [50, 30], [9, 30]]) > 0.999
    assert corners(images[0], 1) == BOX and len(problems) == 0


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
        picture(tmp_path / f"images/{name}.jpg")
    save(tmp_path / "annotations.xml", CVAT)
    images, problems = read(tmp_path, "CvatXml11Converter", images_folder="images", annotation_path="annotations.xml")
    assert [image.path.name for image in images] == ["a.jpg", "b.jpg"]  # c.jpg is half the size it was labelled at
    assert texts(images[0]) == [("M&S", True), ("", False)]
    assert corners(images[0]) == BOX and languages(images[0]) == ["english", ""]
    assert kinds(problems) == [
        "label other than 'text': dropped",
        "neither a polygon nor a box: dropped",
        "picture is not of the size that its labels state: skipped",
    ]
    assert problems.found["label other than 'text': dropped"][0].startswith(f"{tmp_path}/annotations.xml:15")


def test_cvat_names_the_line_of_broken_xml(tmp_path: Path) -> None:
    save(tmp_path / "annotations.xml", "<annotations>\n<image>\n</annotations>")
    with pytest.raises(UserError, match=r"annotations\.xml:3: not well-formed XML: mismatched tag"):
        read(tmp_path, "CvatXml11Converter", images_folder="", annotation_path="annotations.xml")


def test_words_go_to_cvat_and_come_back(tmp_path: Path) -> None:
    picture(tmp_path / "photos/x/a.jpg")
    words = [
        LabelledWord(np.array([[10, 10], [50.25, 12], [50, 30], [30, 33], [10, 28]]), "A<\"&'b", language="french"),
        LabelledWord(np.array(BOX), ignore=True),
    ]
    image = AnnotatedImage(tmp_path / "photos/x/a.jpg", WIDTH, HEIGHT, words)
    write_cvat(tmp_path / "out.xml", [image], tmp_path / "photos")
    (back,), problems = read(tmp_path, "CvatXml11Converter", images_folder="photos", annotation_path="out.xml")
    assert texts(back) == [("A<\"&'b", True), ("", False)] and languages(back) == ["french", ""]
    assert corners(back) == words[0].polygon.tolist() and len(problems) == 0


def test_pictures_are_named_for_cvat_from_the_folder_that_holds_them_all(tmp_path: Path) -> None:
    flat = [AnnotatedImage(tmp_path / f"photos/{name}.jpg", WIDTH, HEIGHT) for name in "ab"]
    write_cvat(tmp_path / "flat.xml", flat)
    assert 'name="a.jpg"' in (tmp_path / "flat.xml").read_text()
    write_cvat(tmp_path / "deep.xml", [*flat, AnnotatedImage(tmp_path / "photos/x/c.jpg", WIDTH, HEIGHT)])
    assert (
        'name="a.jpg"' in (tmp_path / "deep.xml").read_text()
        and 'name="x/c.jpg"' in (tmp_path / "deep.xml").read_text()
    )


def test_total_text_as_text_files(tmp_path: Path) -> None:
    picture(tmp_path / "Images/img1.jpg")
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

    picture(tmp_path / "Images/img2.jpg")
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
    picture(tmp_path / "oi/train_1/a.jpg")
    picture(tmp_path / "oi/validation/b.jpg")
    save(tmp_path / "oi/text_spotting_openimages_v5_train_1.json", coco_with_text(["train_1/a.jpg"]))
    save(tmp_path / "oi/text_spotting_openimages_v5_validation.json", coco_with_text(["validation/b.jpg", "gone.jpg"]))
    images, problems = read(tmp_path, "OpenImagesV5TextConverter", folder="oi", sets=["train_1", "validation"])
    assert [(image.path.name, texts(image)) for image in images] == [
        ("a.jpg", [("Shop", True)]),
        ("b.jpg", [("Shop", True)]),
    ]
    assert kinds(problems) == ["picture missing: skipped with its words"]


def test_coco_with_text_itself(tmp_path: Path) -> None:
    picture(tmp_path / "pictures/a.jpg")
    outside = [[200, 10, 220, 10, 220, 30, 200, 30]]
    save(tmp_path / "ann/d.json", coco_with_text(["a.jpg"]))
    save(tmp_path / "ann/outside.json", coco_with_text(["a.jpg"], segmentation=outside))
    images, _ = read(tmp_path, "CocoWithTextConverter", annotation_path="ann/d.json", images_folder="pictures")
    assert texts(images[0]) == [("Shop", True)] and languages(images[0]) == ["english"]
    images, problems = read(
        tmp_path, "CocoWithTextConverter", annotation_path="ann/outside.json", images_folder="pictures"
    )
    assert texts(images[0]) == [] and kinds(problems) == ["outside the picture: dropped"]


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
    picture(tmp_path / "SceneTrialTrain/apanar_06.08.2002/IMG_1261.JPG")
    save(tmp_path / "SceneTrialTrain/words.xml", ICDAR2003.encode("latin-1"))
    images, problems = read(tmp_path, "ICDAR2003DatasetConverter", annotation_path="SceneTrialTrain/words.xml")
    assert texts(images[0]) == [("Prês", True), ("a", True)] and corners(images[0]) == BOX
    assert problems.found["box is rotated or slanted: its upright box is taken"] == [
        f"{tmp_path}/SceneTrialTrain/words.xml:10"
    ]


def test_word_crops(tmp_path: Path) -> None:
    picture(tmp_path / "crops/word_1.png")
    save(tmp_path / "crops/gt.txt", '\ufeffword_1.png, "Genaxis Theatre"\r\n')
    images, _ = read(tmp_path, "WordCropsConverter", list_file="crops/gt.txt", images_folder="crops")
    assert texts(images[0]) == [("Genaxis Theatre", True)]
    assert corners(images[0]) == [[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]]


def test_labelme(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    shapes = [
        {"label": "Exit", "points": BOX, "shape_type": "polygon", "flags": {}},
        {"label": "text", "description": "Way Out", "points": [[50, 30], [10, 10]], "shape_type": "rectangle"},
        {"label": "###", "points": BOX, "shape_type": "polygon"},
        {"label": "dim", "points": BOX, "shape_type": "polygon", "flags": {"illegible": True}},
        {"label": "x", "points": [[1, 1], [2, 2]], "shape_type": "line"},
    ]
    document = {"imagePath": "..\\photos\\a.jpg", "imageWidth": WIDTH, "imageHeight": HEIGHT, "shapes": shapes}
    save(tmp_path / "labels/a.json", json.dumps(document))
    picture(tmp_path / "photos/a.jpg")
    for images_folder in (None, "photos"):
        kwargs = {"annotations_folder": "labels", "images_folder": images_folder}
        images, problems = read(tmp_path, "LabelMeConverter", **kwargs)
        assert texts(images[0]) == [("Exit", True), ("Way Out", True), ("", False), ("dim", False)]
        assert corners(images[0], 1) == BOX
        assert kinds(problems) == ["neither a polygon nor a rectangle: dropped"]


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
