"""How every tool starts and how it ends when the user can mend something."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from text_spotting.errors import UserError

BAD_INPUT = 2
INTERRUPTED = 130
RUNTIME = {"cv2", "numpy", "openvino", "pydantic", "shapely", "tqdm", "yaml"}
TRAINING = {"matplotlib", "mmcv", "mmdet", "mmengine", "nncf", "onnx", "onnxruntime", "tensorboard", "torch"}
"""Packages that some tools need and some machines do without."""


def run_tool(name: str, argv: Sequence[str] | None = None, program: str | None = None) -> int:
    """Parse the command line for ``text_spotting.cli.<name>``, run it, and return the exit code.

    A tool module offers ``add_arguments(parser)`` and ``run(args)``; its docstring is the help text.
    """
    module = importlib.import_module(f"text_spotting.cli.{name}")
    parser = argparse.ArgumentParser(prog=program or Path(sys.argv[0]).name, description=module.__doc__)
    try:
        module.add_arguments(parser)
        module.run(parser.parse_args(argv))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except ModuleNotFoundError as error:
        if (package := str(error.name).partition(".")[0]) not in (*RUNTIME, *TRAINING):
            raise
        print(f"error: {parser.prog} needs the package {package}: {_how_to_install(package)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


def _how_to_install(package: str) -> str:
    if package in RUNTIME:
        return 'pip install ".[runtime]" in the project\'s folder installs it'
    return "./init_venv.sh in the project's folder makes an environment that can train, evaluate and export"
