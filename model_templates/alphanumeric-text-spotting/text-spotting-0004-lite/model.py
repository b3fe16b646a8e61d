"""text-spotting-0004-lite: text-spotting-0003-lite whose detector sees four fifths of the resolution."""

_base_ = ["../text-spotting-0003-lite/model.py"]

input_size = (1280, 720)  # width, height

_downscale = 1.25
_strides = [5, 10, 20, 40]
_levels = dict(featmap_strides=_strides, finest_scale=93)  # words of the same size in the trunk's pixels as there

model = dict(
    data_preprocessor=dict(pad_size_divisor=40),
    backbone=dict(downscale=_downscale),
    rpn_head=dict(anchor_generator=dict(strides=[*_strides, 80])),
    roi_head=dict(bbox_roi_extractor=_levels, mask_roi_extractor=_levels),
)
train_dataloader = dict(
    dataset=dict(
        transforms=[
            dict(_base_.train_dataloader.dataset.transforms[0], size=(640, 480), fit=input_size),
            *_base_.train_dataloader.dataset.transforms[1:],
        ]
    )
)
