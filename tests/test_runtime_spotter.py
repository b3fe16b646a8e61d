"""An exported model spots words on either back end; what does not fit together is refused in one line."""

import itertools
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import openvino as ov
import pytest
from sample_graphs import EXPORTED, save_ir, save_onnx

from text_spotting.contract import Engine
from text_spotting.decoding import ctc_decode
from text_spotting.errors import UserError
from text_spotting.runtime import session
from text_spotting.runtime.files import BOX
from text_spotting.runtime.onnx_engine import open_session
from text_spotting.runtime.openvino_engine import least_batch, most_streams
from text_spotting.runtime.options import Target
from text_spotting.runtime.reading import PixelReadings, read_pixels
from text_spotting.runtime.session import CORE, PRECISIONS, arithmetic_here, compile_options, default_precision
from text_spotting.runtime.spotter import Spotter
from text_spotting.words import FloatArray, Image, Word

INFERENCE_PRECISION_HINT = "INFERENCE_PRECISION_HINT"
BLUE = np.zeros((40, 80, 3), np.uint8)
BLUE[..., 0] = 255
RED = BLUE[..., ::-1]


@pytest.fixture(scope="module")
def ir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_ir(tmp_path_factory.mktemp("ir"))


@pytest.fixture(scope="module")
def spotter(ir: Path) -> Spotter:
    return Spotter(ir)


def described(words: list[Word]) -> list[tuple[str, float, tuple[float, ...]]]:
    return [(word.text, round(word.score, 4), tuple(round(v, 2) for v in word.box)) for word in words]


FIRST = ("ab", 1.0, (0.0, 0.0, 40.0, 20.0))
SECOND = ("", 0.9, (40.0, 20.0, 80.0, 40.0))


def test_words_are_read_and_placed_in_the_image(spotter: Spotter) -> None:
    assert described(spotter(BLUE)) == [FIRST, SECOND]


def test_the_graph_gets_bytes_in_bgr_order(spotter: Spotter) -> None:
    assert described(spotter(RED)) == [SECOND]


@pytest.mark.parametrize("suffix", [".bin", ".xml", ""], ids=["by its weights", "by its graph", "by its folder"])
def test_a_model_is_found_however_it_is_named(ir: Path, suffix: str) -> None:
    path = ir.with_suffix(suffix) if suffix else ir.parent
    assert described(Spotter(path)(BLUE)) == [FIRST, SECOND]


def test_onnx_spots_the_same_words(tmp_path: Path) -> None:
    assert described(Spotter(save_onnx(tmp_path))(BLUE)) == [FIRST, SECOND]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["IR", "ONNX"])
def test_a_model_with_a_recognizer_reads_the_pixels_of_the_image(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def from_pixels_alone(
        engine: Engine, image: Image, frames: FloatArray, scores: FloatArray, features: FloatArray, *limits: Any
    ) -> PixelReadings:
        return read_pixels(engine, image, frames, *limits)

    monkeypatch.setattr("text_spotting.runtime.pipeline.read_twice", from_pixels_alone)
    named = replace(EXPORTED, recognizer="model_recognizer.xml")
    model = save_ir(tmp_path, named) if kind == "IR" else save_onnx(tmp_path, "model_recognizer.onnx")
    two_colors = BLUE.copy()
    two_colors[:, 20:] = RED[:, 20:]
    blue = Spotter(model)(BLUE)
    assert [word.text for word in blue] == ["a", "a"], "the decoder would have read one, and spelt it otherwise"
    assert blue[0].char_scores == pytest.approx((1.0,), abs=1e-4)
    half_blue, red = Spotter(model, min_score=0.2)(two_colors)
    assert (half_blue.text, red.text) == ("a", "")


def test_a_missing_recognizer_is_named(tmp_path: Path) -> None:
    model = save_ir(tmp_path, replace(EXPORTED, recognizer="model_recognizer.xml"))
    (tmp_path / "model_recognizer.xml").unlink()
    with pytest.raises(UserError, match=r"model_recognizer.xml: the recognizer's graph is missing"):
        Spotter(model)


def test_only_allowed_characters_are_read(ir: Path) -> None:
    spotter = Spotter(ir, allow="a")
    spotter.manifest = replace(spotter.manifest, text_thr=0.4)
    assert [word.text for word in spotter(BLUE)] == ["a", ""]


def test_an_image_without_words_has_none(tmp_path: Path) -> None:
    assert Spotter(save_ir(tmp_path, replace(EXPORTED, score_thr=0.95)))(RED) == []


def test_bf16_or_a_clear_refusal(ir: Path) -> None:
    try:
        words = Spotter(ir, precision="bf16")(BLUE)
    except UserError as error:
        assert "this CPU does not compute in bf16" in str(error)
    else:
        assert [word.text for word in words] == ["ab", ""]


def test_a_model_gets_the_precision_that_it_asks_for_unless_its_user_asks_for_another() -> None:
    assert Target().unless_asked("f32").precision == "f32"
    assert Target(precision="bf16").unless_asked("f32").precision == "bf16"
    assert Target().unless_asked("").precision is None


def test_openvino_chooses_the_precision_unless_told(ir: Path, spotter: Spotter) -> None:
    assert INFERENCE_PRECISION_HINT not in compile_options(Target())
    assert compile_options(Target(precision="f32"))[INFERENCE_PRECISION_HINT] == ov.Type.f32
    chosen = CORE.compile_model(ir, "CPU").get_property(INFERENCE_PRECISION_HINT)
    assert PRECISIONS[default_precision(spotter.manifest)] == chosen
    assert default_precision(replace(spotter.manifest, precision="f16")) == "f16", "what a model wants comes first"


@pytest.fixture(scope="module")
def quantized_too(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and beside it "in INT8" another that says so by its greatest number of words."""
    folder = tmp_path_factory.mktemp("both")
    (folder / "int8").mkdir()
    save_ir(folder / "int8", replace(EXPORTED, max_words=8))
    return save_ir(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "precision", "int8"),
    [
        ({"avx", "avx2", "avx512_vnni", "avx512_bf16"}, None, True),
        ({"avx", "avx2"}, None, True),
        ({"avx"}, None, False),
        (set(), None, False),
        ({"avx", "avx2"}, "f32", False),
        ({"avx"}, "int8", True),
    ],
    ids=["VNNI", "AVX2", "no AVX2", "unknown processor", "float32 asked for", "INT8 asked for"],
)
def test_int8_is_taken_where_it_is_fastest_or_asked_for(
    quantized_too: Path, monkeypatch: pytest.MonkeyPatch, flags: set[str], precision: str | None, int8: bool
) -> None:
    monkeypatch.setattr(session, "_processor_flags", lambda: flags)
    assert (Spotter(quantized_too, precision=precision).manifest.max_words == 8) == int8


def test_what_a_model_is_computed_in_is_told(quantized_too: Path, ir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_processor_flags", lambda: {"avx2"})
    assert arithmetic_here(quantized_too) == "computed in int8, the fastest on this processor"
    assert arithmetic_here(ir) == f"computed in {default_precision(EXPORTED)}"


@pytest.mark.slow
def test_a_word_alone_is_read_in_int8_as_it_is_among_others() -> None:
    """OpenVINO would compute a batch of one wrongly."""
    engine = Spotter(BOX / "int8", precision="f32").engine
    crops = np.full((3, 32, 96, 3), 220, np.uint8)
    for crop, text in zip(crops, ("open", "exit", "four"), strict=True):
        cv2.putText(crop, text, (4, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2)
    alone, among = engine.recognize(crops[:1]), engine.recognize(crops)
    assert alone.shape == (1, 24, len(engine.manifest.symbols))
    assert [reading.text for reading in ctc_decode(among, engine.manifest)] == ["open", "exit", "four"]
    assert alone[0] == pytest.approx(among[0], abs=0.1)


@pytest.mark.parametrize(
    ("flags", "least"),
    [({"avx2"}, 1), ({"avx2", "avx512f"}, 2), ({"avx2", "avx_vnni"}, 2), (set(), 2)],
    ids=["AVX2", "AVX-512", "VNNI", "unknown processor"],
)
def test_int8_words_go_alone_where_that_is_computed_right(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], least: int
) -> None:
    monkeypatch.setattr(session, "_processor_flags", lambda: flags)
    assert least_batch(CORE.read_model(BOX / "int8" / "model_text_recognizer.xml")) == least
    assert least_batch(CORE.read_model(BOX / "model_text_recognizer.xml")) == 1


@pytest.mark.parametrize(
    ("target", "streams"),
    [(Target(threads=1), 1), (Target(threads=2), 2), (Target(threads=16), 4), (Target(threads=2, streams=3), 3)],
)
def test_every_core_reads_words_of_its_own(target: Target, streams: int) -> None:
    assert most_streams(target) == streams
    assert most_streams(replace(target, device="GPU", streams=1)) == 1


def test_int8_that_is_not_there_is_told(ir: Path) -> None:
    with pytest.raises(UserError, match=r"holds no INT8 model \(int8/model.xml\); make one with tools/compress.py"):
        Spotter(ir, precision="int8")


def test_flags_of_a_processor_are_read_as_linux_lists_them(tmp_path: Path) -> None:
    listing = tmp_path / "cpuinfo"
    listing.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx_vnni\n\nprocessor\t: 1\nflags\t\t: other\n")
    assert session._processor_flags(listing) == {"fpu", "avx2", "avx_vnni"}
    assert session._processor_flags(tmp_path / "no such file") == set()


def test_a_stream_keeps_the_order_of_its_frames(spotter: Spotter) -> None:
    frames = [BLUE, RED, RED, BLUE, RED]
    found = list(spotter.stream(frames))
    assert [len(words) for _, words in found] == [2, 1, 1, 2, 1]
    assert all(shown is given for (shown, _), given in zip(found, frames, strict=True))


def test_a_stream_takes_no_more_frames_than_it_works_on(spotter: Spotter) -> None:
    taken = itertools.count()
    stream = spotter.stream((next(taken), BLUE)[1] for _ in range(1000))
    next(stream)
    stream.close()
    assert next(taken) == spotter.streams + 1


def test_a_stream_that_breaks_gives_what_it_had_and_then_the_reason(spotter: Spotter) -> None:
    def frames() -> Iterator[Image]:
        yield BLUE
        yield RED
        raise UserError("the camera went away")

    stream = spotter.stream(frames())
    assert len(next(stream)[1]) == 2
    assert len(next(stream)[1]) == 1
    with pytest.raises(UserError, match="the camera went away"):
        next(stream)
    assert threading.active_count() < 10


def test_threads_may_share_a_spotter(spotter: Spotter) -> None:
    images = [BLUE, RED] * 50
    with ThreadPoolExecutor(4) as pool:
        counts = [len(words) for words in pool.map(spotter, images)]
    assert counts == [2, 1] * 50


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"device": "TOASTER"}, "no device 'TOASTER' here; there is .*CPU"),
        ({"precision": "f8"}, "precision 'f8' is unknown; choose one of f32, bf16, f16"),
        ({"streams": 0}, "streams=0: must be 1 or more"),
        ({"threads": -1}, "threads=-1: must be 0"),
        (
            {"allow": "\u00e4\u00f6"},
            "the model cannot read \u00e4 \u00f6; its alphabet is abcdefghijklmnopqrstuvwxyz0123456789",
        ),
        ({"color": "hsv"}, "color 'hsv' is unknown; choose 'bgr' or 'rgb'"),
    ],
    ids=[
        "foreign device",
        "unknown precision",
        "no stream",
        "fewer than no thread",
        "foreign characters",
        "unknown color order",
    ],
)
def test_wishes_that_cannot_be_met(ir: Path, arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Spotter(ir, **arguments)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"device": "GPU"}, "device='GPU'"),
        ({"precision": "bf16"}, "precision='bf16'"),
        ({"cache_dir": "kept"}, "cache_dir='kept'"),
    ],
    ids=str,
)
def test_what_onnxruntime_cannot_follow_is_refused_in_one_line(
    tmp_path: Path, arguments: dict[str, Any], named: str
) -> None:
    model = save_onnx(tmp_path)
    complaint = f"{named} cannot be had with model.onnx: onnxruntime runs .onnx on the CPU in f32; leave it out"
    with pytest.raises(UserError, match=complaint):
        Spotter(model, **arguments)


def test_what_onnxruntime_can_follow_is_followed(tmp_path: Path) -> None:
    spotter = Spotter(save_onnx(tmp_path), precision="f32", streams=3, threads=1)
    found = list(spotter.stream([BLUE] * 5))
    assert [len(words) for _, words in found] == [2] * 5
    assert spotter.streams == 3


def test_threads_of_onnxruntime_do_not_spin_while_those_of_another_graph_work(tmp_path: Path) -> None:
    options = open_session(save_onnx(tmp_path)).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_openvino_keeps_compiled_models_where_it_is_told(ir: Path, tmp_path: Path) -> None:
    Spotter(ir, cache_dir=tmp_path / "cache")(BLUE)
    assert list((tmp_path / "cache").glob("*.blob"))


def test_an_engine_is_used_as_it_is(ir: Path) -> None:
    engine = Spotter(ir).engine
    assert described(Spotter(engine)(BLUE)) == [FIRST, SECOND]
    with pytest.raises(UserError, match="precision='f32' cannot be had with an engine"):
        Spotter(engine, precision="f32")


def test_a_model_without_manifest_names_the_tool_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"model.xml: holds no manifest; export .* tools/export.py"):
        Spotter(save_ir(tmp_path, manifest=None))


@pytest.mark.parametrize("role", ["encoder", "decoder"])
def test_a_missing_text_graph_is_named(tmp_path: Path, role: str) -> None:
    model = save_ir(tmp_path)
    (tmp_path / getattr(EXPORTED, role)).unlink()
    with pytest.raises(UserError, match=f"head_{role}.xml: the text {role}'s graph is missing"):
        Spotter(model)


def test_an_encoder_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"head_encoder.xml: takes .* come from different models"):
        Spotter(save_ir(tmp_path, encoder_channels=5))


def test_a_graph_in_the_wrong_place_is_refused(tmp_path: Path) -> None:
    model = save_ir(tmp_path)
    for suffix in (".xml", ".bin"):
        encoder = (tmp_path / EXPORTED.encoder).with_suffix(suffix)
        shutil.copy(encoder, (tmp_path / EXPORTED.decoder).with_suffix(suffix))
    with pytest.raises(UserError, match=r"head_decoder.xml: has no input named prev_symbol, .* \(there: input\)"):
        Spotter(model)


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("model.xml", b"<net", "OpenVINO cannot read it"),
        ("model.onnx", b"junk", "onnxruntime cannot read it"),
        ("model.pth", b"", r"not an exported model .* tools/export.py"),
    ],
    ids=["broken IR", "broken ONNX", "a checkpoint"],
)
def test_files_that_are_no_model(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        Spotter(tmp_path / name)


def test_an_empty_folder_and_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no model.xml or model.onnx"):
        Spotter(tmp_path)
    with pytest.raises(UserError, match=r"nowhere.xml: the detector's graph is missing"):
        Spotter(tmp_path / "nowhere.xml")
