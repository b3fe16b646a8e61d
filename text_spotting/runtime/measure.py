"""Where an exported model's time goes, and how near it comes to what the machine can do."""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import openvino as ov
from openvino import opset13 as ops

from text_spotting.contract import (
    ENCODER_OUTPUTS,
    HIDDEN,
    LOGITS,
    PREVIOUS_HIDDEN,
    PREVIOUS_SYMBOL,
    flatten_positions,
    initial_hidden,
)
from text_spotting.decoding import greedy_decode
from text_spotting.preprocess import to_bgr
from text_spotting.runtime import pipeline
from text_spotting.runtime.openvino_engine import OpenVinoEngine, take_bytes
from text_spotting.runtime.reading import read_features
from text_spotting.runtime.session import CORE, PRECISIONS
from text_spotting.words import FloatArray, Image

_PEAK_SIDE = 2048


def timed(work: Callable[[], object], repeats: int = 5) -> float:
    """Median seconds of a call, after one to warm up."""
    work()
    spent = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return median(spent)


def matrix_peak(precision: str, threads: int = 0) -> float:
    """Return the GFLOP/s that OpenVINO reaches here on a large matrix product in ``f32``, ``bf16`` or ``i8``."""
    left = ops.parameter([_PEAK_SIDE, _PEAK_SIDE], np.float32)
    right = np.random.default_rng(0).standard_normal((_PEAK_SIDE, _PEAK_SIDE), np.float32)
    product = ops.matmul(_bytes(left), _bytes(ops.constant(right)), False, True) if precision == "i8" else None
    product = product or ops.matmul(left, right, False, True)
    hint = PRECISIONS.get(precision, ov.Type.f32)
    options = {"INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    # Only a sum leaves the graph: copying the product out would be timed too.
    model = ov.Model([ops.reduce_sum(product, np.array([0, 1]))], [left])
    request = CORE.compile_model(model, "CPU", options).create_infer_request()
    request.set_input_tensor(ov.Tensor(right))
    return 2 * _PEAK_SIDE**3 / timed(request.infer, 7) / 1e9


def _bytes(node: Any) -> Any:
    """The quantization that NNCF writes for symmetric INT8."""
    low, high = np.float32(-4), np.float32(4 * 127 / 128)
    return ops.fake_quantize(node, low, high, low, high, 256)


@dataclass(frozen=True, slots=True)
class Stages:
    """Median seconds of the stages of one image.

    Attributes:
        words: detections read.
        prepare, detect, read, finish: resizing; the detector; reading; masks to polygons.
    """

    words: int
    prepare: float
    detect: float
    read: float
    finish: float

    @property
    def total(self) -> float:
        """All four."""
        return self.prepare + self.detect + self.read + self.finish


def stages(engine: OpenVinoEngine, image: Image, repeats: int = 5) -> Stages:
    """Time the stages of an image one by one."""
    bgr = to_bgr(image)
    canvas, scale = pipeline.prepare(engine, bgr)
    found = pipeline.find(engine, canvas, scale)
    readings, frames = pipeline.read(engine, bgr, found)
    return Stages(
        words=len(readings),
        prepare=timed(lambda: pipeline.prepare(engine, to_bgr(image)), repeats),
        detect=timed(lambda: pipeline.find(engine, canvas, scale), repeats),
        read=timed(lambda: pipeline.read(engine, bgr, found), repeats),
        finish=timed(lambda: pipeline.finish(engine, bgr, found, frames, readings), repeats),
    )


@dataclass(frozen=True, slots=True)
class LayerTimes:
    """The detector's own account of one inference.

    Attributes:
        by_kind: milliseconds by kind of layer, longest first.
        convolution_gflops: arithmetic of the dense convolutions and fully connected layers on the whole image.
        convolution_ms: what they took.
        depthwise_ms: what convolutions of single channels took; memory, not arithmetic, bounds those.
    """

    by_kind: list[tuple[str, float]]
    convolution_gflops: float
    convolution_ms: float
    depthwise_ms: float

    @property
    def gflops_per_second(self) -> float:
        """GFLOP/s of the dense convolutions."""
        return 1000 * self.convolution_gflops / self.convolution_ms if self.convolution_ms else 0.0


def layer_times(detector: Path, canvas: Image, precision: str, threads: int = 0) -> LayerTimes:
    """Profile the detector on a canvas of its size: medians over several inferences."""
    model = take_bytes(CORE.read_model(detector))
    work = _arithmetic(model)
    options = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "PERF_COUNT": True, "NUM_STREAMS": 1}
    request = CORE.compile_model(model, "CPU", {**options, "INFERENCE_NUM_THREADS": threads}).create_infer_request()
    request.set_input_tensor(ov.Tensor(canvas[None]))
    runs = []
    for _ in range(6):
        request.infer()
        runs.append({info.node_name: info for info in request.profiling_info})
    kinds: defaultdict[str, float] = defaultdict(float)
    dense_ms = depthwise_ms = gflops = 0.0
    for name, info in runs[-1].items():
        spent = median(run[name].real_time.total_seconds() for run in runs[1:] if name in run) * 1000
        kinds[info.node_type] += spent
        if info.node_type == "GroupConvolution":
            depthwise_ms += spent
        elif (flops := work.get(re.sub(r"_original$", "", name))) and spent:
            gflops += flops / 1e9
            dense_ms += spent
    longest_first = sorted(kinds.items(), key=lambda kind: -kind[1])
    return LayerTimes(longest_first, gflops, dense_ms, depthwise_ms)


def _arithmetic(model: ov.Model) -> dict[str, float]:
    """Operations (2 x multiply-accumulates) of the convolutions whose sizes do not depend on the image's content."""
    work = {}
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Convolution" and not node.output(0).partial_shape.is_dynamic:
            kernel = node.input_value(1).shape
            work[node.get_friendly_name()] = 2.0 * float(np.prod(node.output(0).shape)) * float(np.prod(kernel[1:]))
    return work


def batch_against_loop(
    engine: OpenVinoEngine, files: Sequence[Path], words: FloatArray, precision: str
) -> tuple[float, float]:
    """Seconds to read ``words`` [N, C, h, w] in one batch, and one by one as clients of single-word graphs do.

    Args:
        engine: the runtime's.
        files: text encoder and decoder as exported, for one word at a time.
        words: text features.
        precision: what the loop computes in, as ``engine`` does.
    """
    options = {"INFERENCE_PRECISION_HINT": PRECISIONS[precision], "NUM_STREAMS": 1}
    encoder, decoder = (CORE.compile_model(file, "CPU", options) for file in files)

    def one_by_one() -> None:
        for word in words:
            encoded = encoder(word[None])[0]
            memory = flatten_positions(encoded)

            def step(symbols: Any, hidden: Any, memory: Any = memory) -> Any:
                result = decoder({PREVIOUS_SYMBOL: symbols, PREVIOUS_HIDDEN: hidden, ENCODER_OUTPUTS: memory})
                return result[LOGITS], result[HIDDEN]

            greedy_decode(step, initial_hidden(1, engine.hidden_size), 1, engine.manifest)

    return timed(lambda: read_features(engine, words), 3), timed(one_by_one, 3)


def lettered_image(words: int, width: int = 1280, height: int = 720) -> Image:
    """Return an image with so many plain words on a grid, to see what a word costs."""
    image = np.full((height, width, 3), 200, np.uint8)
    columns = 8
    for index in range(words):
        row, column = divmod(index, columns)
        place = (column * width // columns + 20, (row % 13) * height // 13 + 40)
        text = f"{'abcdefghij'[index % 10]}{'klmnopqrst'[index // 10 % 10]}on{index}"
        cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20, 20, 20), 2, cv2.LINE_AA)
    return image
