"""Draw images per second against the images' size, from what ``benchmark.py throughput --save`` measured.

    python tools/benchmark.py throughput --load-weights text_spotting/box --images photos --rapidocr --save many.json
    python docs/images/throughput.py many.json --output docs/images/throughput.png

On the left a line for every set-up; on the right the gain of each over the slowest, at each size.
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
    parser.add_argument("measured", type=Path, help="what benchmark.py throughput --save wrote")
    parser.add_argument("--output", type=Path, required=True, help="the image (.png)")
    args = parser.parse_args()
    draw(json.loads(args.measured.read_text(encoding="utf-8")), args.output)


def draw(measured: list[dict[str, Any]], output: Path) -> None:
    """Both images; RapidOCR is grey."""
    setups = list(dict.fromkeys((one["name"], one["streams"]) for one in measured))
    sizes = list(dict.fromkeys((one["width"], one["height"]) for one in measured))
    rates = {(one["name"], one["streams"], one["width"], one["height"]): one["per_second"] for one in measured}
    slowest = [min(rates[*setup, *size] for setup in setups) for size in sizes]
    figure, (plain, gain) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for name, streams in setups:
        row = [rates[name, streams, *size] for size in sizes]
        look = {"color": "0.5" if name == "RapidOCR" else None, "marker": "o"}
        label = name if name == "RapidOCR" else f"{name}, {streams} stream{'s' * (streams > 1)}"
        pixels = [width * height / 1e6 for width, height in sizes]
        plain.plot(pixels, row, label=label, **look)
        gain.plot(pixels, [one / least for one, least in zip(row, slowest, strict=True)], **look)
    for axes in (plain, gain):
        axes.set(xscale="log", xlabel="megapixels of the image")
        axes.set_xticks(pixels, [f"{one:.1f}" for one in pixels])
        axes.minorticks_off()
    plain.set(title="images per second", ylim=(0, None))
    gain.set(title="times as many as the slowest", ylim=(0, None))
    plain.legend(fontsize=8)
    figure.savefig(output, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
