"""How every tool starts and how it ends when the user can mend something."""

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from text_spotting.errors import PartlyDoneError, UserError

PARTLY_DONE = 1
BAD_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143
RUNTIME = {"cv2", "numpy", "openvino", "pydantic", "shapely", "tqdm", "yaml"}
TRAINING = {"matplotlib", "mmcv", "mmdet", "mmengine", "nncf", "onnx", "onnxruntime", "tensorboard", "torch"}
"""Packages that some tools need and some machines do without."""


class Terminated(KeyboardInterrupt):
    """SIGTERM: what runs is to finish its files and end, as after Ctrl-C."""


def run_tool(name: str, argv: Sequence[str] | None = None, program: str | None = None) -> int:
    """Parse the command line for ``text_spotting.cli.<name>``, run it, and return the exit code.

    A tool module offers ``add_arguments(parser)`` and ``run(args)``; its docstring is the help text.
    """
    module = importlib.import_module(f"text_spotting.cli.{name}")
    parser = argparse.ArgumentParser(prog=program or Path(sys.argv[0]).name, description=module.__doc__)
    try:
        module.add_arguments(parser)
        args = parser.parse_args(argv)
        with _ended_by_signals(), _missing_packages(parser.prog):
            module.run(args)
    except PartlyDoneError as error:
        print(f"error: {_message(error, parser)}", file=sys.stderr)
        return PARTLY_DONE
    except UserError as error:
        print(f"error: {_message(error, parser)}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:  # whoever read what is printed has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PARTLY_DONE
    except (KeyboardInterrupt, Exception) as error:
        stop = _interruption_behind(error)
        if stop is None:
            raise
        print("terminated" if isinstance(stop, Terminated) else "interrupted", file=sys.stderr)
        return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
    return 0


def _interruption_behind(error: BaseException) -> KeyboardInterrupt | None:
    """The interruption that led to an error: some libraries catch whatever comes and raise something of their own."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt):
        seen = seen.__context__
    return seen


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let SIGTERM end a run as Ctrl-C does, so that results are finished; training has its own way.

    Processes that a tool starts by forking inherit this, and shall just end.
    """
    owner = os.getpid()
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        signal.signal(signal.SIGTERM, before)  # a second one ends at once
        if os.getpid() != owner:
            os._exit(TERMINATED)
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is end:
            signal.signal(signal.SIGTERM, before)


def _message(error: UserError, parser: argparse.ArgumentParser) -> str:
    """The message, with the flag that it is about where this tool has it."""
    message, flag = str(error), f"--{error.about.replace('_', '-')}"
    if not error.about or flag not in _flags(parser):
        return message
    if message.startswith((f"{error.about} ", f"{error.about}:")):
        return flag + message.removeprefix(error.about)
    return f"{flag}: {message}"


def _flags(parser: argparse.ArgumentParser) -> set[str]:
    """A tool's flags, those of its commands included."""
    found = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(*map(_flags, action.choices.values()))
    return found


@contextmanager
def _missing_packages(program: str) -> Iterator[None]:
    """Say how to get a package that only some machines have."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (package := str(error.name).partition(".")[0]) not in (*RUNTIME, *TRAINING):
            raise
        raise UserError(f"{program} needs the package {package}: {_how_to_install(package)}") from error


def _how_to_install(package: str) -> str:
    if package in RUNTIME:
        return 'pip install ".[runtime]" in the project\'s folder installs it'
    return "./init_venv.sh in the project's folder makes an environment that can train, evaluate and export"
