"""Readers of the ICDAR competitions, MSRA-TD500 and COCO-Text against small samples in their own format."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotation_samples import BOX, FLAT, HEIGHT, WIDTH, corners, kinds, languages, read, save, save_image, texts
from overlaps import iou

from text_spotting.annotations.records import labelled
from text_spotting.errors import UserError


def test_icdar2015(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        save_image(tmp_path / f"images/img_{number}.jpg")
    save(tmp_path / "gt/gt_img_1.txt", f"\ufeff{FLAT},Genaxis Theatre\r\n{FLAT},###\r\n")
    save(tmp_path / "gt/gt_img_10.txt", f"{FLAT},$5,000\n")
    images, problems = read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="gt")
    assert [image.path.name for image in images] == ["img_1.jpg", "img_10.jpg"]
    assert texts(images[0]) == [("Genaxis Theatre", True), ("", False)]
    assert (images[0].width, images[0].height, corners(images[0])) == (WIDTH, HEIGHT, BOX)
    assert texts(images[1]) == [("$5,000", True)]
    assert problems.found["image without annotation file: skipped"] == [str(tmp_path / "images/img_2.jpg")]


def test_icdar2015_says_when_the_official_set_is_not_whole(tmp_path: Path) -> None:
    save_image(tmp_path / "images/img_1.jpg")
    save(tmp_path / "gt/gt_img_1.txt", f"{FLAT},a\n")
    kwargs = {"images_folder": "images", "annotations_folder": "gt", "is_train": True}
    _, problems = read(tmp_path, "ICDAR2015DatasetConverter", **kwargs)
    assert problems.found["not the whole official set"] == [f"{tmp_path}/images: 1 of 1000 images are labelled"]


def test_a_missing_image_is_reported_and_no_annotations_at_all_is_an_error(tmp_path: Path) -> None:
    save(tmp_path / "gt/gt_img_1.txt", f"{FLAT},a\n")
    images, problems = read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="gt")
    assert images == [] and kinds(problems) == ["image missing: skipped with its words"]
    with pytest.raises(UserError, match="no annotation files"):
        read(tmp_path, "ICDAR2015DatasetConverter", images_folder="images", annotations_folder="other")


def test_plain_quads_without_transcription(tmp_path: Path) -> None:
    save_image(tmp_path / "images/a.png")
    save(tmp_path / "quads/a.txt", "10.5,10,50,10,50,30,10,30\n")
    images, _ = read(tmp_path, "PlainQuadsConverter", images_folder="images", annotations_folder="quads")
    assert texts(images[0]) == [("", True)] and corners(images[0])[0] == [10.5, 10]


def test_icdar2013_training_part_with_characters(tmp_path: Path) -> None:
    save_image(tmp_path / "images/100.jpg")
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
    save_image(tmp_path / "images/100.jpg")
    save(tmp_path / "words/gt_100.txt", '10 10 50 30 "ab"\n10 40 50 60 "c"\n')
    save(tmp_path / "chars/100_GT.txt", '0 0 0 0 0 10 10 20 30 "a"\n0 0 0 0 0 20 10 30 30 "b"\n')
    folders = {"images_folder": "images", "annotations_folder": "words", "character_annotations_folder": "chars"}
    images, problems = read(tmp_path, "ICDAR2013DatasetConverter", **folders, is_train=None)
    assert texts(images[0]) == [("ab", True), ("c", True)]
    assert problems.found["character file does not match: left out"][0].endswith("100_GT.txt: 1 words, not 2")


def test_icdar2013_test_part(tmp_path: Path) -> None:
    save_image(tmp_path / "images/img_1.jpg")
    save(tmp_path / "gt/gt_img_1.txt", '10, 10, 50, 30, "Kids, 5+"\r\n')
    images, _ = read(
        tmp_path, "ICDAR2013DatasetConverter", images_folder="images", annotations_folder="gt", is_train=False
    )
    assert texts(images[0]) == [("Kids, 5+", True)] and corners(images[0]) == BOX


def mlt2017(root: Path) -> None:
    save_image(root / "mlt/ch8_training_images_1/img_1.jpg")
    save_image(root / "mlt/ch8_training_images_8/img_7001.png")
    save_image(root / "mlt/ch8_validation_images/img_1.jpg")
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


def test_icdar2017_mlt_keeps_all_words_of_images_with_a_latin_one(tmp_path: Path) -> None:
    mlt2017(tmp_path)
    images, _ = read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="train", is_latin_required=True)
    assert [image.path.name for image in images] == ["img_1.jpg"] and len(images[0].words) == 2


def test_icdar2017_mlt_refuses_another_subset(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="subset must be one of train, val, not 'test'"):
        read(tmp_path, "ICDAR2017MLTDatasetConverter", folder="mlt", subset="test")


def test_icdar2019_mlt(tmp_path: Path) -> None:
    save_image(tmp_path / "mlt/ImagesPart1/tr_img_00001.jpg")
    save_image(tmp_path / "mlt/ImagesPart2/tr_img_05001.png")
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
        save_image(root / f"art/train_images/{name}.jpg")


def test_icdar2019_art(tmp_path: Path) -> None:
    art(tmp_path)
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", folder="art")
    assert [texts(image) for image in images] == [[("CAFE", True), ("", False)], [("店", True)], [("x", True)]]
    assert len(corners(images[0])) == 5 and languages(images[1]) == ["Chinese"]
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", folder="art", is_latin_required=True)
    assert [image.path.stem for image in images] == ["gt_0", "gt_2"]


def test_icdar2019_art_without_the_test_images_of_total_text(tmp_path: Path) -> None:
    art(tmp_path)
    save(tmp_path / "art/ids.list", "poly_gt_img5.txt gt_2.txt\npoly_gt_img6.txt gt_1.txt\n")
    save_image(tmp_path / "totaltext/img5.jpg")
    kwargs = {"folder": "art", "exclude_totaltext_test": True, "totaltext_to_art_path": "art/ids.list"}
    images, _ = read(tmp_path, "ICDAR2019ARTDatasetConverter", **kwargs, totaltext_test_images_dir="totaltext")
    assert [image.path.stem for image in images] == ["gt_0", "gt_1"]
    with pytest.raises(UserError, match=r"totaltext_test_images_dir .* does not exist"):
        read(tmp_path, "ICDAR2019ARTDatasetConverter", **kwargs, totaltext_test_images_dir="nowhere")


def test_msra_td500_turns_boxes_about_their_centre(tmp_path: Path) -> None:
    save_image(tmp_path / "train/IMG_0059.JPG")
    save(tmp_path / "train/IMG_0059.gt", "0 0 10 10 40 20 0.0\n1 1 40 30 40 20 1.5707963\n")
    images, _ = read(tmp_path, "MSRATD500DatasetConverter", folder="train")
    assert texts(images[0]) == [("", True), ("", False)]
    assert corners(images[0]) == BOX
    # 40 x 20 around (60, 40), a quarter turn clockwise: its top left corner goes to the top right
    assert np.allclose(corners(images[0], 1), [[70, 20], [70, 60], [50, 60], [50, 20]], atol=1e-3)


def test_cocotext(tmp_path: Path) -> None:
    for number in (1, 2):
        save_image(tmp_path / f"coco-text/train2014/COCO_train2014_{number}.jpg")
    image_of = {"width": WIDTH, "height": HEIGHT}
    word = {"class": "machine printed", "language": "english", "image_id": 1}
    document = {
        "imgs": {
            str(number): {**image_of, "id": number, "set": part, "file_name": f"COCO_train2014_{number}.jpg"}
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
