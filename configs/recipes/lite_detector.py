"""Stage 5 of text-spotting-0003-lite: the detector, on crops of photos and on rendered images."""

_base_ = ["../../model_templates/alphanumeric-text-spotting/text-spotting-0003-lite/model.py"]

_data = "{{$DATA_ROOT:data}}"
_annotations = "{{$ANN_ROOT:annotations}}"
_size = (960, 672)
_epochs = 40
_views = [dict(type="RandomView", size=_size), dict(type="Photometric")]

text_weight = word_thr = 0.0  # the text head of this stage is thrown away
validation = [_annotations + "/ic15_dev.json", _annotations]
validation_images = 20  # the first ones only, while training

train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    dataset=dict(
        sources=[
            dict(
                type="PhotoSource",
                ann_files=_annotations + "/ic15_train.json",
                data_roots=_annotations,
                transforms=[dict(type="Stretch", size=(1280, 720)), *_views],
            ),
            dict(type="PhotoSource", ann_files=_annotations + "/mlt_pseudo.json", data_roots=_annotations),
            dict(type="PhotoSource", ann_files=_annotations + "/ic03.json", data_roots=_annotations),
            dict(
                type="SyntheticSource",
                length=100000,
                size=_size,
                words=(6, 24),
                height=(9, 72),
                backgrounds=_data + "/backgrounds",
                transforms=[],
            ),
        ],
        weights=[0.55, 0.15, 0.1, 0.2],
        length=400,
        repeat=1,
        transforms=_views,
    ),
)
model = dict(
    backbone=dict(pretrained=True),
    neck=dict(pretrained=True),
    train_cfg=dict(
        rpn_proposal=dict(nms_pre=500, max_per_img=250),
        rcnn=dict(sampler=dict(num=128), words_read=0),
    ),
)
train_cfg = dict(max_epochs=_epochs, val_interval=4)
optim_wrapper = dict(
    type="BFloat16OptimWrapper",
    optimizer=dict(lr=7e-4),
    paramwise_cfg=dict(custom_keys={"neck.lateral": dict(lr_mult=0.4), "neck.smooth": dict(lr_mult=0.4)}),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=100),
    dict(type="CosineAnnealingLR", T_max=_epochs, eta_min_ratio=0.01, by_epoch=True, convert_to_iter_based=True),
]
custom_hooks = [dict(type="SnapshotHook", interval=1, keep=2), dict(type="JournalHook", interval=10)]
