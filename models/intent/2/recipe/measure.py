"""Measure the shipped graph: threshold on validation, accuracy and recall on the test split, row independence, time."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import clinc
from classify.score import decide
from report.labelled import Inputs, Reader
from report.measure import milliseconds, session, share

ALLOWED_LOSS = 0.002


def logits_of(path: Path, batches: list[Inputs]) -> np.ndarray:
    """Logits [rows, 151] of all batches."""
    run = session(path)
    return np.concatenate([run.run(None, inputs)[0] for inputs in batches])


def choose_threshold(val: np.ndarray, targets: np.ndarray, oos: int) -> float:
    """The highest threshold that costs at most ALLOWED_LOSS of the in-scope validation accuracy."""
    plain = (decide(val, oos, 0) == targets).mean()
    fits = [t / 100 for t in range(100) if (decide(val, oos, t / 100) == targets).mean() >= plain - ALLOWED_LOSS]
    return max(fits)


def validation(path: Path, reader: Reader, raw: clinc.Raw, oos: int) -> tuple[float, dict]:
    """The threshold, and what it gives on validation."""
    logits = {name: logits_of(path, reader.encode(clinc.part(raw, name)[0])) for name in ("val", "oos_val")}
    targets = np.array(clinc.part(raw, "val")[1])
    below = choose_threshold(logits["val"], targets, oos)
    return below, {
        "inScopeAccuracy": share(decide(logits["val"], oos, below) == targets),
        "inScopeAccuracyWithoutThreshold": share(decide(logits["val"], oos, 0) == targets),
        "outOfScopeRecall": share(decide(logits["oos_val"], oos, below) == oos),
    }


def test(path: Path, reader: Reader, raw: clinc.Raw, oos: int, below: float) -> dict:
    """The table of the test split, with and without the threshold."""
    inside, outside = (logits_of(path, reader.encode(clinc.part(raw, name)[0])) for name in ("test", "oos_test"))
    targets, found = np.array(clinc.part(raw, "test")[1]), {}
    for key, level in (("withThreshold", below), ("withoutThreshold", 0.0)):
        chosen_in, chosen_out = decide(inside, oos, level), decide(outside, oos, level)
        called = int((chosen_in == oos).sum() + (chosen_out == oos).sum())
        found[key] = {
            "inScopeAccuracy": share(chosen_in == targets),
            "outOfScopeRecall": share(chosen_out == oos),
            "outOfScopePrecisionPercent": round(100 * int((chosen_out == oos).sum()) / max(called, 1), 2),
        }
    return found


def independence(path: Path, reader: Reader, texts: list[str]) -> dict:
    """Largest difference of a row's logits alone and in a batch of 8, and how many best labels differ."""
    alone, together = (logits_of(path, reader.encode(texts, batch=size)) for size in (1, 8))
    differ = int((alone.argmax(1) != together.argmax(1)).sum())
    return {"maxLogitDifference": round(float(np.abs(alone - together).max()), 6), "labelsThatDiffer": differ, "n": len(texts)}


def native_times(paths: list[Path], tokens: int = 16) -> list[dict]:
    """Median CPU ms of one call at batch 1 and 8 and 16 tokens, one thread, the graphs in turn."""
    ids = np.random.default_rng(1).integers(200, 4000, (8, tokens)).astype(np.int32)
    by_batch = {batch: milliseconds(paths, [{"input_ids": ids[:batch]}] * len(paths)) for batch in (1, 8)}
    return [{f"batch{batch}": found[at] for batch, found in by_batch.items()} for at in range(len(paths))]
