"""No stage of lite, for it made nothing better: the text head under PP-OCRv6's recogniser as a teacher."""

_base_ = ["lite_more_words.py"]

_epochs = 14

model = dict(teacher_weight=1.0)
train_dataloader = dict(
    dataset=dict(real_share=0.6, shrunk_share=0.3, seed=3, transforms=[dict(type="Photometric", p=0.5)])
)
train_cfg = dict(max_epochs=_epochs)
optim_wrapper = dict(optimizer=dict(lr=6e-4))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
