"""What a snapshot's file may be, found out before anything in it is loaded.

A ``.pth`` is a zip archive in which PyTorch stores one record for each tensor with its CRC-32, and one pickle that
says how they belong together. PyTorch reads it without looking at the checksums and takes compressed records.
"""

import pickletools
import zipfile
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError

Checkpoint = dict[str, Any]
"""What a snapshot's file holds: ``state_dict``, tensors by name, and what else a training keeps."""

_ZIP = b"PK\x03\x04"
_BEFORE_1_6 = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of PyTorch up to 1.5 begin; they have no checksums."""

_HARMLESS = {
    "_codecs encode",
    "collections OrderedDict",
    "torch Size",
    "torch device",
    "torch._utils _rebuild_parameter",
    "torch._utils _rebuild_tensor",
    "torch._utils _rebuild_tensor_v2",
    "torch.serialization _get_layout",
}
"""What a pickle may name: enough for tensors in dicts and lists, nothing that takes memory of its own accord."""


def check_snapshot_file(path: Path, trust: bool) -> None:
    """Check form, checksums and size once unpacked.

    Args:
        trust: let the pickle name whatever it likes.

    Raises:
        UserError: no snapshot, damaged, blown up when loaded, or in need of trust.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_BEFORE_1_6))
        if head == _BEFORE_1_6:
            return
        if not head.startswith(_ZIP):
            raise UserError(f"{path} is not a PyTorch snapshot; is it the file that you meant?")
        with zipfile.ZipFile(path) as archive:
            _check_size(archive, path)
            if damaged := archive.testzip():
                raise UserError(f"{path} is damaged: {damaged} does not have its checksum; get it again")
            if not trust:
                _check_pickle(archive, path)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path} is not a PyTorch snapshot, or is damaged or cut off ({error}); get it again"
        ) from error


def _check_size(archive: zipfile.ZipFile, path: Path) -> None:
    records = archive.infolist()
    packed = any(record.compress_type != zipfile.ZIP_STORED for record in records)
    if packed or sum(record.file_size for record in records) > path.stat().st_size:
        raise UserError(f"{path} is not a PyTorch snapshot: its records are compressed, which PyTorch never does")
    names = [record.filename for record in records]
    if len(names) != len(set(names)):
        raise UserError(f"{path} is not a PyTorch snapshot: two of its records have the same name")


def _check_pickle(archive: zipfile.ZipFile, path: Path) -> None:
    pickles = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
    if len(pickles) != 1:
        raise UserError(f"{path} is not a PyTorch snapshot: it holds {len(pickles)} records data.pkl, not one")
    for name in sorted(_names_in(archive.read(pickles[0]))):
        if name not in _HARMLESS and not _is_storage(name):
            raise UserError(
                f"{path} holds more than weights ({name.replace(' ', '.')}) and could run code when loaded; "
                "if you trust where it comes from, load it with trust",
                about="trust_snapshot",
            )


def _names_in(pickled: bytes) -> set[str]:
    """Functions and classes that a pickle asks for, as ``module name``."""
    names = set()
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in ("GLOBAL", "INST"):
            names.add(str(argument))
        elif opcode.name in ("STACK_GLOBAL", "EXT1", "EXT2", "EXT4"):
            names.add(f"pickle {opcode.name}")
    return names


def _is_storage(name: str) -> bool:
    module, _, kind = name.partition(" ")
    return module in ("torch", "torch.storage") and kind.endswith("Storage")
