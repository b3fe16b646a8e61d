"""text-spotting-0004-lite: text-spotting-0003-lite whose detector sees four fifths of the resolution."""

_base_ = ["../text-spotting-0003-lite/model.py"]

input_size = (1280, 720)  # width, height
downscale = 1.25

train_dataloader = dict(
    dataset=dict(
        transforms=[
            dict(_base_.train_dataloader.dataset.transforms[0], size=(640, 480)),
            *_base_.train_dataloader.dataset.transforms[1:],
        ]
    )
)
