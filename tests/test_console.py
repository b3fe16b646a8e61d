"""The command: instant help, words of any source in any format, a clear line where something is missing."""

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from sample_graphs import save_ir
from test_runtime_alone import BLOCKED

from text_spotting.cli.console import FIRST, TOOLS, main, usage
from text_spotting.cli.read import FORMATS, file_names
from text_spotting.result.formats import FORMATS as WRITERS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_ir(tmp_path_factory.mktemp("model")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    image = np.zeros((40, 80, 3), np.uint8)
    image[..., 0] = 255
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("in/one.png", "in/deep/two.png"):
        cv2.imwrite(str(tmp_path / name), image)
    return tmp_path / "in"


def read(model: str, *arguments: object) -> int:
    return main(["read", "--model", model, *map(str, arguments)])


def test_every_script_is_a_command_and_has_a_line_in_the_help() -> None:
    assert sorted(TOOLS) == sorted(path.stem for path in (ROOT / "tools").glob("*.py"))
    lines = usage().splitlines()
    for name in (*FIRST, *TOOLS):
        (line,) = [line for line in lines if line.split()[:1] == [name.replace("_", "-")]]
        assert len(line.split()) > 3, f"{name} says what it does"


def test_the_command_lists_the_formats_there_are() -> None:
    assert tuple(WRITERS) == FORMATS


@pytest.mark.parametrize("arguments", [["--help"], ["read", "--help"], ["train", "--help"], ["--version"]], ids=str)
def test_nothing_heavy_is_loaded_before_there_is_work(arguments: list[str]) -> None:
    code = f"""
import sys
from text_spotting.cli.console import main
import text_spotting
try:
    main({arguments})
finally:
    print("LOADED", sorted({{"numpy", "cv2", "torch", "openvino", "mmengine"}} & set(sys.modules)))
"""
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert shown.stdout.splitlines()[-1] == "LOADED []"


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["raed"]) == 2
    assert capsys.readouterr().err == "error: text-spotting has no command 'raed'; text-spotting --help lists them\n"


def test_words_are_printed(model: str, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read(model, photos / "one.png") == 0
    assert capsys.readouterr().out == "ab\n"


def test_folders_are_read_with_what_lies_below_them_when_told(
    model: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(model, photos, "--format", "jsonl") == 0
    assert [json.loads(line)["image"] for line in capsys.readouterr().out.splitlines()] == [str(photos / "one.png")]
    assert read(model, photos, "--recursive", "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [Path(image["image"]).name for image in found] == ["two.png", "one.png"]


@pytest.mark.slow
def test_standard_input_is_an_image(model: str, photos: Path) -> None:
    command = [sys.executable, "-m", "text_spotting", "read", "-", "--model", model]
    content = (photos / "one.png").read_bytes()
    ended = subprocess.run(command, input=content, capture_output=True, check=True, cwd=ROOT)
    assert ended.stdout == b"ab\n"


def test_results_are_written_and_drawn(
    model: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--output", tmp_path / "words.csv", "--format", "csv", "--draw", tmp_path / "drawn"]
    assert read(model, photos / "one.png", *flags) == 0
    assert len((tmp_path / "words.csv").read_text().splitlines()) == 3
    assert cv2.imread(str(tmp_path / "drawn" / "one.jpg")).shape == (40, 80, 3)  # type: ignore[union-attr]
    assert capsys.readouterr().out == ""


def test_icdar_files_lie_in_a_folder(
    model: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(model, photos, photos / "deep", "--format", "icdar") == 2
    assert "--format icdar has no place for the names of 2 images: give a folder" in capsys.readouterr().err
    assert read(model, photos, photos / "deep", "--format", "icdar", "--output", tmp_path / "out") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["res_one.txt", "res_two.txt"]


def test_files_of_the_same_name_do_not_overwrite_each_other() -> None:
    sources = ["a/shop.jpg", "a/shop.png", "b/shop.jpg", "-", "http://x.example/shop.jpg?v=1.2", "c/shop_2.jpg"]
    assert list(file_names(sources).values()) == ["shop", "shop_2", "shop_3", "stdin", "shop_4", "shop_2_2"]


def test_scores_characters_and_words_can_be_chosen(
    model: str, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "list.txt").write_text("ab\nxyz\n")
    assert read(model, photos / "one.png", "--lexicon", tmp_path / "list.txt") == 0
    assert capsys.readouterr().out == "ab\n"
    assert read(model, photos / "one.png", "--score", "0.95", "--format", "jsonl") == 0
    assert len(json.loads(capsys.readouterr().out)["words"]) == 1


def test_an_image_that_cannot_be_read_holds_up_no_other(
    model: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "broken.png").write_bytes(b"no image")
    assert read(model, photos) != 0
    captured = capsys.readouterr()
    assert "ab" in captured.out
    assert "error: 1 of 2 images could not be read: " in captured.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere.jpg"], "error: nowhere.jpg: no such file"),
        (["nowhere.jpg", "nowhere.jpg"], "error: nowhere.jpg: no such file"),
        (["nowhere.jpg", "--score", "3"], "--score: 3 is not from 0 to 1"),
        (["nowhere.jpg", "--format", "pdf"], "invalid choice: 'pdf'"),
        ([__file__, "--allow", "ж"], "error: --allow: the model cannot read ж; its alphabet is abc"),
    ],
    ids=["a missing file", "twice", "an impossible score", "an unknown format", "foreign characters"],
)
def test_mistakes_are_told_in_one_line(
    model: str, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    try:
        code: str | int | None = read(model, *arguments)
    except SystemExit as ended:
        code = ended.code
    assert code == 2
    assert complaint in capsys.readouterr().err


@pytest.mark.parametrize("tool", ["train", "eval", "export", "compress"])
def test_a_machine_without_torch_gets_one_line_from_the_tools_that_need_it(tmp_path: Path, tool: str) -> None:
    flags = {
        "train": "--train-ann-files a --train-data-roots b --val-ann-files a --val-data-roots b",
        "eval": "--test-ann-files a.json --test-data-roots . --load-weights w.pth --config m.py",
        "export": "--load-weights w.pth --save-model-to out --config m.py",
        "compress": "--train-ann-files a.json --train-data-roots . --val-ann-files a.json --val-data-roots ."
        " --load-weights w.pth --save-model-to out --nncf-quantization --config m.py",
    }[tool]
    annotations = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "text"}]}
    (tmp_path / "a.json").write_text(json.dumps(annotations))
    (tmp_path / "w.pth").touch()
    (tmp_path / "m.py").touch()
    code = f"{BLOCKED}\nfrom text_spotting.cli.console import main\nsys.exit(main({[tool, *flags.split()]!r}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_compressing_in_no_way_warns_and_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "w.xml").touch()
    sets = ["--train-ann-files", "a", "--train-data-roots", "b", "--val-ann-files", "a", "--val-data-roots", "b"]
    out = tmp_path / "out"
    assert main(["compress", *sets, "--load-weights", str(tmp_path / "w.xml"), "--save-model-to", str(out)]) == 0
    assert capsys.readouterr().err == (
        "warning: no way of compressing was chosen, so nothing was done; give --nncf-quantization\n"
    )
    assert not out.exists()


def test_the_box_tells_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    shown = capsys.readouterr().out
    assert "(in the box)" in shown
    assert "reads       abcdefghijklmnopqrstuvwxyz0123456789" in shown


@pytest.mark.slow
def test_the_model_in_the_box_reads_a_photo(capsys: pytest.CaptureFixture[str]) -> None:
    photo = ROOT / "data" / "horizontal_text_detection" / "images" / "000000.jpg"
    assert main(["read", str(photo)]) == 0
    assert "annoying" in capsys.readouterr().out


def test_the_box_stays_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "text_spotting" / "box").rglob("*")) < 45e6
