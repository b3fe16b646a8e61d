"""Running and logging, alike for all templates."""

log_level = "INFO"
env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method="fork", opencv_num_threads=1))

train_dataloader = dict(
    sampler=dict(type="EpochSampler"),
    collate_fn=dict(type="pseudo_collate"),
    worker_init_fn=dict(type="quiet_worker"),
)
default_hooks = dict(logger=dict(type="LoggerHook", interval=10))
custom_hooks = [dict(type="SnapshotHook"), dict(type="JournalHook")]
