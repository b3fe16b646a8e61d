"""Post-training quantization of an exported model to INT8, as far as its accuracy allows."""

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import openvino as ov

from text_spotting.errors import UserError
from text_spotting.export import coordinates
from text_spotting.export.layers import require_layers
from text_spotting.export.report import AccuracyDrop, Measurement, accuracy_drops
from text_spotting.frames import widen
from text_spotting.image_files import read_image
from text_spotting.manifest import KEY, Manifest
from text_spotting.preprocess import normalise, prepare
from text_spotting.runtime import pipeline
from text_spotting.runtime.files import GraphFiles, graph_files, weight_files
from text_spotting.runtime.openvino_engine import OpenVinoEngine
from text_spotting.runtime.options import Target
from text_spotting.runtime.reading import word_crops
from text_spotting.runtime.session import CORE
from text_spotting.words import FloatArray, Image

_MOST_WORDS = 300
"""Words that calibrate the recognizer; more take time and change nothing."""

_SMOOTHING = 0.5
"""How much of the channels' differences in range moves from activations to weights (SmoothQuant, arXiv 2211.10438)."""


@dataclass(frozen=True, slots=True)
class Level:
    """How much is quantized.

    The recognizer always is, where there is one, but for ``READER_KEPT``. Encoder and decoder never are: errors add up
    over the symbols, and with a recognizer they read the doubtful words alone.

    Attributes:
        name: for reports.
        kept: patterns of detector layers that keep full precision.
        rest: what all that is not quantized is computed in; empty for what the processor prefers.
    """

    name: str
    kept: tuple[str, ...] = ()
    rest: str = ""


_BOX_REGRESSION = (r".*fc_reg.*", r".*rpn_reg.*")
_AFTER_SUM = (r"^/?neck/(smooth|out|fpn_convs).*",)
_HEADS = (r"^/?boxes/.*", r"^/?proposals/.*", r".*mask_head.*")
LEVELS = (
    Level("detector"),
    Level("detector without box regression", _BOX_REGRESSION),
    Level("backbone and neck", _HEADS),
    Level("backbone and laterals, the rest in float32", (*_HEADS, *_AFTER_SUM), rest="f32"),
)
"""From the fastest, which mostly is accurate enough, to the most careful."""
READER_KEPT = (r".*mixers.*", r".*(beside|enter|local).*", r".*classifier.*", r".*stages\.0\.0.*")
"""Layers of the recognizer that keep full precision: the first, and what follows the trunk."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What quantization looks at.

    Attributes:
        images: [1, 3, H, W] detector inputs.
        words: [1, 3, 32, w] recognizer inputs; none for a model without one.
    """

    images: list[FloatArray]
    words: list[FloatArray]


def collect(detector: Path, manifest: Manifest, images: Iterable[Path]) -> Calibration:
    """Prepare the images in which the detector finds words, and those words.

    Raises:
        UserError: an image cannot be read, or no word is found in any of them.
    """
    engine = OpenVinoEngine(detector, Target(precision="f32"))
    engine.manifest = manifest
    tensors: list[FloatArray] = []
    words: list[FloatArray] = []
    seen = 0
    for path in images:
        seen += 1
        image = read_image(path)
        found = pipeline.find(engine, *pipeline.prepare(engine, image))
        # Without a word the mask head runs on nothing, and the mean of nothing spoils its bias correction.
        if len(found.boxes):
            tensors.append(prepare(image, manifest)[0])
            words.extend(_crops(image, found.frames, manifest))
    if not tensors:
        raise UserError(f"{detector} finds no word in the {seen} calibration images; train it first")
    return Calibration(tensors, words[:: max(1, len(words) // _MOST_WORDS)][:_MOST_WORDS])


def _crops(image: Image, frames: FloatArray, manifest: Manifest) -> Iterator[FloatArray]:
    if not manifest.recognizer:
        return
    for _, crops in word_crops(image, widen(frames, manifest.read_margin), manifest.read_stretch):
        yield from normalise(crops, manifest)[:, None]


Passes = Callable[[Sequence[FloatArray], str], Iterable[FloatArray]]
"""Hands on calibration inputs, for the graph of that name, and shows how far they are; each is passed several times."""


def _unseen(inputs: Sequence[FloatArray], graph: str) -> Iterable[FloatArray]:
    return inputs


def quantize(
    source: Path, manifest: Manifest, calibration: Calibration, level: Level, folder: Path, passes: Passes = _unseen
) -> None:
    """Write the IRs of ``source`` into ``folder``, quantized as ``level`` says, and what NNCF says into ``LOG``."""
    files = graph_files(source, manifest)
    for path in weight_files(source, manifest):
        shutil.copyfile(path, folder / path.name)
    with _nncf_writes_to(folder / LOG):
        _quantize_graphs(files, manifest, calibration, level, folder, passes)


LOG = "compression.log"


@contextmanager
def _nncf_writes_to(path: Path) -> Iterator[None]:
    """It has several hundred lines for each graph, and bars."""
    # It reports its use over the network unless it believes to be tested.
    os.environ.setdefault("NNCF_CI", "1")
    from nncf.common.logging import nncf_logger

    handler, kept = logging.FileHandler(path), nncf_logger.handlers[:]
    nncf_logger.handlers[:] = [handler]
    try:
        with contextlib.redirect_stdout(handler.stream):
            yield
    finally:
        nncf_logger.handlers[:] = kept
        handler.close()


def _quantize_graphs(
    files: GraphFiles, manifest: Manifest, calibration: Calibration, level: Level, folder: Path, passes: Passes
) -> None:
    source = files.detector
    images = _Passed(calibration.images, "detector", passes)
    detector = quantize_graph(CORE.read_model(source), images, (*coordinates.LAYERS, *level.kept))
    detector.set_rt_info(replace(manifest, precision=level.rest).to_json(), [KEY])
    ov.save_model(detector, folder / source.name, compress_to_fp16=True)
    coordinates.mark_float32_layers(folder / source.name)
    if files.recognizer:
        words = _Passed(calibration.words, "recognizer", passes)
        recognizer = quantize_graph(CORE.read_model(files.recognizer), words, READER_KEPT)
        ov.save_model(recognizer, folder / files.recognizer.name, compress_to_fp16=True)


@dataclass(frozen=True, slots=True)
class _Passed:
    """Calibration inputs, each pass through which is shown."""

    inputs: Sequence[FloatArray]
    graph: str
    passes: Passes

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[FloatArray]:
        yield from self.passes(self.inputs, self.graph)


def quantize_graph(graph: ov.Model, inputs: "Sequence[FloatArray] | _Passed", kept: Sequence[str]) -> ov.Model:
    """Return the graph with INT8 weights and activations, except layers whose names match a pattern of ``kept``.

    Channels are smoothed beforehand, which gains lite's pyramid some 2.5 dB of signal to noise.

    Args:
        inputs: what the graph will meet, to find the ranges of activations.

    Raises:
        UserError: a pattern matches no layer, so what is to be kept would be quantized.
    """
    require_layers(graph.get_friendly_name(), [node.get_friendly_name() for node in graph.get_ordered_ops()], kept)
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
        # The other way runs parts of the graph on what other parts gave before: numbers of boxes do not fit together.
        fast_bias_correction=True,
        # All of them have been looked for above; NNCF looks only among the layers that it would quantize.
        ignored_scope=nncf.IgnoredScope(patterns=list(kept), validate=False),
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
        measured: what it gets on the validation images.
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
        score: measures the model in a folder on the validation images.
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
