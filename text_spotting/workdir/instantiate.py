"""Turn a template into a work dir that runs by itself."""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from text_spotting.errors import UserError
from text_spotting.files.json_files import load_object
from text_spotting.files.writing import write_whole
from text_spotting.workdir.config import flat_config
from text_spotting.workdir.download import fetch, file_sha256
from text_spotting.workdir.template import TEMPLATE_NAME, Dependency, Template, load_template

RECORD_NAME = ".instantiated.json"
"""Hash of every file as it was written here, so that a later run can tell which ones the user has edited."""

log = logging.getLogger(__name__)


class FileOutcome(StrEnum):
    """What became of one file of the work dir."""

    WRITTEN = "written"
    UNCHANGED = "already there"
    UPDATED = "updated"
    KEPT = "kept: edited since it was written (force replaces it)"


@dataclass(frozen=True)
class _Item:
    """One file to be placed; everything about it is known before the first one is written."""

    name: str
    sha256: str
    origin: str
    write: Callable[[Path], object]


def instantiate(
    template_file: Path, output: Path, *, load_snapshot: bool = True, force: bool = False
) -> Iterator[tuple[str, FileOutcome]]:
    """Fill the work dir ``output`` file by file, yielding each file's name and what became of it.

    Everything but a download is read and checked before anything is written; files appear whole or not at all.
    ``force`` also replaces files that were edited.

    Raises:
        UserError: a broken template, a missing source, a failed download, or an output that cannot be written.
    """
    template_file, output = template_file.resolve(), output.resolve()
    template = load_template(template_file)
    items = [*_own_files(template, template_file), *_dependencies(template, template_file.parent)]
    try:
        output.mkdir(parents=True, exist_ok=True)
        record = _Record(output)
        for item in items:
            yield item.name, _place(item, output, record, force)
        if load_snapshot and template.weights:
            yield (
                template.weights.destination,
                _place_weights(template.weights, template_file.parent, output, record, force),
            )
    except OSError as error:
        raise UserError(f"cannot write into {output}: {error.strerror or error}") from error


def _own_files(template: Template, template_file: Path) -> Iterator[_Item]:
    yield _bytes_item(TEMPLATE_NAME, template_file.read_bytes(), str(template_file))
    config = template_file.parent / template.config
    yield _bytes_item(template.config, flat_config(config, template.alphabet).encode(), str(config))


def _bytes_item(name: str, content: bytes, origin: str) -> _Item:
    return _Item(name, hashlib.sha256(content).hexdigest(), origin, lambda path: path.write_bytes(content))


def _dependencies(template: Template, base: Path) -> Iterator[_Item]:
    for dependency in template.dependencies:
        if dependency is template.weights:
            continue
        source = fetch(dependency) if dependency.is_remote else _local_source(dependency, base)
        for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if path.is_file() and "__pycache__" not in path.parts:
                name = Path(dependency.destination) / path.relative_to(source)
                yield _file_item(name.as_posix(), path)


def _file_item(name: str, path: Path) -> _Item:
    return _Item(name, file_sha256(path), str(path), lambda target: shutil.copy(path, target))


def _local_source(dependency: Dependency, base: Path) -> Path:
    url = urlsplit(dependency.source)
    source = Path(url2pathname(url.path)) if url.scheme == "file" else (base / dependency.source).resolve()
    if not source.exists():
        raise UserError(f"{source} is missing, which the template names as source of {dependency.destination}")
    if source.is_file():
        _check_content(source, dependency)
    return source


def _check_content(path: Path, dependency: Dependency) -> None:
    size = path.stat().st_size
    if dependency.size is not None and size != dependency.size:
        raise UserError(f"{path}: size is {size:,} bytes, the template says {dependency.size:,}")
    if dependency.sha256 is not None and (actual := file_sha256(path)) != dependency.sha256:
        raise UserError(f"{path}: sha256 is {actual}, the template says {dependency.sha256}")


def _place_weights(weights: Dependency, base: Path, output: Path, record: "_Record", force: bool) -> FileOutcome:
    target = output / weights.destination
    if target.is_file() and weights.sha256 and file_sha256(target) == weights.sha256:
        log.debug("%s has been downloaded already", weights.source)
        return FileOutcome.UNCHANGED
    try:
        source = fetch(weights) if weights.is_remote else _local_source(weights, base)
    except UserError as error:
        raise UserError(
            f"no {weights.destination}: {error}. The rest of {output} is complete. Either run again without "
            f"the snapshot, or put the file there yourself as {target}"
            + (f" (sha256 {weights.sha256})" if weights.sha256 else "")
        ) from error
    return _place(_file_item(weights.destination, source), output, record, force)


def _place(item: _Item, output: Path, record: "_Record", force: bool) -> FileOutcome:
    target = output / item.name
    _check_inside(target, output)
    outcome = FileOutcome.WRITTEN
    if target.exists():
        current = file_sha256(target)
        if current == item.sha256:
            record.note(item.name, item.sha256)
            return FileOutcome.UNCHANGED
        if not force and record.written(item.name) != current:
            return FileOutcome.KEPT
        outcome = FileOutcome.UPDATED
    log.debug("%s <- %s (sha256 %s)", target, item.origin, item.sha256)
    write_whole(target, item.write)
    record.note(item.name, item.sha256)
    return outcome


def _check_inside(target: Path, output: Path) -> None:
    """No link in the work dir may lead a file out of it."""
    if not target.parent.resolve().is_relative_to(output):
        raise UserError(f"{target} lies outside {output}: a folder on the way is a link; remove the link")


class _Record:
    """The hashes that earlier runs wrote into a work dir."""

    def __init__(self, output: Path) -> None:
        self._path = output / RECORD_NAME
        self._hashes: dict[str, str] = {}
        if self._path.is_file():
            try:
                self._hashes = {key: str(value) for key, value in load_object(self._path, "record").items()}
            except UserError:
                log.warning("%s is broken; every existing file counts as edited", self._path)

    def written(self, name: str) -> str | None:
        return self._hashes.get(name)

    def note(self, name: str, sha256: str) -> None:
        if self._hashes.get(name) != sha256:
            self._hashes[name] = sha256
            write_whole(self._path, json.dumps(self._hashes, indent=2).encode())
