"""Training end to end on a small network: outputs, resuming, stopping, published snapshots."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from small_networks import TEMPLATES
from test_data import image_of

from text_spotting.alphabet import Alphabet
from text_spotting.annotations.dataset_file import read_dataset, write_dataset
from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine.checkpoints import read_snapshot, write_snapshot
from text_spotting.engine.hooks import SnapshotHook
from text_spotting.engine.train import Start, build_runner, from_state, from_weights, train
from text_spotting.workdir.config import load_config
from text_spotting.workdir.template import load_template

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small images with two words each."""
    folder = tmp_path_factory.mktemp("photos")
    images = []
    for index in range(4):
        sample = image_of((20 + 10 * index, 20, 80 + 10 * index, 40), (30, 60, 120, 80))
        cv2.imwrite(str(folder / f"{index}.png"), sample.image)
        images.append(AnnotatedImage(folder / f"{index}.png", 200, 100, sample.words))
    write_dataset(folder / "annotation.json", images)
    return folder


def config_of(name: str, photos: Path, epochs: int) -> Config:
    """A template's training, cut down to two iterations an epoch on images of 128 x 64."""
    config = load_config(TEMPLATES / name / "model.py")
    source = {"type": "PhotoSource", "ann_files": str(photos / "annotation.json"), "data_roots": str(photos)}
    config.train_dataloader.dataset.update(
        sources=[source], repeat=1, transforms=[{"type": "RandomView", "size": (128, 64), "fit": (128, 64)}]
    )
    config.train_dataloader.update(batch_size=2, num_workers=0, persistent_workers=False)
    config.train_cfg.update(max_epochs=epochs, val_interval=100)
    basic = load_template(TEMPLATES / name / "template.yaml").hyper_parameters.basic
    config.optim_wrapper.optimizer.setdefault("lr", basic.base_learning_rate)
    config.model.train_cfg.rpn_proposal.update(nms_pre=20, max_per_img=10)
    for scheduler in config.param_scheduler:
        if scheduler.type == "CosineAnnealingLR":
            scheduler.T_max = 4
    return config


def run(config: Config, work_dir: Path, start: Start | None = None) -> Any:
    runner = build_runner(config, work_dir, start)
    runner.finished = train(runner)
    return runner


LITE = "text-spotting-0003-lite"


def test_a_run_leaves_snapshots_a_journal_and_curves(photos: Path, tmp_path: Path) -> None:
    config = config_of(LITE, photos, epochs=2)
    config.custom_hooks[1].interval = 1
    assert run(config, tmp_path).finished
    names = {path.name for path in tmp_path.iterdir()}
    assert {"epoch_1.pth", "epoch_2.pth", "latest.pth", "log.jsonl", "curves.png", "tf_logs"} <= names
    assert (tmp_path / "latest.pth").readlink() == Path("epoch_2.pth")
    assert read_snapshot(tmp_path / "latest.pth")["meta"]["epoch"] == 2
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [record["iter"] for record in records] == [1, 2, 3, 4]
    assert all(np.isfinite(record["loss"]) and "loss_text" in record for record in records)


def test_resuming_equals_never_having_stopped(photos: Path, tmp_path: Path) -> None:
    whole = run(config_of(LITE, photos, epochs=2), tmp_path / "whole")
    run(config_of(LITE, photos, epochs=1), tmp_path / "parts")
    latest = tmp_path / "parts" / "latest.pth"
    resumed = run(config_of(LITE, photos, epochs=2), tmp_path / "parts", from_state(read_snapshot(latest), str(latest)))
    assert resumed.iter == 4
    assert resumed.optim_wrapper.get_lr() == whole.optim_wrapper.get_lr()
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_the_first_loss_after_resuming_is_that_of_the_uninterrupted_run(photos: Path, tmp_path: Path) -> None:
    """With more boxes than the box head learns from, so that samplers choose among them."""

    def config(epochs: int) -> Config:
        config = config_of(LITE, photos, epochs)
        config.model.train_cfg.rpn_proposal.update(nms_pre=300, max_per_img=150)
        config.custom_hooks[1].interval = 1
        return config

    run(config(2), tmp_path / "whole")
    run(config(1), tmp_path / "parts")
    latest = tmp_path / "parts" / "latest.pth"
    run(config(2), tmp_path / "parts", from_state(read_snapshot(latest), str(latest)))
    whole, parts = (
        [json.loads(line)["loss"] for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("whole", "parts")
    )
    assert whole == parts


def test_a_moving_average_of_the_weights_is_what_is_saved_and_goes_on_when_resumed(
    photos: Path, tmp_path: Path
) -> None:
    def averaging(epochs: int) -> Config:
        config = config_of(LITE, photos, epochs)
        config.custom_hooks.append({"type": "EMAHook", "momentum": 0.25, "update_buffers": True, "begin_iter": 2})
        return config

    run(averaging(epochs=2), tmp_path / "whole")
    plain = run(config_of(LITE, photos, epochs=2), tmp_path / "plain").model.state_dict()
    run(averaging(epochs=1), tmp_path / "parts")
    latest = tmp_path / "parts" / "latest.pth"
    run(averaging(epochs=2), tmp_path / "parts", from_state(read_snapshot(latest), str(latest)))
    whole, parts = (read_snapshot(tmp_path / name / "latest.pth") for name in ("whole", "parts"))
    for name, tensor in whole["state_dict"].items():
        assert torch.equal(tensor, parts["state_dict"][name]), name
        own = whole["ema_state_dict"][f"module.{name}"]
        assert torch.allclose(own.float(), plain[name].float(), atol=1e-6), name
    changed = "roi_head.bbox_head.fc_cls.weight"
    assert not torch.equal(whole["state_dict"][changed], plain[changed])


def test_a_signal_saves_the_state_within_the_epoch_and_training_goes_on_from_there(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run(config_of(LITE, photos, epochs=1), tmp_path / "whole")
    after_iteration = SnapshotHook.after_train_iter

    def stopped(hook: SnapshotHook, runner: Any, *args: Any, **kwargs: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        after_iteration(hook, runner, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(SnapshotHook, "after_train_iter", stopped)
        assert not run(config_of(LITE, photos, epochs=1), tmp_path / "parts").finished
    latest = tmp_path / "parts" / "latest.pth"
    assert read_snapshot(latest)["meta"] == {
        "alphabet": Alphabet().to_dict(),
        "epoch": 0,
        "iter": 1,
        "iters_per_epoch": 2,
        "validation_due": False,
    }
    resumed = run(config_of(LITE, photos, epochs=1), tmp_path / "parts", from_state(read_snapshot(latest), str(latest)))
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_a_published_snapshot_loads_and_resumes(photos: Path, tmp_path: Path) -> None:
    """Names and layout of mmcv 1: ``meta``, ``state_dict`` and one momentum group over all parameters."""
    first = run(config_of("text-spotting-0003", photos, epochs=1), tmp_path / "made")
    own = first.optim_wrapper.state_dict()
    group = {"lr": 1e-4, "momentum": 0.9, "dampening": 0, "weight_decay": 1e-4, "nesterov": False}
    published = {
        "meta": {"epoch": 24, "iter": 30000, "mmcv_version": "1.2.1", "CLASSES": ("text",)},
        "state_dict": first.model.state_dict(),
        "optimizer": {"state": own["state"], "param_groups": [{**group, "params": own["param_groups"][0]["params"]}]},
    }
    path = tmp_path / "snapshot.pth"
    write_snapshot(published, path)
    resumed = run(config_of("text-spotting-0003", photos, 25), tmp_path / "on", from_state(read_snapshot(path), "s"))
    assert resumed.epoch == 25
    # Both steps of the schedule, at epochs 14 and 22, lie behind: 0.01 x 0.1 x 0.1.
    assert resumed.optim_wrapper.get_lr()["lr"] == pytest.approx([1e-4])
    anew = run(config_of("text-spotting-0003", photos, 1), tmp_path / "anew", from_weights(read_snapshot(path), "s"))
    assert anew.epoch == 1


def test_validation_reports_figures_and_keeps_the_best(photos: Path, tmp_path: Path) -> None:
    config = config_of(LITE, photos, epochs=2)
    config.train_cfg.val_interval = 1
    config.input_size = (192, 96)
    runner = build_runner(config, tmp_path, validation=read_dataset(photos / "annotation.json"))
    train(runner)
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    figures = [record for record in records if record["kind"] == "val"]
    assert [record["epoch"] for record in figures] == [1, 2]
    assert all(0 <= record["word_spotting"] <= 100 for record in figures)
    assert read_snapshot(tmp_path / "best.pth")["best"] == [figures[0]["word_spotting"], figures[0]["f1"]]


def test_training_with_loading_processes_ends_by_itself(photos: Path, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import test_engine_train as t\n"
        "config = t.config_of(t.LITE, Path(sys.argv[2]), 1)\n"
        "config.train_dataloader.update(num_workers=1, persistent_workers=True)\n"
        "print(t.run(config, Path(sys.argv[3])).finished)\n"
    )
    command = [sys.executable, str(script), str(Path(__file__).parent), str(photos), str(tmp_path / "out")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith("True\n")
    assert "Traceback" not in ended.stderr
