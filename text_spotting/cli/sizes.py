"""Flags that name a size."""

import argparse


def size(text: str) -> tuple[int, int]:
    """Parse width and height in pixels from ``1280x704``.

    Raises:
        argparse.ArgumentTypeError: written otherwise, or a side of no pixel.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is not WIDTHxHEIGHT, such as 1280x704")
    return int(width), int(height)
