"""A reader learns where words meet from outlines alone, and nothing else of it changes."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from sample_graphs import MANIFEST
from small_networks import TEMPLATES, small_network

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.problems import Problems
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.engine.checkpoints import load_weights, mean_of_weights, read_snapshot, write_snapshot
from text_spotting.engine.separator import (
    Example,
    Seen,
    Tried,
    examples,
    look_at,
    separator_of,
    targets,
    train,
    try_out,
)
from text_spotting.engine.torch_spotter import manifest_of
from text_spotting.errors import UserError
from text_spotting.frames import FrameJitter
from text_spotting.models.ctc import Separator
from text_spotting.words import Word

LITE = "text-spotting-0003-lite"


def word(left: float, right: float, ignore: bool = False, top: float = 20) -> Word:
    corners = [[left, top], [right, top], [right, top + 20], [left, top + 20]]
    return Word(np.array(corners, np.float32), ignore=ignore)


def images(folder: Path, count: int = 3) -> list[AnnotatedImage]:
    """Images of three words, two of them in a row and one a don't-care region."""
    found = []
    for index in range(count):
        pixels = np.full((60, 300, 3), 200, np.uint8)
        for left, text in ((10, "stop"), (80, "sign"), (150, "xx")):
            cv2.putText(pixels, text, (left, 38), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        path = folder / f"{index}.png"
        cv2.imwrite(str(path), pixels)
        found.append(AnnotatedImage(path, 300, 60, [word(10, 70), word(80, 140), word(220, 240, ignore=True)]))
    return found


def test_a_gap_is_wanted_in_its_middle_and_columns_beside_it_do_not_count() -> None:
    """Of 20 columns, from 0.4 to 0.5: columns 8 and 9, and 1.5 to either side."""
    wanted, weight, around = targets([(0.4, 0.5)], 20)
    assert np.flatnonzero(wanted).tolist() == [8, 9]
    assert np.flatnonzero(weight == 0).tolist() == [7, 10]
    assert around == [(7, 11)]


def test_words_that_touch_or_overlap_still_meet_in_one_column() -> None:
    for gap in ((0.525, 0.525), (0.6, 0.45)):
        wanted, weight, _ = targets([gap], 20)
        middle = int(sum(gap) / 2 * 20)
        assert wanted[middle] == weight[middle] == 1
    for outside in ([], [(1.05, 1.08)], [(-0.2, -0.1)]):
        wanted, weight, around = targets(outside, 5)
        assert (wanted.tolist(), weight.tolist(), around) == ([0] * 5, [1] * 5, [])


def test_an_image_gives_its_words_and_its_rows_of_words(tmp_path: Path) -> None:
    (image,) = images(tmp_path, 1)
    ((one, other, row),) = examples([image], MANIFEST, FrameJitter(), 0, Problems())
    assert (one.gaps, other.gaps) == ([], []), "the don't-care region may hold any number of words"
    ((end, begin),) = row.gaps
    # The frame reaches from about 10 to 140; it is jittered, so by a little more or less.
    assert end == pytest.approx(60 / 130, abs=0.15)
    assert begin - end == pytest.approx(10 / 130, abs=0.03)
    assert row.crop.shape[1] > one.crop.shape[1]


def test_rows_are_shown_in_frames_as_far_off_as_they_are_asked_to_be(tmp_path: Path) -> None:
    """From 10 to 140, and with a margin of a tenth of 20 pixels from 8 to 142."""
    (image,) = images(tmp_path, 1)
    still = FrameJitter(along=0, across=0, centre=0, angle=0, slant=0)
    for jitter, gap in ((still, (60 / 130, 70 / 130)), (replace(still, centre=0.1), (62 / 134, 72 / 134))):
        ((_, _, row),) = examples([image], MANIFEST, jitter, 0, Problems())
        assert row.gaps[0] == pytest.approx(gap, abs=0.002)


def test_small_words_and_very_long_rows_are_left_out(tmp_path: Path) -> None:
    (image,) = images(tmp_path, 1)
    small = Word(np.array([[10, 2], [40, 2], [40, 9.9], [10, 9.9]], np.float32))
    long = word(20, 200)
    assert list(examples([AnnotatedImage(image.path, 300, 60, [small])], MANIFEST, FrameJitter(), 0, Problems())) == [
        []
    ]
    ((kept,),) = examples([AnnotatedImage(image.path, 300, 60, [long])], MANIFEST, FrameJitter(), 0, Problems())
    assert kept.gaps == []
    longer = Word(np.array([[0, 20], [299, 20], [299, 38], [0, 38]], np.float32))
    assert list(examples([AnnotatedImage(image.path, 300, 60, [longer])], MANIFEST, FrameJitter(), 0, Problems())) == [
        []
    ]


def test_images_that_are_broken_or_of_another_size_are_left_out_and_named(tmp_path: Path) -> None:
    first, second, third = images(tmp_path, 3)
    first.path.write_bytes(b"no image")
    problems = Problems()
    given = [first, replace(second, width=600), third]
    assert [len(some) for some in examples(given, MANIFEST, FrameJitter(), 0, problems)] == [0, 0, 3]
    assert [str(first.path) in line for line in problems.unreadable] == [True]
    assert [kind.split(":")[0] for kind in problems.found] == [
        "image cannot be read",
        "image is of another size than its annotation says",
    ]


@pytest.mark.slow
def test_every_example_is_looked_at_whatever_its_width() -> None:
    config, network = small_network(LITE)
    sizes = [48] * 33 + [96] * 2
    shown = [[Example(np.full((32, width, 3), 9, np.uint8), [(0.4, 0.5)])] for width in sizes]
    seen = [one for some in look_at(network, shown, manifest_of(config)) for one in some]
    assert sorted(len(one.wanted) for one in seen) == [12] * 33 + [24] * 2
    assert {tuple(one.columns.shape) for one in seen} == {(120, 12), (120, 24)}


def made_up(count: int, length: int) -> list[Seen]:
    """Columns of noise whose first channel is high where words meet, in every other example."""
    rng = np.random.default_rng(0)
    found = []
    for index in range(count):
        columns = rng.normal(0, 0.3, (4, length)).astype(np.float32)
        gaps = [((length // 2) / length, (length // 2 + 1) / length)] if index % 2 else []
        if gaps:
            columns[0, length // 2] = 3
        inside = np.zeros(length, bool)
        inside[1:-1] = True
        found.append(Seen(torch.from_numpy(columns).half(), inside, *targets(gaps, length)))
    return found


@pytest.mark.slow
def test_training_finds_what_tells_where_words_meet_and_repeats_itself() -> None:
    seen = made_up(200, 12) + made_up(40, 20)
    first, second = Separator(4), Separator(4)
    losses = list(train(first, seen, 100, seed=1))
    assert losses[-1] < 0.1 * losses[0]
    tried = try_out(first, seen)
    assert (tried.gaps, tried.words) == (120, 120)
    assert tried.found >= 118
    assert tried.torn <= 2
    assert not any(parameter.requires_grad for parameter in first.parameters())
    list(train(second, seen, 100, seed=1))
    assert all(
        torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    )


def test_what_lies_outside_the_characters_does_not_count_as_seen() -> None:
    separator = Separator(4)
    with torch.no_grad():
        separator.judge.get_parameter("bias").fill_(5.0)
    seen = [one._replace(inside=np.zeros(12, bool)) for one in made_up(4, 12)]
    assert str(try_out(separator, seen)) == (
        "words meet in 2 places, 0.0 % of them seen; 2 words alone, 0.0 % of them taken apart"
    )
    assert try_out(separator, made_up(4, 12)) == Tried(2, 2, 2, 2)


@pytest.fixture
def prepared(tmp_path: Path) -> list[str]:
    _, network = small_network(LITE)
    weights = {name: tensor for name, tensor in network.state_dict().items() if ".separator." not in name}
    write_snapshot({"state_dict": weights, "meta": {"epoch": 3}}, tmp_path / "before.pth")
    write_dataset(tmp_path / "a.json", images(tmp_path, 12))
    files = ["--load-weights", str(tmp_path / "before.pth"), "--output", str(tmp_path / "after.pth")]
    return ["--config", str(TEMPLATES / LITE / "model.py"), "--train-ann-files", str(tmp_path / "a.json"), *files]


@pytest.mark.slow
def test_the_tool_adds_what_was_learnt_to_a_snapshot_of_before_there_was_any(
    tmp_path: Path, prepared: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_tool("train_separator", prepared) == 0
    printed = capsys.readouterr().out
    assert "learnt from 33 words and rows of words" in printed, "11 images of two words and a row; one is held back"
    assert "held back: words meet in 1 places" in printed
    before, after = (read_snapshot(tmp_path / f"{name}.pth") for name in ("before", "after"))
    assert after["meta"] == {"epoch": 3}
    learnt = {name for name in after["state_dict"] if ".separator." in name}
    assert len(learnt) == 4
    assert set(before["state_dict"]) == set(after["state_dict"]) - learnt
    assert all(torch.equal(tensor, after["state_dict"][name]) for name, tensor in before["state_dict"].items())
    _, network = small_network(LITE)
    load_weights(network, after, "after.pth")


@pytest.mark.slow
def test_the_tool_shows_frames_as_far_off_as_the_configuration_says(
    tmp_path: Path, prepared: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def examples(images: object, manifest: object, jitter: FrameJitter, *_: object) -> list[object]:
        seen.append(jitter)
        return []

    monkeypatch.setattr("text_spotting.engine.separator.examples", examples)
    lines = "margin = 0.1\nframe_jitter = dict(along=0.3)\n"
    (tmp_path / "model.py").write_text(f"_base_ = [{str(TEMPLATES / LITE / 'model.py')!r}]\n{lines}")
    assert run_tool("train_separator", ["--config", str(tmp_path / "model.py"), *prepared[2:]]) == BAD_INPUT
    assert (seen[0].along, seen[0].across, seen[0].centre) == (0.3, 0.07, 0.1)


@pytest.mark.slow
def test_a_snapshot_that_never_learnt_it_loads_as_it_always_did(tmp_path: Path, prepared: list[str]) -> None:
    _, network = small_network(LITE)
    load_weights(network, read_snapshot(tmp_path / "before.pth"), "before.pth")


@pytest.mark.slow
def test_half_a_separator_is_an_incomplete_snapshot(tmp_path: Path, prepared: list[str]) -> None:
    _, network = small_network(LITE)
    weights = dict(network.state_dict())
    del weights["roi_head.text_head.ctc.separator.look.weight"]
    with pytest.raises(UserError, match="lacks 1 of the network's"):
        load_weights(network, {"state_dict": weights}, "half.pth")


@pytest.mark.slow
def test_a_broken_image_costs_no_other(tmp_path: Path, prepared: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "3.png").write_bytes(b"no image")
    assert run_tool("train_separator", prepared) == 1, "done, but for an image"
    assert "learnt from 30 words" in capsys.readouterr().out
    assert (tmp_path / "after.pth").exists()


def test_a_mean_of_snapshots_has_the_separator_of_those_that_have_one() -> None:
    name = "ctc.separator.judge.bias"
    old = {"state_dict": {"w": torch.tensor([1.0])}}
    new = {"state_dict": {"w": torch.tensor([3.0]), name: torch.tensor([5.0])}}
    for order in ([(old, "old", 1), (new, "new", 3)], [(new, "new", 3), (old, "old", 1)]):
        mean = mean_of_weights(order, {name})
        assert (float(mean["w"]), float(mean[name])) == (2.5, 5.0)
    with pytest.raises(UserError, match="no mean: they differ in ctc"):
        mean_of_weights([(old, "old", 1), (new, "new", 3)])


@pytest.mark.slow
def test_bad_input_is_one_line(tmp_path: Path, prepared: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write_dataset(tmp_path / "apart.json", [AnnotatedImage(p.path, 300, 60, p.words[:1]) for p in images(tmp_path, 12)])
    cases = {
        "no two words follow one another": ["--train-ann-files", str(tmp_path / "apart.json")],
        "has no CTC classifier": ["--config", str(TEMPLATES / "text-spotting-0003" / "model.py")],
        "--passes must be above 0": ["--passes", "0"],
        "and at most 1000": ["--passes", "inf"],
        "--seed must be 0 or more": ["--seed", "-1"],
        "names 2 folders for 1 files": ["--train-data-roots", f"{tmp_path},{tmp_path}"],
        "does not exist": ["--train-ann-files", str(tmp_path / "no.json")],
    }
    for message, arguments in cases.items():
        flags = dict(zip(prepared[::2], prepared[1::2], strict=True)) | dict([arguments])
        assert run_tool("train_separator", [part for flag in flags.items() for part in flag]) == BAD_INPUT, message
        assert message in capsys.readouterr().err
        assert not (tmp_path / "after.pth").exists()


@pytest.mark.slow
def test_a_network_without_ctc_has_no_separator() -> None:
    with pytest.raises(UserError, match="ctc_weight"):
        separator_of(small_network("text-spotting-0003")[1])
