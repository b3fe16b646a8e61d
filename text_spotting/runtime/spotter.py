"""The one object that users of an exported model need."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from text_spotting.manifest import Manifest
from text_spotting.postprocess import select, to_text, to_words
from text_spotting.preprocess import fit_to_input, to_bgr
from text_spotting.runtime.engine import Engine
from text_spotting.runtime.files import find_detector
from text_spotting.words import Image, Word


class Spotter:
    """Finds and reads the words of a picture with an exported model.

    ::

        spotter = Spotter("export/model.xml")
        words = spotter(cv2.imread("photo.jpg"))

    Calls from several threads are safe.

    Args:
        path: an exported model: its folder, ``.xml``, ``.bin`` or ``.onnx``.
        device: an OpenVINO device name; ``.onnx`` runs on the CPU only.
        precision: arithmetic, ``"f32"``, ``"bf16"`` or ``"f16"`` where the device has it; by default what the
            model asks for, or else what OpenVINO finds fastest there. Boxes and places of samples are always computed
            in float32.
        streams: pictures that are computed side by side; more streams trade a picture's latency for pictures
            per second.
        threads: cores to use; 0 is all of them.
        cache_dir: where OpenVINO keeps compiled models to start faster the next time.

    Raises:
        UserError: the files are missing, do not belong together or hold no manifest, or the device or
            precision is not available.
    """

    def __init__(
        self,
        path: str | Path,
        device: str = "CPU",
        precision: str | None = None,
        *,
        streams: int = 1,
        threads: int = 0,
        cache_dir: str | Path | None = None,
    ) -> None:
        detector = find_detector(path)
        self.streams = streams
        self.engine: Engine
        if detector.suffix == ".onnx":
            from text_spotting.runtime.onnx_engine import OnnxEngine

            self.engine = OnnxEngine(detector, threads=threads)
            return
        from text_spotting.runtime.openvino_engine import OpenVinoEngine
        from text_spotting.runtime.session import Target

        cache = Path(cache_dir) if cache_dir else None
        self.engine = OpenVinoEngine(detector, Target(device, precision, streams, threads, cache))

    @property
    def manifest(self) -> Manifest:
        """What the exported model says about itself."""
        return self.engine.manifest

    @manifest.setter
    def manifest(self, manifest: Manifest) -> None:
        self.engine.manifest = manifest

    def __call__(self, image: Any) -> list[Word]:
        """Return the words of a picture (H, W, 3) uint8 BGR, in its pixels; see ``preprocess.to_bgr`` for other kinds.

        Raises:
            UserError: not a picture.
        """
        picture = to_bgr(image)
        canvas, scale = fit_to_input(picture, self.manifest)
        found = self.engine.detect(canvas)
        rows = select(found.boxes, self.manifest)
        symbols, confidences = self.engine.read(found.text_features[rows])
        return to_words(
            found.boxes[rows],
            found.masks[rows],
            [to_text(word, self.manifest) for word in symbols],
            confidences,
            scale=scale,
            image_size=(picture.shape[1], picture.shape[0]),
            manifest=self.manifest,
        )

    def stream(self, frames: Iterable[Image]) -> Generator[tuple[Image, list[Word]]]:
        """Yield each frame with its words, in order, while later frames are already being worked on.

        At most ``streams`` + 1 frames are in flight, so memory stays bounded however slow the consumer is. When
        ``frames`` raises, what was taken before is still yielded, then the error goes on to the caller.
        """
        with ThreadPoolExecutor(self.streams + 1, thread_name_prefix="spotter") as workers:
            pending: deque[tuple[Image, Future[list[Word]]]] = deque()
            source = iter(frames)
            failure: Exception | None = None
            while failure is None:
                try:
                    frame = next(source)
                except StopIteration:
                    break
                except Exception as error:
                    failure = error
                    break
                pending.append((frame, workers.submit(self, frame)))
                if len(pending) > self.streams:
                    yield _finish(pending)
            while pending:
                yield _finish(pending)
            if failure is not None:
                raise failure


def _finish(pending: deque[tuple[Image, Future[list[Word]]]]) -> tuple[Image, list[Word]]:
    frame, words = pending.popleft()
    return frame, words.result()
