"""What the Mask R-CNN graphs of all templates share; templates fill in sizes."""

custom_imports = dict(imports=["text_spotting.models", "text_spotting.data", "text_spotting.engine"])
default_scope = "mmdet"

word_assigner = dict(
    type="WordAssigner",
    pos_iou_thr=0.5,
    neg_iou_thr=0.5,
    min_pos_iou=0.5,
    match_low_quality=False,
    ignore_iof_thr=0.5,
)

model = dict(
    type="MaskTextSpotter",
    data_preprocessor=dict(
        type="DetDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
        pad_size_divisor=32,
        pad_mask=False,
    ),
    rpn_head=dict(
        type="WordRPNHead",
        bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[1.0, 1.0, 1.0, 1.0]),
        loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True),
        loss_bbox=dict(type="L1Loss"),
    ),
    roi_head=dict(
        type="TextRoIHead",
        bbox_head=dict(
            type="WordBBoxHead",
            num_classes=1,
            roi_feat_size=7,
            bbox_coder=dict(type="DeltaXYWHBBoxCoder", target_stds=[0.1, 0.1, 0.2, 0.2]),
            reg_class_agnostic=False,
            loss_cls=dict(type="CrossEntropyLoss"),
            loss_bbox=dict(type="L1Loss"),
        ),
        mask_head=dict(
            type="PolygonMaskHead",
            num_classes=1,
            loss_mask=dict(type="CrossEntropyLoss", use_mask=True),
        ),
    ),
    train_cfg=dict(
        rpn=dict(
            assigner=dict(word_assigner, pos_iou_thr=0.7, neg_iou_thr=0.3, min_pos_iou=0.3, match_low_quality=True),
            sampler=dict(type="RandomSampler", num=256, pos_fraction=0.5, neg_pos_ub=-1, add_gt_as_proposals=False),
            allowed_border=-1,
            pos_weight=-1,
            debug=False,
        ),
        rcnn=dict(
            assigner=word_assigner,
            mask_size=28,
            pos_weight=-1,
            debug=False,
        ),
    ),
)
