"""RapidOCR beside ours, by a stand-in for the package: set-up does not bring it."""

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from text_spotting.errors import UserError
from text_spotting.evaluation.broad import rapid

QUAD = [[1, 2], [9, 2], [9, 6], [1, 6]]


class StandIn:
    """Answers as the package does; keeps the switches of the call before, as it does."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.use_det = True
        self.lines: list[Any] = [(("two", 0.9, QUAD), ("words", 0.8, QUAD)), (("line", 0.7, QUAD),)]

    def __call__(self, image: Any, use_det: bool | None = None, **switches: Any) -> Any:
        self.use_det = self.use_det if use_det is None else use_det
        self.text_rec = lambda given: SimpleNamespace(txts=tuple(str(len(word)) for word in given.img))
        if not self.use_det or not self.lines:
            return SimpleNamespace(boxes=None, word_results=(("", 1.0, None),))
        return SimpleNamespace(boxes=np.zeros((len(self.lines), 4, 2)), word_results=tuple(self.lines))


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: Any = ModuleType("rapidocr")
    made.RapidOCR, made.EngineType = StandIn, SimpleNamespace(OPENVINO="openvino")
    inner: Any = ModuleType("rapidocr.ch_ppocr_rec")
    inner.TextRecInput = SimpleNamespace
    monkeypatch.setitem(sys.modules, "rapidocr", made)
    monkeypatch.setitem(sys.modules, "rapidocr.ch_ppocr_rec", inner)
    monkeypatch.setattr(rapid, "version", lambda: "3.10.0")
    rapid.engine.cache_clear()
    yield
    rapid.engine.cache_clear()


def test_words_of_all_lines_are_told_with_their_places() -> None:
    words = rapid.spot(np.zeros((20, 20, 3), np.uint8))
    assert [(word.text, word.score) for word in words] == [("two", 0.9), ("words", 0.8), ("line", 0.7)]
    assert words[0].box == (1, 2, 9, 6)


def test_an_image_without_lines_has_no_words() -> None:
    rapid.engine(0).lines.clear()
    assert rapid.spot(np.zeros((20, 20, 3), np.uint8)) == []


def test_crops_are_read_together_and_looking_for_words_goes_on_afterwards() -> None:
    crops = [np.zeros((height, 9, 3), np.uint8) for height in (7, 8)]
    assert rapid.recognise(crops) == ["7", "8"]
    assert len(rapid.spot(np.zeros((20, 20, 3), np.uint8))) == 3


@pytest.mark.parametrize(("threads", "asked"), [(0, -1), (3, 3)], ids=["all cores", "three"])
def test_all_three_parts_run_on_openvino(threads: int, asked: int) -> None:
    assert rapid.engine(threads).params == {
        "EngineConfig.openvino.inference_num_threads": asked,
        "Global.log_level": "error",
        "Det.engine_type": "openvino",
        "Cls.engine_type": "openvino",
        "Rec.engine_type": "openvino",
    }


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(rapid, "PACKAGE", "rapidocr-that-nobody-has")
    with pytest.raises(UserError, match="rapidocr-that-nobody-has is not installed; install it: pip install"):
        rapid.version()
