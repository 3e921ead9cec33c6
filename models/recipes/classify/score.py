"""Scores of a classifier from its logits: shares, F1, calibration, all with 95 % intervals."""

from __future__ import annotations

import numpy as np


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Softmax over the labels, in float64. logits: [n, labels]."""
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def decide(logits: np.ndarray, other: int, below: float) -> np.ndarray:
    """The label numbers given out: the best one, or `other` when its probability is below the threshold."""
    chances = probabilities(logits)
    return np.where(chances.max(axis=1) < below, other, chances.argmax(axis=1))


def f1_of(targets: np.ndarray, chosen: np.ndarray, labels: int) -> np.ndarray:
    """Precision, recall and F1 of each label, [labels, 3]; 0 where nothing was there to be right about."""
    table = np.zeros((labels, labels))
    np.add.at(table, (targets, chosen), 1)
    right = np.diag(table)
    precision, recall = (right / np.maximum(table.sum(axis=axis), 1) for axis in (0, 1))
    return np.stack([precision, recall, 2 * precision * recall / np.maximum(precision + recall, 1e-12)], axis=1)


def f1_table(targets: np.ndarray, chosen: np.ndarray, names: list[str], seed: int = 1, rounds: int = 2000) -> dict:
    """Per label precision, recall and F1, and the unweighted mean of the F1s, with bootstrap intervals of the F1s."""
    draw, count = np.random.default_rng(seed), len(targets)
    rows = [draw.integers(0, count, count) for _ in range(rounds)]
    again = np.stack([f1_of(targets[r], chosen[r], len(names))[:, 2] for r in rows])
    found, ends = f1_of(targets, chosen, len(names)), np.percentile(again, [2.5, 97.5], axis=0)
    mean_ends = np.percentile(again.mean(axis=1), [2.5, 97.5])
    spell = lambda value: round(float(value), 4)
    per_label = {
        name: {
            "precision": spell(found[i, 0]), "recall": spell(found[i, 1]), "f1": spell(found[i, 2]),
            "f1Ci95": [spell(ends[0, i]), spell(ends[1, i])], "n": int((targets == i).sum()),
        }
        for i, name in enumerate(names)
    }
    return {"labels": per_label, "macroF1": spell(found[:, 2].mean()), "macroF1Ci95": [spell(end) for end in mean_ends]}


def reliability(logits: np.ndarray, targets: np.ndarray, bins: int = 15) -> list[dict]:
    """Rows of a calibration plot: texts grouped by their best probability, and how often they were right."""
    chances = probabilities(logits)
    best, right = chances.max(axis=1), chances.argmax(axis=1) == targets
    at = np.minimum((best * bins).astype(int), bins - 1)
    return [
        {"confidence": round(float(best[at == i].mean()), 4), "accuracy": round(float(right[at == i].mean()), 4), "n": int((at == i).sum())}
        for i in range(bins)
        if (at == i).any()
    ]


def calibration_error(logits: np.ndarray, targets: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: the mean distance of confidence and accuracy over equal bins, weighted by their size."""
    rows = reliability(logits, targets, bins)
    return sum(row["n"] * abs(row["confidence"] - row["accuracy"]) for row in rows) / len(targets)


def temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """The number to divide logits by for the lowest log loss on these texts, by search to 0.01."""
    choices = np.arange(0.3, 4.0, 0.01)
    losses = [-np.log(np.maximum(probabilities(logits / t)[np.arange(len(targets)), targets], 1e-12)).mean() for t in choices]
    return round(float(choices[int(np.argmin(losses))]), 2)
