"""Shards: packed training data, small enough to be sent one at a time to a machine with a card.

A shard is a zip archive without compression: one image a member, WebP, and ``index.json`` with what is written on
each.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from text_spotting.files.writing import write_whole
from text_spotting.words import FloatArray, Image

INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Packed:
    """A labelled image.

    Attributes:
        source: the data set that it comes from.
        image: (H, W, 3) uint8 BGR.
        polygons: (n, 4, 2) corners of the words, in pixels.
        texts: n readings as they were transcribed; empty where they are not known.
        ignore: n times whether a region is don't care.
    """

    source: str
    image: Image
    polygons: FloatArray
    texts: list[str]
    ignore: list[bool]


def write_shards(records: Iterable[Packed], folder: Path, stem: str, limit: int, quality: int) -> list[Path]:
    """Write ``STEM_NN.zip`` files of at most about ``limit`` bytes each.

    Args:
        records: what to pack, in the order in which it shall arrive.
        folder: where to; made if missing.
        stem: first part of the files' names.
        limit: bytes a file.
        quality: of WebP, 1 to 100.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    members: list[tuple[str, bytes]] = []
    index: list[dict[str, Any]] = []
    size = 0
    for record in records:
        data = cv2.imencode(".webp", record.image, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
        if size + len(data) > limit and members:
            paths.append(_write(folder / f"{stem}_{len(paths):02d}.zip", members, index))
            members, index, size = [], [], 0
        name = f"{len(members):05d}.webp"
        members.append((name, data))
        index.append(_entry(name, record))
        size += len(data) + len(json.dumps(index[-1]))
    if members:
        paths.append(_write(folder / f"{stem}_{len(paths):02d}.zip", members, index))
    return paths


def _entry(name: str, record: Packed) -> dict[str, Any]:
    return {
        "image": name,
        "source": record.source,
        "polygons": np.round(record.polygons, 1).tolist(),
        "texts": record.texts,
        "ignore": record.ignore,
    }


def _write(path: Path, members: list[tuple[str, bytes]], index: list[dict[str, Any]]) -> Path:
    def fill(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, data in members:
                archive.writestr(name, data)
            archive.writestr(INDEX, json.dumps(index), zipfile.ZIP_DEFLATED)

    write_whole(path, fill)
    return path


def read_shard(path: Path) -> Iterator[Packed]:
    """Yield the records of a shard, decoded."""
    with zipfile.ZipFile(path) as archive:
        for entry in json.loads(archive.read(INDEX)):
            image = cv2.imdecode(np.frombuffer(archive.read(entry["image"]), np.uint8), cv2.IMREAD_COLOR)
            polygons = np.array(entry["polygons"], np.float32).reshape(-1, 4, 2)
            yield Packed(
                entry["source"], np.asarray(image, np.uint8), polygons, list(entry["texts"]), list(entry["ignore"])
            )
