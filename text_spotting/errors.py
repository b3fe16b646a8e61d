"""The exceptions that mean "the user can mend this"."""

import importlib
from typing import Any


class UserError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do about it.

    The command-line tools print the message and exit with code 2, without a traceback. What comes from other people's
    files is shown in it, never sent to the terminal: control characters and the like are escaped, long lines cut.

    Args:
        about: name of the option that is wrong; a tool that has it as a flag names the flag, others do not.
    """

    def __init__(self, message: str = "", *, about: str = "") -> None:
        super().__init__("\n".join(printable(line)[:_LONGEST_LINE] for line in message.split("\n")))
        self.about = about


_LONGEST_LINE = 1000


def printable(text: str) -> str:
    """A text on one line, with what cannot be shown escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
