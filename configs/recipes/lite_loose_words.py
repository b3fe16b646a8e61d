"""Stage 4 of text-spotting-0003-lite: the text head once more, in frames as far off as those of the detector."""

_base_ = ["lite_more_words.py"]

_epochs = 20

frame_jitter = dict(along=0.12, across=0.07, deepest=0.2, farthest=0.6, angle=2.0)

train_dataloader = dict(dataset=dict(seed=3))
train_cfg = dict(max_epochs=_epochs)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [
    *_base_.custom_hooks,
    dict(type="EMAHook", momentum=0.001, update_buffers=True, begin_iter=2),
]
