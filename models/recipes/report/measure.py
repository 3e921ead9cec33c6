"""What a graph costs and how well it answers: size, accuracy, native time, and time and heap in workerd."""

from __future__ import annotations

import json
import math
import os
import shlex
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from report.labelled import Inputs

NO_CLI = "Time and heap in workerd are left out: `{command}` did not answer ({reason}). Set LEDGE_CLI to the command that starts Ledge's command line."


def session(path: Path) -> ort.InferenceSession:
    """One thread, as in a Worker."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def first_outputs(path: Path, batches: list[Inputs]) -> np.ndarray:
    """The first output for all rows, [rows, …]."""
    run = session(path)
    return np.concatenate([run.run(None, inputs)[0] for inputs in batches])


def wilson(right: int, total: int) -> list[float]:
    """95 % Wilson interval of a share, in percent."""
    z, share = 1.959964, right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return [round(100 * (middle - half), 2), round(100 * (middle + half), 2)]


def share(right: np.ndarray) -> dict:
    """A share in percent with its interval and n."""
    count, total = int(right.sum()), len(right)
    return {"percent": round(100 * count / total, 2), "ci95": wilson(count, total), "n": total}


def accuracy(path: Path, batches: list[Inputs], labels: np.ndarray) -> dict:
    """How often the best class of the first output [rows, classes] is the label."""
    return share(first_outputs(path, batches).argmax(-1) == labels)


def milliseconds(paths: list[Path], inputs: list[Inputs], rounds: int = 50) -> list[float]:
    """Median CPU time of one call of each graph with its own inputs, one thread, the graphs in turn.

    CPU time, not the clock: other work on the machine then counts little.
    """
    runs = [session(path) for path in paths]
    times: list[list[float]] = [[] for _ in paths]
    for at in range(rounds + 5):
        for run, given, kept in zip(runs, inputs, times):
            began = time.process_time()
            run.run(None, given)
            if at >= 5:
                kept.append(time.process_time() - began)
    return [round(1000 * statistics.median(kept), 3) for kept in times]


def in_workerd(path: Path) -> tuple[dict | None, str | None]:
    """What `ledge model measure FILE --json` says under `measured`: heapBytes, loadMs, runMs {"1", "8"}. Or None and why not."""
    command = os.environ.get("LEDGE_CLI", "npx --no ledge")
    try:
        done = subprocess.run([*shlex.split(command), "model", "measure", str(path), "--json"], capture_output=True, text=True, timeout=600, check=True)
        found = json.loads(done.stdout)
        if found.get("refused"):
            return None, f"{path.name} does not run in workerd: {found['refused']}"
        return {key: found["measured"][key] for key in ("heapBytes", "loadMs", "runMs")}, None
    except subprocess.CalledProcessError as failed:
        reason = (failed.stderr.strip().splitlines() or ["no reason given"])[-1]
    except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError, KeyError) as failed:
        reason = type(failed).__name__
    return None, NO_CLI.format(command=command, reason=reason)
