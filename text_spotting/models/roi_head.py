"""Standard RoI head plus the text branch: pooler, head, features."""

import numpy as np
import torch
from mmdet.models.roi_heads import StandardRoIHead
from mmdet.models.task_modules.samplers import SamplingResult
from mmdet.registry import MODELS, TASK_UTILS
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import bbox2roi
from mmdet.utils import ConfigType
from mmengine.structures import InstanceData
from torch import Tensor

from text_spotting.frames import FrameJitter, reads_forward
from text_spotting.models.frames import reading_frames
from text_spotting.models.mask_head import rasterise
from text_spotting.models.roi_extractors import Pyramid, widen


@MODELS.register_module()
class TextRoIHead(StandardRoIHead):
    """Boxes, masks and text of each RoI.

    Ground truth carries ``texts`` (n, T): symbol indices closed by the stop symbol and padded with the start
    symbol; a row of padding is a word whose text is not known. ``train_cfg`` names a ``text_assigner`` and
    a ``text_sampler``, which choose the RoIs that the text head learns from.
    """

    def __init__(self, *args: object, text_roi_extractor: ConfigType, text_head: ConfigType, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.text_roi_extractor = MODELS.build(text_roi_extractor)
        self.text_head = MODELS.build(text_head)

    def init_assigner_sampler(self) -> None:
        super().init_assigner_sampler()
        if not self.train_cfg:
            return
        self.text_assigner = TASK_UTILS.build(self.train_cfg.text_assigner)
        self.text_sampler = TASK_UTILS.build(self.train_cfg.text_sampler, default_args={"context": self})

    def loss(
        self, x: Pyramid, rpn_results_list: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        proposals = [InstanceData(priors=result.bboxes) for result in rpn_results_list]
        losses = super().loss(x, self._with_refinements(x, rpn_results_list, batch_data_samples), batch_data_samples)
        losses.update(self.text_loss(x, proposals, batch_data_samples))
        return losses

    @torch.no_grad()
    def _with_refinements(
        self, x: Pyramid, proposals: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> list[InstanceData]:
        """The proposals and what they become when refined, so that the box head learns from what it will meet."""
        if not self.test_cfg.get("refinements", 0):
            return proposals
        refined = [
            self.refine(x, own.bboxes, sample.img_shape[:2], image)
            for image, (own, sample) in enumerate(zip(proposals, batch_data_samples, strict=True))
        ]
        return [
            InstanceData(
                bboxes=torch.cat([own.bboxes, moved]), labels=own.labels.repeat(2), scores=own.scores.repeat(2)
            )
            for own, moved in zip(proposals, refined, strict=True)
        ]

    def refine(self, x: Pyramid, boxes: Tensor, size: tuple[int, int], image: int = 0) -> Tensor:
        """Boxes (N, 4) moved by what is seen in them, as often as ``test_cfg`` says with ``refinements``.

        Iterative regression (Gidaris & Komodakis 2015, arXiv 1505.01749); ``size`` is height, width of the input,
        ``image`` the number of the boxes' image in the batch.
        """
        for _ in range(self.test_cfg.get("refinements", 0)):
            rois = torch.cat([boxes.new_full((len(boxes), 1), image), boxes], dim=1)
            deltas = self._bbox_forward(x, rois)["bbox_pred"]
            boxes = self.bbox_head.bbox_coder.decode(boxes, deltas, max_shape=size)
        return boxes

    def text_features(self, x: Pyramid, rois: Tensor, masks: Tensor) -> Tensor:
        """What the text head reads.

        Args:
            rois: (N, 5) image index, x1, y1, x2, y2.
            masks: (N, M, M) probability that a cell of the RoI belongs to the word; not all heads ask for it.

        Returns:
            (N, C, h, w) features.
        """
        return self.text_roi_extractor(x.finest(self.text_roi_extractor.num_inputs), rois)

    def text_loss(
        self, x: Pyramid, proposals: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        """Loss of reading the RoIs that lie well on a word with a known text."""
        samples = [self._sample_text(one, sample) for one, sample in zip(proposals, batch_data_samples, strict=True)]
        rois = bbox2roi([sample.pos_priors for sample in samples])
        targets = torch.cat(
            [
                sample.gt_instances.texts[result.pos_assigned_gt_inds]
                for result, sample in zip(samples, batch_data_samples, strict=True)
            ]
        )
        keep = self.text_head.readable(rois, targets)
        if not keep.any():
            return self._no_text_loss(x)
        whole = rois.new_ones(len(rois[keep]), 1, 1)
        return self.text_head.loss(self.text_features(x, rois[keep], whole), targets[keep])

    def _sample_text(self, proposals: InstanceData, sample: DetDataSample) -> SamplingResult:
        assigned = self.text_assigner.assign(proposals, sample.gt_instances, sample.ignored_instances)
        return self.text_sampler.sample(assigned, proposals, sample.gt_instances)

    def _no_text_loss(self, x: Pyramid) -> dict[str, Tensor]:
        # Every parameter must take part in every step, or distributed training waits for ever.
        height, width = x.image.shape[-2:]
        anywhere = x.image.new_tensor([[0, 0, 0, width, height]])
        nothing = torch.zeros(1, 1, dtype=torch.int64, device=anywhere.device)
        features = self.text_features(x, anywhere, anywhere.new_ones(1, 1, 1))
        losses = self.text_head.loss(features, nothing)
        return {name: loss * 0.0 for name, loss in losses.items()}


@MODELS.register_module()
class RectifyingRoIHead(TextRoIHead):
    """Reads each word in a turned rectangle around its mask rather than in its box.

    It learns from true words in frames that are off as found ones may be; ``train_cfg`` says with ``words_read`` how
    many words of an image at most, and needs no ``text_assigner`` and ``text_sampler``.

    Args:
        frame_jitter: how far those frames are off, see ``FrameJitter.of``.
    """

    def __init__(self, *args: object, frame_jitter: dict[str, float] | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.frame_jitter = FrameJitter.of(frame_jitter)

    def init_assigner_sampler(self) -> None:
        StandardRoIHead.init_assigner_sampler(self)

    def text_features(self, x: Pyramid, rois: Tensor, masks: Tensor) -> Tensor:
        """Pixels of the words, upright."""
        frames = reading_frames(rois[:, 1:], masks, self.test_cfg.mask_thr_binary)
        extractor = self.text_roi_extractor
        return extractor(x, rois[:, 0], widen(frames, extractor.margin))

    def text_loss(
        self, x: Pyramid, proposals: list[InstanceData], batch_data_samples: list[DetDataSample]
    ) -> dict[str, Tensor]:
        """Loss of reading true words whose text is known."""
        picked = [self._pick(sample.gt_instances) for sample in batch_data_samples]
        frames, targets = (torch.cat(parts) for parts in zip(*picked, strict=True))
        if not len(frames):
            return self._no_text_loss(x)
        owners = torch.cat([torch.full((len(own),), index) for index, (own, _) in enumerate(picked)])
        features = self.text_roi_extractor(x, owners.to(frames.device), frames)
        return self.text_head.loss(features, targets)

    def _pick(self, truth: InstanceData) -> tuple[Tensor, Tensor]:
        """Frames (n, 3, 2) and targets (n, T) of some words of an image."""
        masks = rasterise(truth.polygons, truth.bboxes, _TRUE_MASK)
        frames = reading_frames(truth.bboxes, masks, 0.5)
        # A word that is read against its frame's direction is upside down: nothing to learn from.
        forward = reads_forward(truth.polygons[:, 1] - truth.polygons[:, 0], frames[:, 1])
        readable = self.text_head.readable(torch.cat([truth.labels[:, None], truth.bboxes], dim=1), truth.texts)
        rows = (forward & readable).nonzero().squeeze(1)
        rows = rows[torch.randperm(len(rows), device=rows.device)[: self.train_cfg.words_read]]
        rng = np.random.default_rng(int(torch.randint(2**31, (1,))))
        jittered = [torch.from_numpy(self.frame_jitter(frame, rng)) for frame in frames[rows].cpu().numpy()]
        return torch.stack(jittered).to(frames) if jittered else frames[rows], truth.texts[rows]


_TRUE_MASK = 28
"""Cells a side on which true words are drawn to find their frames."""
