"""Stage 3 of text-spotting-0003-lite: the text head once more, longer, and held back from overfitting."""

_base_ = ["lite_small_words.py"]

_epochs = 26

model = dict(text_head=dict(dropout=0.2))
train_dataloader = dict(
    dataset=dict(real_share=0.6, shrunk_share=0.3, seed=2, transforms=[dict(type="Photometric", p=0.4)])
)
train_cfg = dict(max_epochs=_epochs)
optim_wrapper = dict(optimizer=dict(weight_decay=0.05))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
