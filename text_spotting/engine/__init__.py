"""Training loop, hooks, checkpoints and the PyTorch spotter."""
