"""The README's animation: the video view of the model in the box, panning over rendered images of the project.

    python docs/images/video_view.py --output docs/images/video_view.webp

The images hang side by side in a ring, so that the animation has no seam. Words are followed and drawn as
``visualize.py --video`` does, mistakes included; only its frames per second are left out, for they are the machine's.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from text_spotting.draw import draw_words
from text_spotting.image_files import read_image
from text_spotting.runtime.spotter import Spotter
from text_spotting.runtime.tracking import WordTracker
from text_spotting.words import Image

IMAGES = Path(__file__).parents[2] / "data" / "horizontal_text_detection" / "images"
SHOWN = [IMAGES / f"{name}.jpg" for name in ("000001", "000011", "000005")]
MODEL = Path(__file__).parents[2] / "text_spotting" / "box"
SIZE = 560, 360
"""Width and height of a frame."""


def main() -> None:
    """Pan, spot and animate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="the animation (.webp)")
    parser.add_argument("--load-weights", type=Path, default=MODEL, help="exported model (default: that in the box)")
    parser.add_argument("--images", nargs="+", type=Path, default=SHOWN, help="of one height")
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--fps", type=int, default=12)
    parser.add_argument("--quality", type=int, default=40, help="0..100 (default: 40)")
    args = parser.parse_args()
    spotter, follow = Spotter(args.load_weights), WordTracker()
    views = pan([read_image(path) for path in args.images], args.frames)
    drawn = [draw_words(view, follow(words)) for view, words in spotter.stream(views)]
    animate(drawn, args.output, args.fps, args.quality)
    print(f"{args.output}: {args.output.stat().st_size / 1e6:.2f} MB")


def pan(images: list[Image], count: int) -> Iterator[Image]:
    """Views of images hung side by side, once around, swaying a little."""
    ring = np.hstack([*images, *images])
    height, length = ring.shape[0], ring.shape[1] // 2
    for number in range(count):
        turn = 2 * math.pi * number / count
        centre = np.array([length * (number / count + 0.25), height * (0.5 + 0.1 * math.sin(2 * turn))])
        matrix = np.asarray(cv2.getRotationMatrix2D(centre.tolist(), math.sin(turn), 1.0), np.float64)
        matrix[:, 2] += np.array(SIZE) / 2 - centre
        yield cv2.warpAffine(ring, matrix, SIZE)


def animate(frames: list[Image], output: Path, fps: int, quality: int) -> None:
    """Write an endless animation."""
    first, *others = (Pillow.fromarray(frame[:, :, ::-1]) for frame in frames)
    first.save(output, save_all=True, append_images=others, duration=1000 // fps, loop=0, quality=quality, method=6)


if __name__ == "__main__":
    main()
