"""The process that reads MATLAB files for ``matlab_files``: a path a line in, a line of JSON out.

It stands alone, so that what a broken file does to it stays here.
"""

import contextlib
import json
import sys
from typing import Any

MEMORY = 1 << 30
LARGEST = 1 << 26
"""Bytes of a file; annotations of an image have some thousand."""


def main() -> None:
    """Answer until the input ends."""
    _limit_memory()
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"variables": _load(json.loads(line))}
        except ImportError as error:
            answer = {"error": f"reading it needs scipy ({error}); pip install scipy"}
        except (Exception, MemoryError) as error:  # scipy raises whatever its parser stumbles over
            answer = {"error": " ".join(str(error).split())[:200] or type(error).__name__}
        print(json.dumps(answer), flush=True)


def _load(path: str) -> dict[str, Any]:
    from pathlib import Path

    from scipy.io import loadmat

    if Path(path).stat().st_size > LARGEST:
        raise ValueError(f"more than {LARGEST >> 20} MB are too many for an annotation file")
    content = loadmat(path)
    return {name: _plain(value) for name, value in content.items() if not name.startswith("__")}


def _plain(value: Any) -> Any:
    """Arrays, cells and structures as nested lists and dictionaries of numbers and strings."""
    import numpy as np

    if isinstance(value, np.void) and value.dtype.names:
        return {name: _plain(value[name]) for name in value.dtype.names}
    if isinstance(value, np.ndarray) and value.dtype.kind in "OV":
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist() if value.dtype.kind in "biufU" else str(value)
    return value if isinstance(value, int | float | str | type(None)) else str(value)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    main()
