"""Sizes on the command line are written and refused in one way by all tools."""

import argparse
import importlib

import pytest

from text_spotting.cli.sizes import size


def test_width_comes_first_and_the_cross_may_be_a_capital() -> None:
    assert size("1280x704") == (1280, 704)
    assert size("640X384") == (640, 384)


@pytest.mark.parametrize(
    "text", ["wide", "640", "640x", "x480", "640x480x3", "0x720", "640x00", "-6x4", "6.5x4", "²x²"]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"is not WIDTHxHEIGHT, such as 1280x704"):
        size(text)


@pytest.mark.parametrize(
    ("tool", "flags"),
    [
        ("benchmark", ["throughput", "--load-weights", "m.xml", "--images", "p", "--sizes", "0x720"]),
        ("benchmark", ["train", "--config", "model.py", "--size", "0x720"]),
        ("export", ["--load-weights", "s.pth", "--save-model-to", "out", "--input-size", "0x720"]),
        ("generate_synthetic", ["--output", "out", "--size", "0x720"]),
        ("pack_shards", ["--output", "out", "--photos", "ic15=photos.json@0x720"]),
    ],
    ids=["throughput", "training speed", "export", "generate_synthetic", "pack_shards"],
)
def test_a_tool_refuses_a_side_of_no_pixel(tool: str, flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"text_spotting.cli.{tool}").add_arguments(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(flags)
    said = capsys.readouterr().err
    assert f"argument {flags[-2]}: '0x720' is not WIDTHxHEIGHT, such as 1280x704" in said
