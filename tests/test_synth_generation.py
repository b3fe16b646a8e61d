"""Synthetic scenes and crops as data: numbered, repeatable, complete, written in parts."""

import json
import random
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from overlaps import iou

from text_spotting.alphabet import DEFAULT
from text_spotting.annotations.dataset_file import read_dataset, write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.geometry import box_to_polygon, to_shape
from text_spotting.synth.camera import Shot, take
from text_spotting.synth.corpus import vocabulary, word
from text_spotting.synth.generate import DENSE, Scene, SceneGenerator, SceneOptions, WordGenerator, WordOptions
from text_spotting.synth.pixels import as_floats
from text_spotting.synth.preview import contact_sheet
from text_spotting.synth.texture import Textures
from text_spotting.synth.writing import Job, write
from text_spotting.words import Word

SMALL = SceneOptions(size=(320, 200), words=(3, 6), height=(9, 30))


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    generator = SceneGenerator(SceneOptions())
    return [generator(seed) for seed in range(25)]


def test_the_same_number_gives_the_same_scene_from_another_generator() -> None:
    first, second = SceneGenerator(SMALL), SceneGenerator(SMALL)
    second(99)
    a, b = first(7), second(7)
    assert np.array_equal(a.image, b.image)
    assert [w.text for w in a.words] == [w.text for w in b.words]
    assert not np.array_equal(a.image, first(8).image)


def test_the_same_number_gives_the_same_crop_from_another_generator() -> None:
    first, second = WordGenerator(), WordGenerator(WordOptions())
    second(99)
    (a, word), (b, again) = first(7), second(7)
    assert word.text == again.text and np.array_equal(a, b) and np.array_equal(word.polygon, again.polygon)


@pytest.mark.slow
def test_images_have_the_size_and_about_the_number_of_words_asked_for(scenes: list[Scene]) -> None:
    assert all(scene.image.shape == (384, 640, 3) and scene.image.dtype == np.uint8 for scene in scenes)
    named = [sum(bool(placed.word.text) for placed in scene.placed) for scene in scenes]
    assert min(named) >= 1 and max(named) <= 20
    readable = [sum(not placed.word.ignore for placed in scene.placed) for scene in scenes]
    assert np.mean(readable) > 5


@pytest.mark.slow
def test_readable_words_have_text_and_keep_apart(scenes: list[Scene]) -> None:
    for scene in scenes:
        readable = [w for w in scene.words if not w.ignore]
        assert all(w.text for w in readable)
        shapes = [to_shape(w.polygon) for w in readable]
        for number, shape in enumerate(shapes):
            for other in shapes[:number]:
                assert shape.intersection(other).area <= 0.2 * min(shape.area, other.area)


@pytest.mark.slow
def test_polygons_lie_in_the_image_and_visible_ink_in_the_polygons(scenes: list[Scene]) -> None:
    for scene in scenes:
        for number, placed in enumerate(scene.placed):
            x1, y1, x2, y2 = placed.word.box
            assert x1 >= 0 and y1 >= 0 and x2 <= 640 and y2 <= 384
            rows, columns = np.nonzero(scene.mask(number))
            if len(rows):
                assert columns.min() >= x1 - 1 and columns.max() <= x2 + 1
                assert rows.min() >= y1 - 1 and rows.max() <= y2 + 1


@pytest.mark.slow
def test_every_character_of_a_readable_word_has_a_place_inside_its_words_box(scenes: list[Scene]) -> None:
    for placed in (placed for scene in scenes for placed in scene.placed if not placed.word.ignore):
        assert len(placed.chars) == len(placed.word.text)
        x1, y1, x2, y2 = placed.word.box
        low, high = placed.chars.min(axis=(0, 1)), placed.chars.max(axis=(0, 1))
        slack = 0.1 * (y2 - y1) + 1  # words cut a little by the border stay readable
        assert low[0] >= x1 - slack and low[1] >= y1 - slack and high[0] <= x2 + slack and high[1] <= y2 + slack


def test_there_is_clutter_to_ignore_and_none_when_it_is_switched_off(scenes: list[Scene]) -> None:
    assert any(not placed.word.text for scene in scenes for placed in scene.placed)
    generator = SceneGenerator(replace(SMALL, clutter=0.0))
    assert all(placed.word.text for seed in range(10) for placed in generator(seed).placed)


@pytest.mark.slow
def test_dense_images_are_packed_with_readable_words() -> None:
    generator = SceneGenerator(DENSE)
    readable = [sum(not w.ignore for w in generator(seed).words) for seed in range(4)]
    assert np.mean(readable) > 28


def test_most_words_can_be_taught_and_digits_are_among_them() -> None:
    rng = random.Random(0)
    texts = [word(rng) for _ in range(3000)]
    taught = [text for text in texts if DEFAULT.encode(text)]
    assert 0.85 < len(taught) / len(texts) < 0.98
    assert 0.08 < sum(any(c.isdigit() for c in text) for text in taught) / len(taught) < 0.25
    assert sum(text.isupper() for text in taught) > sum(text.islower() for text in taught)
    assert {c for text in taught for c in text.lower()} == set("abcdefghijklmnopqrstuvwxyz0123456789")


def test_the_vocabulary_has_its_five_tiers_of_plain_lower_case_words() -> None:
    tiers = vocabulary()
    assert set(tiers) == {"signs", "common", "usual", "wide", "names"}
    assert len(tiers["common"]) > 3000 and len(tiers["wide"]) > 20_000
    assert all(text.isascii() and text.isalpha() and text.islower() for words in tiers.values() for text in words)


def test_crops_hold_one_word_with_little_around_it() -> None:
    generator = WordGenerator(WordOptions(height=(20, 40)))
    for seed in range(60):
        crop, word = generator(seed)
        assert word.text and crop.dtype == np.uint8 and crop.ndim == 3
        assert iou(box_to_polygon(word.box), box_to_polygon((0, 0, crop.shape[1], crop.shape[0]))) > 0.4
        assert min(crop.shape[:2]) >= 8 and max(crop.shape[:2]) < 1500


def test_the_camera_darkens_blurs_and_keeps_the_size() -> None:
    scene = np.full((60, 90, 3), 200, np.uint8)
    scene[:, 45:] = 20
    dark = take(random.Random(0), scene, Shot(gain=0.5))
    assert dark.shape == scene.shape and dark.max() == 100
    soft = take(random.Random(0), scene, Shot(defocus=3.0))
    assert soft[30, 44, 0] < 150 and soft[30, 10, 0] == 200
    smeared = take(random.Random(0), scene, Shot(motion=(9.0, 0.0)))
    assert 20 < smeared[30, 45, 0] < 200
    upright = take(random.Random(0), scene, Shot(motion=(9.0, 90.0)))
    assert np.array_equal(upright[10:50], scene[10:50])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2], ids=["one worker", "two workers"])
def test_files_do_not_depend_on_the_number_of_workers(tmp_path: Path, workers: int) -> None:
    job = Job(tmp_path, SMALL, count=5, seed=3, part=2)
    assert sum(write(job, workers)) == 5
    generator = SceneGenerator(SMALL)
    images = read_dataset(tmp_path / "annotation.json")
    assert [image.path.name for image in images] == [f"{number:06d}.jpg" for number in range(5)]
    for number, image in enumerate(images):
        scene = generator(3 + number)
        assert [(w.text, w.ignore) for w in image.words] == [(w.text, w.ignore) for w in scene.words]
        coded = cv2.imencode(".jpg", scene.image, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
        assert image.path.read_bytes() == coded.tobytes()


def test_a_run_that_ended_early_goes_on_and_a_larger_count_adds(tmp_path: Path) -> None:
    job = Job(tmp_path, SMALL, count=6, part=2)
    steps = write(job)
    next(steps)
    del steps
    assert not (tmp_path / "annotation.json").exists()
    first = tmp_path / "images" / "000000.jpg"
    before = first.stat().st_mtime_ns
    assert list(write(job)) == [2, 2, 2]
    assert list(write(replace(job, count=8))) == [2, 2, 2, 2]
    assert first.stat().st_mtime_ns == before
    assert len(read_dataset(tmp_path / "annotation.json")) == 8


def test_other_settings_in_the_same_folder_are_refused(tmp_path: Path) -> None:
    list(write(Job(tmp_path, SMALL, count=1)))
    with pytest.raises(UserError, match="made with other settings \\(seed: 0\\)"):
        list(write(Job(tmp_path, SMALL, count=1, seed=5)))


def test_characters_are_listed_when_asked_for(tmp_path: Path) -> None:
    list(write(Job(tmp_path, replace(SMALL, clutter=0.0), count=2, chars=True)))
    annotations = json.loads((tmp_path / "annotation.json").read_text())["annotations"]
    assert annotations
    for annotation in annotations:
        attributes = annotation["attributes"]
        assert "".join(char["char"] for char in attributes["chars"]) == attributes["transcription"]


def test_photos_from_a_folder_become_backgrounds(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "green.png"), np.full((300, 400, 3), (10, 200, 10), np.uint8))
    textures = Textures(tmp_path)
    places = [textures.place(random.Random(seed), 320, 200, roll=0.0) for seed in range(20)]
    green = [place for place in places if (place.image == (10, 200, 10)).all()]
    assert 6 <= len(green) < 20  # the others are made up
    assert not any(place.planes for place in green)


def test_hosts_keep_their_own_words_and_get_new_ones_beside_them(tmp_path: Path) -> None:
    image = tmp_path / "host.png"
    cv2.imwrite(str(image), np.full((400, 640, 3), 120, np.uint8))
    own = Word(as_floats([[100, 100], [300, 100], [300, 160], [100, 160]]), "OWN")
    write_dataset(tmp_path / "host.json", [AnnotatedImage(image, 640, 400, [own])])
    generator = SceneGenerator(replace(SMALL, hosts=tmp_path / "host.json", clutter=0.0))
    hosted = [scene for scene in map(generator, range(12)) if any(w.text == "OWN" for w in scene.words)]
    assert 3 <= len(hosted) < 12
    place = to_shape([[50, 50], [150, 50], [150, 80], [50, 80]])  # the image is halved
    for scene in hosted:
        first, *others = scene.words
        assert first.polygon.tolist() == [[50, 50], [150, 50], [150, 80], [50, 80]]
        assert others and all(to_shape(w.polygon).intersection(place).area == 0 for w in others)


def test_real_crops_are_blended_in_with_their_texts(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 120, 3), 30, np.uint8))
    (tmp_path / "gt.txt").write_text('a.png, "Crop"\n')
    generator = SceneGenerator(replace(SMALL, word_crops=tmp_path, clutter=0.0))
    texts = [w.text for seed in range(10) for w in generator(seed).words]
    assert 3 <= texts.count("Crop") < len(texts)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--count", "-1"], "--count -1: must be 0 or more"),
        (["--tilt", "3"], "--tilt 3.0: must lie between 0 and 2"),
        (["--handwritten", "1.5"], "--handwritten 1.5: must lie between 0 and 1"),
        (["--size", "32x32"], "--size 32x32: both sides"),
        (["--words", "9", "3"], "--words 9 3"),
        (["--backgrounds", "nowhere"], "--backgrounds nowhere: no such folder"),
        (["--host-root", "."], "--host-root belongs to --host"),
        (["--fonts", "nowhere"], "--fonts: nowhere: no .ttf or .otf file"),
        (["--word-crops", "nowhere"], "--word-crops: nowhere: neither"),
    ],
)
def test_mistakes_on_the_command_line_are_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run_tool("generate_synthetic", ["--output", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out" / "annotation.json").exists()


def test_the_tool_writes_a_data_set_and_a_contact_sheet(tmp_path: Path) -> None:
    arguments = ["--output", str(tmp_path), "--count", "2", "--size", "320x200", "--preview", "2", "--words", "2", "4"]
    assert run_tool("generate_synthetic", arguments) == 0
    assert len(read_dataset(tmp_path / "annotation.json")) == 2
    sheet = cv2.imread(str(tmp_path / "preview.jpg"))
    assert sheet is not None and sheet.shape[1] == 4 * 484


def test_a_contact_sheet_has_a_row_for_every_four_images() -> None:
    sheet = contact_sheet([np.zeros((50, 100, 3), np.uint8)] * 5, tile_width=100)
    assert sheet.shape == (2 * 54, 4 * 104, 3)
    assert (sheet[60:, 110:] == 255).all()


def test_a_background_that_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"not an image")
    generator = SceneGenerator(replace(SMALL, backgrounds=tmp_path))
    with pytest.raises(UserError, match=r"broken\.jpg is not an image or is broken"):
        for seed in range(20):
            generator(seed)


def test_a_folder_without_images_is_refused_as_background(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no images .* found in"):
        SceneGenerator(replace(SMALL, backgrounds=tmp_path))


def test_the_benchmark_prints_a_row_for_scenes_and_one_for_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tool("benchmark", ["synth", "--pictures", "1", "--crops", "2", "--words", "3"]) == 0
    _, scenes, words = capsys.readouterr().out.splitlines()
    assert scenes.startswith("scenes 640x384, 3 words") and words.startswith("single words")
    assert all(float(value) > 0 for row in (scenes, words) for value in row.split()[-2:])


def test_the_benchmark_names_an_interpreter_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_tool("benchmark", ["synth", "--trdg-python", "nowhere"]) == 2
    assert "--trdg-python nowhere: no such interpreter" in capsys.readouterr().err
