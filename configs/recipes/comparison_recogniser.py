"""What data are worth to the text head: a short run on photographed words, rendered ones or both (SYNTHETIC: share)."""

_base_ = ["lite_recogniser.py"]

_annotations = "{{$ANN_ROOT:annotations}}"
_epochs = 4

train_dataloader = dict(
    dataset=dict(
        length=6400,
        ann_files=[_annotations + "/ic15_train.json"],
        data_roots=[_annotations],
        real_share=1 - float("{{$SYNTHETIC:0.5}}"),
    )
)
train_cfg = dict(max_epochs=_epochs)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
