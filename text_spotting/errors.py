"""The exceptions that mean "the user can mend this"."""

import importlib
from typing import Any


class UserError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do about it.

    The command-line tools print the message and exit with code 2, without a traceback.

    Args:
        about: name of the option that is wrong; a tool that has it as a flag names the flag, others do not.
    """

    def __init__(self, message: str = "", *, about: str = "") -> None:
        super().__init__(message)
        self.about = about


class PartlyDoneError(UserError):
    """Some of many files could not be used; everything else is done and saved.

    The command-line tools print the message and exit with code 1.
    """


def require_package(name: str, purpose: str, install: str = "") -> Any:
    """Import a package that only some uses need.

    Args:
        name: of the module.
        purpose: what needs it, for the message.
        install: what pip installs; ``name`` when left out.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or name
        raise UserError(f"{purpose} needs the package {missing}; install it: pip install {install or name}") from error
