"""Training by epochs that can start inside one, and validation by the spotter that users run."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.registry import LOOPS
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.errors import UserError
from text_spotting.evaluation.evaluate import evaluate
from text_spotting.pictures import read_picture
from text_spotting.words import Image, Word

LOGGER = logging.getLogger(__name__)
METRICS = ("f1", "word_spotting", "ic15_detection", "ic15_word_spotting", "ic15_end_to_end")


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """Epochs whose first samples can be left out because an interrupted run has seen them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Starting to load must not draw from the global random numbers, which a resumed run takes over.
        self.dataloader.generator = torch.Generator()

    def start_at(self, epoch: int, iteration: int) -> None:
        """Go on after ``epoch`` finished epochs and ``iteration`` finished iterations in all."""
        self._epoch, self._iter = epoch, iteration
        seen = iteration - epoch * len(self.dataloader)
        self.dataloader.sampler.skip_samples(seen * self.dataloader.batch_size)

    def run_epoch(self) -> None:
        self.dataloader.sampler.set_epoch(self._epoch)
        super().run_epoch()


@LOOPS.register_module()
class SpottingValLoop(BaseLoop):
    """Runs a spotter over labelled pictures and hands the figures to the hooks.

    Args:
        dataloader: the labelled pictures.
        evaluator: makes a spotter of the network being trained.
    """

    def __init__(
        self,
        runner: Runner,
        dataloader: Sequence[AnnotatedImage],
        evaluator: Callable[[torch.nn.Module], Callable[[Image], list[Word]]],
    ) -> None:
        super().__init__(runner, dataloader)
        self.evaluator = evaluator

    def run(self) -> dict[str, float]:
        self.runner.call_hook("before_val")
        self.runner.call_hook("before_val_epoch")
        self.runner.model.eval()
        spotter = self.evaluator(self.runner.model)
        truth, predictions = [], []
        for annotated in self.dataloader:
            try:
                image = read_picture(annotated.path)
            except UserError as error:
                LOGGER.warning("validation leaves out a broken picture: %s", error)
                continue
            truth.append(annotated.words)
            predictions.append(spotter(image))
        if not truth:
            raise UserError("--val-data-roots: none of the validation pictures can be read")
        scores = evaluate(truth, predictions, METRICS)
        metrics: dict[str, Any] = {name: round(100 * score.hmean, 3) for name, score in scores.items()}
        LOGGER.info("validation: %s", ", ".join(f"{name} {value:.2f}" for name, value in metrics.items()))
        self.runner.call_hook("after_val_epoch", metrics=metrics)
        self.runner.call_hook("after_val")
        self.runner.model.train()
        return metrics
