"""Stage 6 of text-spotting-0003-lite: the detector once more, from where stage 5 ended."""

_base_ = ["lite_detector.py"]

_epochs = 27

_views = [
    dict(_base_.train_dataloader.dataset.transforms[0], tilts=0.2, quarter_turns=0.08),
    dict(type="Photometric", p=0.4),
]
_sources = _base_.train_dataloader.dataset.sources

train_dataloader = dict(
    dataset=dict(
        seed=1,
        sources=[
            dict(_sources[0], transforms=[_sources[0].transforms[0], *_views]),
            *_sources[1:],
        ],
        transforms=_views,
    )
)
train_cfg = dict(max_epochs=_epochs)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
