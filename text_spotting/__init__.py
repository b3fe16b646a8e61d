"""Find and read words (a-z, 0-9) in photos: training, evaluation, export and runtime."""

__version__ = "0.1.0"
