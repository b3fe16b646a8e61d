"""An export is three graphs a format that existing clients can use, equal to the network in numbers and in words."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import onnxruntime
import pytest
import torch
from small_networks import BOTH, TEMPLATES, small_network

from text_spotting.cli.main import run_tool
from text_spotting.engine.torch_spotter import torch_spotter
from text_spotting.errors import UserError
from text_spotting.export import verify
from text_spotting.export.export import Exported, ExportOptions, export, plain_manifest
from text_spotting.export.onnx import text_feature_shape
from text_spotting.manifest import Manifest
from text_spotting.runtime.session import CORE
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import FloatArray, Word

pytestmark = pytest.mark.slow

SIZE = (192, 96)
Shared = tuple[str, Path, Exported, Spotter]
"""Template, folder of its export, what was exported, and the network itself as a spotter."""


def text_shapes(name: str) -> tuple[list[int], list[int], int]:
    """Shapes of one word's text features and of what the encoder makes of them, and the decoder's state size."""
    if name == "text-spotting-0003":
        return [64, 28, 28], [256, 28, 28], 256  # as published
    _, network = small_network(name)
    features = text_feature_shape(network)
    encoded = network.roi_head.text_head.encoder(torch.zeros(1, *features))
    return list(features), list(encoded.shape[1:]), network.roi_head.text_head.decoder.hidden_size


@pytest.fixture(scope="module", params=BOTH)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    config, network = small_network(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    made = export(network, plain_manifest(config, SIZE), folder, ExportOptions(), log=lambda _: None)
    return request.param, folder, made, torch_spotter(network, plain_manifest(config, SIZE))


def shapes(ports: list[Any]) -> dict[str, list[int]]:
    return {
        port.any_name: [size.get_length() if size.is_static else -1 for size in port.partial_shape] for port in ports
    }


def test_the_files_are_those_that_clients_look_for(exported: Shared) -> None:
    name, folder, made, _ = exported
    bases = ["model", "model_text_recognition_head_decoder", "model_text_recognition_head_encoder"]
    if name == "text-spotting-0003-lite":
        bases.append("model_text_recognizer")
    graphs = [base + suffix for base in bases for suffix in (".onnx", ".xml", ".bin")]
    assert sorted(path.name for path in folder.iterdir()) == sorted([*graphs, "manifest.json"])
    assert sorted(made.files) == sorted(folder.iterdir())


def test_the_ir_has_the_names_and_shapes_that_clients_demand(exported: Shared) -> None:
    name, folder, _, _ = exported

    detector, encoder, decoder = (
        CORE.read_model(folder / f"model{part}.xml")
        for part in ("", "_text_recognition_head_encoder", "_text_recognition_head_decoder")
    )
    (channels, height, width), (depth, rows, columns), size = text_shapes(name)
    assert shapes(detector.inputs) == {"image": [1, 3, SIZE[1], SIZE[0]]}
    found = shapes(detector.outputs)
    assert list(found) == ["boxes", "labels", "masks", "text_features"]
    assert found["boxes"][1:] == [5]
    assert found["masks"][1:] == [28, 28]
    assert found["text_features"][1:] == [channels, height, width]
    assert detector.output("text_features.0") == detector.output("text_features"), "the name of 2021"
    assert shapes(encoder.inputs) == {"input": [1, channels, height, width]}
    assert shapes(encoder.outputs) == {"output": [1, depth, rows, columns]}
    hidden = [1, 1, size]
    assert shapes(decoder.inputs) == {
        "prev_symbol": [1],
        "prev_hidden": hidden,
        "encoder_outputs": [1, rows * columns, depth],
    }
    assert shapes(decoder.outputs) == {"output": [1, 38], "hidden": hidden, "attention": [1, rows * columns]}


@pytest.mark.parametrize("back_end", ["ONNX", "OpenVINO"])
def test_arrays_agree_far_better_than_is_demanded(exported: Shared, back_end: str) -> None:
    agreement = exported[2].agreements[back_end]
    assert agreement.words == 6
    assert not agreement.broken()
    assert max(agreement.differences.values()) < 1e-2


def described(words: list[Word]) -> list[tuple[Any, ...]]:
    rows = [(*np.round(word.box).tolist(), word.text) for word in words]
    return sorted(rows)


@pytest.mark.parametrize("file", ["model.xml", "model.onnx"])
def test_words_are_the_same_as_pytorch_finds(exported: Shared, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By features alone, from which random weights spell something, and as the model would have it."""
    _, folder, _, pytorch = exported
    spotters = pytorch, Spotter(folder / file, precision="f32")
    as_it_is = described(pytorch(verify.sample_image())), described(spotters[1](verify.sample_image()))
    for spotter in spotters:
        monkeypatch.setattr(spotter.engine, "manifest", replace(spotter.manifest, text_thr=0.0, recognizer=""))
    by_features = [described(spotter(verify.sample_image())) for spotter in spotters]
    assert any(row[4] for row in by_features[0])
    for wanted, found in (as_it_is, by_features):
        assert len(wanted) == 6
        assert [row[4] for row in found] == [row[4] for row in wanted]
        assert np.allclose([row[:4] for row in found], [row[:4] for row in wanted], atol=1)


def test_coordinates_and_pooling_stay_in_float32_whatever_the_rest_is_computed_in(exported: Shared) -> None:
    _, folder, _, _ = exported
    marked = {
        layer.attrib["name"]: layer.attrib["type"]
        for layer in ElementTree.parse(folder / "model.xml").iterfind("layers/layer")
        if layer.find("rt_info/attribute[@name='precise']") is not None
    }
    poolings = [op for op in CORE.read_model(folder / "model.xml").get_ops() if op.get_type_name() == "ROIAlign"]
    assert {op.get_friendly_name() for op in poolings} <= set(marked)
    assert "NonMaxSuppression" in marked.values()
    assert "MatMul" not in marked.values()
    assert "Convolution" not in marked.values()
    maps = {op.input_value(0).get_node().get_friendly_name() for op in poolings}
    assert len(maps) == 4, "poolings of one map share what hands it over"
    assert {marked[layer] for layer in maps} == {"Clamp"}


def test_a_client_that_reads_word_by_word_reads_the_same(exported: Shared) -> None:
    """What existing clients of this model family do, one word and one symbol at a time."""
    _, folder, _, _ = exported

    detector, encoder, decoder = (
        CORE.compile_model(folder / f"model{part}.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        for part in ("", "_text_recognition_head_encoder", "_text_recognition_head_decoder")
    )
    image = verify.sample_image()
    resized = cv2.resize(image, SIZE)
    if small_network(exported[0])[0].keep_aspect:
        rest = np.full((96, 64, 3), (104, 116, 124), np.uint8)
        resized = np.hstack([cv2.resize(image, (128, 96)), rest])
    result = detector(resized.transpose(2, 0, 1)[None].astype(np.float32))
    request, texts = decoder.create_infer_request(), []
    for feature in result["text_features"]:
        memory = encoder(feature[None])[0]
        memory = memory.reshape(1, memory.shape[1], -1).transpose(0, 2, 1)
        # Doubles, as clients made with a bare np.zeros and np.ones send.
        hidden, symbol, text = np.zeros(decoder.input("prev_hidden").shape), 0, ""
        for _ in range(28):
            inputs = {"prev_symbol": np.ones(1) * symbol, "prev_hidden": hidden, "encoder_outputs": memory}
            request.infer(inputs)
            symbol = int(request.get_tensor("output").data[0].argmax())
            hidden = request.get_tensor("hidden").data[:]
            if symbol == 1:
                break
            text += "  abcdefghijklmnopqrstuvwxyz0123456789"[symbol]
        texts.append(text.strip())
    spotter = Spotter(folder, precision="f32")
    spotter.manifest = replace(spotter.manifest, recognizer="")  # which such clients do not know
    assert sorted(texts) == sorted(word.text for word in spotter(image))


def test_onnx_takes_images_of_other_sizes(exported: Shared) -> None:
    name, folder, _, _ = exported
    _, network = small_network(name)
    image = torch.rand(1, 3, 192, 288, generator=torch.Generator().manual_seed(5))
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    boxes, masks = session.run(["boxes", "masks"], {"image": image.numpy()})
    wanted = network.detect(image)
    assert np.allclose(boxes, wanted.boxes.numpy(), atol=1e-2)
    assert np.allclose(masks, wanted.masks.numpy(), atol=1e-3)


ARRAYS: dict[str, FloatArray] = {
    "boxes": np.array([[20 * index, 0, 20 * index + 9, 9, 0.9 - 0.1 * index] for index in range(4)], np.float32),
    "masks": np.arange(4, dtype=np.float32).reshape(4, 1, 1) / np.float32(4),
    "text_features": np.arange(1, 5, dtype=np.float32).reshape(4, 1, 1, 1),
    "logits": np.ones(1, np.float32),
    "hidden": np.ones(1, np.float32),
}


def test_detections_in_another_order_still_agree() -> None:
    swapped = {name: array[::-1] for name, array in ARRAYS.items()}
    assert set(verify.compare(ARRAYS, swapped).differences.values()) == {0.0}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_wrong_array_is_named(name: str) -> None:
    agreement = verify.compare(ARRAYS, {**ARRAYS, name: ARRAYS[name] + 0.5})
    assert name in agreement.broken()
    with pytest.raises(UserError, match=f"ONNX does not agree with PyTorch on the test image: .*{name} by"):
        verify.require(agreement, "ONNX")


def without_last(count: int) -> dict[str, FloatArray]:
    return {**ARRAYS, **{name: ARRAYS[name][:-count] for name in ("boxes", "masks", "text_features")}}


def test_one_missing_detection_is_excused_as_a_tie() -> None:
    assert not verify.compare(ARRAYS, without_last(1)).broken()


def test_two_missing_detections_are_a_disagreement() -> None:
    agreement = verify.compare(ARRAYS, without_last(2))
    assert agreement.broken() == ["unmatched"]
    assert agreement.differences["unmatched"] == 1 / 4


def test_detections_elsewhere_are_a_disagreement() -> None:
    moved = ARRAYS["boxes"] + np.array([5, 0, 5, 0, 0], np.float32)
    assert verify.compare(ARRAYS, {**ARRAYS, "boxes": moved}).broken() == ["unmatched"]


def test_not_a_number_is_a_disagreement() -> None:
    assert verify.compare(ARRAYS, {**ARRAYS, "logits": np.array([np.nan], np.float32)}).broken() == ["logits"]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    _, network = small_network("text-spotting-0003-lite")
    path = tmp_path_factory.mktemp("snapshot") / "epoch_1.pth"
    torch.save({"meta": {}, "state_dict": network.state_dict()}, path)
    return path


def run_export(snapshot: Path, folder: Path, *arguments: str, template: str = "text-spotting-0003-lite") -> int:
    config = TEMPLATES / template / "model.py"
    flags = ["--config", config, "--load-weights", snapshot, "--save-model-to", folder, *arguments]
    return run_tool("export", [str(flag) for flag in flags])


def test_the_tool_exports_another_size_in_half_precision(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_export(snapshot, tmp_path / "out", "--no-onnx", "--input-size", "144x96", "--fp16") == 0
    files = {path.name: path for path in (tmp_path / "out").iterdir()}
    assert {name.rsplit(".", 1)[1] for name in files} == {"xml", "bin", "json"}
    assert Spotter(tmp_path / "out").manifest.input_size == (144, 96)
    parameters = sum(tensor.numel() for tensor in torch.load(snapshot)["state_dict"].values())
    once_more = files.pop("model_text_recognizer.bin").stat().st_size  # the encoder's weights again
    assert once_more < files["model_text_recognition_head_encoder.bin"].stat().st_size * 1.1
    assert sum(path.stat().st_size for name, path in files.items() if name.endswith(".bin")) < 2.2 * parameters
    assert "OpenVINO = PyTorch" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--input-size", "250x192"], "--input-size: 250x192: both sides must be multiples of 48"),
        (["--no-onnx", "--no-openvino"], "--no-onnx and --no-openvino leave nothing to export"),
    ],
    ids=["odd size", "no format"],
)
def test_wishes_that_make_no_sense(
    snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert run_export(snapshot, tmp_path / "out", *arguments) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "nothing is left behind"


def test_a_snapshot_of_another_template(snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_export(snapshot, tmp_path / "out", template="text-spotting-0003") == 2
    assert "not a snapshot for this template" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(snapshot: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert run_export(snapshot, tmp_path / "file" / "out") == 2
    assert "cannot write there" in capsys.readouterr().err


def test_an_untrained_network_is_compared_without_threshold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, network = small_network("text-spotting-0003-lite")
    monkeypatch.setitem(network.test_cfg.rcnn, "score_thr", 0.999)
    said: list[str] = []
    made = export(network, plain_manifest(config, (144, 144)), tmp_path, ExportOptions(openvino=False), said.append)
    assert any("no word found on the test image" in line for line in said)
    assert made.agreements["ONNX"].words == 6
    assert network.test_cfg.rcnn.score_thr == 0.999


def test_the_network_itself_is_the_reference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suppression that the graphs do not have: their boxes agree with each other and with no one else."""
    config, network = small_network("text-spotting-0003-lite")
    monkeypatch.setitem(network.test_cfg.rcnn, "nms", {"type": "soft_nms", "iou_threshold": 0.5})
    monkeypatch.setitem(network.test_cfg.rcnn, "max_per_img", 20)
    with pytest.raises(UserError, match=r"ONNX does not agree with PyTorch on the test image: .*nothing was exported"):
        export(network, plain_manifest(config, SIZE), tmp_path, ExportOptions(openvino=False), log=lambda _: None)
    assert not list(tmp_path.iterdir())


def test_the_files_in_half_precision_are_what_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, network = small_network("text-spotting-0003-lite")
    monkeypatch.setattr(verify, "HALF", {**verify.HALF, "logits": 0.0})
    with pytest.raises(UserError, match=r"OpenVINO does not agree with PyTorch .*: logits by"):
        export(network, plain_manifest(config, SIZE), tmp_path, ExportOptions(fp16=True), log=lambda _: None)


def test_manifests_lie_beside_the_graphs_for_those_who_cannot_read_them_inside(exported: Shared) -> None:
    _, folder, _, pytorch = exported
    manifests = json.loads((folder / "manifest.json").read_text())
    assert set(manifests) == {"hidden_size", "text_features", "onnx", "openvino"}
    features, _, size = text_shapes(exported[0])
    assert (manifests["hidden_size"], manifests["text_features"]) == (size, features)
    assert Manifest.from_json(json.dumps(manifests["onnx"]), "") == pytorch.manifest
    assert Manifest.from_json(json.dumps(manifests["openvino"]), "") == Spotter(folder).manifest
