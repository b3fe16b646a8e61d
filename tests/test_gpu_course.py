"""A run that is given a time: it stops, goes on, and leaves out what is not finite."""

import logging
import os
import time
from pathlib import Path

import pytest
import torch
from torch import nn

from text_spotting.errors import UserError
from text_spotting.gpu.course import Course, Tally, begin, by_rate, read_state


def course_of(state: Path, seconds: float = 0.2) -> Course:
    torch.manual_seed(0)
    network = nn.Linear(3, 2)
    return Course(network, by_rate(network, [], 0.01), seconds, state)


def train(course: Course) -> list[float]:
    shares = []
    for share in course:
        course.step(course.network(torch.ones(1, 3)).square().sum())
        shares.append(share)
        time.sleep(0.002)
    return shares


@pytest.mark.slow
def test_a_run_stops_in_time_and_its_rates_fall(tmp_path: Path) -> None:
    course = course_of(tmp_path / "run.pth")
    started = time.monotonic()
    shares = train(course)
    assert 0.2 <= time.monotonic() - started < 2
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.5 < shares[-1] < 1
    assert course.steps == len(shares)


def test_rates_rise_over_200_steps_and_follow_a_cosine_of_the_time(tmp_path: Path) -> None:
    course = course_of(tmp_path / "run.pth", seconds=1000)
    given = iter(course)
    next(given)
    assert course.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / 200, rel=1e-3)
    course.steps, course.before = 500, 500.0
    next(given)
    assert course.optimizer.param_groups[0]["lr"] == pytest.approx(0.01 * (0.01 + 0.99 / 2), rel=1e-3)


@pytest.mark.slow
def test_a_run_goes_on_with_its_weights_steps_and_time(tmp_path: Path) -> None:
    state = tmp_path / "run.pth"
    first = course_of(state)
    train(first)
    second = course_of(state, seconds=0.4)
    assert second.steps == first.steps
    assert second.before >= 0.2
    for one, other in ((first.network, second.network), (first.average, second.average)):
        for name, value in one.state_dict().items():
            assert torch.equal(other.state_dict()[name], value)
    moments = [course.optimizer.state_dict()["state"][0]["exp_avg"] for course in (first, second)]
    assert torch.equal(*moments)
    started = time.monotonic()
    train(second)
    assert second.steps > first.steps
    assert time.monotonic() - started >= 0.15, "only what was left of the time"
    assert read_state(state)["steps"] == second.steps
    assert list(tmp_path.iterdir()) == [state]


def test_a_step_whose_gradient_is_not_finite_moves_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    course = course_of(tmp_path / "run.pth")
    before = [{k: v.clone() for k, v in part.state_dict().items()} for part in (course.network, course.average)]
    loss = course.network(torch.ones(1, 3)).sum()
    assert not course.step(loss * float("nan"))
    assert course.steps == 1
    for kept, part in zip(before, (course.network, course.average), strict=True):
        assert all(torch.equal(value, part.state_dict()[name]) for name, value in kept.items())
    assert "step 1: the gradient is not finite" in caplog.text
    assert course.step(course.network(torch.ones(1, 3)).sum())
    assert not torch.equal(before[0]["weight"], course.network.get_parameter("weight"))


@pytest.mark.parametrize(("wish", "steps"), [("0", 0), ("", 2), ("soon", 2)])
def test_a_file_beside_the_state_changes_the_time_while_the_run_goes_on(tmp_path: Path, wish: str, steps: int) -> None:
    course = course_of(tmp_path / "run.pth", seconds=1000)
    (tmp_path / "run.seconds").write_text(wish)
    for _ in course:
        course.step(course.network(torch.ones(1, 3)).sum())
        if course.steps == 2:
            (tmp_path / "run.seconds").write_text("0")
    assert course.steps == steps


def test_the_average_begins_as_the_mean_of_the_steps(tmp_path: Path) -> None:
    course = course_of(tmp_path / "run.pth")
    seen = [course.network.get_parameter("weight").detach().clone()]
    for _ in range(3):
        course.step(course.network(torch.ones(1, 3)).square().sum())
        seen.append(course.network.get_parameter("weight").detach().clone())
    torch.testing.assert_close(course.average.get_parameter("weight").detach(), torch.stack(seen).mean(dim=0))


@pytest.mark.parametrize(("momentum", "new"), [(1.0, 1.0), (0.75, 0.75), (0.001, 1 / 3)])
def test_the_average_moves_by_its_momentum_or_as_the_mean_of_few_steps(
    tmp_path: Path, momentum: float, new: float
) -> None:
    network = nn.Linear(3, 2)
    course = Course(network, by_rate(network, [], 0.01), 1.0, tmp_path / "run.pth", momentum)
    for _ in range(2):
        before = course.average.get_parameter("weight").detach().clone()
        course.step(network(torch.ones(1, 3)).square().sum())
    torch.testing.assert_close(
        course.average.get_parameter("weight").detach(), torch.lerp(before, network.weight.detach(), new)
    )


def test_a_full_disk_is_one_line_and_leaves_the_state_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = course_of(tmp_path / "run.pth")
    course.save()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    course.steps = 7
    with pytest.raises(UserError, match=r"cannot write .*run\.pth: No space left on device"):
        course.save()
    assert read_state(tmp_path / "run.pth")["steps"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run.pth"]


def test_an_interrupted_save_leaves_the_state_before_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = course_of(tmp_path / "run.pth")
    course.save()

    def interrupt(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(bytes(data)[:100])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    course.steps = 7
    with pytest.raises(KeyboardInterrupt):
        course.save()
    assert read_state(tmp_path / "run.pth")["steps"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["run.pth"]


def test_a_state_in_which_other_parts_learned_is_refused(tmp_path: Path) -> None:
    course_of(tmp_path / "run.pth").save()
    network = nn.Linear(3, 2)
    network.bias.requires_grad_(False)
    with pytest.raises(UserError, match=r"run\.pth is the state of a run in which other parts learned"):
        Course(network, by_rate(network, [], 0.01), 1.0, tmp_path / "run.pth")


def two_parts() -> nn.ModuleDict:
    return nn.ModuleDict({"trunk": nn.Linear(2, 2), "head": nn.Linear(2, 2)})


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A snapshot of the trunk alone, of ones."""
    torch.save({"state_dict": {"trunk.weight": torch.ones(2, 2), "trunk.bias": torch.ones(2)}}, tmp_path / "half.pth")
    return tmp_path / "half.pth"


def test_a_snapshot_that_lacks_parts_starts_no_run(half: Path) -> None:
    network = two_parts()
    with pytest.raises(UserError, match=r"half\.pth is incomplete: it lacks 2 of the network's 4 tensors \(head 2\)"):
        begin(network, half, partial=False)
    assert not torch.equal(network.get_parameter("trunk.weight"), torch.ones(2, 2))


def test_a_partial_start_says_what_begins_at_random(half: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    network = two_parts()
    begin(network, half, partial=True)
    assert torch.equal(network.get_parameter("trunk.weight"), torch.ones(2, 2))
    assert "lacks 2 of the network's 4 tensors (head 2): they begin at random" in caplog.text


def test_parts_learn_at_their_own_rates_and_those_of_rate_zero_not_at_all() -> None:
    network = nn.ModuleDict({"trunk": nn.Linear(2, 2), "neck": nn.Linear(2, 2), "head": nn.Linear(2, 2)})
    groups = by_rate(network, [("trunk", 0.0), ("neck", 0.1)], 0.5)
    assert {group["lr"]: len(group["params"]) for group in groups} == {0.1: 2, 0.5: 2}


def test_losses_are_told_as_means_of_the_steps_since_the_last_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    tally = Tally(2, 3, "views")
    for step, value in enumerate((1.0, 3.0, 10.0, 20.0), start=1):
        tally(step / 4, step, {"loss": torch.tensor(value)}, "7 rendered")
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith(" 50 % step 2, ")
    assert lines[0].endswith("views/s: loss 2.0000; 7 rendered")
    assert "loss 15.0000" in lines[1]


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": {}}, tmp_path / "snapshot.pth")
    with pytest.raises(UserError, match="is not the state of a run on a card: it lacks average"):
        course_of(tmp_path / "snapshot.pth")
