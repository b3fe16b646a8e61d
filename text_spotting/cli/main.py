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
from types import FrameType

from text_spotting.errors import UserError

BAD_INPUT = 2
INTERRUPTED = 130


def run_tool(name: str, argv: Sequence[str] | None = None) -> int:
    """Parse the command line for ``text_spotting.cli.<name>``, run it, and return the exit code.

    A tool module offers ``add_arguments(parser)`` and ``run(args)``; its docstring is the help text.
    """
    module = importlib.import_module(f"text_spotting.cli.{name}")
    parser = argparse.ArgumentParser(prog=Path(sys.argv[0]).name, description=module.__doc__)
    try:
        module.add_arguments(parser)
        args = parser.parse_args(argv)
        with sigterm_as_ctrl_c():
            module.run(args)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    return 0


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Let a tool that is told to stop by SIGTERM close its files as it does after Ctrl-C.

    Processes that a tool starts by forking inherit this and shall just end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    owner = os.getpid()

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() == owner:
            raise KeyboardInterrupt
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
