"""The calibration plot of the card, as a PNG."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402


def save(rows: list[dict], error: float, path: Path) -> None:
    """Confidence against accuracy by bin, with the number of texts in each bin below. The same rows give the same bytes."""
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(4.6, 5.2), height_ratios=[3, 1], sharex=True, layout="constrained")
    confidence, accuracy = [row["confidence"] for row in rows], [row["accuracy"] for row in rows]
    top.plot([0.33, 1], [0.33, 1], color="0.6", linestyle="--", label="as sure as right")
    top.plot(confidence, accuracy, marker="o", markersize=4, label=f"test split, calibration error {100 * error:.1f} %")
    top.set_ylabel("share that is right")
    top.legend(loc="upper left", fontsize=8)
    bottom.bar(confidence, [row["n"] for row in rows], width=0.03)
    bottom.set_yscale("log")
    bottom.set_ylabel("texts")
    bottom.set_xlabel("score of the best label")
    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)
