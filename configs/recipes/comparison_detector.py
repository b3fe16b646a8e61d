"""What data are worth to the detector: a short run on photos, rendered images or both (SYNTHETIC: share of these)."""

_base_ = ["lite_detector.py"]

_annotations = "{{$ANN_ROOT:annotations}}"
_synthetic = float("{{$SYNTHETIC:0.5}}")
_photos, _, _, _rendered = _base_.train_dataloader.dataset.sources
_epochs = 4

train_dataloader = dict(dataset=dict(sources=[_photos, _rendered], weights=[1 - _synthetic, _synthetic], length=175))
train_cfg = dict(max_epochs=_epochs, val_interval=_epochs + 1)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
