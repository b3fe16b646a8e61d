"""A short run of the fuzzer for every change; the long one is ``tests/fuzz/fuzzing.py``."""

import warnings
from pathlib import Path

import pytest
from fuzzing import fuzz
from targets import Target, targets

from text_spotting.errors import UserError

SECONDS = 20.0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_spoiled_files_end_in_nothing_but_the_clean_error(tmp_path: Path) -> None:
    warnings.simplefilter("ignore")
    chosen = [target for target in targets(tmp_path) if not target.slow]
    outcome = fuzz(chosen, inputs=2000, seed=1, seconds=SECONDS)
    assert not outcome.faults, "\n".join(f"{name}: {fault}" for name, fault, _ in outcome.faults[:3])
    assert sum(outcome.read.values()) > 100 and sum(outcome.refused.values()) > 100


@pytest.mark.slow
def test_any_json_at_all_is_read_or_refused(tmp_path: Path) -> None:
    hypothesis = pytest.importorskip("hypothesis")
    from hypothesis import strategies

    chosen = [target for target in targets(tmp_path) if target.file.suffix == ".json"]
    keys = strategies.sampled_from(
        [
            "images",
            "annotations",
            "categories",
            "id",
            "image_id",
            "segmentation",
            "bbox",
            "attributes",
            "shapes",
            "points",
        ]
    ) | strategies.text(max_size=3)
    scalars = (
        strategies.none()
        | strategies.booleans()
        | strategies.integers()
        | strategies.floats()
        | strategies.text(max_size=5)
    )
    values = strategies.recursive(
        scalars, lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(keys, inner, max_size=5)
    )

    @hypothesis.settings(max_examples=150, deadline=None, database=None)  # type: ignore[untyped-decorator]
    @hypothesis.given(values, strategies.sampled_from(chosen))  # type: ignore[untyped-decorator]
    def check(value: object, target: Target) -> None:
        import json

        target.file.parent.mkdir(parents=True, exist_ok=True)
        target.file.write_text(json.dumps(value))
        try:
            target.read()
        except UserError:
            return

    check()


def test_the_fuzzer_notices_what_it_is_there_for(tmp_path: Path) -> None:
    def crash() -> None:
        raise ValueError

    target = Target("crash", tmp_path / "a.txt", b"1", crash)
    assert len(fuzz([target], inputs=3, seed=0).faults) == 3
