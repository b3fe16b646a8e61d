"""``python -m text_spotting``."""

import sys

from text_spotting.cli.console import main

if __name__ == "__main__":
    sys.exit(main())
