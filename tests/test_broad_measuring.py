"""A made-up model on made-up sets: what is counted, what is kept, and what is measured anew."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import text_spotting
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.evaluation.broad import rendered
from text_spotting.evaluation.broad.imports import files_behind
from text_spotting.evaluation.broad.measuring import Model, NamedReader, SetMeasurement, measure_set
from text_spotting.evaluation.broad.rendered import KINDS, render, turn_words
from text_spotting.evaluation.broad.sets import SOURCES, CropSet, ImageSet, Request, choose, spread
from text_spotting.evaluation.broad.store import _ANSWERING
from text_spotting.files.writing import write_whole
from text_spotting.geometry import box_to_polygon
from text_spotting.image_files import read_image, write_image
from text_spotting.words import FloatArray, Image, Word

BOX = (10, 20, 60, 40)


def track(items: Iterable[Any], total: int, task: str) -> Iterator[Any]:
    yield from items


def photos(folder: Path, count: int) -> list[AnnotatedImage]:
    """Images 100 x 80 whose one word, a white bar, says "bar"."""
    made = []
    for number in range(count):
        pixels = np.full((80, 100, 3), number, np.uint8)
        pixels[20:40, 10:60] = 255
        path = folder / f"{number}.png"
        write_image(path, pixels)
        made.append(AnnotatedImage(path, 100, 80, [Word(box_to_polygon(BOX), "Bar")]))
    return made


class Bars:
    """Finds the white bar; reads it right wherever the image's number is even."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Image) -> list[Word]:
        self.calls += 1
        rows, columns = np.nonzero(image[:, :, 0] == 255)
        box = box_to_polygon((columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
        return [Word(box, "bar" if image[-1, -1, 0] % 2 == 0 else "car")]


class Brightness:
    """Reads bright words as "bar"."""

    calls = 0

    def cut(self, image: Image, frame: FloatArray) -> Image:
        corner, along, across = frame
        x, y = (corner + along / 2 + across / 2).astype(int)
        return image[y : y + 1, x : x + 1]

    def read(self, words: Sequence[Image]) -> list[str]:
        self.calls += 1
        return ["bar" if word[0, 0, 0] == 255 else "" for word in words]


def model(spotter: Bars | None, identity: str = "weights", reader: Brightness | None = None) -> Model:
    return Model(identity, spotter, [NamedReader("bright", identity, reader or Brightness())])


def values(measured: SetMeasurement) -> dict[tuple[str, str], float]:
    return {(column.figure, column.reader): column.value for column in measured.columns}


def images(folder: Path, **kwargs: Any) -> ImageSet:
    return ImageSet(photos(folder, 4), ("ic15_detection", "ic15_end_to_end"), **kwargs)


def test_finding_reading_and_readers_alone_are_all_counted(tmp_path: Path) -> None:
    measured = measure_set(model(Bars()), "set", images(tmp_path), tmp_path / "kept", track)
    assert measured.images == 4
    assert values(measured) == {
        ("ic15_detection", ""): 1.0,
        ("ic15_end_to_end", ""): 0.5,
        ("found_frames", ""): 0.5,
        ("true_frames", "bright"): 1.0,
        ("found_frames", "bright"): 1.0,
    }
    assert measured.faults
    assert dict(measured.faults.kinds) == {("misread", "a letter off at an end"): 2}


def test_models_that_tell_cases_apart_are_measured_so_each_by_its_own(tmp_path: Path) -> None:
    """The images say "Bar", and both read "bar"; the spotter reads every other image as "car"."""
    told_apart = NamedReader("apart", "weights", Brightness(), fold_case=False)
    folding = NamedReader("folding", "weights", Brightness())
    both = Model("weights", Bars(), [told_apart, folding], fold_case=False)
    measured = measure_set(both, "set", images(tmp_path), tmp_path / "kept", track)
    assert values(measured) == {
        ("ic15_detection", ""): 1.0,
        ("ic15_end_to_end", ""): 0.0,
        ("found_frames", ""): 0.0,
        ("true_frames", "apart"): 0.0,
        ("found_frames", "apart"): 0.0,
        ("true_frames", "folding"): 1.0,
        ("found_frames", "folding"): 1.0,
    }
    assert measured.faults and measured.faults.right == 0
    crops = CropSet(photos(tmp_path, 2), ["one", "two"])
    columns = measure_set(both, "crops", crops, tmp_path / "kept", track).columns
    assert [column.value for column in columns] == [0.0, 1.0]


def test_a_set_without_texts_is_only_looked_through(tmp_path: Path) -> None:
    measured = measure_set(model(Bars()), "set", images(tmp_path, reads=False), tmp_path / "kept", track)
    assert [column.figure for column in measured.columns] == ["ic15_detection", "ic15_end_to_end"]


def test_nine_positions_are_counted_one_by_one(tmp_path: Path) -> None:
    spotter = Bars()
    measured = measure_set(model(spotter), "set", images(tmp_path, positions=9), tmp_path / "kept", track)
    assert spotter.calls == 9 * 4
    assert measured.columns[0].values == [1.0] * 9


def test_a_recogniser_alone_needs_no_spotter(tmp_path: Path) -> None:
    measured = measure_set(model(None), "set", images(tmp_path), tmp_path / "kept", track)
    assert values(measured) == {("true_frames", "bright"): 1.0}


def test_crops_are_read_as_they_are_and_grouped_by_photo(tmp_path: Path) -> None:
    crops = CropSet(photos(tmp_path, 4), ["one", "one", "one", "two"])
    (column,) = measure_set(model(Bars()), "crops", crops, tmp_path / "kept", track).columns
    assert column.runs == [[(3, 3, 3), (1, 1, 1)]]


def test_what_is_there_is_not_measured_again(tmp_path: Path) -> None:
    spotter, reader = Bars(), Brightness()
    first = measure_set(model(spotter, reader=reader), "set", images(tmp_path), tmp_path / "kept", track)
    again = measure_set(model(spotter, reader=reader), "set", images(tmp_path), tmp_path / "kept", track)
    assert (spotter.calls, reader.calls) == (4, 2)
    assert values(again) == values(first)


def test_an_interrupted_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    class Stopping(Bars):
        def __call__(self, image: Image) -> list[Word]:
            if self.calls == 6:  # in the second position
                raise KeyboardInterrupt
            return super().__call__(image)

    shown = images(tmp_path, positions=9)
    with pytest.raises(KeyboardInterrupt):
        measure_set(model(Stopping()), "set", shown, tmp_path / "kept", track)
    spotter = Bars()
    measure_set(model(spotter), "set", shown, tmp_path / "kept", track)
    assert spotter.calls == 8 * 4


@pytest.mark.slow
def test_other_weights_other_images_or_another_truth_are_measured_anew(tmp_path: Path) -> None:
    spotter, shown = Bars(), images(tmp_path)
    first = measure_set(model(spotter), "set", shown, tmp_path / "kept", track)
    measure_set(model(spotter, "other weights"), "set", shown, tmp_path / "kept", track)
    assert spotter.calls == 8
    relabelled = replace(shown.images[0], words=[Word(box_to_polygon(BOX), "Other")])
    other = replace(shown, images=[relabelled, *shown.images[1:]])
    measured = measure_set(model(spotter, "other weights"), "set", other, tmp_path / "kept", track)
    assert spotter.calls == 12
    assert measured.fingerprint != first.fingerprint
    repainted = read_image(shown.images[0].path)
    repainted[0, 0] = 77
    write_image(shown.images[0].path, repainted)
    measure_set(model(spotter, "other weights"), "set", other, tmp_path / "kept", track)
    assert spotter.calls == 16


def test_what_code_stands_on_is_told_from_its_imports(tmp_path: Path) -> None:
    package = tmp_path / "house"
    files = {
        "roof.py": "from house.walls import brick\nif TYPE_CHECKING:\n    import house.paint\nimport os.path\n",
        "walls/__init__.py": "import house.ground",
        "walls/brick.py": "def lay():\n    from house.clay import dig",
        "walls/wood.py": "",
        "clay.py": "",
        "ground.py": "",
        "paint.py": "",
    }
    for name, content in files.items():
        write_whole(package / name, content)
    found = [file.relative_to(package).as_posix() for file in files_behind(package, ["roof"])]
    assert found == ["clay.py", "ground.py", "roof.py", "walls/__init__.py", "walls/brick.py"]


def test_a_module_that_is_gone_is_not_passed_over(tmp_path: Path) -> None:
    write_whole(tmp_path / "house" / "roof.py", b"")
    with pytest.raises(ValueError, match=r"house has no module roof\.chimney"):
        files_behind(tmp_path / "house", ["roof", "roof.chimney"])


def test_answers_depend_on_all_the_code_that_makes_them_and_not_on_what_draws_scenes_or_trains() -> None:
    package = Path(text_spotting.__path__[0])
    found = {file.relative_to(package).as_posix() for file in files_behind(package, _ANSWERING)}
    makes = "constraints decoding frames images preprocess postprocess words models/ctc models/text_head ops/nms"
    makes += " evaluation/matching evaluation/transcriptions evaluation/inference runtime/reading runtime/spotter"
    makes += " runtime/openvino_engine export/export export/graphs engine/torch_spotter"
    makes += "".join(f" evaluation/broad/{name}" for name in ("frames", "positions", "rapid", "readers", "reading"))
    assert {f"{name}.py" for name in makes.split()} <= found
    parts = {name.split("/")[0] for name in found}
    assert not parts & {"cli", "data", "gpu", "many", "synth"}
    assert "engine/train.py" not in found


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_image_and_its_words_turn_together(tmp_path: Path, turns: int) -> None:
    shown = ImageSet(photos(tmp_path, 1), ("ic15_detection",), turns=[turns])
    (word,) = shown.truth(0)
    (found,) = Bars()(shown.pixels(0))
    assert word.box == found.box
    width, height = shown.pixels(0).shape[1::-1]
    upright = turn_words(AnnotatedImage(Path("a"), width, height, [word]), 4 - turns)
    assert upright[0].polygon == pytest.approx(box_to_polygon(BOX))  # the first corner stays the word's own


def test_a_few_are_taken_evenly_from_the_whole_set() -> None:
    assert spread(10, 4) == [0, 2, 5, 7]
    assert spread(3, 10) == [0, 1, 2]
    assert spread(0, 5) == []


def test_sets_are_chosen_by_name_and_keep_the_order_of_the_table() -> None:
    assert list(choose("")) == list(SOURCES)
    assert list(choose(" ote, ic15_dev")) == ["ic15_dev", "ote"]
    with pytest.raises(UserError, match=r"no set is called 'icdar'; choose from ic15_dev, iiit5k"):
        choose("ote,icdar")


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlt_en_fr" / "images").mkdir(parents=True)
    assert SOURCES["mlt"].missing(tmp_path) == [tmp_path / "mlt_en_fr/quads"]
    assert SOURCES["rendered_long"].missing(tmp_path) == []


def test_held_back_photos_alone_are_measured(tmp_path: Path) -> None:
    for number in range(20):
        name = f"test_{number:02d}" if number < 10 else f"train_{number:02d}"
        write_image(tmp_path / "icdar2003/images" / f"{name}.jpg", np.zeros((40, 60, 3), np.uint8))
        (tmp_path / "icdar2003/gt").mkdir(exist_ok=True)
        (tmp_path / "icdar2003/gt" / f"gt_{name}.txt").write_text("1,1,50,1,50,20,1,20,Word\n")
    loaded = SOURCES["ic03"].load(Request(tmp_path, 100, 9, tmp_path, track))
    assert [image.path.stem for image in loaded.images] == ["test_09", "train_19"]


@pytest.fixture
def small_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = {
        name: replace(kind, options=replace(kind.options, size=(160, 96), words=(1, 3), height=(12, 20)))
        for name, kind in KINDS.items()
    }
    monkeypatch.setattr(rendered, "KINDS", kinds)
    monkeypatch.setattr(rendered, "COUNT", 4)


@pytest.mark.slow
@pytest.mark.usefixtures("small_scenes")
def test_scenes_are_drawn_once_and_more_of_them_when_more_are_wanted(tmp_path: Path) -> None:
    drawn: list[str] = []

    def told(items: Iterable[None], total: int, task: str) -> Iterator[None]:
        drawn.append(f"{task} {total}")
        yield from items

    few = render("long", tmp_path / "none", 2, tmp_path, told)
    assert len(render("long", tmp_path / "none", 2, tmp_path, told)) == len(few) == 2
    more = render("long", tmp_path / "none", 100, tmp_path, told)
    assert drawn == ["drawing long scenes 2", "drawing long scenes 4"]
    assert [image.path for image in more[:2]] == [image.path for image in few]
    assert len(more) == 4


@pytest.mark.slow
@pytest.mark.usefixtures("small_scenes")
def test_scenes_that_would_look_otherwise_today_are_drawn_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = render("upright", tmp_path / "none", 1, tmp_path, track)
    other = replace(rendered.KINDS["upright"].options, clutter=0.0, harshness=0.0)
    monkeypatch.setitem(rendered.KINDS, "upright", replace(rendered.KINDS["upright"], options=other))
    after = render("upright", tmp_path / "none", 1, tmp_path, track)
    assert before[0].path.parent != after[0].path.parent
