"""Stage 2 of text-spotting-0003-lite: the text head again, mostly on words of photos, many of them made small."""

_base_ = ["lite_recogniser.py"]

_epochs = 8

train_dataloader = dict(
    dataset=dict(real_share=0.75, shrunk_share=0.4, length=12800, seed=1, transforms=[dict(type="Photometric", p=0.3)])
)
train_cfg = dict(max_epochs=_epochs)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
