"""Tasks in several processes: on Ray Data where the extra is installed, else on the standard library's pool."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from typing import Any

import cv2

from text_spotting.errors import UserError

Worker = Callable[[str], int]
"""Does one task, described by a text, and returns how many pictures it added."""
WorkerType = Callable[..., Worker]
"""What makes a worker, once in each process; a class or function of a module, so that other processes find it."""


def run_tasks(make: WorkerType, arguments: tuple[Any, ...], tasks: Sequence[str], workers: int) -> Iterator[int]:
    """Do tasks in ``workers`` processes, yielding what each returned, in any order.

    On Ray a process that dies is started again, and its task with it. The pool ends instead.

    Raises:
        UserError: a worker's own, or a process of the pool died.
    """
    if not tasks:
        return
    if workers <= 1:
        worker = make(*arguments)
        yield from map(worker, tasks)
    elif find_spec("ray") and find_spec("pyarrow"):
        yield from run_on_ray(make, arguments, tasks, workers)
    else:
        yield from _run_in_pool(make, arguments, tasks, workers)


def run_on_ray(make: WorkerType, arguments: tuple[Any, ...], tasks: Sequence[str], workers: int) -> Iterator[int]:
    """Do tasks on Ray Data: on this machine, or on the cluster that RAY_ADDRESS names.

    A process that dies is started again without end, and so is its task: Ray Data's default.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # or it warns of how Ray Data itself starts processes
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    is_ours = not ray.is_initialized()
    if is_ours:
        place: dict[str, Any] = {"address": "local", "num_cpus": workers + 1, "include_dashboard": False}
        if cluster := os.environ.get("RAY_ADDRESS"):
            place = {"address": cluster}
        ray.init(**place, log_to_driver=False, logging_level=logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"task": task} for task in tasks], override_num_blocks=len(tasks))
    done = rows.map_batches(
        _RayWorker,
        fn_constructor_args=(make, arguments),
        batch_size=1,
        compute=ActorPoolStrategy(size=min(workers, len(tasks))),
    )
    try:
        for row in done.iter_rows():
            if complaint := str(row["complaint"]):
                raise UserError(complaint)
            yield int(row["added"])
    finally:
        if is_ours:
            ray.shutdown()


class _RayWorker:
    """One task at a time of Ray's batches."""

    def __init__(self, make: WorkerType, arguments: tuple[Any, ...]) -> None:
        self.what = make, arguments

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """What the user can mend is a result: Ray would wrap it in errors of its own."""
        added, complaints = [], []
        for task in batch["task"]:
            try:
                added.append(_work(*self.what, str(task)))
                complaints.append("")
            except UserError as error:
                added.append(0)
                complaints.append(str(error))
        return {"added": added, "complaint": complaints}


def _run_in_pool(make: WorkerType, arguments: tuple[Any, ...], tasks: Sequence[str], workers: int) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(tasks)), context) as pool:
        try:
            for future in as_completed([pool.submit(_work, make, arguments, task) for task in tasks]):
                yield future.result()
        except BrokenProcessPool as error:
            message = "a process died, killed or out of memory; what is done is kept: run again, with fewer if need be"
            raise UserError(message, about="workers") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


_worker: Worker | None = None


def _work(make: WorkerType, arguments: tuple[Any, ...], task: str) -> int:
    """Made with the first task and not when the process starts: what goes wrong then would only break the pool."""
    global _worker  # noqa: PLW0603 - one for the life of a process
    if _worker is None:
        cv2.setNumThreads(1)
        _worker = make(*arguments)
    return _worker(task)
