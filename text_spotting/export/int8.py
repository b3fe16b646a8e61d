"""Post-training quantization of an exported model to INT8, as far as its accuracy allows."""

import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from text_spotting.errors import UserError
from text_spotting.export import coordinates
from text_spotting.export.report import AccuracyDrop, Measurement, accuracy_drops
from text_spotting.manifest import KEY, Manifest
from text_spotting.pictures import read_picture
from text_spotting.postprocess import select
from text_spotting.preprocess import prepare
from text_spotting.runtime.files import graph_files, weight_files
from text_spotting.runtime.session import CORE
from text_spotting.words import FloatArray

ENOUGH_PICTURES = 300
"""Calibration pictures that NNCF advises; more hardly change the ranges of activations."""

_MOST_WORDS = 1000
"""Words that calibrate the text encoder."""

_SMOOTHING = 0.5
"""How much of the channels' differences in range moves from activations to weights (SmoothQuant, arXiv 2211.10438)."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much is quantized; the decoder never is: it is small, and its errors add up over the symbols.

    Attributes:
        name: for reports.
        kept: patterns of detector layers that keep full precision.
        encoder: whether the text encoder is quantized.
        rest: what all that is not quantized is computed in; empty for what the processor prefers.
    """

    name: str
    kept: tuple[str, ...] = ()
    encoder: bool = True
    rest: str = ""


_BOX_REGRESSION = (r".*fc_reg.*", r".*rpn_reg.*")
_AFTER_SUM = (r"^/?neck/(smooth|out|fpn_convs).*",)
_HEADS = (r"^/?boxes/.*", r"^/?proposals/.*", r".*mask_head.*")
LEVELS = (
    Level("detector and text encoder"),
    Level("detector", encoder=False),
    Level("detector without box regression", _BOX_REGRESSION, encoder=False),
    Level("backbone and neck", _HEADS, encoder=False),
    Level("backbone and laterals, the rest in float32", (*_HEADS, *_AFTER_SUM), encoder=False, rest="f32"),
)
"""From the fastest to the most careful; the text encoder costs most accuracy, so it is the first to be left out."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What quantization looks at.

    Attributes:
        images: [1, 3, H, W] detector inputs.
        words: [1, C, h, w] text encoder inputs.
    """

    images: list[FloatArray]
    words: list[FloatArray]


def collect(detector: Path, manifest: Manifest, images: Iterable[Path]) -> Calibration:
    """Prepare the pictures in which the detector finds words, and those words.

    Raises:
        UserError: a picture cannot be read, or no word is found in any of them.
    """
    compiled = CORE.compile_model(detector, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    tensors: list[FloatArray] = []
    words: list[FloatArray] = []
    seen = 0
    for path in images:
        seen += 1
        tensor, _ = prepare(read_picture(path), manifest)
        result = compiled(tensor)
        rows = select(result["boxes"], manifest)
        # Without a word the mask head runs on nothing, and the mean of nothing spoils its bias correction.
        if len(rows):
            tensors.append(tensor)
            words.extend(np.ascontiguousarray(word[None]) for word in result["text_features"][rows])
    if not words:
        raise UserError(f"{detector} finds no word in the {seen} calibration pictures; train it first")
    return Calibration(tensors, words[:_MOST_WORDS])


def quantize(source: Path, manifest: Manifest, calibration: Calibration, level: Level, folder: Path) -> None:
    """Write the IRs of ``source`` into ``folder``, quantized as ``level`` says."""
    encoder = graph_files(source, manifest).encoder
    for path in weight_files(source, manifest):
        shutil.copyfile(path, folder / path.name)
    detector = quantize_graph(CORE.read_model(source), calibration.images, level.kept)
    detector.set_rt_info(replace(manifest, precision=level.rest).to_json(), [KEY])
    ov.save_model(detector, folder / source.name, compress_to_fp16=False)
    coordinates.mark_float32_layers(folder / source.name)
    if level.encoder:
        graph = quantize_graph(CORE.read_model(encoder), calibration.words, ())
        ov.save_model(graph, folder / encoder.name, compress_to_fp16=False)


def require_layers(graph: ov.Model, patterns: Sequence[str]) -> None:
    """Raise ``UserError`` where a pattern matches none of the graph's layers: a module has another name than it had."""
    names = [node.get_friendly_name() for node in graph.get_ordered_ops()]
    for pattern in patterns:
        if not any(re.match(pattern, name) for name in names):
            raise UserError(
                f"{graph.get_friendly_name()} has no layer like {pattern}, which was to keep full precision"
            )


def quantize_graph(graph: ov.Model, inputs: Sequence[FloatArray], kept: Sequence[str]) -> ov.Model:
    """Return the graph with INT8 weights and activations, except layers whose names match a pattern of ``kept``.

    Channels are smoothed beforehand, which gains lite's pyramid some 2.5 dB of signal to noise.

    Args:
        inputs: what the graph will meet, to find the ranges of activations.

    Raises:
        UserError: a pattern matches no layer, so a level would quantize what it says it keeps.
    """
    require_layers(graph, kept)
    # NNCF reports its use over the network unless it believes to be tested.
    os.environ.setdefault("NNCF_CI", "1")
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, AdvancedSmoothQuantParameters

    info = {key: graph.get_rt_info([key]).value for key in graph.rt_info}
    quantized: Any = nncf.quantize(
        graph,
        nncf.Dataset(inputs),
        preset=nncf.QuantizationPreset.MIXED,
        model_type=nncf.ModelType.TRANSFORMER,  # what NNCF smooths; no other kind
        advanced_parameters=AdvancedQuantizationParameters(
            smooth_quant_alphas=AdvancedSmoothQuantParameters(convolution=_SMOOTHING, matmul=_SMOOTHING)
        ),
        subset_size=len(inputs),
        fast_bias_correction=False,  # takes twice as long and loses less
        # Coordinates are computed in the detector alone; what a level keeps has been looked for above.
        ignored_scope=nncf.IgnoredScope(patterns=[*coordinates.LAYERS, *kept], validate=False),
    )
    for key, value in info.items():
        quantized.set_rt_info(value, [key])
    return quantized


@dataclass(frozen=True, slots=True)
class Trial:
    """One tried level.

    Attributes:
        level: what was quantized.
        folder: where it lies.
        measured: what it gets on the validation pictures.
        drops: what each metric lost.
    """

    level: Level
    folder: Path
    measured: Measurement
    drops: dict[str, AccuracyDrop]

    @property
    def largest_drop(self) -> float:
        """Points, 0..100, lost by the metric that lost most."""
        return max(drop.points for drop in self.drops.values())

    @property
    def spread(self) -> float:
        """Half the width of the widest interval that a loss lies in."""
        return max((drop.high - drop.low) / 2 for drop in self.drops.values())


def search(
    make: Callable[[Level, Path], None],
    score: Callable[[Path], Measurement],
    baseline: Measurement,
    most_drop: float,
    folder: Path,
    log: Callable[[str], None],
) -> Trial:
    """Try levels until one loses at most ``most_drop`` points; else return the one that loses least.

    Args:
        make: quantizes at a level into a folder.
        score: measures the model in a folder on the validation pictures.
        baseline: the same of the model before.
        most_drop: points that may be lost.
        folder: scratch space.
        log: takes a line on each step.
    """
    tried: list[Trial] = []
    for number, level in enumerate(LEVELS):
        place = folder / str(number)
        place.mkdir()
        log(f"quantizing {level.name}")
        make(level, place)
        measured = score(place)
        trial = Trial(level, place, measured, accuracy_drops(baseline.counts, measured.counts))
        log("  lost: " + ", ".join(f"{name} {drop}" for name, drop in trial.drops.items()))
        tried.append(trial)
        if trial.largest_drop <= most_drop:
            return trial
    return min(tried, key=lambda trial: trial.largest_drop)
