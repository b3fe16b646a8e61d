"""Tasks in several processes: each done once, and told when one dies; on Ray, done all the same."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from text_spotting import processes
from text_spotting.errors import UserError
from text_spotting.processes import run_on_ray, run_tasks

ON = [
    "the pool",
    pytest.param(
        "ray",
        marks=pytest.mark.skipif(find_spec("ray") is None, reason="text-spotting[many] is not there"),
    ),
]


class Notes:
    """Writes down which process did a task.

    The process of the task "deadly" is killed when it meets it first, that of "always deadly" each time.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, task: str) -> int:
        if task == "slow":
            time.sleep(60)
        if task == "always deadly" or (task == "deadly" and not (self.folder / "deadly").exists()):
            (self.folder / "deadly").write_text("met")
            os.kill(os.getpid(), signal.SIGKILL)
        (self.folder / f"{task}.done").write_text(str(os.getpid()))
        return 2


@pytest.fixture
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What several processes run on."""
    if request.param == "the pool":
        monkeypatch.setattr(processes, "find_spec", lambda name: None)
    else:  # its processes look for modules nowhere else
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(Path(__file__).parent), *sys.path]))
    return str(request.param)


def doers(folder: Path) -> set[str]:
    """The processes that did the tasks."""
    return {path.read_text() for path in folder.glob("*.done")}


def test_one_worker_works_here_without_another_process(tmp_path: Path) -> None:
    assert list(run_tasks(Notes, (tmp_path,), ["a", "b"], 1)) == [2, 2]
    assert doers(tmp_path) == {str(os.getpid())}


def test_without_tasks_no_process_is_started(tmp_path: Path) -> None:
    assert list(run_tasks(Notes, (tmp_path,), [], 2)) == []


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON, indirect=True)
def test_every_task_is_done_once_and_elsewhere(engine: str, tmp_path: Path) -> None:
    tasks = [f"task {number}" for number in range(7)]
    assert list(run_tasks(Notes, (tmp_path,), tasks, 2)) == [2] * 7
    assert sorted(path.stem for path in tmp_path.glob("*.done")) == tasks
    assert str(os.getpid()) not in doers(tmp_path)


def no_worker(folder: Path) -> Notes:
    """What cannot be made."""
    raise UserError(f"{folder}: no font draws this")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON, indirect=True)
def test_what_a_worker_says_is_wrong_is_said(engine: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no font draws this$"):
        list(run_tasks(no_worker, (tmp_path,), ["a", "b"], 2))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["the pool"], indirect=True)
def test_a_process_of_the_pool_that_is_killed_ends_the_run_with_what_to_do(engine: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a process died, killed or out of memory; .* run again"):
        list(run_tasks(Notes, (tmp_path,), ["a", "deadly", "b"], 2))
    assert len(list(run_tasks(Notes, (tmp_path,), ["a", "deadly", "b"], 2))) == 3


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON[1:], indirect=True)
def test_a_process_on_ray_that_is_killed_is_started_again(engine: str, tmp_path: Path) -> None:
    assert list(run_tasks(Notes, (tmp_path,), ["a", "deadly", "b"], 2)) == [2, 2, 2]
    assert {path.stem for path in tmp_path.glob("*.done")} == {"a", "deadly", "b"}


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON[1:], indirect=True)
def test_a_task_that_always_kills_its_process_on_ray_is_not_tried_for_ever(engine: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="died again and again at the same task"):
        list(run_on_ray(Notes, (tmp_path,), ["always deadly"], 1, most_deaths=1))


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON[1:], indirect=True)
def test_ray_ending_does_not_end_who_asked(engine: str, tmp_path: Path) -> None:
    results = run_on_ray(Notes, (tmp_path,), ["a", "slow"], 1)
    assert next(results) == 2
    (driver,) = multiprocessing.active_children()
    driver.kill()
    with pytest.raises(UserError, match=r"Ray ended before all was done \(exit code -9\)"):
        list(results)


ASKING = """
import multiprocessing, sys
from pathlib import Path
from test_processes import Notes
from text_spotting.processes import run_on_ray

if __name__ == "__main__":
    for _ in run_on_ray(Notes, (Path(sys.argv[1]),), ["a", "slow"], 1):
        print(multiprocessing.active_children()[0].pid, flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", ON[1:], indirect=True)
def test_ray_goes_when_who_asked_is_killed_and_has_a_group_of_its_own(engine: str, tmp_path: Path) -> None:
    script = tmp_path / "ask.py"
    script.write_text(ASKING)
    asking = subprocess.Popen([sys.executable, script, tmp_path], stdout=subprocess.PIPE, text=True)
    assert asking.stdout is not None
    driver = int(asking.stdout.readline())
    assert os.getpgid(driver) == driver
    asking.kill()
    asking.wait()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{driver}").exists():
        assert time.monotonic() < deadline, "the driver goes on alone"
        time.sleep(0.1)
