"""The exceptions that mean "the user can mend this"."""


class UserError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do about it.

    The command-line tools print the message and exit with code 2, without a traceback. What comes from other people's
    files is shown in it, never sent to the terminal: control characters and the like are escaped, long lines cut.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(printable(line)[:_LONGEST_LINE] for line in message.split("\n")))


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
