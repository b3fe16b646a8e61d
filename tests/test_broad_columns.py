"""Figures with their standard errors, and how they stand side by side."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from text_spotting.errors import UserError
from text_spotting.evaluation.broad.columns import Column, reading_column, spotting_columns
from text_spotting.evaluation.broad.faults import Faults
from text_spotting.evaluation.broad.measuring import SetMeasurement
from text_spotting.evaluation.broad.plot import draw
from text_spotting.evaluation.broad.results import Results, read_results
from text_spotting.evaluation.broad.tables import example_lines, fault_table, figure_table
from text_spotting.geometry import box_to_polygon
from text_spotting.words import Word

COIN = [(outcome, 1, 1) for outcome in (0, 1)] * 200
"""Four hundred words, one an image, of which half are right."""


def word(left: float, text: str = "word") -> Word:
    return Word(box_to_polygon((left, 0, left + 100, 20)), text)


def test_the_standard_error_of_a_coin_is_the_textbook_one() -> None:
    column = Column("crops", [COIN], "attention")
    assert column.value == 0.5
    assert column.error == pytest.approx(0.5 / 400**0.5, rel=0.06)
    assert column.position_error is None


def test_the_mean_of_positions_has_two_errors_for_other_images_and_for_other_positions() -> None:
    better = [(1, 1, 1) if index < 240 else (0, 1, 1) for index in range(400)]
    column = Column("ic15_detection", [COIN, better])
    assert column.values == [0.5, 0.6]
    assert column.value == pytest.approx(0.55)
    assert column.position_error == pytest.approx(0.05)  # 0.1 / sqrt(2) over sqrt(2)
    assert 0.015 < column.error < 0.025


def test_a_change_on_every_image_alike_is_certain() -> None:
    before = Column("crops", [[(outcome, 4, 4) for outcome in [0, 1, 2] * 10]])
    after = Column("crops", [[(outcome + 1, 4, 4) for outcome in [0, 1, 2] * 10]])
    change, error = before.change_to(after)
    assert change == pytest.approx(0.25)
    assert error == pytest.approx(0, abs=1e-9)


def test_finding_is_counted_for_each_position() -> None:
    truth = [[word(0), word(200)], [word(0)]]
    runs = [[[word(0), word(200)], [word(0)]], [[word(0)], [word(0)]]]
    (column,) = spotting_columns(truth, runs, ["ic15_detection"])
    assert column.runs == [[(2, 2, 2), (1, 1, 1)], [(1, 2, 1), (1, 1, 1)]]
    assert column.words == 3
    assert column.value == pytest.approx((1 + 4 / 5) / 2)


def test_reading_counts_letters_and_digits_alone_case_apart() -> None:
    readings = [
        ("a", "Open!", "open"),
        ("a", "(B12)", "b-12"),
        ("b", "don't", "dont"),
        ("b", "No", "on"),
        ("b", "&", ""),
    ]
    column = reading_column("crops", "attention", ["a", "nothing", "b"], readings)
    assert column.runs == [[(2, 2, 2), (0, 0, 0), (1, 2, 2)]]  # "&" has nothing to read
    assert column.value == 0.75


def test_a_reading_in_another_case_is_wrong_where_cases_are_told_apart() -> None:
    readings = [("a", "Open!", "open"), ("a", "Exit", "Exit")]
    assert reading_column("crops", "ctc", ["a"], readings, fold_case=False).runs == [[(1, 2, 2)]]
    truth = [[word(0, "Open"), word(200, "Exit")]]
    columns = spotting_columns(truth, [[[word(0, "open"), word(200, "Exit")]]], ["f1", "ic15_end_to_end"], False)
    assert [column.runs for column in columns] == [[[(2, 2, 2)]], [[(1, 2, 2)]]]


def test_nothing_to_read_is_zero_of_zero() -> None:
    column = reading_column("found_frames", "", ["a"], [])
    assert (column.value, column.words) == (0, 0)
    assert column.error == 0


def measured(runs: list[list[tuple[int, int, int]]], fingerprint: str = "same") -> SetMeasurement:
    faults = Faults(words=400, right=150)
    faults.add("misread", "no text", ("Open", ""))
    return SetMeasurement(fingerprint, len(runs[0]), [Column("ic15_detection", runs)], faults)


def results(label: str, *runs: list[tuple[int, int, int]], fingerprint: str = "same") -> Results:
    return Results(label, label, {}).with_set("ote", "16 photos", measured(list(runs), fingerprint))


def test_results_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = results("first", COIN, COIN)
    written.save(tmp_path / "measured.json")
    read = read_results(tmp_path)
    assert read.label == "first"
    assert read.sets["ote"].columns[0].values == [0.5, 0.5]
    assert read.sets["ote"].faults == written.sets["ote"].faults
    assert figure_table([read]) == figure_table([written])


def test_a_figure_is_also_there_for_people_in_per_cent(tmp_path: Path) -> None:
    results("first", COIN).save(tmp_path / "measured.json")
    assert '"value": 50.0, "standard_error": 2.' in (tmp_path / "measured.json").read_text("utf-8")


@pytest.mark.parametrize("content", ["", "[]", '{"format": 1}', '{"format": 99}', '{"a": {}}'])
def test_a_foreign_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(UserError, match=r"other\.json: "):
        read_results(tmp_path / "other.json")


def test_the_table_tells_the_change_and_whether_it_is_more_than_chance() -> None:
    all_right = [(1, 1, 1)] * 400
    table = figure_table([results("first", COIN), results("second", all_right)])
    assert table.splitlines()[0].split() == ["set", "figure", "words", "first", "second"]
    assert "100.0 ±0.0 +50.0 ±2." in table
    assert table.endswith("*")


def test_figures_on_other_images_stand_in_lines_of_their_own() -> None:
    table = figure_table([results("first", COIN), results("second", COIN[:100], fingerprint="other")])
    lines = [line.split() for line in table.splitlines()[1:]]
    assert lines[0][-1] == "-"
    assert "16 photos, 400 images" in table
    assert "16 photos, 100 images" in table


def test_faults_are_counted_side_by_side_with_examples() -> None:
    table = fault_table([results("first", COIN), results("second", COIN)])
    assert "misread                    1      1" in table
    assert "  no text                  1      1" in table
    assert example_lines(results("first", COIN)) == "16 photos; misread, no text: Open: (no text)"


def test_a_figure_that_could_not_be_drawn_to_its_end_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(self: Figure, target: Any, **_: Any) -> None:
        with target.open("wb") if isinstance(target, Path) else nullcontext(target) as file:
            file.write(b"half a figure")
        raise MemoryError

    monkeypatch.setattr(Figure, "savefig", break_off)
    (tmp_path / "figures.png").write_text("whole")
    with pytest.raises(MemoryError):
        draw([results("first", COIN)], tmp_path / "figures.png")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("figures.png", "whole")]


def test_figures_are_drawn(tmp_path: Path) -> None:
    draw([results("first", COIN), results("second", COIN)], tmp_path / "figures.png")
    assert np.fromfile(tmp_path / "figures.png", np.uint8)[1:4].tobytes() == b"PNG"
