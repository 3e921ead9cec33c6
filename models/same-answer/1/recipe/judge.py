"""How often two prompts are taken for one, rightly and wrongly: hits and false hits at thresholds, with Wilson 95 % intervals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from classify.score import probabilities
from families import Pair
from report.labelled import Reader
from report.measure import first_outputs, wilson
from train import JOINT

EMBEDDER = Path(__file__).resolve().parents[3] / "embed" / "1"
GROUPS = ("near-miss", "polarity", "number", "entity", "reversal")


def test_rows(path: Path) -> list[dict]:
    """The test set: {a, b, same, group, by}."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def pairs_of(rows: list[dict]) -> list[Pair]:
    """Its pairs."""
    return [Pair(row["a"], row["b"], row["same"], row["group"]) for row in rows]


def outputs(graph: Path, tokenizer: Path, texts: list[str], tokens_max: int) -> np.ndarray:
    """The first output for each text. Texts of like length share a batch, so that little is padded."""
    order = sorted(range(len(texts)), key=lambda at: len(texts[at]))
    found = first_outputs(graph, Reader(graph, tokenizer, tokens_max).encode([texts[at] for at in order]))
    made = np.empty_like(found)
    made[order] = found
    return made


def chances(folder: Path, pairs: list[Pair], tokens_max: int) -> np.ndarray:
    """The probability of `same`, [pairs]."""
    ask = lambda first, second: outputs(folder / "model.onnx", folder / "tokenizer.json", [f"{a}{JOINT}{b}" for a, b in zip(first, second)], tokens_max)
    return probabilities(ask([p.a for p in pairs], [p.b for p in pairs]))[:, 1]


def vectors(texts: list[str]) -> np.ndarray:
    """Unit vectors by `embed` 1, [texts, 384]."""
    return outputs(EMBEDDER / "model.onnx", EMBEDDER / "tokenizer.json", texts, 128)


def cosines(pairs: list[Pair]) -> np.ndarray:
    """Cosine of the two prompts by `embed` 1."""
    return (vectors([p.a for p in pairs]) * vectors([p.b for p in pairs])).sum(1)


def part(count: int, total: int) -> dict:
    """A share in percent with its interval, and the numbers that it is made of."""
    return {"percent": round(100 * count / total, 2) if total else 0.0, "ci95": wilson(count, total) if total else [0.0, 100.0], "count": count, "n": total}


def at_threshold(scores: np.ndarray, rows: list[dict], threshold: float) -> dict:
    """Hits among the pairs that want the same, false ones among all hits, and by group how many of the others were hit."""
    hit, same = scores >= threshold, np.array([row["same"] for row in rows])
    groups = np.array([row["group"] for row in rows])
    return {
        "threshold": round(float(threshold), 4),
        "hits": part(int((hit & same).sum()), int(same.sum())),
        "falseOfHits": part(int((hit & ~same).sum()), int(hit.sum())),
        "falseByGroup": {group: part(int((hit & (groups == group)).sum()), int((groups == group).sum())) for group in GROUPS},
    }


def curve(scores: np.ndarray, rows: list[dict], thresholds: list[float]) -> list[dict]:
    """At each threshold, over all rows."""
    return [at_threshold(scores, rows, threshold) for threshold in thresholds]
