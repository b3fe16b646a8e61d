"""What makes a training run bearable: a quiet console, an early end, TensorBoard for short runs, a proposed rate."""

import logging
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, call

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from test_engine_train import LITE, config_of, photos  # noqa: F401  (a fixture)

from text_spotting.annotations.dataset_file import read_dataset
from text_spotting.engine import lr_find, trackers
from text_spotting.engine.console import ConsoleHook, clock, quieten
from text_spotting.engine.lr_find import RangeTestDone, configure_range_test, proposal, rate_of, smooth
from text_spotting.engine.train import build_runner, train, use_mixed_precision


def events(folder: Path) -> Any:
    read = EventAccumulator(str(folder))
    read.Reload()
    return read


@pytest.mark.slow
def test_a_short_run_shows_on_the_console_and_in_tensorboard(
    photos: Path,  # noqa: F811
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = MagicMock()
    monkeypatch.setitem(trackers.TRACKERS, "local", service)
    config = config_of(LITE, photos, epochs=3)
    config.train_cfg.val_interval = 1
    patience = {"monitor": "word_spotting", "rule": "greater", "patience": 1}
    hooks = [{"type": "ConsoleHook"}, {"type": "BoardHook"}, {"type": "EarlyStoppingHook", **patience}]
    config.custom_hooks = [*config.custom_hooks, *hooks, {"type": "TrackerHook", "tracker": "local", "interval": 1}]
    runner = build_runner(config, tmp_path, None, read_dataset(photos / "annotation.json", photos))
    assert train(runner)
    assert runner.epoch == 2, "an untrained network finds nothing, in the second epoch no more than in the first"
    said = capfd.readouterr()
    console = said.out + said.err
    assert "optim_wrapper" not in console, "the configuration is for the log file"
    (log,) = tmp_path.glob("*/*.log")
    assert "optim_wrapper" in log.read_text()
    seen = events(tmp_path / "tf_logs")
    assert [event.step for event in seen.Scalars("train/loss")] == [1, 2, 3, 4]
    assert len(seen.Images("readings/0")) == 2
    assert "learning rate" in str(seen.Tensors("hyper-parameters/text_summary")[0])
    told = [(one.args[1], next(iter(one.args[0]))) for one in service().add.mock_calls]
    train_steps, val_steps = ([step for step, name in told if name.startswith(kind)] for kind in ("train", "val"))
    assert (train_steps, val_steps) == ([1, 2, 3, 4], [2, 4])
    assert service().close.mock_calls == [call(True)]


def test_the_console_says_how_far_training_is(caplog: pytest.LogCaptureFixture) -> None:
    class Runner:
        rank, iter, max_iters, epoch, max_epochs, logger = 0, 9, 20, 0, 2, logging.getLogger("text_spotting.test")

    hook, runner = ConsoleHook(seconds=0), Runner()
    hook.before_train(runner)
    hook.started = hook.told = hook.started - 10
    runner.iter = 10
    with caplog.at_level(logging.INFO):
        hook.after_train_iter(runner, 0, {"inputs": [0] * 50}, {"loss": torch.tensor(1.5)})
    # Two of the steps took 10 s, so the last nine take 45; 50 words in 10 s.
    assert caplog.messages == ["epoch 1 of 2, step 11 of 20: loss 1.500, 5 words/s, 0:45 to go"]


@pytest.mark.parametrize(("seconds", "shown"), [(3, "0:03"), (123.4, "2:03"), (3723, "1:02:03")])
def test_times_are_shown_as_clocks_do(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


def test_only_the_console_is_quiet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.Logger("framework")
    logger.addHandler(logging.StreamHandler())
    logger.addHandler(logging.FileHandler(tmp_path / "log"))
    quieten(logger)
    logger.info("Config: 400 lines")
    logger.warning("something is odd")
    assert capsys.readouterr().err == "something is odd\n"
    assert (tmp_path / "log").read_text() == "Config: 400 lines\nsomething is odd\n"


@pytest.mark.slow
def test_the_rate_test_ends_with_what_it_tried_and_leaves_no_snapshot(
    photos: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lr_find, "STEPS", 3)
    config = config_of(LITE, photos, epochs=1)
    configure_range_test(config)
    with pytest.raises(RangeTestDone) as found:
        train(build_runner(config, tmp_path))
    assert [rate for rate, _ in found.value.tried] == pytest.approx([1e-6, 1e-3, 1.0])
    assert not list(tmp_path.glob("*.pth"))
    lr_find.draw(found.value.tried, tmp_path / "rates.png")
    assert (tmp_path / "rates.png").is_file()


def test_the_proposed_rate_lies_well_below_that_of_the_least_loss() -> None:
    assert proposal([(1e-3, 2.0), (1e-2, 1.0), (1e-1, 3.0), (1.0, float("nan"))]) == pytest.approx(1e-3)
    assert rate_of(0) == pytest.approx(1e-6)
    assert rate_of(99) == pytest.approx(1.0)
    assert smooth([2.0, 2.0]) == pytest.approx([2.0, 2.0]), "the start does not pull towards 0"


def test_without_fast_bfloat16_mixed_precision_is_left_out(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    config = config_of(LITE, photos, epochs=1)
    before = config.optim_wrapper.get("type")
    monkeypatch.setattr("text_spotting.engine.train.bfloat16_is_fast", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert not use_mixed_precision(config)
    assert config.optim_wrapper.get("type") == before
