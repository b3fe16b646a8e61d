"""Tasks in several processes: on Ray Data where the extra is installed, else on the standard library's pool."""

import logging
import multiprocessing
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Any

import cv2

from text_spotting.errors import UserError

Worker = Callable[[str], int]
"""Does one task, described by a text, and returns how many images it added."""
WorkerType = Callable[..., Worker]
"""What makes a worker, once in each process; a class or function of a module, so that other processes find it."""
MOST_DEATHS = 20
"""Times that one task may kill its worker on Ray; -1 is without limit."""
SHUTDOWN_SECONDS = 60
"""Ray's own leave, after which it is ended."""


def run_tasks(make: WorkerType, arguments: tuple[Any, ...], tasks: Sequence[str], workers: int) -> Iterator[int]:
    """Do tasks in ``workers`` processes, yielding what each returned, in any order.

    On Ray a process that dies is started again, and its task with it. The pool ends instead.

    Raises:
        UserError: a worker's own, or a process of the pool died, or see ``run_on_ray``.
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


def run_on_ray(
    make: WorkerType, arguments: tuple[Any, ...], tasks: Sequence[str], workers: int, most_deaths: int = MOST_DEATHS
) -> Iterator[int]:
    """Do tasks on Ray Data: on this machine, or on the cluster that RAY_ADDRESS names.

    Ray is driven from a process and a process group of its own, for it ends the process that drives it, without a
    word, when it cannot reach its server for a minute. A worker that dies is started again, and so is its task.

    Raises:
        UserError: a worker's own, or one task killed its worker more than ``most_deaths`` times, or Ray ended.
    """
    context = multiprocessing.get_context("spawn")
    results, sender = context.Pipe()
    what = (sender, make, arguments, list(tasks), workers, most_deaths)
    driver = context.Process(target=_drive_ray, args=what, daemon=True)
    driver.start()
    sender.close()
    try:
        while (result := results.recv()) is not None:
            if isinstance(result, str):
                raise UserError(result)
            yield result
        driver.join(SHUTDOWN_SECONDS)
    except EOFError as error:
        driver.join()
        message = f"Ray ended before all was done (exit code {driver.exitcode}); what is done is kept: run again"
        raise UserError(message, about="workers") from error
    finally:
        driver.terminate()  # Ray takes its own processes with it
        driver.join()
        results.close()


def _drive_ray(
    sender: Connection, make: WorkerType, arguments: tuple[Any, ...], tasks: list[str], workers: int, most_deaths: int
) -> None:
    """Send what every task added, then None; or what the user can mend, as text."""
    if hasattr(os, "setsid"):
        os.setsid()
    threading.Thread(target=_leave_with_its_parent, args=(sender,), daemon=True).start()
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # or it warns of how Ray Data itself starts processes
    import ray
    from ray.data import ActorPoolStrategy, DataContext

    place: dict[str, Any] = {"address": "local", "num_cpus": workers + 1, "include_dashboard": False}
    if cluster := os.environ.get("RAY_ADDRESS"):
        place = {"address": cluster}
    ray.init(**place, log_to_driver=False, logging_level=logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    DataContext.get_current().enable_progress_bars = False
    rows = ray.data.from_items([{"task": task} for task in tasks], override_num_blocks=len(tasks))
    pool = ActorPoolStrategy(size=min(workers, len(tasks)))
    with warnings.catch_warnings():  # leaves with Ray 2.64, and there is no other way yet
        warnings.simplefilter("ignore", DeprecationWarning)
        done = rows.map_batches(
            _RayWorker,
            fn_constructor_args=(make, arguments),
            batch_size=1,
            compute=pool,
            max_task_retries=most_deaths,
        )
    try:
        for batch in done.iter_batches(batch_size=1, prefetch_batches=0):
            sender.send(str(batch["complaint"][0]) or int(batch["added"][0]))
        sender.send(None)
    except ray.exceptions.RayActorError:
        sender.send("workers: a process died again and again at the same task; what is done is kept")
    except BrokenPipeError:  # nobody waits any more
        pass
    finally:
        ray.shutdown()


def _leave_with_its_parent(connection: Connection) -> None:
    """Nothing is ever sent this way, so what comes is its end. Ray's processes are told of ours by the kernel."""
    try:
        connection.recv()
    except (EOFError, OSError):
        os._exit(1)


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
