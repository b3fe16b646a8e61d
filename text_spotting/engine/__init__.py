"""Training loop, hooks, checkpoints and the PyTorch spotter."""

import text_spotting.ops  # noqa: F401  (before mmdet)
from text_spotting.engine.hooks import SnapshotHook
from text_spotting.engine.journal import JournalHook
from text_spotting.engine.loops import ResumableTrainLoop, SpottingValLoop
from text_spotting.engine.optim import BFloat16OptimWrapper

__all__ = ["BFloat16OptimWrapper", "JournalHook", "ResumableTrainLoop", "SnapshotHook", "SpottingValLoop"]
