"""Stage 6 of text-spotting-0003-lite: the detector once more, keeping a moving average of its weights."""

_base_ = ["lite_more_detector.py"]

_epochs = 27

validation_pictures = 50
train_dataloader = dict(dataset=dict(seed=2))
train_cfg = dict(max_epochs=_epochs)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [
    *_base_.custom_hooks,
    dict(type="EMAHook", momentum=0.0005, update_buffers=True, begin_iter=2),
]
