"""model.py: what follows from its keys, and how each mistake in it is said."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from small_networks import TEMPLATES

from text_spotting.alphabet import Alphabet
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.engine.checkpoints import write_snapshot
from text_spotting.engine.torch_spotter import build_network, manifest_of
from text_spotting.engine.train import build_runner, train
from text_spotting.errors import UserError
from text_spotting.workdir.config import complete, flat_config, load_config

LITE = TEMPLATES / "text-spotting-0003-lite" / "model.py"


def written(tmp_path: Path, lines: str) -> Path:
    (tmp_path / "model.py").write_text(f"_base_ = [{str(LITE)!r}]\n{lines}\n")
    return tmp_path / "model.py"


@pytest.mark.parametrize(
    ("downscale", "size", "strides", "finest"),
    [
        (1.5, (1296, 720), [6, 12, 24, 48], 112),
        (1.25, (1280, 720), [5, 10, 20, 40], 93),
        (1, (64, 32), [4, 8, 16, 32], 75),
    ],
    ids=["two thirds", "four fifths", "all of the resolution"],
)
def test_strides_anchors_padding_and_finest_words_follow_from_downscale(
    tmp_path: Path, downscale: float, size: tuple[int, int], strides: list[int], finest: int
) -> None:
    model = load_config(written(tmp_path, f"downscale = {downscale}\ninput_size = {size}")).model
    assert model.backbone.downscale == downscale
    assert model.rpn_head.anchor_generator.strides == [*strides, 2 * strides[-1]]
    assert model.data_preprocessor.pad_size_divisor == strides[-1]
    for extractor in (model.roi_head.bbox_roi_extractor, model.roi_head.mask_roi_extractor):
        assert (extractor.featmap_strides, extractor.finest_scale) == (strides, finest)


def test_the_margin_that_words_are_read_with_is_what_training_frames_vary_around(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, "margin = 0.1\nframe_jitter = dict(_delete_=True, along=0.3)"))
    network: Any = build_network(config)
    assert network.roi_head.text_roi_extractor.margin == 0.1
    assert (network.roi_head.frame_jitter.centre, network.roi_head.frame_jitter.along) == (0.1, 0.3)
    own = load_config(written(tmp_path, "margin = 0.1\nframe_jitter = dict(centre=0.0)"))
    assert own.model.roi_head.frame_jitter.centre == 0.0


def test_a_margin_that_is_not_said_is_the_same_for_all_that_read_with_one(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    lines = flat_config(LITE).splitlines()
    path.write_text(
        "\n".join(line for line in lines if not line.startswith("margin ")) + "\nframe_jitter = dict(along=0.3)\n"
    )
    config = load_config(path)
    assert "margin" in config.to_dict() and config.margin == 0.04
    assert manifest_of(config).read_margin == 0.04
    roi_head: Any = build_network(config).roi_head
    assert roi_head.text_roi_extractor.margin == 0.04
    assert (roi_head.frame_jitter.centre, roi_head.frame_jitter.along) == (0.04, 0.3)


def test_word_crops_without_a_margin_are_as_loose_as_the_configuration_says() -> None:
    config = Config(
        {
            **{"model": {}, "input_size": (64, 64), "keep_aspect": True, "text_thr": 0.5},
            **{"train_dataloader": {"dataset": {"type": "WordCropDataset"}}, "frame_jitter": {"along": 0.3}},
        }
    )
    complete(config)
    assert config.train_dataloader.dataset.frame_jitter == {"centre": 0.04, "along": 0.3}


def test_a_model_that_reads_boxes_as_they_are_has_no_margin() -> None:
    config = load_config(TEMPLATES / "text-spotting-0003" / "model.py")
    assert "margin" not in config
    assert "margin" not in config.model.roi_head.text_roi_extractor
    assert "frame_jitter" not in config.model.roi_head


def test_a_key_that_is_changed_in_a_work_dir_changes_all_that_follows_from_it(tmp_path: Path) -> None:
    path = tmp_path / "model.py"
    path.write_text(flat_config(LITE) + "max_words = 50\nword_size = (48, 144)\ninput_size = (960, 528)\n")
    config = load_config(path)
    model, (view, *_) = config.model, config.train_dataloader.dataset.transforms
    assert (model.test_cfg.rpn.max_per_img, model.test_cfg.rpn.usual, model.test_cfg.rcnn.max_per_img) == (50, 50, 50)
    assert model.roi_head.text_roi_extractor.output_size == (48, 144)
    assert model.roi_head.text_head.encoder.columns == 36
    assert (view["size"], view.fit) == ((672, 480), (960, 528)), "its own size, and images fitted as for inference"


def test_views_that_say_how_images_are_fitted_are_left_alone(tmp_path: Path) -> None:
    lines = "train_dataloader = dict(dataset=dict(transforms=[dict(type='RandomView', fit=(96, 48))]))"
    (view,) = load_config(written(tmp_path, lines)).train_dataloader.dataset.transforms
    assert (view["size"], view.fit) == ((1296, 720), (96, 48))


def template_with(folder: Path, alphabet: str) -> Path:
    """A template of a user's own: lite's, with an alphabet; returns its model.py."""
    folder.mkdir()
    text = (LITE.parent / "template.yaml").read_text(encoding="utf-8")
    (folder / "template.yaml").write_text(f"{text}\nalphabet: {alphabet}\n", encoding="utf-8")
    return written(folder, "")


def test_a_model_reads_the_alphabet_of_the_template_that_it_lies_beside(tmp_path: Path) -> None:
    path = template_with(tmp_path / "plates", "digits")
    wanted = Alphabet.of("digits")
    assert Alphabet.of(load_config(path).alphabet) == wanted
    assert Alphabet.of(load_config(path, "cyrillic").alphabet) == wanted, "it knows better than where one stands"
    assert Alphabet.of(load_config(written(tmp_path, ""), "cyrillic").alphabet) == Alphabet.of("cyrillic")
    own = written(tmp_path / "plates", "alphabet = dict(name='latin')")
    assert Alphabet.of(load_config(own).alphabet) == Alphabet.of("latin")


def test_a_broken_template_beside_a_model_is_named(tmp_path: Path) -> None:
    path = template_with(tmp_path / "plates", "klingon")
    with pytest.raises(UserError, match=r"plates/template.yaml: alphabet: there is none called 'klingon'"):
        load_config(path)


@pytest.mark.parametrize(
    "command",
    [
        "make_snapshot {tmp}/a.pth --output {tmp}/b.pth --epoch 1",
        "train_on_card first-reader --output {tmp}/b.pth",
        "train_separator --load-weights {tmp}/a.pth --output {tmp}/b.pth --train-ann-files {tmp}/a.json",
        "benchmark train",
        "measure --load-weights {tmp}/a.pth --data-root {data} --output {tmp}/o --sets ote",
    ],
    ids=lambda command: command.split()[0],
)
def test_every_tool_that_takes_a_model_reads_with_its_templates_alphabet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    seen = []

    def build(settings: Any) -> Any:
        seen.append(settings)
        raise UserError("seen")

    monkeypatch.setattr(MODELS, "build", build)
    path = template_with(tmp_path / "plates", "digits")
    write_snapshot({"state_dict": {"weight": torch.zeros(1)}, "meta": {}}, tmp_path / "a.pth")
    tool, *flags = command.format(tmp=tmp_path, data=TEMPLATES.parents[1] / "data").split()
    assert run_tool(tool, [*flags, "--config", str(path)]) == BAD_INPUT
    head = seen[0].roi_head.text_head if "roi_head" in seen[0] else seen[0]
    assert Alphabet.of(head.alphabet) == Alphabet.of("digits")


def keys_of(value: Any) -> set[str]:
    """Every key in a configuration, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list | tuple) else set()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["0003", "0003-lite", "0004-lite", "0005-lite"])
def test_the_page_tells_every_key_of_a_written_out_configuration(name: str, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(flat_config(TEMPLATES / f"text-spotting-{name}" / "model.py"))
    page = (TEMPLATES.parents[1] / "docs" / "configuration.md").read_text()
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
    settings = load_config(tmp_path / "model.py").to_dict()
    parts_of_the_network = settings["optim_wrapper"].get("paramwise_cfg", {}).pop("custom_keys", {})
    assert keys_of(settings) | keys_of(list(parts_of_the_network.values())) <= told


def test_recipe_stages_read_in_the_frames_that_the_model_page_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_ROOT", "data")
    monkeypatch.setenv("ANN_ROOT", "ann")
    recipes = TEMPLATES.parents[1] / "configs" / "recipes"

    def farthest(name: str) -> tuple[float, float]:
        jitter = load_config(recipes / f"lite_{name}.py").train_dataloader.dataset.frame_jitter
        return -jitter.deepest, jitter.farthest

    nearly_true = {name: farthest(name) for name in ("recogniser", "small_words", "more_words")}
    assert set(nearly_true.values()) == {(-0.06, 0.14)}
    assert farthest("loose_words") == (-0.2, 0.6)


def test_completing_twice_changes_nothing() -> None:
    config = load_config(LITE)
    once = config.pretty_text
    complete(config)
    assert config.pretty_text == once


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("model = dict(", r"does not load \(line 2: '\(' was never closed\)"),
        ("x = 1 / 0", r"does not load \(ZeroDivisionError: division by zero\)"),
        ("_base_.append('nowhere.py')", "does not load"),
        ("alphabet = dict(name='klingon')", "alphabet: there is none called 'klingon'"),
        ("alphabet = 12", "a key is missing or of another kind"),
        ("input_size = 1296", r"input_size must be \(width, height\) in pixels, not 1296"),
        ("input_size = (1300, 720)", "both sides must be multiples of 48"),
        ("max_words = -1", "max_words must be a whole number of words, not -1"),
        ("word_size = 32", r"word_size must be \(height, width\) in pixels, not 32"),
        ("downscale = 1.3", "no whole pixels"),
        ("downscale = 'half'", "downscale must be a number from 1 to 4, not 'half'"),
        ("margin = -1", "margin must be a share of a word's height from 0 to 1, not -1"),
        ("frame_jitter = dict(shake=1)", "frame_jitter: shake is not a known key; use along, across"),
        ("frame_jitter = dict(along=-1)", "frame_jitter: along must be a number of 0 or more, not -1"),
    ],
    ids=[
        "not Python",
        "a program that fails",
        "a base that is not there",
        "an unknown alphabet",
        "a number for an alphabet",
        "one side",
        "a size that padding would change",
        "less than no words",
        "one side of a word",
        "strides between pixels",
        "a word for a number",
        "a negative margin",
        "an unknown jitter",
        "a negative jitter",
    ],
)
def test_a_mistake_is_one_line_with_the_file(tmp_path: Path, lines: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        load_config(written(tmp_path, lines))
    assert str(caught.value).startswith(str(tmp_path / "model.py"))
    assert "\n" not in str(caught.value)


def test_a_file_that_lacks_what_a_model_needs_says_which_key(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("model = dict()\n")
    with pytest.raises(UserError, match="the key input_size is missing"):
        load_config(tmp_path / "model.py")
    with pytest.raises(UserError, match="no such configuration"):
        load_config(tmp_path / "other.py")


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("model = dict(backbone=dict(type='Nonesuch'))", "model cannot be built .*Nonesuch"),
        ("model = dict(roi_head=dict(text_head=dict(hidden=3)))", "model cannot be built .*hidden"),
        ("custom_imports = dict(imports=['no_such_module'])", "no_such_module cannot be imported"),
    ],
    ids=["an unknown backbone", "an unknown argument", "a module that is not there"],
)
def test_a_network_that_cannot_be_built_is_one_line(tmp_path: Path, lines: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as caught:
        build_network(load_config(written(tmp_path, lines)))
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ("optim_wrapper = dict(optimizer=dict(speed=1))", "optim_wrapper cannot be built .*speed"),
        ("param_scheduler = [dict(type='Nonesuch')]", "param_scheduler cannot be built .*Nonesuch"),
        ("custom_hooks = [dict(type='Nonesuch')]", "custom_hooks, .* cannot be built .*Nonesuch"),
        ("train_dataloader = dict(dataset=dict(type='Nonesuch'))", "train_dataloader, .* cannot be built .*Nonesuch"),
    ],
    ids=["optimizer", "schedule", "hook", "data set"],
)
def test_a_run_that_cannot_be_built_is_one_line(tmp_path: Path, lines: str, complaint: str) -> None:
    config = load_config(written(tmp_path, f"{lines}\ntrain_cfg = dict(max_epochs=1)"))
    config.train_dataloader.update(batch_size=1, num_workers=0, persistent_workers=False)
    config.optim_wrapper.optimizer.setdefault("lr", 0.1)
    config.train_dataloader.dataset.length = 1
    with pytest.raises(UserError, match=complaint) as caught:
        train(build_runner(config, tmp_path / "out"))
    assert "\n" not in str(caught.value)
