"""Draw the time of an image beside RapidOCR's, from what ``benchmark.py infer --rapidocr --save`` measured.

    python tools/benchmark.py infer --load-weights text_spotting/box --images photos --rapidocr --save speed.json
    python docs/images/speed.py speed.json --output docs/images/speed.png

On the left drawn images of one size with more and more words; on the right the photos.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from matplotlib import use

use("Agg")
from matplotlib import pyplot


def main() -> None:
    """Read and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path, help="what benchmark.py infer --rapidocr --save wrote")
    parser.add_argument("--output", type=Path, required=True, help="the image (.png)")
    parser.add_argument("--names", nargs="+", help="what to call the models, in the order of the file")
    args = parser.parse_args()
    measured = json.loads(args.measured.read_text(encoding="utf-8"))
    if any(point["rapidocr_ms"] is None for one in measured.values() for point in one["lettered"]):
        parser.error(f"{args.measured} was measured without --rapidocr")
    names = args.names or list(measured)
    if len(names) != len(measured):
        parser.error(f"--names: {len(names)} names for {len(measured)} models")
    draw(dict(zip(names, measured.values(), strict=True)), args.output)


def draw(measured: dict[str, Any], output: Path) -> None:
    """Both images, a color for each model; RapidOCR is grey, as it ran beside the first."""
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for place, kind, mark in zip(axes, ("lettered", "photos"), ("o-", "o"), strict=True):
        first = next(iter(measured.values()))[kind]
        place.plot(*_points(first, "rapidocr_ms"), mark, color="0.5", label="RapidOCR")
        for name, one in measured.items():
            place.plot(*_points(one[kind], "ms"), mark, label=f"{name}, {one['precision'].upper()}")
        place.set(xlabel="words found", ylabel="ms an image", ylim=(0, 1.08 * place.dataLim.y1))
    axes[0].set(title="drawn images")
    axes[1].set(title="photos")
    axes[0].legend()
    figure.savefig(output, dpi=120)
    pyplot.close(figure)


def _points(images: list[dict[str, Any]], which: str) -> tuple[list[int], list[float]]:
    ordered = sorted(images, key=lambda one: one["words"])
    return [one["words"] for one in ordered], [one[which] for one in ordered]


if __name__ == "__main__":
    main()
