"""Measure the shipped file: accuracy, out-of-scope recall, row independence, time, size."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort

from dataset import Split


def session(path: Path) -> ort.InferenceSession:
    """One thread, as in the Worker."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def padded(features: list[np.ndarray], length: int | None = None) -> np.ndarray:
    """Ids of several texts, padded with 0 to the longest or to a given length."""
    ids = np.zeros((len(features), length or max(len(f) for f in features)), np.int32)
    for row, found in zip(ids, features):
        row[: len(found)] = found[:, 0]
    return ids


def logits_of(run: ort.InferenceSession, features: list[np.ndarray], batch: int = 50) -> np.ndarray:
    """Logits of many texts, in batches."""
    parts = [features[i : i + batch] for i in range(0, len(features), batch)]
    return np.concatenate([run.run(None, {"ids": padded(part)})[0] for part in parts])


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the labels."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def decide(logits: np.ndarray, oos: int, below: float) -> np.ndarray:
    """The label numbers given out: the best one, or `oos` when its probability is too low."""
    chances = probabilities(logits)
    return np.where(chances.max(axis=1) < below, oos, chances.argmax(axis=1))


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


def choose_threshold(val: np.ndarray, targets: np.ndarray, oos: int, allowed_loss: float) -> float:
    """The highest threshold that costs at most `allowed_loss` in-scope validation accuracy."""
    plain = (decide(val, oos, 0) == targets).mean()
    fits = [t / 100 for t in range(0, 100) if (decide(val, oos, t / 100) == targets).mean() >= plain - allowed_loss]
    return max(fits)


def quality(run: ort.InferenceSession, splits: dict[str, Split], oos: int, below: float) -> dict:
    """Accuracy in scope and recall out of scope on `test`, with and without the threshold."""
    inside, outside = (logits_of(run, splits[name].features) for name in ("test", "oos_test"))
    found: dict = {}
    for key, level in (("withThreshold", below), ("withoutThreshold", 0.0)):
        chosen_in, chosen_out = decide(inside, oos, level), decide(outside, oos, level)
        called = int((chosen_in == oos).sum() + (chosen_out == oos).sum())
        found[key] = {
            "inScopeAccuracy": share(chosen_in == splits["test"].targets),
            "outOfScopeRecall": share(chosen_out == oos),
            "outOfScopePrecisionPercent": round(100 * int((chosen_out == oos).sum()) / max(called, 1), 2),
        }
    return found


def independence(run: ort.InferenceSession, features: list[np.ndarray]) -> float:
    """Largest difference of a row's logits: alone, in a batch of 8, and padded to 1,024 ids."""
    worst = 0.0
    for at in range(0, len(features), 8):
        rows = features[at : at + 8]
        alone = np.concatenate([run.run(None, {"ids": padded([row])})[0] for row in rows])
        for ids in (padded(rows), padded(rows, 1024)):
            other = run.run(None, {"ids": ids})[0]
            if (alone.argmax(1) != other.argmax(1)).any():
                raise SystemExit("A row's answer depends on its batch or its padding.")
            worst = max(worst, float(np.abs(alone - other).max()))
    return worst


def milliseconds(run: ort.InferenceSession, features: list[np.ndarray], batch: int) -> float:
    """Median time of one call, one thread."""
    times = []
    for at in range(0, 1600, batch):
        ids = padded(features[at : at + batch])
        began = time.perf_counter()
        run.run(None, {"ids": ids})
        times.append(time.perf_counter() - began)
    return round(1000 * statistics.median(times), 4)
