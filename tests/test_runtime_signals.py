"""Signals reach a process that has read images, whichever thread let go of the model."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sample_graphs import save_ir

FREED_BY_ANOTHER_THREAD = """
import os, signal, sys, threading, time
import numpy as np
from text_spotting.runtime.spotter import Spotter

def stop(number, frame):
    print("told to stop")
    sys.exit(3)

signal.signal(signal.{name}, stop)
models = [Spotter({model!r})]
models[0](np.zeros((40, 80, 3), np.uint8))
thread = threading.Thread(target=models.clear)
thread.start()
thread.join()
os.kill(os.getpid(), signal.{name})
time.sleep(30)  # another thread may be given the signal, and tells this one of it
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", [signal.SIGINT.name, signal.SIGTERM.name])
def test_a_signal_after_another_thread_freed_the_model_is_handled(tmp_path: Path, name: str) -> None:
    """OpenVINO's CPU plugin would take the main thread's stack for signals with it, and the signal crash."""
    script = FREED_BY_ANOTHER_THREAD.format(name=name, model=str(save_ir(tmp_path)))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout) == (3, "told to stop\n"), ended.stderr
