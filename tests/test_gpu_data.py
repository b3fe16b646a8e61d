"""Training data on its way to the card: packed in shards, rendered in blocks."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from text_spotting.alphabet import DEFAULT, Alphabet
from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.geometry import box_to_polygon
from text_spotting.gpu.feed import BLOCK, Rendering, _drawer, take_blocks, wait_for, write_block
from text_spotting.gpu.packing import CANVAS, LONGEST, photos, readable, single_words
from text_spotting.gpu.shards import Packed, read_shard, write_shards
from text_spotting.words import Word


def record(number: int) -> Packed:
    """An image of one shade with ``number`` words."""
    image = np.full((40, 60, 3), 20 * number, np.uint8)
    polygons = np.stack([box_to_polygon((1.26, 2, 30.5, 12 + n)) for n in range(number)]) if number else np.empty(0)
    ignore = [bool(n % 2) for n in range(number)]
    return Packed("set", image, polygons.reshape(-1, 4, 2).astype(np.float32), ["word"] * number, ignore)


def assert_alike(got: Packed, wanted: Packed, accuracy: float) -> None:
    np.testing.assert_allclose(got.polygons, wanted.polygons, atol=accuracy)
    assert np.abs(got.image.astype(int) - wanted.image).max() <= (3 if accuracy else 0)
    assert (got.texts, got.ignore) == (wanted.texts, wanted.ignore)


def test_shards_give_back_what_was_packed_in_order_with_polygons_to_a_tenth_of_a_pixel(tmp_path: Path) -> None:
    records = [record(number) for number in (2, 0, 3)]
    (path,) = write_shards(records, tmp_path / "new", "photos", 10**6, 90)
    assert path.name == "photos_00.zip"
    for got, wanted in zip(read_shard(path), records, strict=True):
        assert_alike(got, wanted, 0.06)
        assert got.source == "set"


def test_a_shard_that_would_grow_past_its_limit_is_closed(tmp_path: Path) -> None:
    records = [record(1)] * 5
    (whole,) = write_shards(records, tmp_path / "one", "photos", 10**6, 90)
    with zipfile.ZipFile(whole) as archive:
        entry = archive.getinfo("00000.webp").file_size + len(json.dumps(json.loads(archive.read("index.json"))[0]))
    paths = write_shards(records, tmp_path / "many", "photos", 2 * entry, 90)
    assert [path.name for path in paths] == ["photos_00.zip", "photos_01.zip", "photos_02.zip"]
    assert [len(list(read_shard(path))) for path in paths] == [2, 2, 1]


def test_blocks_are_taken_once_oldest_first_and_come_out_as_they_went_in(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_block([record(number), record(0)], tmp_path / f"{9 - number}.npz")
    first = list(take_blocks(tmp_path, 2))
    assert len(first) == 4
    for got, wanted in zip(first, [record(1), record(0), record(2), record(0)], strict=True):
        assert_alike(got, wanted, 0)
    assert [len(got.texts) for got in take_blocks(tmp_path, 2)] == [3, 0]
    assert not list(tmp_path.iterdir())


def test_words_and_scenes_are_rendered_as_records() -> None:
    draw = _drawer(Rendering("words"))
    words = [draw(seed) for seed in range(4)]
    assert all(word.image.shape[0] <= CANVAS[0] and word.image.shape[1] <= CANVAS[1] for word in words)
    assert all(word.texts[0] and word.polygons.shape == (1, 4, 2) for word in words)
    scene = _drawer(Rendering("scenes", size=(320, 224)))(1)
    assert scene.image.shape == (224, 320, 3)
    assert len(scene.polygons) == len(scene.texts) == len(scene.ignore)
    assert set(BLOCK) == {"words", "scenes"}


def test_a_work_dirs_alphabet_is_rendered() -> None:
    digits = Alphabet.of("digits")
    words, scenes = (_drawer(Rendering(kind, size=(320, 224), alphabet=digits)) for kind in ("words", "scenes"))
    assert all(words(seed).texts[0].isdecimal() for seed in range(4))
    assert not any(symbol.isalpha() for text in scenes(1).texts for symbol in text)


def photo(folder: Path, name: str, size: tuple[int, int] = (200, 100)) -> AnnotatedImage:
    cv2.imwrite(str(folder / name), np.full((size[1], size[0], 3), 90, np.uint8))
    words = [
        Word(box_to_polygon((20, 30, 100, 60)), "Open!"),
        Word(box_to_polygon((120, 30, 160, 60)), "", ignore=True),
    ]
    return AnnotatedImage(folder / name, *size, words)


def test_large_photos_shrink_with_their_words_and_squeezed_ones_say_their_own_size(tmp_path: Path) -> None:
    (packed,) = photos("ic15", [photo(tmp_path, "a.png", (2560, 400))], (1280, 720))
    assert packed.source == "ic15@1280x720"
    assert packed.image.shape == (200, LONGEST, 3)
    np.testing.assert_allclose(packed.polygons[0], box_to_polygon((10, 15, 50, 30)))
    assert (packed.texts, packed.ignore) == (["Open!", ""], [False, True])


def test_a_readable_word_comes_with_half_its_height_around_it(tmp_path: Path) -> None:
    (packed,) = single_words("ic15", [photo(tmp_path, "a.png")])
    assert packed.texts == ["Open!"], "as it was transcribed"
    assert packed.image.shape[0] == pytest.approx(60, abs=2)
    np.testing.assert_allclose(packed.polygons[0] - packed.polygons[0][0], [(0, 0), (80, 0), (80, 30), (0, 30)])


def test_words_of_any_script_are_packed_and_an_alphabet_takes_what_it_can_write(tmp_path: Path) -> None:
    image = photo(tmp_path, "a.png")
    texts = ["Open!", "\u043c\u0438\u0440", "24", "x" * 28, ""]
    words = [Word(box_to_polygon((20, 30, 100, 60)), text) for text in texts]
    packed = list(single_words("mlt", [replace(image, words=words)]))
    assert [word.texts for word in packed] == [["Open!"], ["\u043c\u0438\u0440"], ["24"], ["x" * 28]]
    for alphabet, wanted in (
        (DEFAULT, ["Open", "24"]),
        (Alphabet.of("printable_ascii"), ["Open!", "24"]),
        (Alphabet.of("cyrillic"), ["\u043c\u0438\u0440", "24"]),
        (Alphabet.of({"name": "alphanumeric", "max_length": 29}), ["Open", "24", "x" * 28]),
    ):
        assert [word.texts[0] for word in readable(packed, alphabet)] == wanted


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Ten photos, of which the tenth is held back, and the ten words of theirs as crops."""
    images = [photo(tmp_path, f"img_{number}.png") for number in range(10)]
    write_dataset(tmp_path / "photos.json", images)
    word = [Word(box_to_polygon((0, 0, 80, 30)), "Open!")]
    for number in range(1, 11):
        cv2.imwrite(str(tmp_path / f"word_{number}.png"), np.full((30, 80, 3), 20 * number, np.uint8))
    crops = [AnnotatedImage(tmp_path / f"word_{number}.png", 80, 30, word) for number in (10, 9, *range(1, 9))]
    write_dataset(tmp_path / "crops.json", crops)
    return tmp_path


def test_packing_leaves_out_held_back_photos_and_their_words(sets: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = f"{sets}/photos.json", f"{sets}/crops.json"
    asked = ["--photos", f"ic15={files[0]}@1280x720", "--words", f"mlt={files[0]}"]
    asked += ["--crops", f"ic15={files[1]},{files[0]}", "--all-crops", f"iiit5k={files[1]}"]
    assert run_tool("pack_shards", [*asked, "--output", str(sets / "shards")]) == 0
    whole = list(read_shard(sets / "shards" / "photos_00.zip"))
    assert [one.source for one in whole] == ["ic15@1280x720"] * 9
    words = list(read_shard(sets / "shards" / "words_00.zip"))
    counts = {source: sum(word.source == source for word in words) for source in ("mlt", "ic15", "iiit5k")}
    assert counts == {"mlt": 9, "ic15": 9, "iiit5k": 10}
    brightest = max(int(word.image.mean()) for word in words if word.source == "ic15")
    assert brightest == pytest.approx(180, abs=2), "the tenth word, of shade 200, is of the held-back photo"
    assert "words: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "nothing to pack"),
        (["--photos", "photos.json"], "a set is given as NAME=FILE"),
        (["--photos", "a=missing.json"], "missing.json"),
        (["--crops", "a=crops.json"], "crops are given as NAME=FILE,PHOTOS"),
        (["--photos", "a=photos.json", "--limit", "0"], "--limit must be above 0"),
        (["--photos", "a=photos.json", "--quality", "101"], "--quality from 1 to 100"),
        (["--photos", "a=photos.json", "--output", "full"], "holds photos_00.zip already"),
    ],
)
def test_packing_refuses_with_one_line(
    sets: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(sets)
    (sets / "full").mkdir()
    (sets / "full" / "photos_00.zip").touch()
    assert run_tool("pack_shards", ["--output", "shards", *flags]) == BAD_INPUT
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (sets / "shards").exists()


def test_data_that_are_slow_to_take_in_are_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock, arrived = [0.0], []

    def refill() -> None:
        clock[0] += 30  # seconds that reading a shard takes
        arrived.append("a shard")

    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    with caplog.at_level("INFO"):
        wait_for(lambda: len(arrived) == 1, refill, "words")
        assert not caplog.messages
        wait_for(lambda: len(arrived) == 3, refill, "words")
        assert caplog.messages == ["waiting for words"], "one look, and nothing there"
