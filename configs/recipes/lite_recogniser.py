"""Stage 1 of text-spotting-0003-lite: the text head alone, on words of photos and on rendered ones."""

_base_ = ["../../model_templates/alphanumeric-text-spotting/text-spotting-0003-lite/model.py"]

_data = "{{$DATA_ROOT:data}}"
_annotations = "{{$ANN_ROOT:annotations}}"
_epochs = 10
# Stages 1 to 3 read words in nearly true frames; stage 4 in frames as far off as found ones.
frame_jitter = dict(along=0.05, across=0.05, deepest=0.06, farthest=0.14, angle=1.4)
_mean = _base_.model.data_preprocessor.mean
_std = _base_.model.data_preprocessor.std

model = dict(
    _delete_=True,
    type="WordRecogniser",
    text_head=dict(
        _base_.model.roi_head.text_head,
        encoder=dict(_base_.model.roi_head.text_head.encoder, pretrained=True, mean=_mean, std=_std),
    ),
    mean=_mean,
    std=_std,
)
train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        _delete_=True,
        type="WordCropDataset",
        size=_base_.word_size,
        length=25600,
        ann_files=[_annotations + "/" + name for name in ("words.json", "words.json", "ic03.json", "mlt_pseudo.json")],
        data_roots=[_annotations] * 4,
        real_share=0.6,
        transforms=[dict(type="Photometric", p=0.2)],
        options=dict(backgrounds=_data + "/backgrounds", punctuation=0.0),
    ),
)
train_cfg = dict(type="ResumableTrainLoop", max_epochs=_epochs)
optim_wrapper = dict(
    _delete_=True,
    type="BFloat16OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=5.0),
    paramwise_cfg=dict(custom_keys={"encoder": dict(lr_mult=0.3)}),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=200),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [dict(type="SnapshotHook", interval=1, keep=2), dict(type="JournalHook", interval=20)]
