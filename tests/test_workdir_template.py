"""What a template may say, and how each mistake is named."""

from pathlib import Path

import pytest

from text_spotting.errors import UserError
from text_spotting.workdir.template import load_template

GOOD = """\
name: tiny
domain: Text Spotting
problem: Alphanumeric Text Spotting
framework: OneDL MMDetection v3.5.1
summary: for tests
annotation_format: COCO with text
config: model.py
initial_weights: snapshot.pth
dependencies:
  - source: snapshot.pth
    destination: snapshot.pth
max_nodes: 1
training_target: [GPU]
inference_target: [CPU]
hyper_parameters:
  basic:
    batch_size: 4
    base_learning_rate: 0.01
    epochs: 24
output_format:
  onnx:
    default: true
  openvino:
    default: true
    input_format: BGR
optimisations: ~
metrics:
  - {display_name: Size, key: size, unit: Mp, value: 27.76}
gpu_num: 1
tensorboard: true
"""


def _load(folder: Path, text: str) -> object:
    path = folder / "template.yaml"
    path.write_text(text, encoding="utf-8")
    return load_template(path)


def test_a_complete_template_loads_and_knows_its_weights(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(GOOD, encoding="utf-8")
    template = load_template(tmp_path / "template.yaml")
    assert template.hyper_parameters.basic.epochs == 24
    assert template.weights is not None
    assert template.weights.source == "snapshot.pth"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("batch_size: 4", "batch_size: 0", "hyper_parameters.basic.batch_size: "),
        ("batch_size: 4", "batch_sise: 4", "hyper_parameters.basic.batch_sise: is not a known key"),
        ("batch_size: 4", "batch_sise: 4", "hyper_parameters.basic.batch_size: is missing"),
        ("gpu_num: 1\n", "", "gpu_num: is missing"),
        ("input_format: BGR", "input_format: GRB", "output_format.openvino.input_format: "),
        ("value: 27.76", "value: big", "metrics.0.value: "),
        ("source: snapshot.pth", "source: ftp://host/a.pth", "dependencies.0.source: scheme 'ftp://'"),
        ("destination: snapshot.pth", "destination: ../a.pth", "dependencies.0.destination: must stay inside"),
        ("destination: snapshot.pth", "destination: /a.pth", "dependencies.0.destination: must stay inside"),
        ("source: snapshot.pth", "source: http://host/a.pth", "dependencies.0: a download needs both sha256 and size"),
        ("max_nodes", "  - {source: a, destination: snapshot.pth}\nmax_nodes", "more than one goes to snapshot.pth"),
        ("summary: for tests", "summary: 'for 3 epochs'", "exactly one line may hold the word 'epochs'"),
        ("epochs: 24", "epochs: 24 # was 25", "with digits '2425'"),
        ("name: tiny", "name: [", "not valid YAML"),
        ("config: model.py", "config: ../../x/model.py", "config: must stay inside"),
        ("config: model.py", "config: /x/model.py", "config: must stay inside"),
        ("gpu_num: 1", "gpu_num: 1\ngpu_num: 2", "key 'gpu_num' stands twice"),
        ("batch_size: 4", "batch_size: 4\n    batch_size: 8", "key 'batch_size' stands twice"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    assert old in GOOD
    with pytest.raises(UserError) as caught:
        _load(tmp_path, GOOD.replace(old, new, 1))
    assert complaint in str(caught.value)
    assert str(tmp_path / "template.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_several_mistakes_are_all_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        _load(tmp_path, GOOD.replace("gpu_num: 1\n", "").replace("epochs: 24", "epochs: -1"))
    assert "gpu_num" in str(caught.value)
    assert "hyper_parameters.basic.epochs" in str(caught.value)


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_missing_file_or_a_folder_is_no_template(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError):
        load_template(tmp_path / name)


def test_a_list_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="mapping"):
        _load(tmp_path, "- 1\n")
