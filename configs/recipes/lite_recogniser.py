"""Stage 1 of text-spotting-0003-lite: the text head alone, on rendered and real word crops."""

_base_ = ["../../model_templates/alphanumeric-text-spotting/text-spotting-0003-lite/model.py"]

_data = "{{$DATA_ROOT:data}}"
_crop_size = (32, 128)

model = dict(
    _delete_=True,
    type="WordRecogniser",
    text_head=_base_.model.roi_head.text_head,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    bootstrap_steps=1200,
)
train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        _delete_=True,
        type="WordCropDataset",
        size=_crop_size,
        length=19200,
        real_share=0.15,
        crop_lists=[
            (_data + "/icdar2015/word_crops_train/gt.txt", _data + "/icdar2015/word_crops_train"),
            (_data + "/iiit5k/train.tags", _data + "/iiit5k"),
        ],
        transforms=[dict(type="LooseCrop"), dict(type="Photometric", p=0.2)],
        options=dict(backgrounds=_data + "/backgrounds", punctuation=0.0),
        ramp=96000,
    ),
)
train_cfg = dict(type="ResumableTrainLoop", max_epochs=11)
optim_wrapper = dict(
    _delete_=True,
    type="BFloat16OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=5.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=300),
    dict(type="CosineAnnealingLR", T_max=11, eta_min=1e-5, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [dict(type="SnapshotHook", interval=1, keep=2), dict(type="JournalHook", interval=20)]
