"""text-spotting-0003: the published network, so that its snapshot loads by name, trains on and exports."""

_base_ = ["../../../configs/_base_/mask_rcnn_text.py", "../../../configs/_base_/runtime.py"]

input_size = (1280, 768)  # width, height
keep_aspect = False
max_words = 400  # most words of an image
text_thr = 0.5

_strides = [4, 8, 16, 32]
_extractor = dict(type="SingleRoIExtractor", out_channels=64, featmap_strides=_strides, finest_scale=56)
_roi_align = dict(type="RoIAlign", sampling_ratio=0)

model = dict(
    backbone=dict(
        type="ResNet",
        depth=50,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type="BN", requires_grad=True),
        norm_eval=True,
        style="pytorch",
    ),
    neck=dict(type="FPN", in_channels=[256, 512, 1024, 2048], out_channels=64, num_outs=5),
    rpn_head=dict(
        in_channels=64,
        feat_channels=64,
        anchor_generator=dict(type="AnchorGenerator", scales=[8], ratios=[0.5, 1.0, 2.0], strides=[*_strides, 64]),
    ),
    roi_head=dict(
        bbox_roi_extractor=dict(_extractor, roi_layer=dict(_roi_align, output_size=7)),
        bbox_head=dict(in_channels=64, fc_out_channels=512),
        mask_roi_extractor=dict(_extractor, roi_layer=dict(_roi_align, output_size=14)),
        mask_head=dict(num_convs=4, in_channels=64, conv_out_channels=64),
        text_roi_extractor=dict(_extractor, roi_layer=dict(_roi_align, output_size=28)),
        text_head=dict(
            type="TextRecognitionHead",
            encoder=dict(
                type="TextEncoder", in_channels=64, channels=[256, 256, 256], strides=[(1, 1), (1, 1), (1, 1)]
            ),
            hidden_size=256,
        ),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=2000, max_per_img=1000, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(
            sampler=dict(type="RandomSampler", num=512, pos_fraction=0.25, neg_pos_ub=-1, add_gt_as_proposals=True),
            text_assigner=dict(_base_.word_assigner, pos_iou_thr=0.99, min_pos_iou=0.5),
            text_sampler=dict(type="RandomSampler", num=128, pos_fraction=1.0, neg_pos_ub=-1, add_gt_as_proposals=True),
        ),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=600,
            usual=300,  # beyond these, only proposals that are surely text are looked at: they cost time
            sure_thr=0.9,
            nms=dict(type="nms", iou_threshold=0.7),
            min_bbox_size=0,
        ),
        rcnn=dict(score_thr=0.5, nms=dict(type="nms", iou_threshold=0.5), mask_thr_binary=0.5),
    ),
)

_scales = dict(type="RandomView", scales=(0.85, 1.15), on_word=0.0, quarter_turns=0.5)

train_dataloader = dict(
    dataset=dict(type="SpottingDataset", sources=[], repeat=3, transforms=[_scales, dict(type="Photometric", p=0.15)]),
)
train_cfg = dict(type="ResumableTrainLoop")
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="SGD", momentum=0.9, weight_decay=1e-4))
param_scheduler = [
    dict(type="ConstantLR", factor=1.0 / 3, by_epoch=False, begin=0, end=500),
    dict(type="MultiStepLR", milestones=[14, 22], gamma=0.1, by_epoch=True),
]
