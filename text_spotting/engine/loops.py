"""Training by epochs that can start inside one, and validation by the spotter that users run."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmdet.registry import LOOPS
from mmengine.dist import all_gather_object, broadcast_object_list, get_rank, get_world_size
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from text_spotting.annotations.records import AnnotatedImage
from text_spotting.engine.optim import NotFiniteError
from text_spotting.engine.state import network_of
from text_spotting.engine.symbols import alphabet_of
from text_spotting.errors import UserError
from text_spotting.evaluation.evaluate import evaluate
from text_spotting.evaluation.protocols import DEFAULT_METRICS
from text_spotting.image_files import read_image
from text_spotting.words import Image, Word

LOGGER = logging.getLogger(__name__)
Buffers = dict[str, torch.Tensor]


class Interrupted(KeyboardInterrupt):
    """Training was asked to stop and has saved its state."""


@LOOPS.register_module()
class ResumableTrainLoop(EpochBasedTrainLoop):
    """Epochs whose first samples can be left out because an interrupted run has seen them.

    Args:
        skip_bad_batches: how many batches may be passed over because their loss or gradients are not finite; one
            more ends the training.

    Attributes:
        validation_due: the last finished epoch is still to be measured.
        asked_to_stop: someone wants the training to end.
        saved_to_stop: it may end now.
    """

    def __init__(self, *args: Any, skip_bad_batches: int = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bad_batches_left = skip_bad_batches
        self.validation_due = self.asked_to_stop = self.saved_to_stop = False
        # Starting to load must not draw from the global random numbers, which a resumed run takes over.
        self.dataloader.generator = torch.Generator()

    def start_at(self, epoch: int, iteration: int) -> None:
        """Go on after ``epoch`` finished epochs and ``iteration`` finished iterations in all."""
        self._epoch, self._iter = epoch, iteration
        seen = iteration - epoch * len(self.dataloader)
        self.dataloader.sampler.skip_samples(seen * self.dataloader.batch_size)

    def validates_after(self, epoch: int) -> bool:
        """Whether a validation follows this epoch (from 1)."""
        due = epoch % self.val_interval == 0 or epoch == self._max_epochs
        return self.runner.val_loop is not None and epoch >= self.val_begin and due

    def run_epoch(self) -> None:
        self.dataloader.sampler.set_epoch(self._epoch)
        super().run_epoch()

    def run_iter(self, idx: int, data_batch: dict[str, Any]) -> None:
        before = self._buffers() if self.bad_batches_left else {}
        try:
            super().run_iter(idx, data_batch)
        except NotFiniteError as error:
            self._pass_over(error, idx, data_batch, before)
        if self.saved_to_stop:
            raise Interrupted

    def _buffers(self) -> Buffers:
        """Running means and the like, which a forward pass changes before anyone knows that it went wrong."""
        return {name: buffer.clone() for name, buffer in self.runner.model.named_buffers()}

    def _pass_over(self, error: NotFiniteError, idx: int, data_batch: dict[str, Any], before: Buffers) -> None:
        where = f"epoch {self._epoch + 1}, iteration {self._iter + 1}"
        images = ", ".join(name for part in all_gather_object(image_names(data_batch)) for name in part)
        if not self.bad_batches_left:
            raise UserError(
                f"{where}: {error}, with {images}. The snapshots saved so far are good. Lower the learning rate, "
                "look at these images, or set skip_bad_batches to pass over up to so many such batches"
            ) from error
        self.bad_batches_left -= 1
        # Formatted here: mmengine's logger drops warnings whose format it has seen before.
        self.runner.logger.warning(f"{where}: {error}, passed over, with {images}; {self.bad_batches_left} left")
        for name, buffer in self.runner.model.named_buffers():
            buffer.copy_(before[name])
        self.runner.call_hook("after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=None)
        self._iter += 1


def image_names(data_batch: dict[str, Any]) -> list[str]:
    """Where the images of a batch come from."""
    samples = data_batch.get("data_samples", ())
    return [str(getattr(sample, "metainfo", {}).get("img_path", "an image without a name")) for sample in samples]


@LOOPS.register_module()
class SpottingValLoop(BaseLoop):
    """Runs a spotter over labelled images and hands the figures to the hooks.

    Several processes share the images and merge what they find.

    Args:
        dataloader: the labelled images.
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
        metrics = self._measure(self._find())
        LOGGER.info("validation: %s", ", ".join(f"{name} {value:.2f}" for name, value in metrics.items()))
        self.runner.call_hook("after_val_epoch", metrics=metrics)
        self.runner.call_hook("after_val")
        self.runner.model.train()
        return metrics

    def _find(self) -> dict[int, list[Word]]:
        """Words by number of the image, from all processes; broken images are left out."""
        model = self.runner.model
        spotter = self.evaluator(model.module if is_model_wrapper(model) else model)
        found: dict[int, list[Word]] = {}
        for number in range(get_rank(), len(self.dataloader), get_world_size()):
            if self.runner.train_loop.asked_to_stop:
                self.runner.logger.info("stopped; the epoch is saved and will be measured first when training goes on")
                raise Interrupted
            try:
                found[number] = spotter(read_image(self.dataloader[number].path))
            except UserError as error:
                LOGGER.warning("validation leaves out an image: %s", error)
        return {number: words for part in all_gather_object(found) for number, words in part.items()}

    def _measure(self, found: dict[int, list[Word]]) -> dict[str, float]:
        if not found:
            raise UserError("none of the validation images can be read", about="val_data_roots")
        result: list[dict[str, float]] = [{}]
        if get_rank() == 0:
            numbers = sorted(found)
            truth = [self.dataloader[number].words for number in numbers]
            fold_case = alphabet_of(network_of(self.runner)).fold_case
            scores = evaluate(truth, [found[number] for number in numbers], DEFAULT_METRICS, fold_case)
            result = [{name: round(100 * score.hmean, 3) for name, score in scores.items()}]
        broadcast_object_list(result)
        return result[0]
