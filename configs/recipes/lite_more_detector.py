"""Stage 6 of text-spotting-0003-lite: the detector once more, from where stage 5 ended."""

_base_ = ["lite_detector.py"]

_epochs = 24

train_dataloader = dict(dataset=dict(seed=1))
train_cfg = dict(max_epochs=_epochs)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
