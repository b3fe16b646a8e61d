"""The one object that users of a model need."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, overload

from text_spotting.constraints import Lexicon
from text_spotting.contract import Engine
from text_spotting.decoding import allowed_classes
from text_spotting.errors import UserError
from text_spotting.files.reading import read_word_list
from text_spotting.images import load_image
from text_spotting.manifest import Manifest
from text_spotting.result.found import Words
from text_spotting.runtime import pipeline
from text_spotting.runtime.files import find_detector
from text_spotting.runtime.options import Target, open_engine

Source = TypeVar("Source")


class Spotter:
    """Finds and reads the words of images.

    ::

        spotter = Spotter()
        words = spotter("photo.jpg")
        print(words.text)

    Calls from several threads are safe.

    Args:
        model: an exported model, named by its folder, ``.xml``, ``.bin`` or ``.onnx``; the model in the box when left
            out; or an engine, such as ``engine.torch_engine.TorchEngine``.
        device: an OpenVINO device name; the CPU by default.
        precision: arithmetic, ``"f32"``, ``"bf16"`` or ``"f16"`` where the device has it, or ``"int8"`` where the
            model was quantized, as the one in the box. By default what the model asks for, or else what is fastest:
            INT8 on processors that have AVX2, and on others what OpenVINO chooses. Boxes and places of
            samples are always computed in float32. ``.onnx`` models compute in ``"f32"``.
        streams: images that are computed side by side; more streams trade an image's latency for images
            per second.
        threads: cores to use; 0 is all of them.
        cache_dir: where OpenVINO keeps compiled models to start faster the next time.
        color: order of the channels of arrays that are given, ``"bgr"`` as OpenCV has it, or ``"rgb"``.
        min_score: least score of a word; by default the model's own.
        lexicon: words to read, or a file of them, one a line; a reading becomes the likeliest one, and is left
            unread where that is far from what was seen.
        allow: characters to read, or the name of a ready alphabet; every reading is made of these alone. By default all
            that the model knows.

    Raises:
        UserError: the files are missing, do not belong together or hold no manifest, or an option is not available
            here or for this kind of model.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Engine | None = None,
        device: str = "CPU",
        precision: str | None = None,
        *,
        streams: int = 1,
        threads: int = 0,
        cache_dir: str | Path | None = None,
        color: str = "bgr",
        min_score: float | None = None,
        allow: str | None = None,
        lexicon: Iterable[str] | Path | None = None,
    ) -> None:
        if color not in ("bgr", "rgb"):
            raise UserError(f"color {color!r} is unknown; choose 'bgr' or 'rgb'")
        target = Target(device, precision, streams, threads, Path(cache_dir) if cache_dir else None)
        if model is None or isinstance(model, str | os.PathLike):
            self.engine = open_engine(find_detector(model), target)
        else:
            target.reject_unsupported("an engine", supported=("streams",))
            self.engine = model
        if min_score is not None:
            self.manifest = replace(
                self.manifest, score_thr=min(min_score, self.manifest.score_thr), word_thr=min_score
            )
        self.streams = streams
        self._color = color
        self._allowed = None if allow is None else allowed_classes(self.manifest, allow)
        self._lexicon = None if lexicon is None else self._word_list(lexicon)

    def _word_list(self, lexicon: Iterable[str] | Path) -> Lexicon:
        words = read_word_list(Path(lexicon)) if isinstance(lexicon, str | os.PathLike) else lexicon
        return Lexicon.of(words, self.manifest.alphabet)

    @property
    def manifest(self) -> Manifest:
        """What the model says about itself."""
        return self.engine.manifest

    @manifest.setter
    def manifest(self, manifest: Manifest) -> None:
        self.engine.manifest = manifest

    @overload
    def __call__(self, source: Sequence[Any], /) -> list[Words]: ...
    @overload
    def __call__(self, source: Iterator[Any], /) -> Iterator[Words]: ...
    @overload
    def __call__(self, source: Any, /) -> Words: ...
    def __call__(self, source: Any, /) -> Words | list[Words] | Iterator[Words]:
        """Return the words of an image, in its pixels.

        A list or tuple of images gives a list, sooner than one image after the other would; a generator gives one that
        works ahead. ``images.load_image`` says what an image may be: a path, a URL, bytes, a PIL image or an
        array.

        Raises:
            UserError: not an image, or it cannot be read.
        """
        if isinstance(source, list | tuple):
            return [words for _, words in self.stream(source)]
        if isinstance(source, Iterator):
            return (words for _, words in self.stream(source))
        return self._spot(source)

    def _spot(self, source: Any) -> Words:
        image = load_image(source, self._color)
        canvas, scale = pipeline.prepare(self.engine, image)
        found = pipeline.find(self.engine, canvas, scale)
        readings, frames = pipeline.read(self.engine, image, found, self._allowed, self._lexicon)
        words = pipeline.finish(self.engine, image, found, frames, readings)
        return Words(words, size=(image.shape[1], image.shape[0]))

    def stream(self, sources: Iterable[Source]) -> Generator[tuple[Source, Words]]:
        """Yield each image with its words, in order, while later images are already being worked on.

        At most ``streams`` + 1 images are in flight, so memory stays bounded however slow the consumer is. When
        ``sources`` raises, what was taken before is still yielded, then the error goes on to the caller.
        """
        yield from _in_order(sources, self._spot, self.streams + 1)


def _in_order(
    sources: Iterable[Source], work: Callable[[Source], Words], workers: int
) -> Generator[tuple[Source, Words]]:
    with ThreadPoolExecutor(workers, thread_name_prefix="spotter") as pool:
        pending: deque[tuple[Source, Future[Words]]] = deque()
        source = iter(sources)
        failure: Exception | None = None
        while failure is None:
            try:
                image = next(source)
            except StopIteration:
                break
            except Exception as error:
                failure = error
                break
            pending.append((image, pool.submit(work, image)))
            if len(pending) >= workers:
                yield _finish(pending)
        while pending:
            yield _finish(pending)
        if failure is not None:
            raise failure


def _finish(pending: deque[tuple[Source, Future[Words]]]) -> tuple[Source, Words]:
    image, words = pending.popleft()
    return image, words.result()
