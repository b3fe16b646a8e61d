"""Training on a card in miniature, on the CPU: from packed toy images to a snapshot that the spotter loads."""

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from small_networks import TEMPLATES, small_network

from text_spotting.alphabet import DEFAULT, START, STOP, Alphabet
from text_spotting.cli.main import BAD_INPUT, run_tool
from text_spotting.engine.checkpoints import missing_weights, read_snapshot, write_snapshot
from text_spotting.engine.torch_spotter import build_network
from text_spotting.errors import UserError
from text_spotting.frames import widen
from text_spotting.geometry import box_to_polygon
from text_spotting.gpu import detector, reader
from text_spotting.gpu.course import read_state
from text_spotting.gpu.feed import Rendering, _drawer, write_block
from text_spotting.gpu.shards import Packed, write_shards
from text_spotting.gpu.views import ViewOptions
from text_spotting.gpu.words import WordPool
from text_spotting.words import FloatArray
from text_spotting.workdir.config import complete, load_config

CONFIG = TEMPLATES / "text-spotting-0003-lite" / "model.py"
CPU = torch.device("cpu")


def image(source: str, size: tuple[int, int], box: tuple[float, float, float, float], text: str = "word") -> Packed:
    image = np.full((size[1], size[0], 3), 200, np.uint8)
    cv2.putText(image, "word", (int(box[0]) + 2, int(box[3]) - 6), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2)
    return Packed(source, image, box_to_polygon(box)[None], [text], [False])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two toy photos and two toy words in shards, some rendered ones in blocks, and first weights."""
    images = [image("ic15@160x120", (120, 120), (20, 30, 100, 60)), image("toys", (160, 120), (30, 40, 110, 70))]
    write_shards(images, tmp_path, "photos", 10**6, 90)
    write_shards([image(name, (90, 40), (4, 5, 84, 35)) for name in ("ic15", "toys")], tmp_path, "words", 10**6, 90)
    scenes, words = _drawer(Rendering("scenes", size=(192, 144))), _drawer(Rendering("words"))
    for kind, draw in (("scenes", scenes), ("words", words)):
        (tmp_path / kind).mkdir()
        write_block([draw(seed) for seed in range(2)], tmp_path / kind / "0.npz")
    weights = small_network("text-spotting-0003-lite")[1].state_dict()
    write_snapshot({"state_dict": weights}, tmp_path / "first.pth")
    return tmp_path


@pytest.mark.slow
def test_the_detector_learns_from_packed_and_rendered_images(data: Path) -> None:
    view = ViewOptions(size=(192, 160), fit=(192, 160))
    plan = detector.Plan(seconds=1.0, batch=2, view=view)
    places = (data / "first.pth", data, data / "scenes", data / "state.pth")
    average = detector.train_detector(load_config(CONFIG), *places, plan, CPU)
    kept = read_state(data / "state.pth")
    before, after = read_snapshot(data / "first.pth")["state_dict"], average.state_dict()
    assert kept["steps"] >= 1
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    parts = ("backbone", "neck.lateral", "rpn_head", "roi_head.bbox_head", "roi_head.mask_head")
    assert all(any(name.startswith(part) for name in changed) for part in parts)
    assert not any("text_head" in name for name in changed)
    assert all(value.isfinite().all() for value in after.values())
    assert not list((data / "scenes").iterdir()), "the rendered block was taken"


@pytest.mark.slow
def test_images_are_drawn_by_source_and_squeezed_ones_get_their_shape_back(data: Path) -> None:
    gallery = detector.Gallery(data, data / "scenes", 1, CPU)
    gallery.wait()
    assert gallery.held() == "1 rendered, 1 ic15, 1 toys"
    assert gallery.cards["ic15"][0].stretch == (160 / 120, 1.0)
    drawn = gallery.draw(2000, np.random.default_rng(0))
    share = np.mean([card is gallery.cards["ic15"][0] for card in drawn])
    assert share == pytest.approx(0.42 / (0.42 + 0.25 + 0.1), abs=0.04)


@pytest.mark.slow
def test_words_of_like_width_come_together_real_ones_by_source(data: Path) -> None:
    plan = reader.Plan(seconds=1, capacity=8, real=0.5)
    library = reader.Library(data, data / "words", DEFAULT, plan, CPU)
    library.wait()
    assert library.held() == "1 ic15, 1 toys, 2 rendered"
    chunks = library.chunks(2, 400, np.random.default_rng(0))
    share = np.mean([pool is library.rendered for pool, _, _ in chunks])
    assert share == pytest.approx(0.5, abs=0.08)
    pool, rows, aspect = chunks[0]
    assert rows.shape == (2,)
    assert pool.aspects[rows.numpy()] == pytest.approx([aspect] * 2, rel=0.5)


@pytest.mark.parametrize(("aspect", "width"), [(0.2, 32), (2.0, 96), (3.3, 160), (20.0, 320)])
def test_a_words_own_width_is_a_multiple_of_16_within_bounds(aspect: float, width: int) -> None:
    assert reader.own_size(aspect, 1.5) == (32, width)


@pytest.mark.parametrize("template", ["text-spotting-0003-lite", "text-spotting-0004-lite", "text-spotting-0005-lite"])
def test_a_detector_sees_views_at_their_own_resolution_whatever_its_template(template: str) -> None:
    model = detector.prepare(load_config(TEMPLATES / template / "model.py"), (768, 544)).model
    assert model.backbone.downscale == 1
    assert model.rpn_head.anchor_generator.strides == [4, 8, 16, 32, 64]
    for extractor in (model.roi_head.bbox_roi_extractor, model.roi_head.mask_roi_extractor):
        assert extractor.featmap_strides == [4, 8, 16, 32]
        assert extractor.finest_scale == 75, "a third of 224, rounded"


def test_views_of_a_size_that_the_trunk_cannot_halve_are_refused() -> None:
    with pytest.raises(UserError, match=r"\(770, 544\): with downscale 1 both sides must be multiples of 32"):
        detector.prepare(load_config(CONFIG), (770, 544))


Shown = tuple[str, FloatArray, FloatArray, tuple[int, int]]


def shown_in_training(data: Path, config: Any, monkeypatch: pytest.MonkeyPatch, **options: Any) -> list[Shown]:
    """What a reader of random weights is shown: text, frame of the word, frame that is cut, height and width."""
    torch.manual_seed(0)
    meta = {"alphabet": Alphabet.of(config.alphabet).to_dict()}
    write_snapshot({"state_dict": reader.Reader(config).state_dict(), "meta": meta}, data / "own.pth")
    shown: list[Shown] = []
    cut = WordPool.cut

    def seen(pool: WordPool, rows: torch.Tensor, frames: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
        crops = cut(pool, rows, frames, size)
        for row, frame in zip(rows.tolist(), frames.numpy(), strict=True):
            text = "".join(
                pool.alphabet.table[index] for index in pool.texts[row].tolist() if index not in (START, STOP)
            )
            shown.append((text, pool.frames[row].numpy(), frame, (crops.shape[2], crops.shape[3])))
        return crops

    monkeypatch.setattr(WordPool, "cut", seen)
    plan = reader.Plan(**{"seconds": 0.1, "chunk": 2, "chunks": 2, "capacity": 8, "real": 1.0, **options})
    reader.train_reader(config, data / "own.pth", data, data / "words", data / "state.pth", plan, CPU)
    return shown


@pytest.mark.slow
def test_a_reader_is_shown_words_as_its_configuration_has_them(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in data.glob("words_*.zip"):
        path.unlink()
    texts = ("Wo-rd!", "\u043c\u0438\u0440")
    write_shards([image("ic15", (90, 40), (4, 5, 84, 35), text) for text in texts], data, "words", 10**6, 90)
    config = load_config(CONFIG)
    config.update(alphabet="printable_ascii", word_size=(32, 128), margin=0.1)
    config.frame_jitter = dict.fromkeys(("along", "across", "angle", "slant"), 0.0)
    complete(config)
    shown = shown_in_training(data, config, monkeypatch)
    assert {text for text, *_ in shown} == {"Wo-rd!"}, "punctuation and case stay, what cannot be written does not"
    for _, frame, cut, _ in shown:
        np.testing.assert_allclose(cut, widen(frame[None], 0.1)[0], atol=1e-3)
    assert {size for *_, size in shown[:2]} == {(32, 128)}
    assert {size[0] for *_, size in shown} == {32}


@pytest.mark.slow
def test_frozen_stages_keep_their_weights_bit_for_bit_and_others_move(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_config(CONFIG)
    shown_in_training(data, config, monkeypatch, frozen=2)
    before, kept = read_snapshot(data / "own.pth")["state_dict"], read_state(data / "state.pth")
    assert kept["steps"] >= 1
    trunk = "roi_head.text_head.encoder.trunk.stages"
    for weights in (kept["state_dict"], kept["average"]):
        same = {name for name in before if torch.equal(before[name], weights[name])}
        frozen = {name for name in before if name.startswith((f"{trunk}.0.", f"{trunk}.1."))}
        assert len(frozen) > 20
        assert frozen <= same
        assert not any(name.startswith(f"{trunk}.2.") and name.endswith("weight") for name in same)


@pytest.mark.parametrize("count", [-1, 4])
def test_more_stages_than_there_are_cannot_be_frozen(count: int) -> None:
    with pytest.raises(UserError, match=f"frozen {count}: must be from 0 to 3, the stages of the trunk") as refused:
        reader.freeze(reader.Reader(load_config(CONFIG)), count)
    assert refused.value.about == "frozen"


@pytest.mark.parametrize("part", ["detector", "reader"])
def test_a_template_that_is_not_light_is_refused(part: str) -> None:
    config = load_config(TEMPLATES / "text-spotting-0003" / "model.py")
    with pytest.raises(UserError, match=f"this trains the {part} of a light template"):
        _ = reader.Reader(config) if part == "reader" else detector.prepare(config, (768, 544))


@pytest.mark.slow
def test_the_readers_snapshot_completes_a_detectors(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way through the tools; what renders is another process."""
    common = ["--config", str(CONFIG), "--load-weights", str(data / "first.pth")]
    run = ["--shards", str(data), "--state", str(data / "state.pth"), "--renderers", "0", "--batch", "2"]
    run += ["--held", "8", "--seed", "1", "--momentum", "1", "--frozen", "1"]
    asked = ["reader", *common, *run, "--seconds", "0.5", "--output", str(data / "reader.pth")]
    assert run_tool("train_on_card", asked) == 0
    kept = read_state(data / "state.pth")
    steps = kept["steps"]
    assert steps >= 1
    assert all(torch.equal(value, kept["average"][name]) for name, value in kept["state_dict"].items()), "momentum 1"
    assert f"161 tensors after {steps} steps" in capsys.readouterr().out
    trained, before = (read_snapshot(data / name)["state_dict"] for name in ("reader.pth", "first.pth"))
    rows = "roi_head.text_head.ctc.linear.weight"
    assert not torch.equal(trained[rows], before[rows].half())

    whole = data / "whole.pth"
    joined = [str(data / "first.pth"), "--mean", str(data / "reader.pth"), "--config", str(CONFIG), "--epoch", "1"]
    assert run_tool("make_snapshot", [*joined, "--output", str(whole)]) == 0
    assert missing_weights(build_network(load_config(CONFIG)), read_snapshot(whole)) == []

    again = ["snapshot", "--config", str(CONFIG), "--state", str(data / "state.pth"), "--output", str(data / "s.pth")]
    assert run_tool("train_on_card", again) == 0
    same = read_snapshot(data / "s.pth")["state_dict"]
    assert all(torch.equal(trained[name], value) for name, value in same.items())


def without_steps(data: Path) -> list[str]:
    """Flags of a run that ends before its first step."""
    (data / "state.seconds").write_text("0")
    return ["--shards", str(data), "--state", str(data / "state.pth"), "--renderers", "0", "--held", "8"]


@pytest.mark.slow
@pytest.mark.parametrize("part", ["detector", "reader"])
def test_a_snapshot_that_lacks_most_of_the_network_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, part: str
) -> None:
    weights = read_snapshot(data / "first.pth")["state_dict"]
    few = [name for name in weights if "text_head.ctc.linear" in name or "rpn_head.rpn_cls" in name]
    write_snapshot({"state_dict": {name: weights[name] for name in few}}, data / "few.pth")
    asked = [part, "--config", str(CONFIG), "--load-weights", str(data / "few.pth"), *without_steps(data)]
    asked += ["--output", str(data / "out.pth")]
    assert run_tool("train_on_card", asked) == BAD_INPUT
    error = capsys.readouterr().err
    assert "few.pth is incomplete: it lacks " in error
    assert error.count("\n") == 1
    caplog.set_level(logging.INFO)
    assert run_tool("train_on_card", [*asked, "--partial-weights"]) == 0
    assert any("few.pth lacks" in line and "they begin at random" in line for line in caplog.messages)


@pytest.mark.slow
def test_a_snapshot_says_which_alphabet_it_reads(data: Path) -> None:
    config = data / "model.py"
    config.write_text(f'_base_ = ["{CONFIG}"]\nalphabet = dict(symbols="dorw")\n')
    asked = ["reader", "--config", str(config), "--load-weights", str(data / "first.pth"), *without_steps(data)]
    assert run_tool("train_on_card", [*asked, "--output", str(data / "reader.pth")]) == 0
    assert read_snapshot(data / "reader.pth")["meta"]["alphabet"]["symbols"] == "dorw"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["reader"], "reader needs --load-weights"),
        (["detector", "--load-weights", "first.pth", "--shards", "."], "detector needs --state"),
        (["snapshot", "--state", "missing.pth"], "missing.pth does not exist"),
        (["reader", "--load-weights", "missing.pth", "--state", "s", "--shards", "."], "missing.pth does not exist"),
        (["reader", "--load-weights", "first.pth", "--state", "s", "--shards", "gone"], "gone is not a folder"),
        (["first-reader", "--fonts", "gone"], "--fonts: gone is not a folder"),
        (["first-reader", "--seconds", "0"], "--seconds must be above 0"),
        (["first-reader", "--momentum", "0"], "--momentum 0.0: must be above 0, and at most 1"),
        (["first-reader", "--momentum", "1.5"], "--momentum 1.5: must be above 0, and at most 1"),
        (["first-reader", "--frozen", "1"], "--frozen belongs to reader"),
        (["first-reader", "--partial-weights"], "--partial-weights belongs to detector and reader"),
        (["first-reader", "--config", "missing.py"], "missing.py: no such configuration"),
        (["first-reader", "--output", "gone/out.pth"], "the folder gone does not exist"),
        (["snapshot", "--state", "first.pth"], "is not the state of a run"),
    ],
)
def test_bad_input_gives_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}}, "first.pth")
    flags = [flags[0], "--config", str(CONFIG), "--output", "out.pth", *flags[1:]]
    assert run_tool("train_on_card", flags) == BAD_INPUT
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not Path("out.pth").exists()


def test_a_part_that_does_not_exist_is_named_with_those_that_do(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_tool("train_on_card", ["painter", "--config", "c", "--output", "o"])
    assert ended.value.code == BAD_INPUT
    assert "'painter'" in capsys.readouterr().err
