"""What a configuration says about images and words is what the PyTorch spotter goes by."""

from dataclasses import asdict

from small_networks import TEMPLATES

from text_spotting.engine.torch_spotter import manifest_of
from text_spotting.runtime.files import RECOGNIZER
from text_spotting.workdir.config import load_config

ELSEWHERE = {"format", "precision", "input_order"}
"""Fields that the export or the network itself decides."""


def test_every_field_of_a_manifest_comes_from_its_key() -> None:
    config = load_config(TEMPLATES / "text-spotting-0003-lite" / "model.py")
    config.update(input_size=(640, 352), keep_aspect=False, text_thr=0.31, text_weight=0.32, word_thr=0.33)
    config.update(read_stretch=1.25, margin=0.07)
    config.model.data_preprocessor.update(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], bgr_to_rgb=False)
    config.model.test_cfg.rcnn.update(score_thr=0.34, mask_thr_binary=0.35, max_per_img=77)
    config.alphabet = {"symbols": "aB9", "max_length": 7, "fold_case": False}
    told = asdict(manifest_of(config))
    assert {name: told[name] for name in told if name not in ELSEWHERE} == {
        "input_size": (640, 352),
        "keep_aspect": False,
        "mean": (1.0, 2.0, 3.0),
        "std": (4.0, 5.0, 6.0),
        "to_rgb": False,
        "embedded": False,
        "detector": "",
        "encoder": "",
        "decoder": "",
        "score_thr": 0.34,
        "text_thr": 0.31,
        "mask_thr": 0.35,
        "text_weight": 0.32,
        "word_thr": 0.33,
        "max_words": 77,
        "recognizer": RECOGNIZER,
        "read_stretch": 1.25,
        "read_margin": 0.07,
        "symbols": "  aB9",
        "start": 0,
        "stop": 1,
        "max_length": 7,
        "fold_case": False,
    }


def test_lite_weighs_reading_into_its_scores_and_0003_does_not() -> None:
    lite, published = (
        manifest_of(load_config(TEMPLATES / name / "model.py"))
        for name in ("text-spotting-0003-lite", "text-spotting-0003")
    )
    assert (lite.text_weight, lite.word_thr) == (0.2, 0.5)
    assert (published.text_weight, published.word_thr) == (0.0, 0.0)
    assert (published.recognizer, published.read_stretch, published.read_margin) == ("", 1.0, 0.0)
