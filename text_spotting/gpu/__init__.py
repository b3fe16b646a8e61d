"""Training on one fast card in little time: data lies on the card, and no step waits for the CPU."""

import text_spotting.ops  # noqa: F401  (before mmdet)
