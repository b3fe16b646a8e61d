"""The COCO-with-text file: what is read, what survives a round trip, and what a broken file says."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from text_spotting.annotations.dataset_file import read_dataset, read_datasets, write_dataset
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.errors import UserError
from text_spotting.words import Word

QUAD = [10.0, 10.0, 50.0, 12.0, 50.0, 30.0, 10.0, 28.0]


def annotation(**changes: Any) -> dict[str, Any]:
    record = {
        "bbox": [10, 10, 40, 20],
        "segmentation": [QUAD],
        "attributes": {"transcription": "Exit", "legible": 1, "language": "english"},
        "id": 0,
        "image_id": 7,
        "iscrowd": 0,
        "category_id": 1,
    }
    return {**record, **changes}


def save(path: Path, *annotations: dict[str, Any], **changes: Any) -> Path:
    document = {
        "images": [{"id": 7, "file_name": "a/1.jpg", "width": 100, "height": 60}],
        "categories": [{"name": "text", "id": 1}],
        "annotations": list(annotations),
        **changes,
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def only_word(path: Path) -> Any:
    (image,) = read_dataset(path)
    (word,) = image.words
    return word


def test_reads_a_word_of_the_new_form(tmp_path: Path) -> None:
    word = only_word(save(tmp_path / "d.json", annotation()))
    assert (word.text, word.language, word.ignore, word.score) == ("Exit", "english", False, 1.0)
    assert word.polygon.ravel().tolist() == QUAD


def test_reads_a_word_of_the_old_form_and_prefers_it(tmp_path: Path) -> None:
    old = annotation(text={"transcription": "old", "legible": 1, "language": ""})
    assert only_word(save(tmp_path / "d.json", old)).text == "old"


@pytest.mark.parametrize(
    ("changes", "ignored"),
    [
        ({"attributes": {"transcription": "", "legible": 0}}, True),
        ({"attributes": {"transcription": "", "legible": False}}, True),
        ({"attributes": {"transcription": "", "legible": "false"}}, True),
        ({"attributes": {"transcription": "", "legible": "True"}}, False),
        ({"attributes": {"transcription": "", "legible": 1}}, False),  # nobody transcribed it: still to be found
        ({"attributes": {"transcription": "a"}}, False),  # says nothing about legibility
        ({"iscrowd": 1}, False),  # legible says otherwise, and is believed
        ({"iscrowd": 1, "attributes": {}}, True),
        ({"ignore": 1}, True),
    ],
)
def test_a_word_is_dont_care_when_illegible_or_crowd_or_ignored(
    tmp_path: Path, changes: dict[str, Any], ignored: bool
) -> None:
    record = annotation(**changes)
    if "attributes" in changes and "iscrowd" not in changes:
        del record["iscrowd"]
    assert only_word(save(tmp_path / "d.json", record)).ignore is ignored


def test_a_word_without_polygon_takes_its_box(tmp_path: Path) -> None:
    word = only_word(save(tmp_path / "d.json", annotation(segmentation=[])))
    assert word.polygon.tolist() == [[10, 10], [50, 10], [50, 30], [10, 30]]


def test_annotations_of_other_categories_are_no_words(tmp_path: Path) -> None:
    path = save(
        tmp_path / "d.json", annotation(category_id=2), categories=[{"name": "text", "id": 1}, {"name": "car", "id": 2}]
    )
    assert list(read_dataset(path)[0].words) == []


def test_ids_with_gaps_are_read_and_images_without_words_stay(tmp_path: Path) -> None:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 9, "height": 9} for n in (40, 7, 2)]
    path = save(tmp_path / "d.json", annotation(id=99), images=images)
    assert [(image.path.name, len(image.words)) for image in read_dataset(path)] == [
        ("40.jpg", 0),
        ("7.jpg", 1),
        ("2.jpg", 0),
    ]


def test_a_round_trip_keeps_everything(tmp_path: Path) -> None:
    words = [
        LabelledWord(
            np.array(QUAD), "Café", 0.93, language="latin", attributes={"source": "pseudo", "chars": [{"char": "C"}]}
        ),
        Word(np.array([[-5.5, 3.25], [20, 3], [8, 70.125]]), ignore=True),
    ]
    image = AnnotatedImage(tmp_path / "images/1.jpg", 100, 60, words)
    write_dataset(tmp_path / "out/d.json", [image, AnnotatedImage(tmp_path / "2.jpg", 5, 6)])
    first, second = read_dataset(tmp_path / "out/d.json")
    cafe, crowd = first.words
    assert isinstance(cafe, LabelledWord)
    assert (cafe.text, round(cafe.score, 4), cafe.language) == ("Café", 0.93, "latin")
    assert cafe.attributes == {"source": "pseudo", "chars": [{"char": "C"}]}
    assert crowd.ignore and not cafe.ignore
    assert crowd.polygon.ravel().tolist() == pytest.approx([-5.5, 3.25, 20, 3, 8, 70.12], abs=0.006)
    assert first.path.resolve() == image.path.resolve()
    assert (second.width, second.height, list(second.words)) == (5, 6, [])


def test_written_records_are_contiguous_and_hold_the_unclipped_area(tmp_path: Path) -> None:
    box = np.array([[-10, 0], [10, 0], [10, 5], [-10, 5]])
    images = [AnnotatedImage(tmp_path / f"{n}.jpg", 20, 20, [Word(box), Word(box, ignore=True)]) for n in range(2)]
    write_dataset(tmp_path / "d.json", images)
    document = json.loads((tmp_path / "d.json").read_text())
    assert [image["id"] for image in document["images"]] == [0, 1]
    assert [(a["id"], a["image_id"], a["iscrowd"], a["attributes"]["legible"]) for a in document["annotations"]] == [
        (0, 0, 0, 1),
        (1, 0, 1, 0),
        (2, 1, 0, 1),
        (3, 1, 1, 0),
    ]
    assert document["annotations"][0]["bbox"] == [0, 0, 10, 5]
    assert document["annotations"][0]["area"] == 100  # 20 x 5, though half of it lies outside
    assert document["images"][0]["file_name"] == "0.jpg"


def test_writing_leaves_no_temporary_file(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d.json", [AnnotatedImage(tmp_path / "1.jpg", 5, 5)])
    assert [path.name for path in tmp_path.iterdir()] == ["d.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"images": [', r"bad\.json:1: not valid JSON"),
        ("[]", "expected a JSON object"),
        ('{"annotations": []}', "no 'images'"),
        ('{"images": [], "annotations": []}', "lists no image"),
        ('{"images": [{"id": 1}], "annotations": []}', "no 'file_name'"),
        ('{"images": [{"id": 1}, {"id": 1}], "annotations": []}', r"images\[1\]: image id 1 is used twice"),
        ('{"images": [{"id": 1, "file_name": "a", "width": null, "height": 2}], "annotations": []}', "wrong type"),
        ('{"images": {"id": 1}, "annotations": []}', "must be a list of objects"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(content)
    with pytest.raises(UserError, match=message) as caught:
        read_dataset(path)
    assert "bad.json" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"image_id": 3}, "image that is not listed"),
        ({"segmentation": [], "bbox": None}, "neither a polygon nor a box"),
        ({"segmentation": [[0, 0, 1, 0, 1]]}, None),  # too short a polygon: the box serves
        ({"segmentation": [[0, 0, float("nan"), 0, 1, 1]]}, "not finite"),
    ],
)
def test_a_bad_annotation_is_an_error_or_counted(tmp_path: Path, changes: dict[str, Any], kind: str | None) -> None:
    path = save(tmp_path / "d.json", annotation(**changes))
    problems = Problems()
    (image,) = read_dataset(path, problems=problems)
    assert len(image.words) == (1 if kind is None else 0)
    assert [(kind or "") in found for found in problems.found] == ([] if kind is None else [True])
    if kind is not None:
        with pytest.raises(UserError, match=rf"d\.json: annotations\[0\].*{kind}"):
            read_dataset(path)


def test_several_files_are_joined_in_order_and_globs_recurse(tmp_path: Path) -> None:
    for folder in ("x", "y/deep"):
        (tmp_path / folder).mkdir(parents=True)
        save(tmp_path / folder / "d.json", annotation())
    (tmp_path / "a").mkdir()
    cv2.imwrite(str(tmp_path / "a/1.jpg"), np.zeros((60, 100, 3), np.uint8))
    files = f"{tmp_path}/x/d.json, {tmp_path}/**/d.json"
    assert len(read_datasets(files, f"{tmp_path},{tmp_path}")) == 3
    assert len(read_datasets([tmp_path / "x/d.json"], [tmp_path])) == 1


def test_every_annotation_file_needs_its_root(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"2 annotation files .* but 1 data roots"):
        read_datasets("a.json,b.json", str(tmp_path))


def test_a_pattern_without_match_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no annotation file matches .*/none/\*\.json"):
        read_datasets(f"{tmp_path}/none/*.json", str(tmp_path))


def test_a_wrong_data_root_is_told_from_the_missing_images(tmp_path: Path) -> None:
    path = save(tmp_path / "d.json", annotation())
    with pytest.raises(
        UserError, match=r"1 of 1 images are missing, the first is .*a/1\.jpg; check that the data root"
    ):
        read_datasets(str(path), str(tmp_path))
