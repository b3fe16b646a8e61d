"""One self-contained HTML page that says how good a spotter is and what to mend next."""

import base64
import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from text_spotting.draw import OUTCOME_COLORS, Outcome
from text_spotting.evaluation.report_data import figures, gallery, readings, slice_tables, threshold_curves
from text_spotting.evaluation.runs import Run
from text_spotting.evaluation.slices import sharpness
from text_spotting.files.writing import write_whole
from text_spotting.image_files import read_image
from text_spotting.words import Image

PAGE_NAME = "index.html"
SHOWN_IMAGES = 60
"""The images with most errors come with their pixels; more would make the page too heavy to open."""
LONGEST_SIDE = 960
JPEG_QUALITY = 78

Track = Callable[[Iterable[Any]], Iterable[Any]]


def write_report(folder: Path, run: Run, before: Run | None = None, track: Track = iter) -> Path:
    """Write the page and return its path.

    Args:
        before: an earlier run over the same images to compare with.
        track: wraps the images while they are read, to show progress.

    Raises:
        UserError: an image cannot be read, or the folder cannot be written.
    """
    images = gallery(run, before)
    shown = set(sorted(range(len(images)), key=lambda index: -images[index]["weight"])[:SHOWN_IMAGES])
    blur: list[list[float]] = []
    for index in track(range(len(images))):
        pixels = read_image(run.test_set.paths[index])
        blur.append([sharpness(word, pixels) for word in run.images[index].truth])
        images[index]["size"] = [pixels.shape[1], pixels.shape[0]]
        images[index]["image"] = _thumbnail(pixels) if index in shown else None
    data = {
        "title": run.label,
        "before": before and before.label,
        "set": {"pictures": len(images), "words": sum(len(image.truth) for image in run.images)},
        "figures": figures(run, before),
        "curves": threshold_curves(run),
        "slices": slice_tables(run, blur),
        "readings": readings(run),
        "pictures": images,
    }
    path = folder / PAGE_NAME
    write_whole(path, render(data))
    return path


def render(data: dict[str, Any]) -> str:
    """Put style, script, colors and data into the page."""
    source = files("text_spotting.evaluation") / "report_page"
    page = (source / "page.html").read_text(encoding="utf-8")
    colors = "".join(f"--{outcome}: {_css(outcome)}; " for outcome in Outcome)
    parts = {
        "STYLE": f":root {{ {colors}}}\n" + (source / "style.css").read_text(encoding="utf-8"),
        "SCRIPT": "".join((source / name).read_text(encoding="utf-8") for name in ("charts.js", "page.js")),
        # A "<" inside a JSON string could end the script element; the escape means the same to JSON.
        "DATA": json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
    }
    head, *rest = page.split("@@")
    return head + "".join(parts.get(part, part) for part in rest)


def _css(outcome: Outcome) -> str:
    blue, green, red = OUTCOME_COLORS[outcome]
    return f"rgb({red}, {green}, {blue})"


def _thumbnail(image: Image) -> str:
    """The image as a data URI, no side longer than ``LONGEST_SIDE``."""
    scale = min(1.0, LONGEST_SIDE / max(image.shape[:2]))
    if scale < 1:
        image = np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    _, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
