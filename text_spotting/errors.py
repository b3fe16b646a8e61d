"""The exceptions that mean "the user can mend this"."""


class UserError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do about it.

    The command-line tools print the message and exit with code 2, without a traceback.
    """


class PartlyDoneError(UserError):
    """Some of many files could not be used; everything else is done and saved.

    The command-line tools print the message and exit with code 1.
    """
