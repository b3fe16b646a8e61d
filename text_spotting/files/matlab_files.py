"""MATLAB files, read in a process of its own: scipy's reader can be crashed by a file of a thousand bytes.

The same process reads file after file, and a new one is started where one died. It holds at most ``MEMORY`` bytes and
has ``SECONDS`` for a file.
"""

import atexit
import contextlib
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from text_spotting.errors import UserError
from text_spotting.files.json_files import parse_json
from text_spotting.files.reading import read_bytes

SECONDS = 20.0


class MatlabReader:
    """Reads variables of .mat files as nested lists of numbers and texts."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def load(self, path: Path) -> dict[str, Any]:
        """Return the variables of a file by name: arrays as nested lists, cells too, texts as strings.

        Raises:
            UserError: it is missing, is no MATLAB file or is broken.
        """
        read_bytes(path, "annotation file")
        answer = self._ask(str(path.absolute()))
        if answer is None:
            self.close()
            raise UserError(f"{path}: not a MATLAB file, or a broken one: its reader crashed or did not end")
        document: dict[str, Any] = parse_json(answer, str(path))
        if "error" in document:
            raise UserError(f"{path}: not a MATLAB file, or a broken one: {document['error']}")
        variables: dict[str, Any] = document["variables"]
        return variables

    def _ask(self, name: str) -> str | None:
        """One line to the process and one back; None where it died or is too slow."""
        process = self._process = self._process or self._start()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(json.dumps(name) + "\n")
            process.stdin.flush()
        except OSError:
            return None
        patience = threading.Timer(SECONDS, process.kill)
        patience.start()
        try:
            line = process.stdout.readline()
        finally:
            patience.cancel()
        return line if line.endswith("\n") else None

    def _start(self) -> subprocess.Popen[str]:
        atexit.register(self.close)
        worker = Path(__file__).with_name("matlab_worker.py")
        command = [sys.executable, "-E", str(worker)]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
        )

    def close(self) -> None:
        """End the process; the next ``load`` starts another one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe:
                    _close_quietly(pipe)
            self._process = None
            atexit.unregister(self.close)


def _close_quietly(pipe: Any) -> None:
    with contextlib.suppress(OSError):  # a line that the dead process never took
        pipe.close()


_READER = MatlabReader()


def load_matlab(path: Path) -> dict[str, Any]:
    """Return the variables of a .mat file, see ``MatlabReader.load``."""
    return _READER.load(path)
