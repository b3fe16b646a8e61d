"""Memory of training's annotations against their number: Python objects, as they were, and packed arrays.

    python tests/annotation_memory.py --output docs/images/annotation_memory.png

For each number of words a data set is read in a process of its own; then two workers are forked, which go through
all of it as an epoch does. Shown is the private and shared memory (PSS) of all three above that of the empty process.
"""

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    """Measure and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, nargs="+", default=[30_000, 100_000, 300_000, 1_000_000])
    parser.add_argument("--output", type=Path, help="draw it there")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "FILE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(_measure(args.one[0], Path(args.one[1]))))
        return
    results: dict[str, list[tuple[int, float, float]]] = {"objects": [], "packed": []}
    with tempfile.TemporaryDirectory() as folder:
        for number in args.numbers:
            file = _make(Path(folder), number)
            for kind, rows in results.items():
                command = [sys.executable, __file__, "--one", kind, str(file)]
                told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
                rows.append((number, told["after_reading"], told["with_workers"]))
                print(f"{number} words, {kind}: {told}", flush=True)
    if args.output:
        _draw(results, args.output)


def _make(folder: Path, number: int) -> Path:
    """Ten words an image; all images are links to one file."""
    (folder / "p.png").write_bytes(_png())
    count = number // 10
    images = [{"id": n, "file_name": f"{n}.png", "width": 8, "height": 8} for n in range(count)]
    for image in images:
        path = folder / str(image["file_name"])
        if not path.exists():
            path.symlink_to(folder / "p.png")
    words = [
        {
            "id": n,
            "image_id": n // 10,
            "bbox": [0, 0, 7, 7],
            "segmentation": [[0.25, 0.5, 7, 0, 7, 7, 0, 7]],
            "attributes": {"transcription": f"word{n}", "legible": 1, "language": "english"},
            "area": 49,
            "iscrowd": 0,
            "ignore": 0,
            "category_id": 1,
        }
        for n in range(count * 10)
    ]
    file = folder / f"{number}.json"
    file.write_text(json.dumps({"images": images, "annotations": words}))
    return file


def _png() -> bytes:
    import cv2
    import numpy as np

    return cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1].tobytes()


def _measure(kind: str, file: Path) -> dict[str, float]:
    from text_spotting.annotations.dataset_file import read_datasets
    from text_spotting.annotations.packed import read_packed

    before = _megabytes([os.getpid()])
    images = (
        read_packed(str(file), str(file.parent)) if kind == "packed" else read_datasets(str(file), str(file.parent))
    )
    after = _megabytes([os.getpid()])
    ready, go = multiprocessing.Barrier(3), multiprocessing.Event()

    def epoch() -> None:
        sum(len(word.text) for image in images for word in image.words)
        ready.wait()
        go.wait()

    workers = [multiprocessing.get_context("fork").Process(target=epoch) for _ in range(2)]
    for worker in workers:
        worker.start()
    ready.wait()
    everyone = _megabytes([os.getpid(), *(int(worker.pid or 0) for worker in workers)])
    go.set()
    return {"after_reading": round(after - before), "with_workers": round(everyone - before)}


def _megabytes(processes: list[int]) -> float:
    """Proportional set size: shared pages count once."""
    lines = [line for one in processes for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()]
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _draw(results: dict[str, list[tuple[int, float, float]]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for kind, rows in results.items():
        numbers, read, everyone = zip(*rows, strict=True)
        axes.plot(numbers, everyone, marker="o", label=f"{kind}, with two workers")
        axes.plot(numbers, read, marker="o", linestyle="--", label=f"{kind}, after reading")
    axes.set(xscale="log", yscale="log", xlabel="annotated words", ylabel="MB above the empty process")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main()
