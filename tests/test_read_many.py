"""Very many images: one row for each input, whatever dies, and nothing done twice that is done."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sample_graphs import EXPORTED, save_ir

from text_spotting.annotations.dataset_file import write_dataset
from text_spotting.annotations.records import AnnotatedImage, LabelledWord
from text_spotting.cli.main import run_tool
from text_spotting.errors import UserError
from text_spotting.words import Word

pa = pytest.importorskip("pyarrow", reason="the extra text-spotting[many] is not installed")
pq = pytest.importorskip("pyarrow.parquet")
pytest.importorskip("fsspec")

from text_spotting.many.inputs import Share, find_shares  # noqa: E402
from text_spotting.many.parts import read_parts  # noqa: E402
from text_spotting.many.run import Reading, ShareReader, take_folder  # noqa: E402
from text_spotting.many.work import TRIES, read_share  # noqa: E402

ROOT = Path(__file__).parents[1]
BLUE = np.full((40, 80, 3), (255, 0, 0), np.uint8)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five images and a broken one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        image = BLUE.copy()
        image[0, 0] = number
        cv2.imwrite(str(folder / f"{number}.png"), image)
    (folder / "5.png").write_bytes(b"no image")
    return folder


def a_word(image: Any) -> list[Word]:
    """Reads the number that the first pixel has."""
    return [Word(np.array([[0, 0], [8, 0], [8, 4], [0, 4]], np.float32), str(image[0, 0, 0]), 0.5)]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def test_every_input_gives_one_row_also_a_broken_one(photos: Path, tmp_path: Path) -> None:
    (share,) = find_shares([str(photos)], "image", 100)
    assert read_share(share, a_word, tmp_path / "out", 4) == 6
    rows = rows_of(tmp_path / "out")
    assert [Path(row["source"]).name for row in rows] == [f"{number}.png" for number in range(6)]
    assert [row["words"][0]["text"] for row in rows[:5]] == ["0", "1", "2", "3", "4"]
    assert rows[0]["words"][0]["polygon"] == [0, 0, 8, 0, 8, 4, 0, 4]
    assert [row["error"] for row in rows[:5]] == [None] * 5
    assert "5.png" in rows[5]["error"]
    assert len(list((tmp_path / "out").iterdir())) == 2, "two parts of four rows at most, and no note"


def test_images_in_a_parquet_file_are_read_as_bytes_or_as_paths(photos: Path, tmp_path: Path) -> None:
    files = sorted(photos.glob("*.png"))
    content = [path.read_bytes() for path in files]
    pq.write_table(pa.table({"image": content}), tmp_path / "bytes.parquet", row_group_size=4)
    pq.write_table(pa.table({"path": [str(path) for path in files]}), tmp_path / "paths.parquet")
    shares = find_shares([str(tmp_path / "bytes.parquet")], "image", 100)
    assert [(share.group, share.rows) for share in shares] == [(0, 4), (1, 2)]
    assert sum(read_share(share, a_word, tmp_path / "one", 3) for share in shares) == 6
    (share,) = find_shares([str(tmp_path / "paths.parquet")], "path", 100)
    assert read_share(share, a_word, tmp_path / "two", 100) == 6
    one, two = rows_of(tmp_path / "one"), rows_of(tmp_path / "two")
    assert [row["words"] for row in one] == [row["words"] for row in two]
    assert [row["row"] for row in one] == [0, 1, 2, 3, 0, 1]


def test_urls_are_listed_and_read(photos: Path, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for path in sorted(photos.glob("*.png")):
        memory.pipe(f"/bucket/{path.name}", path.read_bytes())
    (share,) = find_shares(["memory://bucket/*.png"], "image", 100)
    assert share.paths[0] == "memory:///bucket/0.png"
    assert read_share(share, a_word, tmp_path, 100) == 6
    assert rows_of(tmp_path)[3]["words"][0]["text"] == "3"


def test_parts_that_are_there_are_not_read_again(photos: Path, tmp_path: Path) -> None:
    (share,) = find_shares([str(photos)], "image", 100)
    read_share(share, a_word, tmp_path, 2)
    parts = sorted(tmp_path.glob("*.parquet"))
    parts[1].unlink()
    seen: list[int] = []

    def noting(image: Any) -> list[Word]:
        seen.append(int(image[0, 0, 0]))
        return []

    assert read_share(share, noting, tmp_path, 2) == 2
    assert seen == [2, 3]
    assert len(rows_of(tmp_path)) == 6


def test_an_image_at_which_the_process_dies_is_given_up_and_the_others_are_read(photos: Path, tmp_path: Path) -> None:
    (share,) = find_shares([str(photos)], "image", 100)

    def deadly(image: Any) -> list[Word]:
        if image[0, 0, 0] == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return a_word(image)

    endings = [status_of_child(lambda: read_share(share, deadly, tmp_path, 2)) for _ in range(TRIES + 1)]
    assert endings == [-signal.SIGKILL] * TRIES + [0]
    rows = rows_of(tmp_path)
    assert [Path(row["source"]).name for row in rows] == [f"{number}.png" for number in range(6)]
    assert rows[2]["error"] == "3 processes died while they read this image"
    assert rows[3]["words"][0]["text"] == "3"


def status_of_child(work: Any) -> int:
    if not (child := os.fork()):
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("{}/nowhere", "no such file, folder or pattern"),
        ("nothing://bucket", "cannot be listed"),
        ("{}/5.png.parquet", "not a parquet file"),
    ],
    ids=["no folder", "no such protocol", "no parquet"],
)
def test_inputs_that_are_none_are_named(photos: Path, source: str, wanted: str) -> None:
    (photos / "5.png.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match=wanted):
        find_shares([source.format(photos)], "image", 100)


def test_a_parquet_file_without_the_column_names_those_it_has(tmp_path: Path) -> None:
    pq.write_table(pa.table({"jpeg": [b""], "id": [1]}), tmp_path / "a.parquet")
    with pytest.raises(UserError, match="no column 'image'; choose one of jpeg, id"):
        find_shares([str(tmp_path / "a.parquet")], "image", 100)


def test_parts_are_scored_as_predictions(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (share,) = find_shares([str(photos)], "image", 100)
    read_share(share, a_word, tmp_path / "out", 4)
    truth = Word(np.array([[0, 0], [8, 0], [8, 4], [0, 4]], np.float32), "3")
    images = [AnnotatedImage(photos / f"{n}.png", 80, 40, [LabelledWord(truth.polygon, "3")]) for n in (2, 3)]
    write_dataset(tmp_path / "truth.json", images, photos)
    flags = ["--test-ann-files", str(tmp_path / "truth.json"), "--test-data-roots", str(photos)]
    assert run_tool("eval", [*flags, "--from-predictions", str(tmp_path / "out"), "--metrics", "ic15_end_to_end"]) == 0
    said = capsys.readouterr()
    assert "3 predicted images are not in the test set, left out: 0, 1, 4" in said.err, "5 is broken and has no words"
    assert "50.00   50.00      50.00  1 / 2 / 2" in said.out, "both are found, one is read as 2"


def test_parts_of_images_without_names_cannot_be_scored(photos: Path, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image": [(photos / "0.png").read_bytes()]}), tmp_path / "in.parquet")
    (share,) = find_shares([str(tmp_path / "in.parquet")], "image", 100)
    read_share(share, a_word, tmp_path / "out", 4)
    with pytest.raises(UserError, match=r"lie in .*in\.parquet and have no names"):
        read_parts(tmp_path / "out")


def test_an_image_that_two_parts_have_is_named(photos: Path, tmp_path: Path) -> None:
    (share,) = find_shares([str(photos / "1.png")], "image", 100)
    for number in (0, 1):
        read_share(replace(share, number=number), a_word, tmp_path / "out", 4)
    with pytest.raises(UserError, match=r"1\.png was read twice"):
        read_parts(tmp_path / "out")


def test_a_part_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "share-000000-part-00000.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(UserError, match=r"share-000000-part-00000\.parquet: not a part file"):
        read_parts(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "share-000000-part-00000.parquet")
    with pytest.raises(UserError, match="not a part file"):
        read_parts(tmp_path)


@pytest.mark.parametrize(
    ("limits", "read"),
    [({}, "ab"), ({"allow": "a"}, "a"), ({"lexicon": ("AB!", "xyz")}, "AB!"), ({"lexicon": ("ac",)}, "")],
    ids=["none", "characters", "the likeliest of two words", "a word far from what is seen"],
)
def test_every_process_reads_within_the_limits(tmp_path: Path, limits: dict[str, Any], read: str) -> None:
    """The small model reads "ab" in its first word and is as sure as one half where that is limited to "a"."""
    cv2.imwrite(str(tmp_path / "blue.png"), BLUE)
    (share,) = find_shares([str(tmp_path / "blue.png")], "image", 100)
    model = save_ir(tmp_path, replace(EXPORTED, text_thr=0.4))
    reader = ShareReader(Reading(str(model), **limits), str(tmp_path / "out"))
    assert reader(share.to_json()) == 1
    assert [word["text"] for word in rows_of(tmp_path / "out")[0]["words"]] == [read, ""]


def test_a_folder_belongs_to_its_limits(photos: Path, tmp_path: Path) -> None:
    shares = find_shares([str(photos)], "image", 100)
    free, digits, words = Reading("m"), Reading("m", allow="01"), Reading("m", lexicon=("open", "exit"))
    for number, reading in enumerate((free, digits, words)):
        take_folder(tmp_path / str(number), shares, reading)
        take_folder(tmp_path / str(number), shares, reading)
    for number, other, changed in (
        (0, digits, "allow"),
        (1, free, "allow"),
        (2, Reading("m", lexicon=("open",)), "lexicon"),
    ):
        with pytest.raises(UserError, match=rf"another run \({changed} differ\)"):
            take_folder(tmp_path / str(number), shares, other)


def test_limits_that_the_model_cannot_meet_leave_the_folder_free(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("ray")
    (tmp_path / "list.txt").write_text("ж\n", encoding="utf-8")
    flags = ["--load-weights", str(save_ir(tmp_path)), "--input", str(photos), "--output", str(tmp_path / "out")]
    for wish, said in (
        (["--allow", "äö"], "the model cannot read ä ö"),
        (["--lexicon", str(tmp_path / "list.txt")], "none of the 1 words of the lexicon can be written"),
        (["--lexicon", str(tmp_path / "none.txt")], "none.txt does not exist"),
    ):
        assert run_tool("read_many", [*flags, *wish]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())


def test_a_share_survives_its_way_as_json() -> None:
    share = Share(3, 2, ("a.png", "b.png"))
    assert Share.from_json(share.to_json()).paths == ["a.png", "b.png"]


@pytest.mark.slow
class TestOnRay:
    """The whole tool in local processes."""

    @pytest.fixture(autouse=True)
    def needs_ray(self) -> None:
        pytest.importorskip("ray")

    @pytest.fixture(scope="class")
    @classmethod
    def model(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        return save_ir(tmp_path_factory.mktemp("model"))

    def test_a_tool_killed_in_the_middle_goes_on_to_one_row_an_input(self, model: Path, tmp_path: Path) -> None:
        content = cv2.imencode(".png", BLUE)[1].tobytes()
        pq.write_table(pa.table({"image": [content] * 1200}), tmp_path / "in.parquet", row_group_size=200)
        output = tmp_path / "out"
        tool = [sys.executable, str(ROOT / "tools" / "read_many.py"), "--load-weights", str(model)]
        tool += ["--input", str(tmp_path / "in.parquet"), "--output", str(output), "--part-rows", "50"]
        tool += ["--workers", "2"]
        first = subprocess.Popen(tool, env=dict(os.environ, PYTHONPATH=str(ROOT)), start_new_session=True)
        while len(list(output.glob("*.parquet"))) < 3 and first.poll() is None:
            time.sleep(0.05)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        before = {path: path.stat().st_mtime_ns for path in output.glob("*.parquet")}
        second = subprocess.run(
            tool, env=dict(os.environ, PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=False
        )
        assert second.returncode == 0, second.stderr[-2000:]
        assert "1200 of 1200 images, 0 of them could not be read" in second.stdout
        rows = pq.read_table(output).select(["source", "row"]).to_pylist()
        assert len(rows) == 1200
        assert before, "something was done before"
        assert all(path.stat().st_mtime_ns == changed for path, changed in before.items())

    def test_a_killed_reader_is_started_again_and_nothing_is_missing(self, model: Path, tmp_path: Path) -> None:
        content = cv2.imencode(".png", BLUE)[1].tobytes()
        pq.write_table(pa.table({"image": [content] * 1200}), tmp_path / "in.parquet", row_group_size=200)
        output = tmp_path / "out"
        tool = [sys.executable, str(ROOT / "tools" / "read_many.py"), "--load-weights", str(model), "--workers", "2"]
        tool += ["--input", str(tmp_path / "in.parquet"), "--output", str(output), "--part-rows", "50"]
        running = subprocess.Popen(tool, env=dict(os.environ, PYTHONPATH=str(ROOT)), stdout=subprocess.PIPE, text=True)
        while len(list(output.glob("*.parquet"))) < 2:
            assert running.poll() is None
            time.sleep(0.05)
        readers = [one for one in descendants(running.pid) if b"RayWorker" in Path(f"/proc/{one}/cmdline").read_bytes()]
        os.kill(readers[0], signal.SIGKILL)
        assert "1200 of 1200 images, 0 of them could not be read" in running.communicate(timeout=300)[0]
        rows = pq.read_table(output).select(["source", "row"]).to_pylist()
        assert len(rows) == 1200

    def test_other_inputs_do_not_go_into_the_same_folder(self, model: Path, photos: Path, tmp_path: Path) -> None:
        flags = ["--load-weights", str(model), "--output", str(tmp_path / "out")]
        assert run_tool("read_many", [*flags, "--input", str(photos)]) == 0
        (photos / "5.png").unlink()
        assert run_tool("read_many", [*flags, "--input", str(photos)]) == 2


def descendants(process: int) -> list[int]:
    """Ids of all processes that a process has started, and of those that they have."""
    found: list[int] = []
    for one in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, one.read_text().split()):
            found += [child, *descendants(child)]
    return found
