"""text-spotting-0005-lite: text-spotting-0003-lite whose detector sees all of the resolution."""

_base_ = ["../text-spotting-0004-lite/model.py"]

input_size = (1280, 736)  # width, height: an image of 1280x720, and whole cells of the coarsest map
downscale = 1.0
word_thr = 0.55  # it finds more words than the others, and more that are none
