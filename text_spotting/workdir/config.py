"""The model's configuration ``model.py``: read, checked, completed, and written out in one piece."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from text_spotting.alphabet import Alphabet
from text_spotting.errors import UserError
from text_spotting.frames import MARGIN, FrameJitter
from text_spotting.workdir.template import TEMPLATE_NAME, load_template

TRUNK_STRIDES = (4, 8, 16, 32)
"""Of the light trunk's maps, in its own pixels; the pyramid adds one level at twice the last."""
TRUNK_FINEST = 224 / 3
"""Square root of the area in the trunk's own pixels below which a word is looked up in the finest map, halved."""

SURE_PROPOSAL = 0.9
"""Score above which a proposal beyond the usual number is looked at, where a configuration does not say."""
PIXELS_A_COLUMN = 4
"""Of a word's width, for each column that the light reader gives out."""

_REQUIRED = ("model", "input_size", "keep_aspect", "text_thr")
_WITH_ALPHABET = ("SpottingDataset", "WordCropDataset", "SyntheticSource")
_WITH_MARGIN = ("RectifyingExtractor", "WordCropDataset")
"""What cuts words out upright; an extractor of mmdet's pools the features of a box as it is."""


def load_config(path: Path, alphabet: Any = None) -> Any:
    """Return a model's configuration with all that follows from its keys filled in; see docs/configuration.md.

    Args:
        alphabet: what is read where neither the file nor a ``template.yaml`` beside it says, as ``Alphabet.of`` takes
            it.

    Raises:
        UserError: the file is missing, does not load, lacks a key, or holds one that means nothing; or its template is
            broken.
    """
    config = _read(path)
    if "alphabet" not in config and (default := _template_alphabet(path) or alphabet):
        config.alphabet = default
    with mistakes_in(path):
        complete(config)
    return config


def _template_alphabet(path: Path) -> Any:
    template = path.parent / TEMPLATE_NAME
    return load_template(template).alphabet if template.is_file() else None


def flat_config(path: Path, alphabet: Any = None) -> str:
    """Return the Python text of a configuration with everything that it inherits written out.

    Args:
        alphabet: what is read where the file does not say; written out, too, so that whoever wants another finds the
            key.

    Raises:
        UserError: the file or one of its bases is missing or broken.
    """
    from mmengine.config import Config

    config = _read(path)
    settings = {name: value for name, value in config.items() if not name.startswith("_")}  # no local helpers
    if "alphabet" not in settings:
        settings["alphabet"] = alphabet if alphabet is not None else {"name": "alphanumeric"}
    with mistakes_in(path):
        Alphabet.of(settings["alphabet"])
        origin = f"{path.parent.name}/{path.name}"
        return f"# Written out from {origin} with all that it inherits.\n\n{Config(settings).pretty_text}"


def _read(path: Path) -> Any:
    from mmengine.config import Config

    if not path.is_file():
        raise UserError(f"{path}: no such configuration")
    try:
        return Config.fromfile(str(path), import_custom_modules=False)
    except SyntaxError as error:
        raise UserError(f"{path}: the configuration does not load (line {error.lineno}: {error.msg})") from error
    except Exception as error:  # a configuration is a program and can fail in any way
        raise UserError(f"{path}: the configuration does not load ({described(error)})") from error


@contextmanager
def mistakes_in(path: Path | str) -> Iterator[None]:
    """Name the file in whatever goes wrong with its keys."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: a key is missing or of another kind than expected ({described(error)})") from error


@contextmanager
def mistakes_about(key: str) -> Iterator[None]:
    """Turn what goes wrong while something is built of a configuration's key into one line that names it."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:  # what users write into a configuration can fail in any way
        raise UserError(f"model.py: {key} cannot be built ({described(error)})") from error


def described(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def complete(config: Any) -> None:
    """Check a configuration's own keys and fill in, in place, what follows from them; doing it twice changes nothing.

    Raises:
        UserError: a key is missing or means nothing.
    """
    if missing := [key for key in _REQUIRED if key not in config]:
        raise UserError(f"the key {missing[0]} is missing")
    check_size(config)
    config.alphabet = Alphabet.of(config.get("alphabet")).to_dict()
    _set_alphabet(config)
    if "max_words" in config:
        limit_words(config, config.max_words)
    if "word_size" in config:
        _set_word_size(config)
    _set_views(config)
    if "downscale" in config:
        _set_downscale(config)
    if _reads_upright(config):
        config.setdefault("margin", MARGIN)
    if "margin" in config:
        _set_margin(config)


def check_size(config: Any) -> None:
    """Raise ``UserError`` where the input size is no pair of whole numbers of pixels."""
    if not _is_size(config.input_size):
        raise UserError(f"input_size must be (width, height) in pixels, not {config.input_size!r}")


def _is_size(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(side) is int and side > 0 for side in value)


def limit_words(config: Any, most: int) -> None:
    """Let at most ``most`` words of an image be found; an image with few words takes no longer for it.

    Raises:
        UserError: less than none, or no whole number.
    """
    if type(most) is not int or most < 0:
        raise UserError(f"max_words must be a whole number of words, not {most!r}")
    config.max_words = most
    if "test_cfg" not in config.model:  # a recogniser on its own finds none
        return
    proposals, boxes = config.model.test_cfg.rpn, config.model.test_cfg.rcnn
    if "sure_thr" not in proposals:
        proposals.update(usual=min(proposals.get("max_per_img", most), most), sure_thr=SURE_PROPOSAL)
    proposals.usual = min(proposals.usual, most)
    proposals.max_per_img = max(most, 1)
    # A word has several anchors, of which suppression leaves one or two.
    proposals.nms_pre = max(proposals.nms_pre, 3 * most // 2)
    boxes.max_per_img = most


def _set_word_size(config: Any) -> None:
    """Words are cut out at the size that the reader takes, which has a column for every four pixels."""
    size = config.word_size
    if not _is_size(size):
        raise UserError(f"word_size must be (height, width) in pixels, not {size!r}")
    roi_head = config.model.get("roi_head", config.model)
    if "text_roi_extractor" in roi_head:
        roi_head.text_roi_extractor.output_size = tuple(size)
    if "text_head" in roi_head:
        roi_head.text_head.encoder.columns = size[1] // PIXELS_A_COLUMN


def _set_views(config: Any) -> None:
    """Training sees images as large as inference does, and all of them, where its views do not say otherwise."""
    for dataset in _datasets(config):
        for transform in dataset.get("transforms") or ():
            if transform.get("type") == "RandomView":
                transform.setdefault("size", tuple(config.input_size))
                transform.setdefault("fit", tuple(config.input_size))


def _set_alphabet(config: Any) -> None:
    roi_head = config.model.get("roi_head", config.model)  # a recogniser on its own has a text head alone
    if "text_head" in roi_head:
        roi_head.text_head.alphabet = config.alphabet
    for dataset in _datasets(config):
        if dataset.get("type") in _WITH_ALPHABET:
            dataset.alphabet = config.alphabet


def _datasets(config: Any) -> Iterator[Any]:
    dataset = config.get("train_dataloader", {}).get("dataset")
    if dataset is not None:
        yield dataset
        yield from dataset.get("sources", ())


def _set_downscale(config: Any) -> None:
    """A detector that sees the image at ``1 / downscale`` of its resolution has strides and anchors to match."""
    downscale = config.downscale
    if not (isinstance(downscale, int | float) and 1 <= downscale <= 4):
        raise UserError(f"downscale must be a number from 1 to 4, not {downscale!r}")
    strides = [round(stride * downscale) for stride in TRUNK_STRIDES]
    if any(abs(stride * downscale - rounded) > 1e-6 for stride, rounded in zip(TRUNK_STRIDES, strides, strict=True)):
        raise UserError(f"downscale {downscale} gives strides that are no whole pixels; use a multiple of 0.25")
    model = config.model
    if "backbone" not in model:  # a recogniser on its own has no detector
        return
    model.backbone.downscale = downscale
    model.rpn_head.anchor_generator.strides = [*strides, 2 * strides[-1]]
    for extractor in (model.roi_head.bbox_roi_extractor, model.roi_head.mask_roi_extractor):
        extractor.featmap_strides = strides
        extractor.finest_scale = round(TRUNK_FINEST * downscale)
    divisor = strides[-1]
    model.data_preprocessor.pad_size_divisor = divisor
    if any(side % divisor for side in config.input_size):
        raise UserError(
            f"input_size {tuple(config.input_size)}: with downscale {downscale} both sides must be "
            f"multiples of {divisor}"
        )


def _reads_upright(config: Any) -> bool:
    extractor = config.model.get("roi_head", {}).get("text_roi_extractor", {})
    return any(part.get("type") in _WITH_MARGIN for part in (extractor, *_datasets(config)))


def frame_jitter_of(config: Any) -> dict[str, float]:
    """How far training's frames are off, as ``FrameJitter.of`` takes it, in a completed configuration.

    They vary around the margin that words are read with, unless their ``centre`` says otherwise.
    """
    return {"centre": config.margin, **config.get("frame_jitter", {})}


def _set_margin(config: Any) -> None:
    """What is read around a word, and the frames that training reads it in."""
    margin = config.margin
    if not (isinstance(margin, int | float) and 0 <= margin <= 1):
        raise UserError(f"margin must be a share of a word's height from 0 to 1, not {margin!r}")
    jitter = frame_jitter_of(config)
    FrameJitter.of(jitter)
    roi_head = config.model.get("roi_head", {})
    if "text_roi_extractor" in roi_head:
        roi_head.text_roi_extractor.margin = margin
        roi_head.frame_jitter = jitter
    for dataset in _datasets(config):
        if dataset.get("type") == "WordCropDataset":
            dataset.frame_jitter = jitter


def import_custom_modules(config: Any) -> None:
    """Import what ``custom_imports`` names, which registers what the configuration builds of.

    Raises:
        UserError: a module is not there, or fails.
    """
    for name in (config.get("custom_imports") or {}).get("imports", ()):
        try:
            importlib.import_module(name)
        except Exception as error:  # a user's own module can fail in any way
            raise UserError(f"custom_imports: {name} cannot be imported ({described(error)})") from error
