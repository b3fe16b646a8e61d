"""text-spotting-0003-lite: the detector sees two thirds of the resolution, the recogniser all of it."""

_base_ = ["../../../configs/_base_/mask_rcnn_text.py", "../../../configs/_base_/runtime.py"]

input_size = (1296, 720)  # width, height
keep_aspect = True
text_thr = 0.5
text_weight = 0.2  # a word that can be read is surely one
word_thr = 0.5
max_words = 400  # most words of an image
word_size = (32, 96)  # height, width of a word as it is read
downscale = 1.5  # the detector's view; strides, anchors and padding follow from it
read_stretch = 1.5  # most that words are made wider than they are, to be read from pixels
margin = 0.04  # read around a found word, as a share of its height
frame_jitter = dict(along=0.12, across=0.07, deepest=0.2, farthest=0.6, angle=2.0, slant=0.08)  # of training's frames

_channels = 64
_box_cells = (5, 16)  # words are wide, and gaps between them narrow
_extractor = dict(type="SingleRoIExtractor", out_channels=_channels)
_roi_align = dict(type="RoIAlign", sampling_ratio=1)  # cells are smaller than strides on most words

model = dict(
    backbone=dict(type="TextBackbone", frozen_stages=1),
    neck=dict(type="LargeKernelFPN", in_channels=[48, 96, 192, 384], out_channels=_channels),
    rpn_head=dict(
        type="SeparableRPNHead",
        in_channels=_channels,
        feat_channels=_channels,
        anchor_generator=dict(type="AnchorGenerator", scales=[4], ratios=[0.25, 0.5, 1.0, 2.0]),
    ),
    roi_head=dict(
        type="RectifyingRoIHead",
        bbox_roi_extractor=dict(_extractor, roi_layer=dict(_roi_align, output_size=_box_cells)),
        bbox_head=dict(in_channels=_channels, fc_out_channels=256, roi_feat_size=_box_cells),
        mask_roi_extractor=dict(_extractor, roi_layer=dict(_roi_align, output_size=14)),
        mask_head=dict(
            num_convs=2,
            in_channels=_channels,
            conv_out_channels=_channels,
            norm_cfg=dict(type="BN", requires_grad=True),
        ),
        text_roi_extractor=dict(type="RectifyingExtractor"),
        text_head=dict(
            type="TextRecognitionHead",
            encoder=dict(type="LightSVTREncoder"),
            hidden_size=192,
            dropout=0.1,
            ctc_weight=0.5,
        ),
    ),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=150, nms=dict(type="nms", iou_threshold=0.7), min_bbox_size=0),
        rcnn=dict(
            assigner=dict(joined_iou_thr=0.7),
            sampler=dict(
                type="CombinedSampler",
                num=128,
                pos_fraction=0.33,
                neg_pos_ub=-1,
                add_gt_as_proposals=True,
                pos_sampler=dict(type="RandomSampler"),
                # floor_thr=-1 would become 0 at the first call, in this run and again in each that resumes it
                neg_sampler=dict(type="IoUBalancedNegSampler", floor_thr=0, floor_fraction=0, num_bins=4),
            ),
            words_read=8,
        ),
    ),
    test_cfg=dict(
        rpn=dict(
            nms_pre=600,
            usual=100,  # beyond these, only proposals that are surely text are looked at: they cost time
            sure_thr=0.9,
            nms=dict(type="nms", iou_threshold=0.7),
            min_bbox_size=0,
        ),
        rcnn=dict(
            score_thr=0.4,
            nms=dict(type="nms", iou_threshold=0.5),
            mask_thr_binary=0.5,
            refinements=1,
        ),
    ),
)

train_dataloader = dict(
    dataset=dict(
        type="SpottingDataset",
        sources=[],
        repeat=4,
        transforms=[
            dict(type="RandomView", size=(672, 480)),
            dict(type="Photometric"),
        ],
    ),
)
train_cfg = dict(type="ResumableTrainLoop")
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", weight_decay=0.01),
    clip_grad=dict(max_norm=10.0),
    paramwise_cfg=dict(custom_keys={"backbone": dict(lr_mult=0.2)}),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
