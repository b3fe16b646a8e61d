"""The one exception that means "the user can mend this"."""


class UserError(Exception):
    """Bad input: one line that says what is wrong, where, and what to do about it.

    The command-line tools print the message and exit with code 2, without a traceback.
    """
